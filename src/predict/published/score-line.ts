/**
 * From what a ranking method predicts to milliseconds with intervals, by the target's own samples.
 *
 * The publications rank networks and report no milliseconds; this step is ours.
 */
import { z } from "zod";
import { leastSquares, matrix } from "../../tensor/linalg.js";
import { median, standardDeviation, weightedMedian } from "../../tensor/stats.js";
import type { IntervalScale } from "../intervals.js";

/** latency = intercept + slope · score, never below `leastMs`. Plain JSON, part of saved predictors. */
export const scoreLineSchema = z.object({
  intercept: z.number(),
  /** Greater than 0: ranks stay as they are. */
  slope: z.number().positive(),
  leastMs: z.number().positive(),
});
export type ScoreLine = z.infer<typeof scoreLineSchema>;

/** A prediction is never below this share of the fastest sample. */
export const leastShare = 0.2;
/** Slope where samples speak for none, as a share of what would spread scores like latencies. */
const leastSlope = 0.01;

/**
 * The line whose slope is the median over pairs of samples, weighed by the distance of their scores (Theil 1950, Sen
 * 1968; weights: Jaeckel 1972): one sample in four may be anything.
 */
export function fitRobustScoreLine(
  scores: ArrayLike<number>,
  latencyMs: ArrayLike<number>,
): ScoreLine {
  const slopes: number[] = [];
  const distances: number[] = [];
  for (let i = 0; i < scores.length; i++) {
    for (let j = 0; j < i; j++) {
      const distance = scores[i]! - scores[j]!;
      if (distance === 0) continue;
      slopes.push((latencyMs[i]! - latencyMs[j]!) / distance);
      distances.push(Math.abs(distance));
    }
  }
  const y = Float64Array.from(latencyMs);
  const found = slopes.length > 0 ? weightedMedian(slopes, distances) : 0;
  const slope = Math.max(found, leastSlopeOf(scores, y));
  const intercept = median(y.map((ms, i) => ms - slope * scores[i]!));
  return { intercept, slope, leastMs: leastShare * Math.min(...y) };
}

/** Slope where samples speak for none: ranks stay as they are. */
function leastSlopeOf(scores: ArrayLike<number>, y: Float64Array): number {
  const proportion = standardDeviation(y) / Math.max(standardDeviation(Array.from(scores)), 1e-12);
  return Math.max(leastSlope * proportion, 1e-9 * median(y));
}

/** The line through samples that minimises squared errors relative to (latency + median latency). */
export function fitScoreLine(scores: ArrayLike<number>, latencyMs: ArrayLike<number>): ScoreLine {
  const y = Float64Array.from(latencyMs);
  const typicalMs = median(y);
  const design = new Float64Array(2 * y.length);
  for (let i = 0; i < y.length; i++) design.set([1, scores[i]!], 2 * i);
  const weights = y.map((ms) => 1 / (ms + typicalMs) ** 2);
  const [, fitted = 0] = leastSquares(matrix(y.length, 2, design), y, { weights });
  const slope = Math.max(fitted, leastSlopeOf(scores, y));
  let sum = 0;
  let total = 0;
  weights.forEach((weight, i) => {
    sum += weight * (y[i]! - slope * scores[i]!);
    total += weight;
  });
  return { intercept: sum / total, slope, leastMs: leastShare * Math.min(...y) };
}

/** Latency of scores, ms. */
export function latencyOfScores(line: ScoreLine, scores: ArrayLike<number>): Float64Array {
  return Float64Array.from(scores, (score) =>
    Math.max(line.intercept + line.slope * score, line.leastMs),
  );
}

/** Errors further out than this many times the median count as that far: one odd network must not widen all. */
const errorCap = 4;
const leastDeviation = 0.01;

/**
 * Relative deviation of predictions from errors on samples that were left out while learning: their root mean square.
 *
 * @param logErrors - log(measured / predicted)
 */
export function deviationOfErrors(logErrors: ArrayLike<number>): number {
  const sizes = Array.from(logErrors, Math.abs);
  const cap = errorCap * median(sizes);
  const meanSquare = sizes.reduce((sum, size) => sum + Math.min(size, cap) ** 2, 0) / sizes.length;
  return Math.max(Math.sqrt(meanSquare), leastDeviation);
}

/** Intervals from so many left-out samples: Student t with few degrees of freedom, not checked on other platforms. */
export function leftOutIntervals(samples: number): IntervalScale[] {
  return [{ samples, scale: 1, degreesOfFreedom: 4, n: samples }];
}
