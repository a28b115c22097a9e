/**
 * The log latency of a platform with many samples as a function of networks: a Gaussian process on counts, linear part
 * and smooth part, the smooth one through some inducing networks (subset of regressors: Smola and Bartlett 2000).
 *
 * Gives a source platform's latency for networks that it was not measured on.
 */
import { z } from "zod";
import type { FeatureTable } from "../../graph/features.js";
import {
  addDiagonal,
  cholesky,
  logDeterminantFromCholesky,
  type Matrix,
  matrix,
  multiplyVector,
  solveCholesky,
  symmetricProduct,
  transposedTimesVector,
} from "../../tensor/linalg.js";
import { createRandom, deriveSeed, drawWithoutReplacement } from "../../tensor/random.js";
import { mean } from "../../tensor/stats.js";
import type { PlatformSamples, SavedPredictor, SavedTensor } from "../predictor.js";
import { readTensor } from "../saved.js";
import {
  type CountFeatures,
  countFeaturesOf,
  countFeaturesSchema,
  countMatrix,
} from "./count-features.js";
import { smoothKernel } from "./kernels.js";

/** Inducing networks; on source platforms 100 did no better. */
const maxInducing = 40;
/** Keeps the covariance of inducing networks that resemble each other definite. */
const jitter = 1e-6;

/** What log latencies are functions of. */
export interface FunctionBasis {
  readonly features: CountFeatures;
  /** Standardised counts of the inducing networks, (inducing, columns). */
  readonly inducing: Matrix;
}

/** A platform's log latency: `centre` + basis · `weights`. */
export interface SourceFunction {
  readonly platformId: string;
  /** Mean and standard deviation of log latency over the platform's samples. */
  readonly centre: number;
  readonly spread: number;
  /** One for each function of the basis. */
  readonly weights: Float64Array;
}

/** Plain JSON of a basis with its functions; weights and inducing networks are tensors. */
export const sourceFunctionsSchema = z.object({
  features: countFeaturesSchema,
  nInducing: z.number().int().positive(),
  platforms: z
    .array(z.object({ platformId: z.string(), centre: z.number(), spread: z.number().positive() }))
    .min(1),
});

/** Functions of several platforms over one basis. */
export interface SourceFunctions {
  readonly basis: FunctionBasis;
  readonly platforms: readonly SourceFunction[];
}

/** Variances of the linear and the smooth part and of the noise that are tried, relative to the samples' variance. */
const grid = { linear: [0.3, 3], smooth: [0.1, 1], noise: [1e-3, 1e-2, 5e-2, 0.2] };
/** A platform whose networks are all equally fast still has a scale. */
const leastSpread = 1e-3;

function basisOf(networks: FeatureTable, rows: readonly number[], seed: number): FunctionBasis {
  const features = countFeaturesOf(networks, rows, deriveSeed(seed, "count features"));
  const drawn = drawWithoutReplacement(
    createRandom(deriveSeed(seed, "inducing networks")),
    rows.length,
    Math.min(maxInducing, rows.length),
  );
  const inducing = countMatrix(
    features,
    networks,
    Array.from(drawn, (place) => rows[place]!),
  );
  return { features, inducing };
}

const basisSize = ({ inducing }: FunctionBasis) => 1 + inducing.columns + inducing.rows;

/** The functions of the basis at networks given by their standardised counts, (rows, functions). */
function expand({ inducing }: FunctionBasis, counts: Matrix): Matrix {
  const [m, d] = [inducing.rows, inducing.columns];
  const lower = cholesky(addDiagonal(smoothKernel(inducing, inducing), jitter)).values;
  const smooth = smoothKernel(counts, inducing).values;
  const width = 1 + d + m;
  const result = matrix(counts.rows, width);
  const linearScale = 1 / Math.sqrt(d);
  for (let i = 0; i < counts.rows; i++) {
    const at = i * width;
    result.values[at] = 1;
    for (let j = 0; j < d; j++) {
      result.values[at + 1 + j] = counts.values[i * d + j]! * linearScale;
    }
    // Whitened, so that weights are independent: L⁻¹ · k(inducing, network).
    const first = at + 1 + d;
    for (let a = 0; a < m; a++) {
      let sum = smooth[i * m + a]!;
      for (let b = 0; b < a; b++) sum -= lower[a * m + b]! * result.values[first + b]!;
      result.values[first + a] = sum / lower[a * m + a]!;
    }
  }
  return result;
}

/** Weights under the variances of the grid with the largest marginal likelihood. */
function fitWeights(basis: FunctionBasis, expanded: Matrix, values: Float64Array): Float64Array {
  const d = basis.inducing.columns;
  const size = expanded.columns;
  const gram = symmetricProduct(expanded);
  const right = transposedTimesVector(expanded, values);
  const square = values.reduce((sum, value) => sum + value * value, 0);
  let best: { logEvidence: number; weights: Float64Array } | undefined;
  for (const linear of grid.linear) {
    for (const smooth of grid.smooth) {
      const prior = Float64Array.from({ length: size }, (_, j) =>
        j === 0 ? 1 : j <= d ? linear : smooth,
      );
      for (const noise of grid.noise) {
        const scaled = { ...gram, values: gram.values.map((value) => value / noise) };
        const lower = cholesky(
          addDiagonal(
            scaled,
            prior.map((variance) => 1 / variance),
          ),
        );
        const weights = solveCholesky(
          lower,
          right.map((value) => value / noise),
        );
        let explained = 0;
        let logPrior = 0;
        for (let j = 0; j < size; j++) {
          explained += (weights[j]! * right[j]!) / noise;
          logPrior += Math.log(prior[j]!);
        }
        const logEvidence =
          -0.5 *
          (square / noise -
            explained +
            logDeterminantFromCholesky(lower) +
            logPrior +
            values.length * Math.log(noise));
        if (best === undefined || logEvidence > best.logEvidence) best = { logEvidence, weights };
      }
    }
  }
  return best!.weights;
}

/** Fit the log latencies of platforms with many samples. */
export function fitSourceFunctions(
  networks: FeatureTable,
  platforms: readonly PlatformSamples[],
  seed: number,
): SourceFunctions {
  const rows = [...new Set(platforms.flatMap((platform) => [...platform.rows]))];
  const basis = basisOf(networks, rows, seed);
  return {
    basis,
    platforms: platforms.map(({ platformId, rows, latencyMs }) => {
      const logs = latencyMs.map(Math.log);
      const centre = mean(logs);
      const spread = Math.max(
        Math.sqrt(mean(logs.map((value) => (value - centre) ** 2))),
        leastSpread,
      );
      const expanded = expand(basis, countMatrix(basis.features, networks, rows));
      const weights = fitWeights(
        basis,
        expanded,
        logs.map((value) => (value - centre) / spread),
      );
      return { platformId, centre, spread, weights: weights.map((weight) => weight * spread) };
    }),
  };
}

/** The functions of some of the platforms. */
export function functionsOf(
  { basis, platforms }: SourceFunctions,
  platformIds: readonly string[],
): SourceFunctions {
  return {
    basis,
    platforms: platforms.filter(({ platformId }) => platformIds.includes(platformId)),
  };
}

/** Log latency (of ms) of some rows of a table on each platform, in the order of `platforms`. */
export function logLatencies(
  functions: SourceFunctions,
  networks: FeatureTable,
  rows: ArrayLike<number>,
): Float64Array[] {
  const counts = countMatrix(functions.basis.features, networks, rows);
  return evaluateFunctions(functions, counts).map((deviations, p) => {
    const { centre } = functions.platforms[p]!;
    return deviations.map((deviation) => centre + deviation);
  });
}

/**
 * Deviation of log latency from each platform's mean.
 *
 * @param counts - standardised counts of networks, (rows, columns)
 * @returns one array a platform, in the order of `platforms`
 */
export function evaluateFunctions(
  { basis, platforms }: SourceFunctions,
  counts: Matrix,
): Float64Array[] {
  const expanded = expand(basis, counts);
  return platforms.map(({ weights }) => multiplyVector(expanded, weights));
}

/** Settings and tensors of functions in a saved predictor. */
export function saveFunctions({ basis, platforms }: SourceFunctions): {
  settings: z.infer<typeof sourceFunctionsSchema>;
  tensors: [string, SavedTensor][];
} {
  const size = basisSize(basis);
  const weights = new Float64Array(platforms.length * size);
  platforms.forEach((platform, p) => {
    weights.set(platform.weights, p * size);
  });
  const { inducing } = basis;
  return {
    settings: {
      features: basis.features,
      nInducing: inducing.rows,
      platforms: platforms.map(({ platformId, centre, spread }) => ({
        platformId,
        centre,
        spread,
      })),
    },
    tensors: [
      ["inducing", { shape: [inducing.rows, inducing.columns], values: inducing.values }],
      ["source.weights", { shape: [platforms.length, size], values: weights }],
    ],
  };
}

/** The inverse of `saveFunctions`; throws FormatError on a tensor of another shape. */
export function loadFunctions(
  saved: SavedPredictor,
  { features, nInducing, platforms }: z.infer<typeof sourceFunctionsSchema>,
): SourceFunctions {
  const d = features.columns.length;
  const inducing = matrix(nInducing, d, readTensor(saved, "inducing", [nInducing, d]));
  const basis = { features, inducing };
  const size = basisSize(basis);
  const weights = readTensor(saved, "source.weights", [platforms.length, size]);
  return {
    basis,
    platforms: platforms.map((platform, p) => ({
      ...platform,
      weights: weights.slice(p * size, (p + 1) * size),
    })),
  };
}
