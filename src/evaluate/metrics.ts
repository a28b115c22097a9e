/**
 * Scores of predicted latencies and their intervals, named as in the benchmark's JSON.
 *
 * Relative errors are relative to the *measured* latency. Higher is better for within…Percent, spearman,
 * kendall; lower for mape, intervalWidth, intervalScore; coverage90 should be near 0.9.
 */
import { InputError, ShapeError } from "../errors.js";
import { kendall, mean, median, spearman } from "../tensor/stats.js";

/** Columns of numbers: plain arrays and typed ones. */
export type Numbers = ArrayLike<number>;

/** Measured and predicted latencies of the same networks, in the same order, ms. */
export interface Scored {
  readonly measuredMs: Numbers;
  readonly predictedMs: Numbers;
  readonly lowerMs: Numbers;
  readonly upperMs: Numbers;
  /** Nominal coverage of the intervals. */
  readonly coverage: number;
}

/** Scores over a set of networks; shares are fractions. */
export interface Scores {
  readonly n: number;
  readonly spearman: number;
  readonly kendall: number;
  readonly withinFivePercent: number;
  readonly withinTenPercent: number;
  readonly mape: number;
  /** Share of measured latencies inside their interval. */
  readonly coverage: number;
  /** Median of (upper − lower) / predicted. */
  readonly intervalWidth: number;
  readonly intervalScore: number;
}

function requireSameLength(measuredMs: Numbers, others: readonly Numbers[]): void {
  if (measuredMs.length === 0) throw new InputError("scores need at least one measured network");
  for (const other of others) {
    if (other.length !== measuredMs.length) {
      throw new ShapeError(`${measuredMs.length} measured latencies and ${other.length} predicted`);
    }
  }
}

function shareOf(n: number, holds: (i: number) => boolean): number {
  let count = 0;
  for (let i = 0; i < n; i++) if (holds(i)) count++;
  return count / n;
}

/**
 * Share of networks whose prediction is off by no more than a share of the measured latency.
 *
 * @param tolerance - e.g. 0.1 for ±10 %
 */
export function withinShare(measuredMs: Numbers, predictedMs: Numbers, tolerance: number): number {
  requireSameLength(measuredMs, [predictedMs]);
  return shareOf(
    measuredMs.length,
    (i) => Math.abs(predictedMs[i]! - measuredMs[i]!) <= tolerance * measuredMs[i]!,
  );
}

/** Mean absolute error relative to the measured latency, as a fraction. */
export function meanAbsolutePercentageError(measuredMs: Numbers, predictedMs: Numbers): number {
  requireSameLength(measuredMs, [predictedMs]);
  return mean(
    Float64Array.from(
      { length: measuredMs.length },
      (_, i) => Math.abs(predictedMs[i]! - measuredMs[i]!) / measuredMs[i]!,
    ),
  );
}

/** Share of measured latencies inside their interval, ends included. */
export function intervalCoverage(measuredMs: Numbers, lowerMs: Numbers, upperMs: Numbers): number {
  requireSameLength(measuredMs, [lowerMs, upperMs]);
  return shareOf(
    measuredMs.length,
    (i) => measuredMs[i]! >= lowerMs[i]! && measuredMs[i]! <= upperMs[i]!,
  );
}

/** Median of an interval's width relative to its prediction. */
export function medianRelativeWidth(
  predictedMs: Numbers,
  lowerMs: Numbers,
  upperMs: Numbers,
): number {
  requireSameLength(predictedMs, [lowerMs, upperMs]);
  return median(
    Float64Array.from(
      { length: predictedMs.length },
      (_, i) => (upperMs[i]! - lowerMs[i]!) / predictedMs[i]!,
    ),
  );
}

/**
 * Mean interval score (Gneiting and Raftery 2007, eq. 43) relative to the measured latency: width plus 2/α times
 * what the interval missed by. A narrow interval that misses scores worse than a wide one that holds.
 */
export function meanIntervalScore(scored: Omit<Scored, "predictedMs">): number {
  const { measuredMs, lowerMs, upperMs, coverage } = scored;
  requireSameLength(measuredMs, [lowerMs, upperMs]);
  const penalty = 2 / (1 - coverage);
  return mean(
    Float64Array.from({ length: measuredMs.length }, (_, i) => {
      const measured = measuredMs[i]!;
      const missed = Math.max(lowerMs[i]! - measured, measured - upperMs[i]!, 0);
      return (upperMs[i]! - lowerMs[i]! + penalty * missed) / measured;
    }),
  );
}

/**
 * All scores of a set of networks. Rank correlations of fewer than two networks, or of equal latencies, are NaN.
 *
 * @throws InputError on no networks; ShapeError on columns of different length
 */
export function scorePredictions(scored: Scored): Scores {
  const { measuredMs, predictedMs, lowerMs, upperMs } = scored;
  requireSameLength(measuredMs, [predictedMs, lowerMs, upperMs]);
  return {
    n: measuredMs.length,
    spearman: spearman(measuredMs, predictedMs),
    kendall: kendall(measuredMs, predictedMs),
    withinFivePercent: withinShare(measuredMs, predictedMs, 0.05),
    withinTenPercent: withinShare(measuredMs, predictedMs, 0.1),
    mape: meanAbsolutePercentageError(measuredMs, predictedMs),
    coverage: intervalCoverage(measuredMs, lowerMs, upperMs),
    intervalWidth: medianRelativeWidth(predictedMs, lowerMs, upperMs),
    intervalScore: meanIntervalScore(scored),
  };
}
