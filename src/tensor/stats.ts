/**
 * Descriptive statistics, rank correlation and intervals. Inputs are never changed.
 *
 * Quantiles interpolate linearly (type 7 of Hyndman and Fan, numpy's default). NaN is the caller's to remove.
 */
import { InputError, ShapeError } from "../errors.js";
import { normalQuantile } from "./distributions.js";
import type { Random } from "./random.js";

export { normalQuantile, studentTCdf, studentTQuantile } from "./distributions.js";

type Numbers = ArrayLike<number>;

function requireSome(values: Numbers, what: string): void {
  if (values.length === 0) throw new InputError(`${what} of no values`);
}

function requirePairs(a: Numbers, b: Numbers, what: string): void {
  if (a.length !== b.length) throw new ShapeError(`${what} of ${a.length} and ${b.length} values`);
}

/** Arithmetic mean. */
export function mean(values: Numbers): number {
  requireSome(values, "mean");
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/** Sample standard deviation (n − 1); 0 for a single value. */
export function standardDeviation(values: Numbers): number {
  const centre = mean(values);
  if (values.length === 1) return 0;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i]! - centre) ** 2;
  return Math.sqrt(sum / (values.length - 1));
}

function quantileOfSorted(sorted: Numbers, probability: number): number {
  const position = probability * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (position - below) * (high - low);
}

/**
 * The value below which a share of the values lies.
 *
 * @param probability - share in 0..1
 */
export function quantile(values: Numbers, probability: number): number {
  requireSome(values, "quantile");
  if (!(probability >= 0 && probability <= 1)) {
    throw new InputError(`a quantile's probability must be in 0..1, got ${probability}`);
  }
  return quantileOfSorted(Float64Array.from(values).sort(), probability);
}

/** The middle value; the mean of the two middle ones when the count is even. */
export function median(values: Numbers): number {
  requireSome(values, "median");
  return quantileOfSorted(Float64Array.from(values).sort(), 0.5);
}

/** The value at which half of the weight is reached, halfway between two values when it falls between them. */
export function weightedMedian(values: Numbers, weights: Numbers): number {
  requireSome(values, "median");
  requirePairs(values, weights, "weighted median");
  const order = Array.from({ length: values.length }, (_, i) => i).sort(
    (a, b) => values[a]! - values[b]!,
  );
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i]!;
  let sum = 0;
  for (let k = 0; k < order.length; k++) {
    const i = order[k]!;
    sum += weights[i]!;
    if (sum > total / 2) return values[i]!;
    if (sum === total / 2) return (values[i]! + values[order[k + 1] ?? i]!) / 2;
  }
  return values[order[order.length - 1]!]!;
}

/** Median distance from the median; times 1.4826 it estimates a normal's standard deviation. */
export function medianAbsoluteDeviation(values: Numbers): number {
  const centre = median(values);
  return median(Float64Array.from(values, (value) => Math.abs(value - centre)));
}

/** Ranks from 1, ties sharing the average of their ranks. */
export function averageRanks(values: Numbers): Float64Array {
  const n = values.length;
  const order = Int32Array.from({ length: n }, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Float64Array(n);
  for (let start = 0; start < n; ) {
    let end = start + 1;
    while (end < n && values[order[end]!] === values[order[start]!]) end++;
    for (let k = start; k < end; k++) ranks[order[k]!] = (start + end + 1) / 2;
    start = end;
  }
  return ranks;
}

/** Pearson's correlation; NaN when either side is constant. */
export function pearson(a: Numbers, b: Numbers): number {
  requirePairs(a, b, "correlation");
  const meanA = mean(a);
  const meanB = mean(b);
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    const da = a[i]! - meanA;
    const db = b[i]! - meanB;
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return aa === 0 || bb === 0 ? Number.NaN : ab / Math.sqrt(aa * bb);
}

/** Spearman's rank correlation, ties by average rank; NaN when either side is constant. */
export function spearman(a: Numbers, b: Numbers): number {
  requirePairs(a, b, "rank correlation");
  return pearson(averageRanks(a), averageRanks(b));
}

/** Pairs tied in a sorted run-length sense: Σ t(t − 1)/2 over groups of equal neighbours. */
function tiedPairs(n: number, equalToNext: (k: number) => boolean): number {
  let pairs = 0;
  let run = 1;
  for (let k = 0; k < n; k++) {
    if (k + 1 < n && equalToNext(k)) {
      run++;
    } else {
      pairs += (run * (run - 1)) / 2;
      run = 1;
    }
  }
  return pairs;
}

/** Sorts `values` in place by merging and counts the swaps that a bubble sort would need. */
function countInversions(values: Float64Array): number {
  let source: Float64Array = values;
  let target: Float64Array = new Float64Array(values.length);
  let swaps = 0;
  for (let width = 1; width < values.length; width *= 2) {
    for (let start = 0; start < values.length; start += 2 * width) {
      const middle = Math.min(start + width, values.length);
      const end = Math.min(start + 2 * width, values.length);
      let left = start;
      let right = middle;
      for (let k = start; k < end; k++) {
        if (left < middle && (right >= end || source[left]! <= source[right]!)) {
          target[k] = source[left++]!;
        } else {
          swaps += middle - left;
          target[k] = source[right++]!;
        }
      }
    }
    [source, target] = [target, source];
  }
  values.set(source);
  return swaps;
}

/** Kendall's τ-b in O(n log n) (Knight 1966); NaN when either side is constant. */
export function kendall(a: Numbers, b: Numbers): number {
  requirePairs(a, b, "rank correlation");
  const n = a.length;
  const order = Int32Array.from({ length: n }, (_, i) => i).sort(
    (i, j) => a[i]! - a[j]! || b[i]! - b[j]!,
  );
  const sameA = (k: number) => a[order[k]!] === a[order[k + 1]!];
  const tiesA = tiedPairs(n, sameA);
  const tiesBoth = tiedPairs(n, (k) => sameA(k) && b[order[k]!] === b[order[k + 1]!]);
  const sortedB = Float64Array.from(order, (i) => b[i]!);
  const discordant = countInversions(sortedB);
  const tiesB = tiedPairs(n, (k) => sortedB[k] === sortedB[k + 1]);
  const pairs = (n * (n - 1)) / 2;
  const concordantMinusDiscordant = pairs - tiesA - tiesB + tiesBoth - 2 * discordant;
  const scale = Math.sqrt((pairs - tiesA) * (pairs - tiesB));
  return scale === 0 ? Number.NaN : concordantMinusDiscordant / scale;
}

/** Lower and upper end of an interval. */
export interface Interval {
  readonly lower: number;
  readonly upper: number;
}

/**
 * Percentile bootstrap interval of a statistic. Too narrow below about 20 values: resampling cannot invent spread.
 *
 * @param options.coverage - nominal share, e.g. 0.9
 * @param options.resamples - 1000 when omitted
 */
export function bootstrapInterval(
  values: Numbers,
  statistic: (sample: Float64Array) => number,
  random: Random,
  options: { coverage: number; resamples?: number },
): Interval {
  requireSome(values, "bootstrap");
  const resamples = options.resamples ?? 1000;
  const statistics = new Float64Array(resamples);
  const sample = new Float64Array(values.length);
  for (let r = 0; r < resamples; r++) {
    for (let i = 0; i < sample.length; i++) sample[i] = values[random.integer(values.length)]!;
    statistics[r] = statistic(sample);
  }
  statistics.sort();
  const tail = (1 - options.coverage) / 2;
  return {
    lower: quantileOfSorted(statistics, tail),
    upper: quantileOfSorted(statistics, 1 - tail),
  };
}

/**
 * Wilson's score interval for a share (Wilson 1927): honest for few trials, also at 0 and at all.
 *
 * @param coverage - nominal share of such intervals that hold the true share, e.g. 0.95
 */
export function binomialInterval(successes: number, trials: number, coverage: number): Interval {
  if (!(Number.isInteger(trials) && trials >= 1 && successes >= 0 && successes <= trials)) {
    throw new InputError(`${successes} successes of ${trials} trials is no share`);
  }
  const z = normalQuantile((1 + coverage) / 2);
  const share = successes / trials;
  const denominator = 1 + (z * z) / trials;
  const centre = share + (z * z) / (2 * trials);
  const spread = z * Math.sqrt((share * (1 - share)) / trials + (z * z) / (4 * trials * trials));
  return {
    lower: Math.max(0, (centre - spread) / denominator),
    upper: Math.min(1, (centre + spread) / denominator),
  };
}
