/**
 * Regression of a platform's log latency by Gaussian processes whose variances are unknown: a mixture over a grid of
 * hypotheses, weighed by their marginal likelihood on the samples.
 *
 * The covariance of two networks has a part that source platforms share (the mean product of their own functions: an
 * intrinsic coregionalisation of a new platform with equal shares, Álvarez et al. 2012, arXiv 1106.6251), one linear in
 * counts, a smooth one, a level and noise.
 */
import {
  cholesky,
  inverseFromCholesky,
  logDeterminantFromCholesky,
  type Matrix,
  matrix,
  solveCholesky,
} from "../../tensor/linalg.js";
import { mean } from "../../tensor/stats.js";
import { columnsOfView } from "./count-features.js";
import { linearKernel, smoothKernel } from "./kernels.js";

/** Which view of a network counts, and the variances of the parts, in units of `Scale.unit`. */
export interface Hypothesis {
  readonly view: number;
  readonly shared: number;
  readonly linear: number;
  readonly smooth: number;
  readonly noise: number;
}

/** Networks as a hypothesis sees them. */
export interface Networks {
  /** Standardised counts, (networks, columns). */
  readonly counts: Matrix;
  /** Log latency on each source platform, standardised, (networks, platforms). */
  readonly shared: Matrix;
}

/** Networks with their latencies on a platform. */
export interface Observed extends Networks {
  readonly logMs: Float64Array;
  /** Variance of each log latency by its own measuring. */
  readonly ownVariance: Float64Array;
}

/** What all hypotheses have in common. */
export interface Scale {
  /** Typical variance of log latency on a platform. */
  readonly unit: number;
  readonly views: readonly (readonly number[])[];
}

/** Variance of the level about the samples' mean, in units: ten samples tell it nearly. */
const levelVariance = 0.3;

const variances = {
  shared: [0, 0.3, 1, 3],
  linear: [0.03, 0.3, 3],
  smooth: [0.01, 0.1, 1],
  /** Squared relative deviations of 0.03 to 0.7 of a typical spread. */
  noise: [0.03, 0.1, 0.2, 0.4, 0.7].map((sd) => sd * sd),
};

/** All hypotheses for so many views. */
export function hypothesisGrid(nViews: number): Hypothesis[] {
  const grid: Hypothesis[] = [];
  for (let view = 0; view < nViews; view++) {
    for (const shared of variances.shared) {
      for (const linear of variances.linear) {
        for (const smooth of variances.smooth) {
          for (const noise of variances.noise) grid.push({ view, shared, linear, smooth, noise });
        }
      }
    }
  }
  return grid;
}

/** Covariances of networks `a` with networks `b`, part by part, without variances. */
interface Parts {
  readonly shared: Matrix;
  readonly linear: ReadonlyMap<number, Matrix>;
  readonly smooth: ReadonlyMap<number, Matrix>;
}

function partsBetween(a: Networks, b: Networks, used: Iterable<number>, scale: Scale): Parts {
  const linear = new Map<number, Matrix>();
  const smooth = new Map<number, Matrix>();
  for (const view of used) {
    const columns = scale.views[view]!;
    const [ofA, ofB] = [columnsOfView(a.counts, columns), columnsOfView(b.counts, columns)];
    linear.set(view, linearKernel(ofA, ofB));
    smooth.set(view, smoothKernel(ofA, ofB));
  }
  return { shared: linearKernel(a.shared, b.shared), linear, smooth };
}

const viewsOf = (hypotheses: readonly Hypothesis[]) => new Set(hypotheses.map(({ view }) => view));

/** Covariance of log latencies without noise. */
function covarianceOf(parts: Parts, h: Hypothesis, unit: number): Matrix {
  const linear = parts.linear.get(h.view)!.values;
  const smooth = parts.smooth.get(h.view)!.values;
  return {
    ...parts.shared,
    values: parts.shared.values.map(
      (shared, k) =>
        unit * (levelVariance + h.shared * shared + h.linear * linear[k]! + h.smooth * smooth[k]!),
    ),
  };
}

interface Fit {
  readonly lower: Matrix;
  /** Covariance⁻¹ · deviations from the samples' mean. */
  readonly alpha: Float64Array;
  readonly logEvidence: number;
}

function fitOne(parts: Parts, h: Hypothesis, observed: Observed, unit: number): Fit {
  const covariance = covarianceOf(parts, h, unit);
  const n = covariance.rows;
  for (let i = 0; i < n; i++) {
    covariance.values[i * n + i]! += unit * h.noise + observed.ownVariance[i]!;
  }
  const centre = mean(observed.logMs);
  const residual = observed.logMs.map((value) => value - centre);
  const lower = cholesky(covariance);
  const alpha = solveCholesky(lower, residual);
  let quadratic = 0;
  for (let i = 0; i < n; i++) quadratic += alpha[i]! * residual[i]!;
  return {
    lower,
    alpha,
    logEvidence: -0.5 * (quadratic + logDeterminantFromCholesky(lower)),
  };
}

/**
 * Weights of hypotheses given a platform's samples, adding up to 1.
 *
 * @param prior - weights before any sample, one a hypothesis
 */
export function weighHypotheses(
  hypotheses: readonly Hypothesis[],
  prior: Float64Array,
  observed: Observed,
  scale: Scale,
): Float64Array {
  const parts = partsBetween(observed, observed, viewsOf(hypotheses), scale);
  const logWeights = Float64Array.from(
    hypotheses,
    (h, i) => Math.log(prior[i]!) + fitOne(parts, h, observed, scale.unit).logEvidence,
  );
  const most = logWeights.reduce((a, b) => Math.max(a, b));
  const weights = logWeights.map((value) => Math.exp(value - most));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Predicts log latencies. */
export interface Mixture {
  /** Mean and variance of the log latency of a measurement of each network. */
  predict(networks: Networks): { mean: Float64Array; variance: Float64Array };
}

/** Networks that are predicted together: bounds the memory for their covariances. */
const blockRows = 512;

/** Condition each hypothesis on the samples. */
export function createMixture(
  hypotheses: readonly Hypothesis[],
  weights: Float64Array,
  observed: Observed,
  scale: Scale,
): Mixture {
  const { unit } = scale;
  const used = viewsOf(hypotheses);
  const parts = partsBetween(observed, observed, used, scale);
  const centre = mean(observed.logMs);
  const fits = hypotheses.map((h) => {
    const { alpha, lower } = fitOne(parts, h, observed, unit);
    return { alpha, inverse: inverseFromCholesky(lower).values };
  });

  function predictBlock(networks: Networks, means: Float64Array, variances: Float64Array): void {
    const between = partsBetween(networks, observed, used, scale);
    const prior = priorVariances(networks, used, scale);
    const n = observed.logMs.length;
    const squares = new Float64Array(means.length);
    hypotheses.forEach((h, k) => {
      const { alpha, inverse } = fits[k]!;
      const covariance = covarianceOf(between, h, unit).values;
      for (let i = 0; i < means.length; i++) {
        let shift = 0;
        let explained = 0;
        for (let a = 0; a < n; a++) {
          const value = covariance[i * n + a]!;
          shift += value * alpha[a]!;
          let row = 0;
          for (let b = 0; b < n; b++) row += inverse[a * n + b]! * covariance[i * n + b]!;
          explained += value * row;
        }
        const own = unit * (prior(h, i) + h.noise) - explained;
        means[i]! += weights[k]! * shift;
        squares[i]! += weights[k]! * shift * shift;
        variances[i]! += weights[k]! * Math.max(own, unit * h.noise);
      }
    });
    for (let i = 0; i < means.length; i++) {
      variances[i]! += Math.max(squares[i]! - means[i]! ** 2, 0);
      means[i]! += centre;
    }
  }

  return {
    predict(networks) {
      const n = networks.counts.rows;
      const means = new Float64Array(n);
      const variances = new Float64Array(n);
      for (let start = 0; start < n; start += blockRows) {
        const end = Math.min(start + blockRows, n);
        const block = {
          counts: rowsOf(networks.counts, start, end),
          shared: rowsOf(networks.shared, start, end),
        };
        predictBlock(block, means.subarray(start, end), variances.subarray(start, end));
      }
      return { mean: means, variance: variances };
    },
  };
}

function rowsOf({ columns, values }: Matrix, start: number, end: number): Matrix {
  return matrix(end - start, columns, values.subarray(start * columns, end * columns));
}

/** Variance of each network before any sample, without noise, in units. */
function priorVariances(networks: Networks, used: Iterable<number>, scale: Scale) {
  const meanSquare = ({ columns, values }: Matrix, i: number) => {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += values[i * columns + j]! ** 2;
    return sum / columns;
  };
  const ofView = new Map<number, Matrix>();
  for (const view of used) ofView.set(view, columnsOfView(networks.counts, scale.views[view]!));
  return (h: Hypothesis, i: number) =>
    levelVariance +
    h.shared * meanSquare(networks.shared, i) +
    h.linear * meanSquare(ofView.get(h.view)!, i) +
    h.smooth;
}
