/**
 * One latency and its deviation from several views of the same network, each a latency with its own deviation.
 *
 * Where views agree, mean and variance. Where they differ (one prunes what another runs), the median and the inner
 * 90 % of the mixture: a mean would follow an unlikely view that is a hundred times the others.
 */
import { type Belief, logDeviation } from "./intervals.js";

/** Views differ on a network when their latencies lie further apart than this share of their mean. */
const usualAgreement = 0.2;
/** Scale of the logistic distribution that resembles a normal of deviation 1. */
const logisticScale = 0.588;
/** Quantiles are found to this share of the widest latency in question. */
const relativeTolerance = 2e-4;
const mostSteps = 30;
const innerNinety = { low: 0.05, high: 0.95, widthInDeviations: 3.29 };
const leastDeviation = 1e-4;

/**
 * Join views, network by network.
 *
 * @param weights - of the views, adding up to 1
 * @param centres - latency of each network in each view, ms
 * @param deviations - standard deviation of each of these, ms
 * @param least - no latency below this, ms
 * @param agreement - views that differ by no more than this share of their mean are joined by means
 */
export function joinViews(
  weights: Float64Array,
  centres: readonly Float64Array[],
  deviations: readonly Float64Array[],
  least: Float64Array,
  agreement = usualAgreement,
): Belief {
  const n = least.length;
  const meanMs = new Float64Array(n);
  const deviation = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let mean = 0;
    let lowest = Number.POSITIVE_INFINITY;
    let highest = Number.NEGATIVE_INFINITY;
    for (let v = 0; v < weights.length; v++) {
      const centre = centres[v]![i]!;
      mean += weights[v]! * centre;
      lowest = Math.min(lowest, centre);
      highest = Math.max(highest, centre);
    }
    if (highest - lowest <= agreement * mean) {
      meanMs[i] = Math.max(mean, least[i]!);
      deviation[i] = logDeviation(meanMs[i]!, varianceAbout(mean, weights, centres, deviations, i));
    } else {
      const quantile = (share: number) =>
        Math.max(mixtureQuantile(share, weights, centres, deviations, i), least[i]!);
      meanMs[i] = quantile(0.5);
      deviation[i] =
        Math.log(quantile(innerNinety.high) / quantile(innerNinety.low)) /
        innerNinety.widthInDeviations;
    }
    deviation[i] = Math.max(deviation[i]!, leastDeviation);
  }
  return { meanMs, deviation };
}

function varianceAbout(
  mean: number,
  weights: Float64Array,
  centres: readonly Float64Array[],
  deviations: readonly Float64Array[],
  i: number,
): number {
  let variance = 0;
  for (let v = 0; v < weights.length; v++) {
    variance += weights[v]! * (deviations[v]![i]! ** 2 + (centres[v]![i]! - mean) ** 2);
  }
  return variance;
}

function mixtureQuantile(
  share: number,
  weights: Float64Array,
  centres: readonly Float64Array[],
  deviations: readonly Float64Array[],
  i: number,
): number {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let v = 0; v < weights.length; v++) {
    low = Math.min(low, centres[v]![i]! - 4 * deviations[v]![i]!);
    high = Math.max(high, centres[v]![i]! + 4 * deviations[v]![i]!);
  }
  const tolerance = relativeTolerance * Math.max(Math.abs(low), Math.abs(high));
  let at = (low + high) / 2;
  // Newton's steps, kept inside the shrinking bracket: plateaus between views have almost no slope.
  for (let step = 0; step < mostSteps && high - low > tolerance; step++) {
    let below = 0;
    let density = 0;
    for (let v = 0; v < weights.length; v++) {
      const scale = logisticScale * deviations[v]![i]!;
      const cumulated = 1 / (1 + Math.exp((centres[v]![i]! - at) / scale));
      below += weights[v]! * cumulated;
      density += (weights[v]! * cumulated * (1 - cumulated)) / scale;
    }
    if (below < share) low = at;
    else high = at;
    const next = at + (share - below) / density;
    const isInside = next > low && next < high;
    if (isInside && Math.abs(next - at) < tolerance) return next;
    at = isInside ? next : (low + high) / 2;
  }
  return at;
}
