/**
 * Widths of prediction intervals, checked on platforms that were held out in training.
 *
 * A predictor says how uncertain it believes to be (a relative deviation a network). Over held-out sources that belief
 * is compared with what really happened; the ratio's distribution gives a scale and a tail weight (Student t).
 */
import { z } from "zod";
import { InputError } from "../errors.js";
import { quantile, studentTCdf, studentTQuantile } from "../tensor/stats.js";
import type { Predictions } from "./predictor.js";

/** Predicted latencies with the relative deviation (log scale) that a predictor believes in. */
export interface Belief {
  readonly meanMs: Float64Array;
  readonly deviation: Float64Array;
}

/** Calibration for predictors adapted with about this many samples. Plain JSON. */
export const intervalScaleSchema = z.object({
  /** 0: predicted from a descriptor alone. */
  samples: z.number().int().nonnegative(),
  /** Factor on the believed deviation. */
  scale: z.number().positive(),
  degreesOfFreedom: z.number().positive(),
  /** Held-out predictions behind it. */
  n: z.number().int().nonnegative(),
});
export type IntervalScale = z.infer<typeof intervalScaleSchema>;

const tails = [2.5, 3, 4, 6, 10, 30];
const checkedShares = [0.5, 0.7, 0.8, 0.9, 0.95, 0.98];
/** Fewer held-out predictions than this say nothing about a scale. */
const minHeldOut = 100;
/** Held-out sources resemble each other more than a new platform resembles them: never trust them for much less. */
const scaleLimits = { least: 0.6, most: 5 };
/** Used when nothing could be held out: wide, because unchecked. */
const unchecked = { scale: 1.5, degreesOfFreedom: 4 };
/** The same where not even samples could be held against the belief. */
const uncheckedWithoutSamples: IntervalScale = {
  samples: 0,
  scale: 2.5,
  degreesOfFreedom: 4,
  n: 0,
};

const halfQuantile = (share: number, degreesOfFreedom: number) =>
  studentTQuantile((1 + share) / 2, degreesOfFreedom);

/**
 * Fit scale and tail to held-out predictions.
 *
 * @param standardised - |log(measured / predicted)| / believed relative deviation
 */
export function calibrateIntervals(standardised: Float64Array, samples: number): IntervalScale {
  const n = standardised.length;
  if (n < minHeldOut)
    return { ...(samples === 0 ? uncheckedWithoutSamples : unchecked), samples, n };
  const seen = checkedShares.map((share) => Math.max(quantile(standardised, share), 1e-6));
  const atNinety = seen[checkedShares.indexOf(0.9)]!;
  let best = { scale: 1, degreesOfFreedom: 4 };
  let leastError = Number.POSITIVE_INFINITY;
  for (const degreesOfFreedom of tails) {
    const scale = atNinety / halfQuantile(0.9, degreesOfFreedom);
    let error = 0;
    checkedShares.forEach((share, i) => {
      error += Math.log(seen[i]! / (scale * halfQuantile(share, degreesOfFreedom))) ** 2;
    });
    if (error < leastError) {
      leastError = error;
      best = { scale, degreesOfFreedom };
    }
  }
  const scale = Math.min(Math.max(best.scale, scaleLimits.least), scaleLimits.most);
  return { samples, scale, degreesOfFreedom: best.degreesOfFreedom, n };
}

/** Share at which a scale is held against the belief. */
const comparedShare = 0.9;
/** How much wider a belief is taken to be where only siblings of what stayed could be held out. */
const siblingsFactor = 1.25;

/**
 * The scale, but never narrower than the belief itself: for methods whose belief is a posterior, and whose held-out
 * sources may be far more alike than a new platform is. The noise is estimated from the samples, hence Student's t.
 *
 * @param onlySiblings - whether siblings of the held-out sources stayed, so that nothing was checked on a stranger
 */
export function notBelowBelief(scale: IntervalScale, onlySiblings: boolean): IntervalScale {
  const least =
    halfQuantile(comparedShare, scale.samples - 1) /
    halfQuantile(comparedShare, scale.degreesOfFreedom);
  return { ...scale, scale: Math.max(scale.scale, least * (onlySiblings ? siblingsFactor : 1)) };
}

/**
 * Half the width of an interval in believed deviations.
 *
 * @param scales - calibrations, at least one with samples; the one whose samples are nearest (as a ratio) serves
 * @param coverage - nominal, 0 < coverage < 1
 * @throws InputError on any other coverage
 */
export function intervalHalfWidth(
  scales: readonly IntervalScale[],
  samples: number,
  coverage: number,
): number {
  if (!(coverage > 0 && coverage < 1)) {
    throw new InputError(`coverage must be greater than 0 and less than 1, got ${coverage}`);
  }
  const { scale, degreesOfFreedom } = nearestScale(scales, samples);
  return scale * halfQuantile(coverage, degreesOfFreedom);
}

/** Degrees of freedom of the distribution behind the intervals of a predictor with so many samples. */
export function intervalDegreesOfFreedom(
  scales: readonly IntervalScale[],
  samples: number,
): number {
  return nearestScale(scales, samples).degreesOfFreedom;
}

/**
 * Probability that the latency of a network is at most a budget: the confidence at which its one-sided bound is the
 * budget. From the distribution that its interval is taken from.
 *
 * @param row - of the predictions
 * @param budgetMs - greater than 0
 */
export function probabilityWithin(
  { latencyMs, upperMs, coverage, degreesOfFreedom }: Predictions,
  row: number,
  budgetMs: number,
): number {
  const half = Math.log(upperMs[row]! / latencyMs[row]!);
  const distance = Math.log(budgetMs / latencyMs[row]!);
  if (half === 0) return distance >= 0 ? 1 : 0;
  return studentTCdf(
    (distance / half) * halfQuantile(coverage, degreesOfFreedom),
    degreesOfFreedom,
  );
}

/**
 * Share of measured latencies that intervals of a given half width should cover: the inverse of `intervalHalfWidth`.
 *
 * @param halfWidth - in believed deviations, at least 0
 */
export function expectedCoverage(
  scales: readonly IntervalScale[],
  samples: number,
  halfWidth: number,
): number {
  const { scale, degreesOfFreedom } = nearestScale(scales, samples);
  return 2 * studentTCdf(halfWidth / scale, degreesOfFreedom) - 1;
}

function nearestScale(scales: readonly IntervalScale[], samples: number): IntervalScale {
  if (samples === 0) return scales.find((scale) => scale.samples === 0) ?? uncheckedWithoutSamples;
  const distance = (scale: IntervalScale) => Math.abs(Math.log(scale.samples / samples));
  return scales
    .filter((scale) => scale.samples > 0)
    .reduce((best, scale) => (distance(scale) < distance(best) ? scale : best));
}

/** Relative deviation of a log-normal latency from its mean and variance. */
export function logDeviation(meanMs: number, variance: number): number {
  return Math.sqrt(Math.log1p(variance / (meanMs * meanMs)));
}
