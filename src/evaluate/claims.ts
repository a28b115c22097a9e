/**
 * The experiments of `docs/claims.md`: what is learned from, what of it is shown, which samples of a target are read,
 * and what is scored. Which experiments there are is planned in `scripts/claims-plan.mjs`.
 */
import { InputError } from "../errors.js";
import type { FeatureTable } from "../graph/features.js";
import type { AdaptedPredictor, FittedPredictor, PlatformSamples } from "../predict/predictor.js";
import { createPredictor } from "../predict/registry.js";
import { pickSamples } from "../predict/samples.js";
import { createRandom, deriveSeed, drawWithoutReplacement } from "../tensor/random.js";
import { type DescriptorPart, hasCounters, withDescriptorPart } from "./descriptor-parts.js";
import {
  type Among,
  type HoldOutGroup,
  holdOutGroups,
  type LeavingRule,
} from "./hold-out-groups.js";
import { latencySumName, latencySums } from "./latency-sum.js";
import { type Scores, scorePredictions } from "./metrics.js";
import type { HeldOutPlatform } from "./protocol.js";

/** One method under one protocol, on all targets. */
export interface ClaimRun {
  /** Name in the registry, or `latency-sum`. */
  readonly method: string;
  readonly descriptor: DescriptorPart;
  readonly leaves: LeavingRule;
  readonly among: Among;
  /** Which platforms take part, as source or target: all, or those with simulated counters. */
  readonly platforms: "all" | "simulated";
  /** Samples are drawn uniformly (default), or chosen by the method before it knows anything of the target. */
  readonly select?: "random" | "designed";
}

/** Fewest sources to learn from: of a mixed pool, families that are strangers to each other; of a family, siblings. */
const leastSources = {
  all: { sources: 2, families: 2 },
  "own family": { sources: 2, families: 1 },
};

/** Groups of targets of a run with what is learned for them, descriptors cut to what the run shows. */
export function groupsOfRun(
  platforms: readonly HeldOutPlatform[],
  { descriptor, leaves, among, platforms: which }: ClaimRun,
): HoldOutGroup[] {
  const taking = platforms
    .filter(({ train }) => which === "all" || hasCounters(train, "simulated"))
    .map(({ train, test }) => ({
      train: withDescriptorPart(train, descriptor),
      test: withDescriptorPart(test, descriptor),
    }));
  return holdOutGroups(taking, { leaves, among }, leastSources[among]);
}

/** What has learned: adapts to a target and predicts all networks of the table. */
export type Learner = Pick<FittedPredictor, "referenceRows" | "chooseSamples"> & {
  adapt(
    target: PlatformSamples,
    networks: FeatureTable,
    options: { readonly seed: number },
  ): Promise<Pick<AdaptedPredictor, "predict">>;
};

/** The plain sum of operator latencies. Intervals have no width: nothing is claimed. */
const latencySum: Learner = {
  async adapt(target, networks) {
    const latencyMs = latencySums(target, networks);
    return {
      predict: async (_, { coverage }) => ({
        latencyMs,
        lowerMs: latencyMs,
        upperMs: latencyMs,
        coverage,
        degreesOfFreedom: 1,
        withinKnownRange: new Uint8Array(latencyMs.length).fill(1),
        outsideReasons: new Map(),
      }),
    };
  },
};

/** Learn for a group. Trials with the same `fit` share what was learned. */
export async function fitGroup(
  method: string,
  networks: FeatureTable,
  { sources }: HoldOutGroup,
  { seed, fit }: { readonly seed: number; readonly fit: number },
): Promise<Learner> {
  if (method === latencySumName) return latencySum;
  const platforms = sources.map(({ train }) => train);
  const options = { seed: deriveSeed(seed, `fit/${fit}`) };
  return createPredictor(method).fit({ networks, platforms }, options);
}

/** One trial on one target. */
export interface ClaimTrial {
  readonly seed: number;
  readonly trial: number;
  /** Latencies of the target that are read. */
  readonly samples: number;
  readonly select?: ClaimRun["select"];
}

/** Scores of a trial, and what it read and took. */
export interface ClaimScores extends Scores {
  readonly latenciesRead: number;
  readonly adaptMs: number;
}

/**
 * Places in `train` of a trial's samples; their latencies are not looked at. References that the method asks for come
 * first, as far as they were measured; all count as samples. The others are the same for every method, and those of a
 * smaller number are among those of a greater one. Only a method that can choose, and is asked to, has its own.
 */
export function drawSamples(
  fitted: Pick<Learner, "referenceRows" | "chooseSamples">,
  networks: FeatureTable,
  { platformId, rows }: PlatformSamples,
  { seed, trial, samples, select }: ClaimTrial,
): number[] {
  if (samples > rows.length) {
    throw new InputError(`${samples} samples of ${platformId}, which has ${rows.length} networks`);
  }
  const places = new Map(Array.from(rows, (row, place) => [row, place]));
  const drawSeed = deriveSeed(seed, `${platformId}/${trial}`);
  if (select === "designed" && fitted.chooseSamples !== undefined) {
    const chosen = fitted.chooseSamples(networks, {
      count: samples,
      seed: drawSeed,
      candidates: rows,
    });
    return Array.from(chosen, (row) => places.get(row)!);
  }
  const references = Array.from(fitted.referenceRows?.(networks) ?? [])
    .flatMap((row) => places.get(row) ?? [])
    .slice(0, samples);
  const drawn = drawWithoutReplacement(
    createRandom(drawSeed),
    rows.length,
    Math.min(samples + references.length, rows.length),
  );
  const others = Array.from(drawn).filter((place) => !references.includes(place));
  return [...references, ...others].slice(0, samples);
}

/** Adapt to a target and score; its test networks' latencies are read only to be scored against. */
export async function scoreTrial(
  fitted: Learner,
  networks: FeatureTable,
  { train, test }: HeldOutPlatform,
  at: ClaimTrial,
): Promise<ClaimScores> {
  const target = pickSamples(train, drawSamples(fitted, networks, train, at));
  const startMs = performance.now();
  const adapted = await fitted.adapt(target, networks, { seed: deriveSeed(at.seed, at.trial) });
  const adaptMs = performance.now() - startMs;
  const predictions = await adapted.predict(networks, { coverage: 0.9 });
  const valuesAt = (column: Float64Array) => Float64Array.from(test.rows, (row) => column[row]!);
  const scores = scorePredictions({
    measuredMs: test.latencyMs,
    predictedMs: valuesAt(predictions.latencyMs),
    lowerMs: valuesAt(predictions.lowerMs),
    upperMs: valuesAt(predictions.upperMs),
    coverage: 0.9,
  });
  return { ...scores, latenciesRead: target.rows.length, adaptMs };
}
