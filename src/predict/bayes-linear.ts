/**
 * Bayesian linear regression with relative noise: y = A·β + ε, sd(εᵢ) = sqrt(σ² + sdᵢ²) · |A·β|ᵢ.
 *
 * Pure arithmetic on matrices; what the columns mean, and which priors compete, is the caller's.
 */
import {
  addDiagonal,
  cholesky,
  inverseFromCholesky,
  logDeterminantFromCholesky,
  type Matrix,
  matrix,
  multiplyVector,
  solveCholesky,
  symmetricProduct,
  transposedTimesVector,
} from "../tensor/linalg.js";
import { mean, median } from "../tensor/stats.js";

/** Latencies below this share of the median count as that share when noise is taken as relative. */
const noiseFloorShare = 0.05;

function relativeBase(fitted: ArrayLike<number>, y: Float64Array, floor: number): Float64Array {
  return Float64Array.from(y, (_, i) => Math.max(fitted[i]!, floor));
}

/** Residuals beyond this many standard deviations lose weight (Huber's constant for 95 % efficiency). */
const huberLimit = 1.345;

/** Coefficients of one platform with many samples. */
export interface WellSampledFit {
  readonly coefficients: Float64Array;
  /** How well each is known, given the pull. */
  readonly coefficientSd: Float64Array;
  /** Relative deviation that the columns leave, beyond the samples' own; robust. */
  readonly noiseSd: number;
  readonly logLikelihood: number;
}

/**
 * Fit a platform with many samples robustly (iteratively reweighted, Huber).
 *
 * Collinear columns are settled by a pull towards `centre`, so that platforms settle them alike.
 *
 * @param pullSd - how far each coefficient may be from `centre`; default a pull so slight that it settles nothing else
 */
export function fitWellSampled(
  a: Matrix,
  y: Float64Array,
  centre: Float64Array,
  relativeSd?: Float64Array,
  pullSd?: Float64Array,
): WellSampledFit {
  const n = a.rows;
  const floor = noiseFloorShare * median(y);
  const ownVariance = relativeSd === undefined ? 0 : mean(relativeSd.map((sd) => sd * sd));
  let coefficients = centre;
  let base: Float64Array = relativeBase(y, y, floor);
  let robust = new Float64Array(n).fill(1);
  let scale = 0.1;
  let precision = matrix(0, 0);
  for (let iteration = 0; iteration < 6; iteration++) {
    const weights = Float64Array.from({ length: n }, (_, i) => {
      const own = relativeSd?.[i] ?? 0;
      return robust[i]! / (base[i]! ** 2 * (0.02 ** 2 + own ** 2));
    });
    const gram = symmetricProduct(a, weights);
    const pull = Float64Array.from({ length: a.columns }, (_, j) =>
      pullSd === undefined ? 1e-4 * (gram.values[j * a.columns + j]! || 1) : 1 / pullSd[j]! ** 2,
    );
    const right = transposedTimesVector(a, y, weights).map((v, j) => v + pull[j]! * centre[j]!);
    precision = cholesky(addDiagonal(gram, pull));
    coefficients = solveCholesky(precision, right);
    const fitted = multiplyVector(a, coefficients);
    base = relativeBase(fitted, y, floor);
    const residuals = Float64Array.from(y, (value, i) => (value - fitted[i]!) / base[i]!);
    scale = Math.max(1.4826 * median(residuals.map(Math.abs)), 1e-4);
    robust = residuals.map((r) => Math.min(1, (huberLimit * scale) / Math.max(Math.abs(r), 1e-12)));
  }
  const fitted = multiplyVector(a, coefficients);
  // Winsorised: a few outliers count, but do not decide.
  const squares = Float64Array.from(y, (value, i) =>
    Math.min(((value - fitted[i]!) / base[i]!) ** 2, (4 * scale) ** 2),
  );
  const variance = Math.max(mean(squares), 1e-8);
  const covariance = inverseFromCholesky(precision);
  return {
    coefficients,
    coefficientSd: coefficients.map((_, j) => Math.sqrt(covariance.values[j * a.columns + j]!)),
    noiseSd: Math.sqrt(Math.max(variance - ownVariance, 1e-6)),
    logLikelihood: -0.5 * n * Math.log(variance),
  };
}

/** A Gaussian over coefficients. */
export interface Gaussian {
  readonly mean: Float64Array;
  readonly covariance: Matrix;
}

/** Cholesky factor of a covariance that may be semidefinite by rounding. */
export function factorOfCovariance(covariance: Matrix): Matrix {
  let trace = 0;
  for (let j = 0; j < covariance.rows; j++) trace += covariance.values[j * covariance.rows + j]!;
  return cholesky(addDiagonal(covariance, 1e-12 * trace + 1e-300));
}

/** A Gaussian prior with what regression needs of it. */
export interface PreparedPrior extends Gaussian {
  readonly precision: Matrix;
  readonly logDeterminant: number;
}

/** Factor a prior once for many regressions. */
export function preparePrior({ mean, covariance }: Gaussian): PreparedPrior {
  const lower = cholesky(covariance);
  return {
    mean,
    covariance,
    precision: inverseFromCholesky(lower),
    logDeterminant: logDeterminantFromCholesky(lower),
  };
}

/** Posterior of one hypothesis; `logEvidence` lacks constants common to all hypotheses on the same samples. */
export interface Posterior {
  readonly mean: Float64Array;
  /** Lower Cholesky factor of the precision: most hypotheses are dropped before a covariance is wanted. */
  readonly precisionFactor: Matrix;
  readonly logEvidence: number;
}

/** A posterior as a Gaussian. */
export function gaussianOf({ mean, precisionFactor }: Posterior): Gaussian {
  return { mean, covariance: inverseFromCholesky(precisionFactor) };
}

/**
 * Regress few samples on a design under a prior and a given relative noise.
 *
 * Noise is relative to the fitted latency, so the regression runs twice: first with the measured ones as base.
 */
export function regress(
  a: Matrix,
  y: Float64Array,
  prior: PreparedPrior,
  noise: { readonly sd: number; readonly relativeSd?: Float64Array },
): Posterior {
  const floor = noiseFloorShare * median(y);
  const expected = multiplyVector(a, prior.mean);
  const residual = Float64Array.from(y, (value, i) => value - expected[i]!);
  let base = relativeBase(y, y, floor);
  let result: Posterior | undefined;
  for (let pass = 0; pass < 2; pass++) {
    const variance = Float64Array.from(
      base,
      (b, i) => b * b * (noise.sd ** 2 + (noise.relativeSd?.[i] ?? 0) ** 2),
    );
    result = conjugate(a, residual, prior, variance);
    const fitted = multiplyVector(a, result.mean);
    base = relativeBase(fitted, y, floor);
  }
  return result!;
}

function conjugate(
  a: Matrix,
  residual: Float64Array,
  prior: PreparedPrior,
  variance: Float64Array,
): Posterior {
  const weights = variance.map((v) => 1 / v);
  const p = a.columns;
  const precision = symmetricProduct(a, weights);
  for (let k = 0; k < p * p; k++) precision.values[k]! += prior.precision.values[k]!;
  const lower = cholesky(precision);
  const right = transposedTimesVector(a, residual, weights);
  const shift = solveCholesky(lower, right);
  let quadratic = 0;
  let logNoise = 0;
  for (let i = 0; i < residual.length; i++) {
    quadratic += residual[i]! ** 2 * weights[i]!;
    logNoise += Math.log(variance[i]!);
  }
  for (let j = 0; j < p; j++) quadratic -= shift[j]! * right[j]!;
  return {
    mean: shift.map((value, j) => value + prior.mean[j]!),
    precisionFactor: lower,
    logEvidence:
      -0.5 * (quadratic + logNoise + prior.logDeterminant + logDeterminantFromCholesky(lower)),
  };
}

/**
 * The Gaussian of a mixture's first two moments.
 *
 * @param weights - positive; need not add up to 1
 */
export function mixMoments(parts: readonly Gaussian[], weights: ArrayLike<number>): Gaussian {
  const p = parts[0]!.mean.length;
  let total = 0;
  for (let h = 0; h < parts.length; h++) total += weights[h]!;
  const centre = new Float64Array(p);
  parts.forEach((part, h) => {
    for (let j = 0; j < p; j++) centre[j]! += (weights[h]! / total) * part.mean[j]!;
  });
  const covariance = matrix(p, p);
  parts.forEach((part, h) => {
    const weight = weights[h]! / total;
    for (let j = 0; j < p; j++) {
      const dj = part.mean[j]! - centre[j]!;
      for (let k = 0; k < p; k++) {
        const dk = part.mean[k]! - centre[k]!;
        covariance.values[j * p + k]! += weight * (part.covariance.values[j * p + k]! + dj * dk);
      }
    }
  });
  return { mean: centre, covariance };
}
