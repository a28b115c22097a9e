/**
 * Bayesian linear regression of a few latencies with heavy-tailed relative noise, under many priors and noise levels.
 *
 * y = A·β + ε, β ~ N(mean, S), εᵢ ~ Student t with scale sqrt(σ² + sdᵢ²)·(A·β)ᵢ and the rounding of the clock. Single
 * runs of phones and shared machines are off by far more than their neighbours, and one such sample in ten must not
 * bend the whole line. Work is done in the space that the samples span (at most as many dimensions as samples).
 */
import {
  addDiagonal,
  cholesky,
  type Matrix,
  matrix,
  multiplyVector,
  solveCholesky,
  transposedTimesVector,
} from "../../tensor/linalg.js";
import { median } from "../../tensor/stats.js";
import type { Gaussian } from "../bayes-linear.js";

/** Few degrees of freedom: rare samples that are far off cost little. */
const degreesOfFreedom = 4;
/** Latencies below this share of the median count as that share when noise is taken as relative. */
const noiseFloorShare = 0.05;
const iterations = 3;

/** The samples of one target as regression sees them. */
export interface RegressionSamples {
  readonly latencyMs: Float64Array;
  /** Known relative deviation of each sample. */
  readonly relativeSd?: Float64Array;
  /** Latencies are multiples of this, e.g. 1 for whole milliseconds; 0 when not rounded. */
  readonly stepMs: number;
  /** Noise is relative to a latency, but to no less than this. */
  readonly floorMs: number;
}

const steps = [10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01];
/** Fewer latencies than this are multiples of something by chance. */
const minForStep = 4;

/** Samples with what their noise needs. */
export function regressionSamples(
  latencyMs: Float64Array,
  relativeSd?: Float64Array,
): RegressionSamples {
  return {
    latencyMs,
    ...(relativeSd === undefined ? {} : { relativeSd }),
    stepMs: roundingStepOf(latencyMs),
    floorMs: noiseFloorShare * median(latencyMs),
  };
}

/** The step that latencies are rounded to, 0 when they are finer than a hundredth of a millisecond. */
function roundingStepOf(latencyMs: Float64Array): number {
  if (latencyMs.length < minForStep) return 0;
  const isMultiple = (step: number) =>
    latencyMs.every((latency) => Math.abs(latency / step - Math.round(latency / step)) < 1e-6);
  return steps.find(isMultiple) ?? 0;
}

/** A prior together with what all noise levels need of it for one design. */
export interface PreparedRegression {
  readonly design: Matrix;
  readonly prior: Gaussian;
  /** S·Aᵀ, (columns, samples). */
  readonly gain: Matrix;
  /** C with C·Cᵀ = A·S·Aᵀ, (samples, at most columns). */
  readonly factor: Matrix;
  /** Latency less the prior's expectation. */
  readonly residual: Float64Array;
}

/**
 * Prepare a prior for the samples.
 *
 * @param design - (samples, columns)
 */
export function prepareRegression(
  design: Matrix,
  latencyMs: Float64Array,
  prior: Gaussian,
): PreparedRegression {
  const n = design.rows;
  const p = design.columns;
  const expected = multiplyVector(design, prior.mean);
  const gain = matrix(p, n);
  for (let j = 0; j < p; j++) {
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let k = 0; k < p; k++) {
        sum += prior.covariance.values[j * p + k]! * design.values[i * p + k]!;
      }
      gain.values[j * n + i] = sum;
    }
  }
  return {
    design,
    prior,
    gain,
    factor: factorOf(design, gain, prior.covariance),
    residual: latencyMs.map((latency, i) => latency - expected[i]!),
  };
}

function factorOf(design: Matrix, gain: Matrix, covariance: Matrix): Matrix {
  const n = design.rows;
  const p = design.columns;
  if (n > p) {
    const lower = cholesky(covariance).values;
    const factor = matrix(n, p);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < p; j++) {
        let sum = 0;
        for (let k = j; k < p; k++) sum += design.values[i * p + k]! * lower[k * p + j]!;
        factor.values[i * p + j] = sum;
      }
    }
    return factor;
  }
  const gram = matrix(n, n);
  let trace = 0;
  for (let i = 0; i < n; i++) {
    for (let k = 0; k <= i; k++) {
      let sum = 0;
      for (let j = 0; j < p; j++) sum += design.values[i * p + j]! * gain.values[j * n + k]!;
      gram.values[i * n + k] = sum;
      gram.values[k * n + i] = sum;
    }
    trace += gram.values[i * n + i]!;
  }
  // Two samples of equal columns make it singular by rounding.
  return cholesky(addDiagonal(gram, 1e-10 * trace));
}

/** Working memory of many fits to the same samples. */
interface Workspace {
  readonly fitted: Float64Array;
  readonly variance: Float64Array;
  readonly weights: Float64Array;
  /** Lower Cholesky factor of the precision in the samples' space, row-major. */
  readonly lower: Float64Array;
  /** Mode in the samples' space. */
  readonly mode: Float64Array;
}

function createWorkspace(nSamples: number, nDimensions: number): Workspace {
  return {
    fitted: new Float64Array(nSamples),
    variance: new Float64Array(nSamples),
    weights: new Float64Array(nSamples),
    lower: new Float64Array(nDimensions * nDimensions),
    mode: new Float64Array(nDimensions),
  };
}

/**
 * Mode for given weights: factors I + Cᵀ·W·C and solves for Cᵀ·W·r. Written out, because adapting does it some
 * thousand times.
 */
function solveMode({ factor, residual }: PreparedRegression, { weights, lower, mode }: Workspace) {
  const n = factor.rows;
  const r = factor.columns;
  const c = factor.values;
  lower.fill(0);
  mode.fill(0);
  for (let j = 0; j < r; j++) lower[j * r + j] = 1;
  for (let i = 0; i < n; i++) {
    const weight = weights[i]!;
    const row = i * r;
    const target = weight * residual[i]!;
    for (let j = 0; j < r; j++) {
      const value = c[row + j]!;
      if (value === 0) continue;
      mode[j]! += target * value;
      const weighted = weight * value;
      for (let k = 0; k <= j; k++) lower[j * r + k]! += weighted * c[row + k]!;
    }
  }
  for (let j = 0; j < r; j++) {
    for (let k = 0; k <= j; k++) {
      let sum = lower[j * r + k]!;
      for (let m = 0; m < k; m++) sum -= lower[j * r + m]! * lower[k * r + m]!;
      lower[j * r + k] = j === k ? Math.sqrt(sum) : sum / lower[k * r + k]!;
    }
  }
  for (let j = 0; j < r; j++) {
    let sum = mode[j]!;
    for (let k = 0; k < j; k++) sum -= lower[j * r + k]! * mode[k]!;
    mode[j] = sum / lower[j * r + j]!;
  }
  for (let j = r - 1; j >= 0; j--) {
    let sum = mode[j]!;
    for (let k = j + 1; k < r; k++) sum -= lower[k * r + j]! * mode[k]!;
    mode[j] = sum / lower[j * r + j]!;
  }
}

/** Iteratively reweighted to the mode; leaves it in the workspace. Returns the logarithm of the evidence. */
function fitNoise(
  prepared: PreparedRegression,
  { latencyMs, relativeSd, stepMs, floorMs }: RegressionSamples,
  noiseSd: number,
  workspace: Workspace,
): number {
  const { factor, residual } = prepared;
  const { fitted, variance, weights, lower, mode } = workspace;
  const n = factor.rows;
  const r = factor.columns;
  const c = factor.values;
  const rounding = stepMs ** 2 / 12;
  const setVariance = (i: number, base: number) => {
    variance[i] = base * base * (noiseSd ** 2 + (relativeSd?.[i] ?? 0) ** 2) + rounding;
  };
  for (let i = 0; i < n; i++) {
    setVariance(i, Math.max(latencyMs[i]!, floorMs));
    weights[i] = 1 / variance[i]!;
  }
  let logEvidence = 0;
  for (let iteration = 1; iteration <= iterations; iteration++) {
    solveMode(prepared, workspace);
    for (let i = 0; i < n; i++) {
      let value = latencyMs[i]! - residual[i]!;
      for (let j = 0; j < r; j++) value += c[i * r + j]! * mode[j]!;
      fitted[i] = value;
      setVariance(i, Math.max(value, floorMs));
      const square = (latencyMs[i]! - value) ** 2 / variance[i]!;
      if (iteration < iterations) {
        weights[i] = (degreesOfFreedom + 1) / (degreesOfFreedom + square) / variance[i]!;
      } else {
        logEvidence -=
          0.5 * Math.log(variance[i]!) +
          ((degreesOfFreedom + 1) / 2) * Math.log1p(square / degreesOfFreedom);
      }
    }
  }
  for (let j = 0; j < r; j++) logEvidence -= 0.5 * mode[j]! ** 2 + Math.log(lower[j * r + j]!);
  return logEvidence;
}

/** The samples and working memory for fits to them. */
export interface Regression {
  /**
   * Logarithm of the evidence (Laplace's approximation), save for constants common to all fits to the same samples.
   */
  logEvidenceOf(prepared: PreparedRegression, noiseSd: number): number;
  /** The Gaussian over coefficients that a fit leaves: most fits are dropped before it is wanted. */
  gaussianOf(prepared: PreparedRegression, noiseSd: number): Gaussian;
}

/** Regression on one target's samples. */
export function createRegression(samples: RegressionSamples): Regression {
  const n = samples.latencyMs.length;
  let workspace = createWorkspace(n, n);
  const workspaceFor = ({ factor }: PreparedRegression) => {
    if (workspace.mode.length !== factor.columns) workspace = createWorkspace(n, factor.columns);
    return workspace;
  };
  return {
    logEvidenceOf: (prepared, noiseSd) =>
      fitNoise(prepared, samples, noiseSd, workspaceFor(prepared)),
    gaussianOf(prepared, noiseSd) {
      const space = workspaceFor(prepared);
      fitNoise(prepared, samples, noiseSd, space);
      return gaussianOfFit(prepared, space);
    },
  };
}

/** The Gaussian over coefficients in the mode of a workspace. */
function gaussianOfFit(
  { design, prior, gain, factor, residual }: PreparedRegression,
  { weights, lower, mode }: Workspace,
): Gaussian {
  const n = weights.length;
  const p = prior.mean.length;
  const precisionFactor = matrix(mode.length, mode.length, lower);
  const shift = multiplyVector(factor, mode);
  const dual = weights.map((weight, i) => weight * (residual[i]! - shift[i]!));
  const mean = prior.mean.slice();
  for (let j = 0; j < p; j++) {
    for (let i = 0; i < n; i++) mean[j]! += gain.values[j * n + i]! * dual[i]!;
  }
  // (C·Cᵀ + V)⁻¹ = W − W·C·(I + Cᵀ·W·C)⁻¹·Cᵀ·W, applied to the rows of the gain: K, (columns, samples).
  const applied = new Float64Array(p * n);
  for (let j = 0; j < p; j++) {
    const row = gain.values.subarray(j * n, (j + 1) * n);
    const solved = solveCholesky(precisionFactor, transposedTimesVector(factor, row, weights));
    const back = multiplyVector(factor, solved);
    for (let i = 0; i < n; i++) applied[j * n + i] = weights[i]! * (row[i]! - back[i]!);
  }
  return { mean, covariance: josephForm(design, prior.covariance, applied, weights) };
}

/**
 * (I − K·A)·S·(I − K·A)ᵀ + K·V·Kᵀ: equal to S − K·A·S, but a sum of squares, so that rounding cannot make a variance
 * negative (Bucy and Joseph 1968).
 */
function josephForm(
  design: Matrix,
  covariance: Matrix,
  applied: Float64Array,
  weights: Float64Array,
): Matrix {
  const n = design.rows;
  const p = design.columns;
  const remaining = matrix(p, p);
  for (let j = 0; j < p; j++) {
    for (let k = 0; k < p; k++) {
      let sum = j === k ? 1 : 0;
      for (let i = 0; i < n; i++) sum -= applied[j * n + i]! * design.values[i * p + k]!;
      remaining.values[j * p + k] = sum;
    }
  }
  const half = matrix(p, p);
  for (let j = 0; j < p; j++) {
    for (let k = 0; k < p; k++) {
      let sum = 0;
      for (let m = 0; m < p; m++) {
        sum += remaining.values[j * p + m]! * covariance.values[m * p + k]!;
      }
      half.values[j * p + k] = sum;
    }
  }
  const result = matrix(p, p);
  for (let j = 0; j < p; j++) {
    for (let k = 0; k <= j; k++) {
      let sum = 0;
      for (let m = 0; m < p; m++) sum += half.values[j * p + m]! * remaining.values[k * p + m]!;
      for (let i = 0; i < n; i++) {
        sum += (applied[j * n + i]! * applied[k * n + i]!) / weights[i]!;
      }
      result.values[j * p + k] = sum;
      result.values[k * p + j] = sum;
    }
  }
  return result;
}
