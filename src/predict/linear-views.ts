/**
 * Predictions of views: each a Gaussian over the coefficients of a linear model, with noise relative to the latency.
 */
import type { FeatureTable } from "../graph/features.js";
import { median } from "../tensor/stats.js";
import { factorOfCovariance, type Gaussian } from "./bayes-linear.js";
import type { Belief } from "./intervals.js";
import type { PlatformSamples } from "./predictor.js";
import { joinViews } from "./view-mixture.js";

/** One way to see a network. */
export interface LinearView extends Gaussian {
  readonly weight: number;
  /** Square of the relative noise. */
  readonly noiseVariance: number;
}

/** Predictions are never below these: a sum extrapolated to nothing stays a latency. */
export interface LeastMs {
  readonly connected: number;
  readonly unconnected: number;
}

/** Shares of the samples' least and median latency below which no prediction falls. */
const leastShare = { connected: 0.2, unconnected: 1e-3 };

/**
 * What a target's samples, or latencies expected of some of its networks, set as the least.
 *
 * @param samples - at least one
 */
export function leastOfSamples(
  { rows, latencyMs }: Pick<PlatformSamples, "rows" | "latencyMs">,
  networks: FeatureTable,
): LeastMs {
  const connected = latencyMs.filter((_, i) => networks.connected[rows[i]!] === 1);
  const counted = connected.length > 0 ? connected : latencyMs;
  return {
    connected: leastShare.connected * Math.min(...counted),
    unconnected: leastShare.unconnected * median(counted),
  };
}

/**
 * What views say of some rows of a table, joined by `joinViews`.
 *
 * @param fillOf - writes the columns of a network as a view sees them
 * @param agreement - as for `joinViews`
 */
export function beliefOfViews<View extends LinearView>(
  views: readonly View[],
  fillOf: (view: View) => (row: number, target: Float64Array) => void,
  networks: FeatureTable,
  rows: ArrayLike<number>,
  leastMs: LeastMs,
  agreement?: number,
): Belief {
  const n = rows.length;
  const p = views[0]!.mean.length;
  const centres = views.map(() => new Float64Array(n));
  const deviations = views.map(() => new Float64Array(n));
  const features = new Float64Array(p);
  views.forEach((view, v) => {
    const fill = fillOf(view);
    const lower = factorOfCovariance(view.covariance).values;
    for (let i = 0; i < n; i++) {
      fill(rows[i]!, features);
      let centre = 0;
      let variance = 0;
      for (let j = 0; j < p; j++) {
        centre += view.mean[j]! * features[j]!;
        let projected = 0;
        for (let k = j; k < p; k++) projected += lower[k * p + j]! * features[k]!;
        variance += projected * projected;
      }
      centres[v]![i] = centre;
      deviations[v]![i] = Math.sqrt(variance + view.noiseVariance * centre * centre);
    }
  });
  const weights = Float64Array.from(views, ({ weight }) => weight);
  const least = Float64Array.from(rows, (row) =>
    networks.connected[row] === 1 ? leastMs.connected : leastMs.unconnected,
  );
  return joinViews(weights, centres, deviations, least, agreement);
}
