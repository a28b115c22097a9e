/**
 * Holding out source platforms in training: what a predictor believes of its error against what happens on
 * platforms it has not seen. The one place where interval widths are learned; a target's latencies never are read.
 */
import type { FeatureTable } from "../graph/features.js";
import { createRandom, deriveSeed, drawWithoutReplacement, shuffled } from "../tensor/random.js";
import { type Belief, calibrateIntervals, type IntervalScale } from "./intervals.js";
import type { FitOptions, PlatformSamples } from "./predictor.js";
import { breathe, familiesOf, pickSamples } from "./samples.js";

/** Adapts to some samples of a held-out platform and predicts other rows; undefined where it cannot adapt to so few. */
export type AdaptAndPredict = (
  target: PlatformSamples,
  rows: ArrayLike<number>,
) => Belief | undefined | Promise<Belief | undefined>;

/** Numbers of target samples at which intervals are checked. */
const calibrationSamples = [10, 20, 50];
const drawsPerPlatform = 4;
const maxTestRows = 150;
/** With fewer families than this, single platforms are held out: one family alone teaches too little. */
const minFamilies = 3;

/** Whether single platforms are held out, so that their siblings stay. */
export const leavesSiblings = (platforms: readonly PlatformSamples[]) =>
  familiesOf(platforms).length < minFamilies;

export interface HoldOut<Source extends { readonly samples: PlatformSamples }> {
  readonly sources: readonly Source[];
  readonly networks: FeatureTable;
  /** Learn from fewer sources, as `fit` would. */
  readonly learnFrom: (sources: readonly Source[]) => AdaptAndPredict | Promise<AdaptAndPredict>;
  /** Sample numbers to check, default 10, 20 and 50. */
  readonly samples?: readonly number[];
  readonly draws?: number;
  /** Most units held out, drawn by seed; all when omitted. */
  readonly maxUnits?: number;
}

/** Calibrate intervals by holding out a family (or a platform) at a time. */
export async function calibrateOnSources<Source extends { readonly samples: PlatformSamples }>(
  {
    sources,
    networks,
    learnFrom,
    samples = calibrationSamples,
    draws = drawsPerPlatform,
    maxUnits,
  }: HoldOut<Source>,
  options: FitOptions,
): Promise<IntervalScale[]> {
  const byFamily = !leavesSiblings(sources.map((source) => source.samples));
  const unitOf = (source: Source) => (byFamily ? source.samples.family : source.samples.platformId);
  const scores = samples.map(() => [] as number[]);
  const all = [...new Set(sources.map(unitOf))];
  const random = createRandom(deriveSeed(options.seed, "held out"));
  const units = shuffled(random, all).slice(0, maxUnits ?? all.length);
  for (const [done, unit] of units.entries()) {
    const others = sources.filter((source) => unitOf(source) !== unit);
    if (others.length === 0) break;
    const adaptAndPredict = await learnFrom(others);
    for (const source of sources) {
      if (unitOf(source) !== unit) continue;
      for (const [k, nSamples] of samples.entries()) {
        if (source.samples.rows.length < 2 * nSamples) continue;
        const found = await heldOutScores(source.samples, networks, adaptAndPredict, {
          ...options,
          nSamples,
          draws,
        });
        scores[k]!.push(...found);
      }
    }
    options.onProgress?.(
      done + 1,
      units.length,
      byFamily ? "families held out" : "platforms held out",
    );
    await breathe(options);
  }
  return samples.map((nSamples, k) => calibrateIntervals(Float64Array.from(scores[k]!), nSamples));
}

async function heldOutScores(
  samples: PlatformSamples,
  networks: FeatureTable,
  adaptAndPredict: AdaptAndPredict,
  { nSamples, draws, ...options }: FitOptions & { nSamples: number; draws: number },
): Promise<number[]> {
  const scores: number[] = [];
  // Without samples one adaptation is like the other.
  const nDraws = nSamples === 0 ? 1 : draws;
  for (let draw = 0; draw < nDraws; draw++) {
    await breathe(options);
    const random = createRandom(
      deriveSeed(options.seed, `${samples.platformId}/${nSamples}/${draw}`),
    );
    const nTest = Math.min(maxTestRows, samples.rows.length - nSamples);
    const drawn = drawWithoutReplacement(random, samples.rows.length, nSamples + nTest);
    const test = pickSamples(samples, drawn.subarray(nSamples));
    const belief = await adaptAndPredict(
      pickSamples(samples, drawn.subarray(0, nSamples)),
      test.rows,
    );
    if (belief === undefined) break;
    const { meanMs, deviation } = belief;
    test.latencyMs.forEach((latency, i) => {
      // Networks that compute nothing are told by pruning, not by scatter: they would widen every interval.
      if (networks.connected[test.rows[i]!] === 0) return;
      scores.push(Math.abs(Math.log(latency / meanMs[i]!)) / deviation[i]!);
    });
  }
  return scores;
}
