/**
 * The variation point for predictors: learn from a pool, adapt to a target with a few samples, predict with intervals.
 *
 * Predictors see feature tables of operator graphs, never a search space, a file or hardware.
 */
import type { FeatureTable } from "../graph/features.js";
import type { Descriptor } from "../record/descriptor.js";
import type { Platform } from "../record/platform.js";
import type { CostView } from "./cost-views.js";

/** Measured latencies of one platform: `latencyMs[i]` belongs to row `rows[i]` of a feature table. */
export interface PlatformSamples {
  readonly platformId: string;
  /** Family of the runtime: siblings leave together in a hold-out. */
  readonly family: string;
  readonly platform?: Platform;
  /** Absent for published tables. */
  readonly descriptor?: Descriptor;
  /**
   * Whether the files that this platform runs hold no dead operators (results that nobody reads), because their
   * converter removes them. Known beforehand, not inferred; default unknown.
   */
  readonly removesDeadOperators?: boolean;
  readonly rows: Int32Array;
  readonly latencyMs: Float64Array;
  /** Relative standard deviation of each latency where it is known (from its interval and grade). */
  readonly relativeSd?: Float64Array;
}

/** Everything a predictor may learn from. */
export interface TrainingPool {
  readonly networks: FeatureTable;
  readonly platforms: readonly PlatformSamples[];
}

/** Columns of predictions, one entry a network of the table that was asked for. */
export interface Predictions {
  readonly latencyMs: Float64Array;
  readonly lowerMs: Float64Array;
  readonly upperMs: Float64Array;
  /** Nominal share of true latencies between lower and upper, e.g. 0.9. */
  readonly coverage: number;
  /**
   * Of the Student t distribution of log(measured / predicted) that the intervals are ends of: with it, any other bound
   * follows from one interval (`probabilityWithin`).
   */
  readonly degreesOfFreedom: number;
  readonly withinKnownRange: Uint8Array;
  /** For networks outside the known range: which operators or shapes are unknown. */
  readonly outsideReasons: ReadonlyMap<number, string>;
}

/** Progress of something long: done of total, in the unit named. */
export type OnProgress = (done: number, total: number, what: string) => void;

/** How to learn or adapt. */
export interface FitOptions {
  /** Seeds every draw and every initial weight. */
  readonly seed: number;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** A method that can learn. Same inputs and seed give the same predictor. */
export interface Predictor {
  readonly name: string;
  /** Target samples below which `adapt` refuses. */
  readonly minSamples: number;
  /**
   * The same for a target with a descriptor, where a method can do with fewer then: 0 when it predicts from the
   * descriptor alone. Sources must have had descriptors, too.
   */
  readonly minSamplesDescribed?: number;
  /** @throws InputError on an empty pool, a NaN or non-positive latency, a row outside the table */
  fit(pool: TrainingPool, options: FitOptions): Promise<FittedPredictor>;
  /** @throws FormatError when `saved` is of another method or version, or a tensor is missing or misshapen */
  load(saved: SavedPredictor): Promise<FittedPredictor>;
  /** As `load`, for what an adapted predictor saved. */
  loadAdapted(saved: SavedPredictor): Promise<AdaptedPredictor>;
}

/** A predictor that has learned from source platforms. */
export interface FittedPredictor {
  readonly name: string;
  /** Families it learned from: a target of one of them is no unseen platform. */
  readonly trainedFamilies: readonly string[];
  /**
   * Tune to a target. Reads no latency but those in `target`.
   *
   * @param networks - table that `target.rows` points into
   * @throws InputError on fewer than `minSamples` samples (with a descriptor `minSamplesDescribed`), NaN or non-positive latencies, or a descriptor that lacks operators the predictor was trained with
   */
  adapt(
    target: PlatformSamples,
    networks: FeatureTable,
    options: FitOptions,
  ): Promise<AdaptedPredictor>;
  /**
   * Networks to measure on a target of which nothing is known yet, the most telling first. Absent where a method has
   * no opinion: draw at random then.
   *
   * @param options.candidates - rows to choose from; default all connected networks
   * @returns rows of `networks`
   */
  chooseSamples?(
    networks: FeatureTable,
    options: { count: number; seed: number; candidates?: ArrayLike<number> },
  ): Int32Array;
  /**
   * Networks whose latencies this method must have of every target, because it describes a platform by them. They
   * are measured like all samples, count as such, and come first, in this order, among the samples that `adapt` is
   * given; further samples follow. Absent where a method can do with any samples.
   *
   * @returns distinct rows of `networks`
   */
  referenceRows?(networks: FeatureTable): Int32Array;
  save(): SavedPredictor;
}

/** Networks to measure next, and what to expect of having measured them. */
export interface NextSamples {
  /** Rows of a table, the most telling first; any first part of them is a good choice too. */
  readonly rows: Int32Array;
  /**
   * Share of networks, 0…1, that the method expects to predict within ±10 % of their measured latency once the first
   * k of `rows` are measured and adapted to: entry k of `rows.length + 1`. A belief, checked in training like the
   * intervals; only measuring tells.
   */
  readonly expectedWithinTenPercent: Float64Array;
}

/** A predictor for one target. */
export interface AdaptedPredictor {
  readonly name: string;
  readonly platformId: string;
  /** Predict every row of a table; `coverage` is the nominal coverage of the intervals, 0 < coverage < 1. */
  predict(networks: FeatureTable, options: { coverage: number }): Promise<Predictions>;
  /**
   * Networks to measure next on the target, given what its samples have told. Absent where a method has no opinion.
   *
   * @param options.candidates - rows to choose from, without those measured already; default all connected networks
   * @throws InputError when fewer candidates are connected than are asked for
   */
  chooseNextSamples?(
    networks: FeatureTable,
    options: { count: number; seed: number; candidates?: ArrayLike<number> },
  ): NextSamples;
  /**
   * What the operators of one network cost, in each way in which the runtime may execute it. Absent where a method does
   * not add operators up. `latencyPartsOf` makes shares of a prediction from it.
   *
   * @param row - of `networks`
   */
  costViews?(networks: FeatureTable, row: number): CostView[];
  save(): SavedPredictor;
}

/** The in-memory form of a predictor folder: `predictor.json` and `weights.safetensors`. */
export interface SavedPredictor {
  readonly method: string;
  /** Version of this method's saved form; a newer one is refused with advice. */
  readonly formatVersion: number;
  /** Settings and learned scalars: plain JSON, finite numbers only. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, SavedTensor>;
  /** What the method reads of networks and platforms, with units; for readers of the file. */
  readonly features?: readonly { readonly name: string; readonly unit: string }[];
}

/** A tensor of a saved predictor; values in row-major order. */
export interface SavedTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}
