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
import type { SavedPredictor, SavedTensor } from "./predictor.js";
import { readFloats, readSettings } from "./saved.js";

const formatVersion = 1;
/** Hidden layers of the network. */
export const hiddenWidths: readonly number[] = [128, 128];

const commonSchema = z.object({
  families: z.array(z.string()),
  encoding: encodingFormSchema,
  descriptor: descriptorFormSchema,
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
  readonly families: readonly string[];
  readonly encoding: EncodingForm;
  readonly descriptor: DescriptorForm;
  readonly range: KnownRange;
  readonly intervals: readonly IntervalScale[];
  readonly theta: Float32Array;
}

/** What is learned from a pool. */
export interface Learned extends Common {
  readonly adaptSteps: number;
  readonly threads: number;
  readonly typicalRelative: number;
  /** Normalised descriptors of the sources, (platforms, descriptor width). */
  readonly descriptors: Float32Array;
  /** Source rows to keep in mind while adapting. */
  readonly replay: {
    readonly encoding: Float32Array;
    readonly target: Float32Array;
    readonly platform: Float32Array;
  };
}

/** What is known of one target. */
export interface Adapted extends Common {
  readonly platformId: string;
  readonly nSamples: number;
  readonly scaleMs: number;
  readonly descriptorVector: Float32Array;
}

function tensor(values: Float32Array, ...shape: number[]): SavedTensor {
  return { shape, values };
}

/** Inputs of the network in order. */
function featuresOf({ encoding, descriptor }: Common): { name: string; unit: string }[] {
  const ofEncoding = Array.from({ length: encoding.width }, (_, i) => ({
    name: `${encoding.space} encoding ${i}`,
    unit: "0 or 1",
  }));
  return [...ofEncoding, ...descriptorFeatures(descriptor)];
}

/** What a fitted predictor of a method is saved as. */
export function saveFitted(method: string, learned: Learned): SavedPredictor {
  const { theta, descriptors, replay, ...settings } = learned;
  const width = descriptorWidth(learned.descriptor);
  const nPlatforms = descriptors.length / width;
  const nReplay = replay.target.length;
  return {
    method,
    formatVersion,
    settings: { kind: "fitted", ...settings, nPlatforms, nReplay },
    tensors: new Map([
      ["theta", tensor(theta, theta.length)],
      ["descriptors", tensor(descriptors, nPlatforms, width)],
      ["replay.encoding", tensor(replay.encoding, nReplay, learned.encoding.width)],
      ["replay.target", tensor(replay.target, nReplay)],
      ["replay.platform", tensor(replay.platform, nReplay)],
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

function readTheta(saved: SavedPredictor, form: Pick<Common, "encoding" | "descriptor">) {
  const { operators, counters, centre, spread } = form.descriptor;
  const nEntries = operators.length * (1 + counters.length);
  if (centre.length !== nEntries || spread.length !== nEntries) {
    throw new FormatError(
      `predictor "${saved.method}": descriptor.centre must have ${nEntries} values`,
      {
        field: "settings.descriptor.centre",
      },
    );
  }
  const inputs = form.encoding.width + descriptorWidth(form.descriptor);
  return readFloats(saved, "theta", [parameterTotal(inputs)]);
}

/** The inverse of `saveFitted`; throws FormatError on another method, version or shape. */
export function loadFitted(method: string, saved: SavedPredictor): Learned {
  const settings = readSettings(saved, { method, formatVersion }, fittedSchema);
  const { kind: _, nPlatforms, nReplay, ...learned } = settings;
  const theta = readTheta(saved, settings);
  const width = descriptorWidth(settings.descriptor);
  const platform = readFloats(saved, "replay.platform", [nReplay]);
  if (!platform.every((p) => Number.isInteger(p) && p >= 0 && p < nPlatforms)) {
    throw new FormatError(
      `predictor "${saved.method}": replay.platform names a platform that is not there`,
      {
        field: "replay.platform",
      },
    );
  }
  return {
    ...learned,
    theta,
    descriptors: readFloats(saved, "descriptors", [nPlatforms, width]),
    replay: {
      encoding: readFloats(saved, "replay.encoding", [nReplay, settings.encoding.width]),
      target: readFloats(saved, "replay.target", [nReplay]),
      platform,
    },
  };
}

/** What an adapted predictor of a method is saved as. */
export function saveAdapted(method: string, adapted: Adapted): SavedPredictor {
  const { theta, descriptorVector: vector, ...settings } = adapted;
  return {
    method,
    formatVersion,
    settings: { kind: "adapted", ...settings },
    tensors: new Map([
      ["theta", tensor(theta, theta.length)],
      ["descriptor", tensor(vector, vector.length)],
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
    theta: readTheta(saved, settings),
    descriptorVector: readFloats(saved, "descriptor", [descriptorWidth(settings.descriptor)]),
  };
}
