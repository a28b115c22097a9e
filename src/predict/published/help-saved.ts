/**
 * What `help` learns and adapts, and its saved form.
 */
import { z } from "zod";
import { parameterCount } from "../../nn/training-graph.js";
import { type EncodingForm, encodingFormSchema } from "../encodings.js";
import { type KnownRange, knownRangeSchema } from "../known-range.js";
import type { SavedPredictor } from "../predictor.js";
import { readFloats, readSettings } from "../saved.js";
import { helpFormOf, helpParameters, nReferences, type TargetSupport } from "./help-network.js";
import { type ScoreLine, scoreLineSchema } from "./score-line.js";

/** Name of the method. */
export const name = "help";
const formatVersion = 1;

const commonSchema = z.object({
  families: z.array(z.string()),
  encoding: encodingFormSchema,
  range: knownRangeSchema,
  threads: z.number().int().positive(),
});
const fittedSchema = commonSchema.extend({
  kind: z.literal("fitted"),
  /** Ids of the reference networks, in the order of the hardware embedding. */
  references: z.array(z.string()).length(nReferences),
});
const adaptedSchema = commonSchema.extend({
  kind: z.literal("adapted"),
  platformId: z.string(),
  nSamples: z.number().int().positive(),
  nSupport: z.number().int().positive(),
  noiseSeed: z.number().int().nonnegative(),
  line: scoreLineSchema,
  deviation: z.number().positive(),
});

interface Common {
  readonly families: readonly string[];
  readonly encoding: EncodingForm;
  readonly range: KnownRange;
  readonly threads: number;
  readonly theta: Float32Array;
}
/** Learned from the sources. */
export interface Learned extends Common {
  readonly references: readonly string[];
  /** Encodings of the references, (references, width). */
  readonly referenceEncodings: Float32Array;
}
/** Tuned to a target. */
export interface Adapted extends Common {
  readonly platformId: string;
  readonly nSamples: number;
  readonly support: TargetSupport;
  readonly noiseSeed: number;
  readonly line: ScoreLine;
  readonly deviation: number;
}

const featuresOf = ({ space, width }: EncodingForm) => [
  { name: `${width} numbers of the ${space} encoding`, unit: "0 or 1" },
  { name: `latencies of ${nReferences} reference networks`, unit: "ms, normalised" },
];

/** The saved form of what was learned. */
export function saveFitted(learned: Learned): SavedPredictor {
  const { theta, referenceEncodings, ...settings } = learned;
  return {
    method: name,
    formatVersion,
    settings: { kind: "fitted", ...settings },
    tensors: new Map([
      ["theta", { shape: [theta.length], values: theta }],
      ["references", { shape: [nReferences, learned.encoding.width], values: referenceEncodings }],
    ]),
    features: featuresOf(learned.encoding),
  };
}

/** @throws FormatError as `readSettings` and `readFloats` */
export function loadFitted(saved: SavedPredictor): Learned {
  const settings = readSettings(saved, { method: name, formatVersion }, fittedSchema);
  const { kind: _, ...learned } = settings;
  const { encoding } = settings;
  return {
    ...learned,
    theta: readFloats(saved, "theta", [parameterCount(helpParameters(helpFormOf(encoding)))]),
    referenceEncodings: readFloats(saved, "references", [nReferences, encoding.width]),
  };
}

/** The saved form of what was tuned to a target. */
export function saveAdapted(adapted: Adapted): SavedPredictor {
  const { theta, support, ...settings } = adapted;
  const nSupport = support.targets.length;
  return {
    method: name,
    formatVersion,
    settings: { kind: "adapted", ...settings, nSupport },
    tensors: new Map([
      ["theta", { shape: [theta.length], values: theta }],
      [
        "support.networks",
        { shape: [nSupport, support.networks.length / nSupport], values: support.networks },
      ],
      ["support.targets", { shape: [nSupport], values: support.targets }],
      ["support.hardware", { shape: [nReferences], values: support.hardware }],
    ]),
    features: featuresOf(adapted.encoding),
  };
}

/** @throws FormatError as `readSettings` and `readFloats` */
export function loadAdapted(saved: SavedPredictor): Adapted {
  const settings = readSettings(saved, { method: name, formatVersion }, adaptedSchema);
  const { kind: _, nSupport, ...adapted } = settings;
  const form = helpFormOf(settings.encoding);
  return {
    ...adapted,
    theta: readFloats(saved, "theta", [parameterCount(helpParameters(form))]),
    support: {
      networks: readFloats(saved, "support.networks", [nSupport, form.nFeatures]),
      targets: readFloats(saved, "support.targets", [nSupport]),
      hardware: readFloats(saved, "support.hardware", [nReferences]),
    },
  };
}
