/**
 * What `maple-edge` keeps: the shapes of what it learned and adapted, and their saved form (settings and tensors).
 * `maple`, a configuration of the same network, is saved alike under its own name.
 */
import { z } from "zod";
import { FormatError } from "../errors.js";
import {
  type DescriptorForm,
  descriptorFeatures,
  descriptorFormSchema,
  descriptorWidth,
} from "./descriptor-features.js";
import { type EncodingForm, encodingFormSchema } from "./encodings.js";
import { type IntervalScale, intervalScaleSchema } from "./intervals.js";
import { type KnownRange, knownRangeSchema } from "./known-range.js";
import {
  type EstimateForm,
  estimateFeatures,
  estimateFormSchema,
  estimateWidth,
} from "./maple-edge-estimates.js";
import type { SavedPredictor, SavedTensor } from "./predictor.js";
import { readFloats, readSettings } from "./saved.js";

/** 2: a stand-in for descriptors. */
const formatVersion = 2;
/** Hidden layers of the network. */
export const hiddenWidths: readonly number[] = [128, 128];

const commonSchema = z.object({
  families: z.array(z.string()),
  encoding: encodingFormSchema,
  descriptor: descriptorFormSchema,
  estimates: estimateFormSchema.optional(),
  range: knownRangeSchema,
  intervals: z.array(intervalScaleSchema).min(1),
});
const fittedSchema = commonSchema.extend({
  kind: z.literal("fitted"),
  adaptSteps: z.number().int().positive(),
  threads: z.number().int().positive(),
  nPlatforms: z.number().int().positive(),
  nReplay: z.number().int().positive(),
  /** Typical network latency relative to the platform's scale: stands in where a target has no descriptor. */
  typicalRelative: z.number().positive(),
});
const adaptedSchema = commonSchema.extend({
  kind: z.literal("adapted"),
  platformId: z.string(),
  nSamples: z.number().int().positive(),
  scaleMs: z.number().positive(),
});

/** What learned and adapted have in common. */
export interface Common {
  /** Name of the configuration: `maple-edge` or `maple`. */
  readonly method: string;
  readonly families: readonly string[];
  readonly encoding: EncodingForm;
  readonly descriptor: DescriptorForm;
  /** What platforms are described by when no source has a descriptor. */
  readonly estimates?: EstimateForm | undefined;
  readonly range: KnownRange;
  readonly intervals: readonly IntervalScale[];
  readonly theta: Float32Array;
}

/** What is learned from a pool. */
export interface Learned extends Common {
  readonly adaptSteps: number;
  readonly threads: number;
  readonly typicalRelative: number;
  /** Descriptions of the sources, one or more each, (descriptions, width). */
  readonly descriptions: Float32Array;
  /** Source rows to keep in mind while adapting. */
  readonly replay: {
    readonly encoding: Float32Array;
    readonly target: Float32Array;
    /** Which description belongs to the row. */
    readonly description: Float32Array;
  };
}

/** What is known of one target. */
export interface Adapted extends Common {
  readonly platformId: string;
  readonly nSamples: number;
  readonly scaleMs: number;
  readonly description: Float32Array;
}

type Form = Pick<Common, "encoding" | "descriptor" | "estimates">;

/** Numbers that describe a platform. */
export function descriptionWidth({ descriptor, estimates }: Omit<Form, "encoding">): number {
  return estimates === undefined ? descriptorWidth(descriptor) : estimateWidth(estimates);
}

function tensor(values: Float32Array, ...shape: number[]): SavedTensor {
  return { shape, values };
}

/** Inputs of the network in order. */
function featuresOf({ encoding, descriptor, estimates }: Form): { name: string; unit: string }[] {
  const ofEncoding = Array.from({ length: encoding.width }, (_, i) => ({
    name: `${encoding.space} encoding ${i}`,
    unit: "0 or 1",
  }));
  const ofPlatform =
    estimates === undefined ? descriptorFeatures(descriptor) : estimateFeatures(estimates);
  return [...ofEncoding, ...ofPlatform];
}

/** What a fitted predictor is saved as. */
export function saveFitted(learned: Learned): SavedPredictor {
  const { method, theta, descriptions, replay, ...settings } = learned;
  const width = descriptionWidth(learned);
  const nPlatforms = descriptions.length / width;
  const nReplay = replay.target.length;
  return {
    method,
    formatVersion,
    settings: { kind: "fitted", ...settings, nPlatforms, nReplay },
    tensors: new Map([
      ["theta", tensor(theta, theta.length)],
      ["descriptors", tensor(descriptions, nPlatforms, width)],
      ["replay.encoding", tensor(replay.encoding, nReplay, learned.encoding.width)],
      ["replay.target", tensor(replay.target, nReplay)],
      ["replay.platform", tensor(replay.description, nReplay)],
    ]),
    features: featuresOf(learned),
  };
}

/** Parameters of the network on so many inputs. */
function parameterTotal(inputs: number): number {
  let total = 0;
  let before = inputs;
  for (const width of [...hiddenWidths, 1]) {
    total += before * width + width;
    before = width;
  }
  return total;
}

function readTheta(saved: SavedPredictor, form: Form) {
  const { operators, counters, centre, spread } = form.descriptor;
  const nEntries = operators.length * (1 + counters.length);
  if (centre.length !== nEntries || spread.length !== nEntries) {
    throw new FormatError(
      `predictor "${saved.method}": descriptor.centre must have ${nEntries} values`,
      { field: "settings.descriptor.centre" },
    );
  }
  const inputs = form.encoding.width + descriptionWidth(form);
  return readFloats(saved, "theta", [parameterTotal(inputs)]);
}

/** The inverse of `saveFitted`; throws FormatError on another method, version or shape. */
export function loadFitted(method: string, saved: SavedPredictor): Learned {
  const settings = readSettings(saved, { method, formatVersion }, fittedSchema);
  const { kind: _, nPlatforms, nReplay, ...learned } = settings;
  const theta = readTheta(saved, settings);
  const description = readFloats(saved, "replay.platform", [nReplay]);
  if (!description.every((p) => Number.isInteger(p) && p >= 0 && p < nPlatforms)) {
    throw new FormatError(
      `predictor "${method}": replay.platform names a description that is not there`,
      { field: "replay.platform" },
    );
  }
  return {
    ...learned,
    method,
    theta,
    descriptions: readFloats(saved, "descriptors", [nPlatforms, descriptionWidth(settings)]),
    replay: {
      encoding: readFloats(saved, "replay.encoding", [nReplay, settings.encoding.width]),
      target: readFloats(saved, "replay.target", [nReplay]),
      description,
    },
  };
}

/** What an adapted predictor is saved as. */
export function saveAdapted(adapted: Adapted): SavedPredictor {
  const { method, theta, description, ...settings } = adapted;
  return {
    method,
    formatVersion,
    settings: { kind: "adapted", ...settings },
    tensors: new Map([
      ["theta", tensor(theta, theta.length)],
      ["descriptor", tensor(description, description.length)],
    ]),
    features: featuresOf(adapted),
  };
}

/** The inverse of `saveAdapted`; throws FormatError on another method, version or shape. */
export function loadAdapted(method: string, saved: SavedPredictor): Adapted {
  const settings = readSettings(saved, { method, formatVersion }, adaptedSchema);
  const { kind: _, ...adapted } = settings;
  return {
    ...adapted,
    method,
    theta: readTheta(saved, settings),
    description: readFloats(saved, "descriptor", [descriptionWidth(settings)]),
  };
}
