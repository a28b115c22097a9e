/**
 * Which networks to measure on a platform: those that tell most about all others.
 *
 * Latencies of all networks are taken as jointly Gaussian, with the mean and covariance of what is believed of
 * coefficients, speed and rewrite semantics: a prior before anything is measured, a posterior afterwards. Greedily,
 * the network is taken whose measurement lowers the mean relative variance of the others most (A-optimal design).
 */

import { InputError } from "../errors.js";
import type { FeatureTable, RewriteSemantics } from "../graph/features.js";
import { type Matrix, multiplyVector } from "../tensor/linalg.js";
import { createRandom, deriveSeed, drawWithoutReplacement } from "../tensor/random.js";
import { median } from "../tensor/stats.js";
import { type AdditivePrior, additiveSemantics } from "./additive-prior.js";
import { factorOfCovariance } from "./bayes-linear.js";

/** Relative noise of a measurement together with what the model leaves unexplained, where nothing says it. */
const relativeNoise = 0.05;
/** Spread of a platform's speed, as in adapting. */
const speedSpread = 0.5;
/** Spread of coefficients beyond the sources, as a share of a typical latency: a target may resemble none. */
const extraSpread = 0.05;
/** Networks looked at, drawn by seed: more cost time and change little. */
const maxCandidates = 1000;
const maxJudged = 600;
/** Networks faster than this share of the median count as this fast: relative variance must stay bounded. */
const leastShare = 0.1;

/** Latencies of all networks as one hypothesis sees them: linear in columns, Gaussian over coefficients. */
export interface LatencyHypothesis {
  readonly weight: number;
  readonly mean: Float64Array;
  readonly covariance: Matrix;
  /** Spread of the platform's speed, a share: nothing is measured yet. 0 when it is known. */
  readonly speedSpread: number;
  /** Square of the relative noise of a measurement about these latencies; default that of `relativeNoise`. */
  readonly noiseVariance?: number;
  /** Columns of networks, (rows.length, columns). */
  readonly designOf: (rows: ArrayLike<number>) => Matrix;
}

export interface ChooseOptions {
  readonly count: number;
  readonly seed: number;
  /** Rows to choose from; all connected networks when omitted. */
  readonly candidates?: ArrayLike<number>;
}

/** Hypotheses of an additive prior, one for each rewrite semantics. */
export function hypothesesOfPrior(
  prior: AdditivePrior,
  designOf: (semantics: RewriteSemantics, rows: ArrayLike<number>) => Matrix,
): LatencyHypothesis[] {
  const covariance = widened(prior);
  return prior.semantics.map((weight, s) => ({
    weight,
    mean: prior.mean,
    covariance,
    speedSpread,
    designOf: (rows) => designOf(additiveSemantics[s]!, rows),
  }));
}

/** Rows to measure, and what stays unknown of others. */
export interface ChosenRows {
  readonly rows: Int32Array;
  /**
   * Relative variance of a measured latency about its prediction, for each of the networks judged by, once the first
   * k rows are measured: entry k of `rows.length + 1`. Noise included.
   */
  readonly relativeVariance: readonly Float64Array[];
}

/**
 * Choose rows of a table, in the order of their use: any first part of the list is a good choice too.
 *
 * @param hypotheses - weights adding up to 1
 * @throws InputError when fewer candidates are connected than are asked for
 */
export function chooseRows(
  networks: FeatureTable,
  hypotheses: readonly LatencyHypothesis[],
  { count, seed, candidates }: ChooseOptions,
): ChosenRows {
  const random = createRandom(deriveSeed(seed, "choose samples"));
  const isConnected = (row: number) => networks.connected[row] === 1;
  const all = Array.from(networks.ids.keys()).filter(isConnected);
  const allowed = candidates === undefined ? all : Array.from(candidates).filter(isConnected);
  if (allowed.length < count) {
    throw new InputError(`${count} networks to measure are to be chosen of ${allowed.length}`);
  }
  const pick = (rows: readonly number[], most: number) =>
    Array.from(
      drawWithoutReplacement(random, rows.length, Math.min(most, rows.length)),
      (place) => rows[place]!,
    );
  const offered = pick(allowed, Math.max(maxCandidates, count));
  const judged = pick(all, maxJudged);
  const factors = relativeFactors(hypotheses, [...offered, ...judged]);
  const noise = hypotheses.reduce(
    (sum, { weight, noiseVariance }) => sum + weight * (noiseVariance ?? relativeNoise ** 2),
    0,
  );
  const { chosen, unknown } = greedy(factors, offered.length, count, noise);
  return {
    rows: Int32Array.from(chosen, (candidate) => offered[candidate]!),
    relativeVariance: unknown.map((variance) => variance.map((value) => value + noise)),
  };
}

/** Rows F with F · Fᵀ the covariance of relative latencies over all hypotheses: (rows, width). */
function relativeFactors(
  hypotheses: readonly LatencyHypothesis[],
  rows: readonly number[],
): { values: Float64Array; width: number } {
  const n = rows.length;
  const designs = hypotheses.map(({ designOf }) => designOf(rows));
  const expected = hypotheses.map(({ mean }, h) => multiplyVector(designs[h]!, mean));
  const mixed = Float64Array.from({ length: n }, (_, i) =>
    hypotheses.reduce((sum, { weight }, h) => sum + weight * expected[h]![i]!, 0),
  );
  const least = leastShare * median(mixed);
  const width = hypotheses.reduce((sum, { mean }) => sum + mean.length + 2, 0);
  const values = new Float64Array(n * width);
  let offset = 0;
  hypotheses.forEach(({ weight, mean, covariance, speedSpread }, h) => {
    const p = mean.length;
    const lower = factorOfCovariance(covariance).values;
    const design = designs[h]!.values;
    const share = Math.sqrt(weight);
    for (let i = 0; i < n; i++) {
      const scale = share / Math.max(mixed[i]!, least);
      const at = i * width + offset;
      for (let j = 0; j < p; j++) {
        let sum = 0;
        for (let k = j; k < p; k++) sum += design[i * p + k]! * lower[k * p + j]!;
        values[at + j] = scale * sum;
      }
      values[at + p] = scale * speedSpread * expected[h]![i]!;
      values[at + p + 1] = scale * (expected[h]![i]! - mixed[i]!);
    }
    offset += p + 2;
  });
  return { values, width };
}

function widened({ covariance, columnShare }: AdditivePrior): Matrix {
  const values = covariance.values.slice();
  columnShare.forEach((share, j) => {
    values[j * covariance.rows + j]! += (extraSpread / share) ** 2;
  });
  return { ...covariance, values };
}

/**
 * Greedy A-optimal choice among the first `nOffered` rows; the other rows are what shall become known.
 *
 * @param noise - variance of a measurement
 * @returns the rows, and the variances of the others before the first and after each
 */
function greedy(
  { values, width }: { values: Float64Array; width: number },
  nOffered: number,
  count: number,
  noise: number,
): { chosen: number[]; unknown: Float64Array[] } {
  const n = values.length / width;
  const product = (a: number, b: number) => {
    let sum = 0;
    for (let k = 0; k < width; k++) sum += values[a * width + k]! * values[b * width + k]!;
    return sum;
  };
  const nJudged = n - nOffered;
  // Covariances of offered with judged rows, and variances of the offered ones; both conditioned step by step.
  const shared = new Float64Array(nOffered * nJudged);
  const variance = new Float64Array(nOffered);
  for (let a = 0; a < nOffered; a++) {
    variance[a] = product(a, a);
    for (let b = 0; b < nJudged; b++) shared[a * nJudged + b] = product(a, nOffered + b);
  }
  const chosen: number[] = [];
  const unknown = [
    Float64Array.from({ length: nJudged }, (_, b) => product(nOffered + b, nOffered + b)),
  ];
  const directions: Float64Array[] = [];
  while (chosen.length < count) {
    let best = -1;
    let most = -1;
    for (let a = 0; a < nOffered; a++) {
      if (chosen.includes(a)) continue;
      let gain = 0;
      for (let b = 0; b < nJudged; b++) gain += shared[a * nJudged + b]! ** 2;
      gain /= variance[a]! + noise;
      if (gain > most) {
        most = gain;
        best = a;
      }
    }
    chosen.push(best);
    // Conditioning on the chosen one: subtract its direction from every covariance.
    const scale = 1 / Math.sqrt(variance[best]! + noise);
    const direction = Float64Array.from({ length: nOffered }, (_, a) => {
      let covariance = product(a, best);
      for (const earlier of directions) covariance -= earlier[a]! * earlier[best]!;
      return covariance * scale;
    });
    const judgedDirection = Float64Array.from(
      { length: nJudged },
      (_, b) => shared[best * nJudged + b]! * scale,
    );
    for (let a = 0; a < nOffered; a++) {
      variance[a]! -= direction[a]! ** 2;
      for (let b = 0; b < nJudged; b++) {
        shared[a * nJudged + b]! -= direction[a]! * judgedDirection[b]!;
      }
    }
    directions.push(direction);
    // Rounding may leave less than nothing.
    unknown.push(unknown.at(-1)!.map((value, b) => Math.max(value - judgedDirection[b]! ** 2, 0)));
  }
  return { chosen, unknown };
}
