/**
 * What a perfect predictor would score on one platform, given how its measurements repeat: by simulation from the
 * processes of the same networks. The ceiling of published latencies is in `noise-ceiling.ts`.
 *
 * Only what differs between processes is seen. What all processes of a network share (a busy day, an anchor that is
 * off) is not, so that a ceiling may be too high. It may be too low by a point where some processes were disturbed: their
 * deviations are drawn for networks that were not.
 */
import { InputError } from "../errors.js";
import type { Random } from "../tensor/random.js";
import { mean, median, quantile, spearman } from "../tensor/stats.js";
import { withinShare } from "./metrics.js";
import type { NoiseCeiling } from "./noise-ceiling.js";

/** Logarithm of measured over true latency of network i, drawn anew at each call. */
export type LogNoise = (i: number, random: Random) => number;

/**
 * How far single processes are from their network's mean, in log, pooled over a platform's networks.
 *
 * @param ratios - per network, the latency (in any unit) that each of its processes found
 * @returns deviations scaled up by what subtracting the mean took away; empty when no network has two processes
 */
export function processDeviations(ratios: Iterable<readonly number[]>): Float64Array {
  const deviations: number[] = [];
  for (const values of ratios) {
    const n = values.length;
    if (n < 2) continue;
    const logs = values.map(Math.log);
    const centre = mean(logs);
    const scale = Math.sqrt(n / (n - 1));
    for (const value of logs) deviations.push(scale * (value - centre));
  }
  return Float64Array.from(deviations);
}

/**
 * Noise of measurements that are medians over processes.
 *
 * @param deviations - of single processes, at least one
 * @param nProcesses - of each network
 */
export function noiseOfProcesses(
  deviations: Float64Array,
  nProcesses: ArrayLike<number>,
): LogNoise {
  if (deviations.length === 0) throw new InputError("noise of no processes");
  return (i, random) =>
    median(
      Float64Array.from(
        { length: nProcesses[i]! },
        () => deviations[random.integer(deviations.length)]!,
      ),
    );
}

/** Noise by the measurements' own intervals, where no processes are kept. */
export const noiseOfIntervals =
  (relativeSd: ArrayLike<number>): LogNoise =>
  (i, random) =>
    relativeSd[i]! * random.normal();

/**
 * Scores of the measured latencies as predictions of themselves measured again, means over simulations.
 *
 * @param measuredMs - at least two
 */
export function repeatCeiling(
  measuredMs: Float64Array,
  noise: LogNoise,
  random: Random,
  simulations = 200,
): NoiseCeiling {
  const ranks: number[] = [];
  const shares: number[] = [];
  const sizes: number[] = [];
  for (let simulation = 0; simulation < simulations; simulation++) {
    const again = measuredMs.map((ms, i) => {
      const logNoise = noise(i, random);
      sizes.push(Math.abs(logNoise));
      return ms * Math.exp(logNoise);
    });
    ranks.push(spearman(again, measuredMs));
    shares.push(withinShare(again, measuredMs, 0.1));
  }
  return {
    spearman: mean(ranks),
    withinTenPercent: mean(shares),
    intervalWidth: 2 * quantile(sizes, 0.9),
  };
}
