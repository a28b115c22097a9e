/**
 * Which networks to measure on a new platform, before anything of it is known: those that tell most about all others.
 *
 * Latencies of all networks are taken as jointly Gaussian, with the mean and covariance of the additive model's prior
 * over coefficients, speed and rewrite semantics. Greedily, the network is taken whose measurement lowers the mean
 * relative variance of the others most (A-optimal design).
 */

import { InputError } from "../errors.js";
import type { FeatureTable } from "../graph/features.js";
import { pruningSemantics, type RewriteSemantics } from "../graph/features.js";
import { cholesky, type Matrix, multiplyVector } from "../tensor/linalg.js";
import { createRandom, deriveSeed, drawWithoutReplacement } from "../tensor/random.js";
import { median } from "../tensor/stats.js";
import type { AdditivePrior } from "./additive-prior.js";

/** Relative noise of a measurement together with what the model leaves unexplained. */
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

export interface ChooseOptions {
  readonly count: number;
  readonly seed: number;
  /** Rows to choose from; all connected networks when omitted. */
  readonly candidates?: ArrayLike<number>;
}

/**
 * Choose rows of a table, in the order of their use: any first part of the list is a good choice too.
 *
 * @throws InputError when fewer candidates are connected than are asked for
 */
export function chooseRows(
  networks: FeatureTable,
  prior: AdditivePrior,
  designOf: (semantics: RewriteSemantics, rows: ArrayLike<number>) => Matrix,
  { count, seed, candidates }: ChooseOptions,
): Int32Array {
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
  const rows = [...offered, ...judged];
  const factors = relativeFactors(prior, (semantics) => designOf(semantics, rows));
  return Int32Array.from(
    greedy(factors, offered.length, count),
    (candidate) => offered[candidate]!,
  );
}

/** Rows F with F · Fᵀ the prior covariance of relative latencies: (rows, semantics · (columns + 2)). */
function relativeFactors(
  prior: AdditivePrior,
  designOf: (semantics: RewriteSemantics) => Matrix,
): { values: Float64Array; width: number } {
  const p = prior.mean.length;
  const lower = cholesky(widened(prior)).values;
  const designs = pruningSemantics.map(designOf);
  const expected = designs.map((design) => multiplyVector(design, prior.mean));
  const n = designs[0]!.rows;
  const mixed = Float64Array.from({ length: n }, (_, i) =>
    expected.reduce((sum, latencies, s) => sum + prior.semantics[s]! * latencies[i]!, 0),
  );
  const least = leastShare * median(mixed);
  const perSemantics = p + 2;
  const width = pruningSemantics.length * perSemantics;
  const values = new Float64Array(n * width);
  designs.forEach((design, s) => {
    const share = Math.sqrt(prior.semantics[s]!);
    for (let i = 0; i < n; i++) {
      const scale = share / Math.max(mixed[i]!, least);
      const at = i * width + s * perSemantics;
      for (let j = 0; j < p; j++) {
        let sum = 0;
        for (let k = j; k < p; k++) sum += design.values[i * p + k]! * lower[k * p + j]!;
        values[at + j] = scale * sum;
      }
      values[at + p] = scale * speedSpread * expected[s]![i]!;
      values[at + p + 1] = scale * (expected[s]![i]! - mixed[i]!);
    }
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

/** Greedy A-optimal choice among the first `nOffered` rows; the other rows are what shall become known. */
function greedy(
  { values, width }: { values: Float64Array; width: number },
  nOffered: number,
  count: number,
): number[] {
  const n = values.length / width;
  const noise = relativeNoise ** 2;
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
  }
  return chosen;
}
