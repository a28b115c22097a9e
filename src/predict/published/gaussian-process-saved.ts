/**
 * What `gaussian-process` keeps: the shapes of what it learned and adapted, and their saved form (settings and tensors).
 */
import { z } from "zod";
import { FormatError } from "../../errors.js";
import { matrix } from "../../tensor/linalg.js";
import { type IntervalScale, intervalScaleSchema } from "../intervals.js";
import { type KnownRange, knownRangeSchema } from "../known-range.js";
import type { SavedPredictor } from "../predictor.js";
import { readSettings, readTensor } from "../saved.js";
import { describeCountFeatures } from "./count-features.js";
import type { Hypothesis, Observed } from "./gaussian-mixture.js";
import {
  loadFunctions,
  type SourceFunctions,
  saveFunctions,
  sourceFunctionsSchema,
} from "./source-functions.js";

/** The method's name. */
export const name = "gaussian-process";
const formatVersion = 1;

const commonSchema = z.object({
  families: z.array(z.string()),
  range: knownRangeSchema,
  intervals: z.array(intervalScaleSchema).min(1),
  functions: sourceFunctionsSchema,
  nHypotheses: z.number().int().positive(),
});
const fittedSchema = commonSchema.extend({ kind: z.literal("fitted") });
const adaptedSchema = commonSchema.extend({
  kind: z.literal("adapted"),
  platformId: z.string(),
  nSamples: z.number().int().positive(),
});

interface Common {
  readonly families: readonly string[];
  readonly range: KnownRange;
  readonly intervals: readonly IntervalScale[];
  readonly functions: SourceFunctions;
  readonly hypotheses: readonly Hypothesis[];
}

/** What is learned from a pool. */
export interface Learned extends Common {
  /** Weights of the hypotheses before any sample, adding up to 1. */
  readonly prior: Float64Array;
}

/** What is known of one target. */
export interface Adapted extends Common {
  readonly platformId: string;
  readonly nSamples: number;
  readonly observed: Observed;
  /** Weights of the hypotheses, adding up to 1. */
  readonly weights: Float64Array;
}

const hypothesisNumbers = ["view", "shared", "linear", "smooth", "noise"] as const;

function save(
  kind: "fitted" | "adapted",
  { functions, hypotheses, ...scalars }: Common,
  weights: Float64Array,
  more: readonly [string, { shape: number[]; values: Float64Array }][],
): SavedPredictor {
  const { settings, tensors } = saveFunctions(functions);
  const nHypotheses = hypotheses.length;
  const numbers = hypotheses.flatMap((h) => hypothesisNumbers.map((number) => h[number]));
  return {
    method: name,
    formatVersion,
    settings: { kind, ...scalars, functions: settings, nHypotheses },
    tensors: new Map([
      ...tensors,
      [
        "hypotheses",
        { shape: [nHypotheses, hypothesisNumbers.length], values: Float64Array.from(numbers) },
      ],
      ["weights", { shape: [nHypotheses], values: weights }],
      ...more,
    ]),
    features: describeCountFeatures(functions.basis.features),
  };
}

/** What a fitted predictor is saved as. */
export function saveFitted({ prior, ...common }: Learned): SavedPredictor {
  return save("fitted", common, prior, []);
}

/** What an adapted predictor is saved as. */
export function saveAdapted({ observed, weights, ...common }: Adapted): SavedPredictor {
  const { counts, shared, logMs, ownVariance } = observed;
  return save("adapted", common, weights, [
    ["sample.counts", { shape: [counts.rows, counts.columns], values: counts.values }],
    ["sample.shared", { shape: [shared.rows, shared.columns], values: shared.values }],
    ["sample.log_latency", { shape: [logMs.length], values: logMs }],
    ["sample.variance", { shape: [ownVariance.length], values: ownVariance }],
  ]);
}

function readHypotheses(saved: SavedPredictor, n: number, nViews: number): Hypothesis[] {
  const width = hypothesisNumbers.length;
  const numbers = readTensor(saved, "hypotheses", [n, width]);
  return Array.from({ length: n }, (_, h) => {
    const values = hypothesisNumbers.map((key, k) => [key, numbers[h * width + k]!]);
    const hypothesis = Object.fromEntries(values) as unknown as Hypothesis;
    if (!(Number.isInteger(hypothesis.view) && hypothesis.view >= 0 && hypothesis.view < nViews)) {
      throw new FormatError(
        `predictor "${name}": hypothesis ${h} names view ${hypothesis.view} of ${nViews}`,
        { field: "hypotheses" },
      );
    }
    return hypothesis;
  });
}

/** The inverse of `saveFitted`; throws FormatError on another method, version or shape. */
export function loadFitted(saved: SavedPredictor): Learned {
  const settings = readSettings(saved, { method: name, formatVersion }, fittedSchema);
  const { kind: _, nHypotheses, functions, ...others } = settings;
  return {
    ...others,
    functions: loadFunctions(saved, functions),
    hypotheses: readHypotheses(saved, nHypotheses, functions.features.views.length),
    prior: readTensor(saved, "weights", [nHypotheses]),
  };
}

/** The inverse of `saveAdapted`; throws FormatError on another method, version or shape. */
export function loadAdapted(saved: SavedPredictor): Adapted {
  const settings = readSettings(saved, { method: name, formatVersion }, adaptedSchema);
  const { kind: _, nHypotheses, functions, ...others } = settings;
  const n = others.nSamples;
  const [nColumns, nPlatforms] = [functions.features.columns.length, functions.platforms.length];
  const read = (key: string, columns: number) =>
    matrix(n, columns, readTensor(saved, key, [n, columns]));
  return {
    ...others,
    functions: loadFunctions(saved, functions),
    hypotheses: readHypotheses(saved, nHypotheses, functions.features.views.length),
    weights: readTensor(saved, "weights", [nHypotheses]),
    observed: {
      counts: read("sample.counts", nColumns),
      shared: read("sample.shared", nPlatforms),
      logMs: readTensor(saved, "sample.log_latency", [n]),
      ownVariance: readTensor(saved, "sample.variance", [n]),
    },
  };
}
