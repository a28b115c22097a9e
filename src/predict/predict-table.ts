/**
 * From a predictor's belief to predictions with intervals for a whole table, in pieces that let the event loop turn.
 */
import type { FeatureTable } from "../graph/features.js";
import {
  type Belief,
  type IntervalScale,
  intervalDegreesOfFreedom,
  intervalHalfWidth,
} from "./intervals.js";
import { createRangeJudge, type KnownRange } from "./known-range.js";
import type { AdaptedPredictor, Predictions, SavedPredictor } from "./predictor.js";

/** Networks of one piece: some tens of milliseconds. */
const pieceRows = 16_384;

/** What every adapted predictor knows, whatever its method. */
export interface AdaptedState {
  readonly platformId: string;
  /** Samples that it was adapted with. */
  readonly nSamples: number;
  readonly range: KnownRange;
  readonly intervals: readonly IntervalScale[];
}

/**
 * An adapted predictor of a method that believes in a latency and a deviation for each network.
 *
 * @param method.beliefOf - predicts some rows of a table
 */
export function adaptedPredictor(
  state: AdaptedState,
  method: {
    readonly name: string;
    readonly beliefOf: (networks: FeatureTable, rows: Int32Array) => Belief | Promise<Belief>;
    readonly save: () => SavedPredictor;
  },
): AdaptedPredictor {
  return {
    name: method.name,
    platformId: state.platformId,
    predict: (networks, { coverage }) =>
      predictTable(networks, (rows) => method.beliefOf(networks, rows), { ...state, coverage }),
    save: method.save,
  };
}

/**
 * Predict all networks of a table. Intervals are log-normal, so bounds stay positive and nest by coverage.
 *
 * @param beliefOf - predicts some rows of the table
 * @throws InputError when `coverage` is not between 0 and 1
 */
export async function predictTable(
  networks: FeatureTable,
  beliefOf: (rows: Int32Array) => Belief | Promise<Belief>,
  context: Omit<AdaptedState, "platformId"> & { readonly coverage: number },
): Promise<Predictions> {
  const { coverage } = context;
  const half = intervalHalfWidth(context.intervals, context.nSamples, coverage);
  const n = networks.ids.length;
  const latencyMs = new Float64Array(n);
  const lowerMs = new Float64Array(n);
  const upperMs = new Float64Array(n);
  const { withinKnownRange, outsideReasons, judge } = createRangeJudge(context.range, networks);
  for (let start = 0; start < n; start += pieceRows) {
    const end = Math.min(start + pieceRows, n);
    if (start > 0) await new Promise((resolve) => setImmediate(resolve));
    const { meanMs, deviation } = await beliefOf(
      Int32Array.from({ length: end - start }, (_, i) => start + i),
    );
    for (let i = 0; i < meanMs.length; i++) {
      const factor = Math.exp(half * deviation[i]!);
      latencyMs[start + i] = meanMs[i]!;
      lowerMs[start + i] = meanMs[i]! / factor;
      upperMs[start + i] = meanMs[i]! * factor;
    }
    judge(start, end);
  }
  return {
    latencyMs,
    lowerMs,
    upperMs,
    coverage,
    degreesOfFreedom: intervalDegreesOfFreedom(context.intervals, context.nSamples),
    withinKnownRange,
    outsideReasons,
  };
}
