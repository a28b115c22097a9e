/**
 * Hold-outs over a measured pool: a runtime family leaves with all its siblings, a predictor learns from the rest,
 * adapts to each platform of the family with a few samples, and is scored on networks that nobody learned from.
 */
import type { FeatureTable } from "../graph/features.js";
import type { FittedPredictor, PlatformSamples, Predictor } from "../predict/predictor.js";
import { pickSamples } from "../predict/samples.js";
import { createRandom, deriveSeed, drawWithoutReplacement } from "../tensor/random.js";
import { mean, standardDeviation } from "../tensor/stats.js";
import { type Scores, scorePredictions } from "./metrics.js";

/** A platform's measured networks: those to learn from or draw samples from, and the test set kept apart. */
export interface HeldOutPlatform {
  readonly train: PlatformSamples;
  readonly test: PlatformSamples;
}

/** What to hold out, from what, and how often. */
export interface HoldOutOptions {
  readonly networks: FeatureTable;
  readonly platforms: readonly HeldOutPlatform[];
  readonly predictor: Predictor;
  /** Target latencies that each adaptation reads. */
  readonly nSamples: number;
  readonly nTrials: number;
  readonly seed: number;
  /** `random`: samples uniform by seed. `designed`: chosen by the predictor, where it can. Default `random`. */
  readonly select?: "random" | "designed";
  /** Families to hold out; default all. */
  readonly families?: readonly string[];
  readonly onProgress?: (text: string) => void;
}

/** Scores of one target platform over trials: mean and standard deviation. */
export interface HeldOutScores {
  readonly predictor: string;
  readonly platformId: string;
  readonly family: string;
  readonly nTrials: number;
  readonly nSamples: number;
  readonly nTest: number;
  readonly mean: Scores;
  readonly sd: Scores;
}

function overTrials(trials: readonly Scores[], reduce: (values: number[]) => number): Scores {
  const keys = Object.keys(trials[0]!) as (keyof Scores)[];
  const reduced = keys.map((key) => [key, reduce(trials.map((scores) => scores[key]))]);
  return Object.fromEntries(reduced) as unknown as Scores;
}

/** Positions in `train` of a trial's samples; their latencies are not looked at. */
function drawSamples(
  fitted: FittedPredictor,
  { networks, nSamples, seed, select }: HoldOutOptions,
  train: PlatformSamples,
  trial: number,
): Int32Array {
  const trialSeed = deriveSeed(seed, `${train.platformId}/${trial}`);
  if (select !== "designed" || !fitted.chooseSamples) {
    return drawWithoutReplacement(createRandom(trialSeed), train.rows.length, nSamples);
  }
  const chosen = fitted.chooseSamples(networks, {
    count: nSamples,
    seed: trialSeed,
    candidates: train.rows,
  });
  return chosen.map((row) => train.rows.indexOf(row));
}

/**
 * Leave one family out after the other.
 *
 * A trial draws its samples from the target's training networks by seed, the same for every predictor. The test
 * networks' latencies are read only to be scored against.
 */
export async function holdOutFamilies(options: HoldOutOptions): Promise<HeldOutScores[]> {
  const { networks, platforms, predictor, nSamples, nTrials, seed } = options;
  const families = options.families ?? [...new Set(platforms.map(({ train }) => train.family))];
  const results: HeldOutScores[] = [];
  for (const family of families) {
    const sources = platforms.filter(({ train }) => train.family !== family);
    options.onProgress?.(`${predictor.name}: learning without ${family}`);
    const fitted = await predictor.fit(
      { networks, platforms: sources.map(({ train }) => train) },
      { seed },
    );
    for (const { train, test } of platforms.filter(
      (platform) => platform.train.family === family,
    )) {
      const trials: Scores[] = [];
      for (let trial = 0; trial < nTrials; trial++) {
        const drawn = drawSamples(fitted, options, train, trial);
        const adapted = await fitted.adapt(pickSamples(train, drawn), networks, {
          seed: deriveSeed(seed, trial),
        });
        const predictions = await adapted.predict(networks, { coverage: 0.9 });
        const at = (column: Float64Array) => Array.from(test.rows, (row) => column[row]!);
        trials.push(
          scorePredictions({
            measuredMs: test.latencyMs,
            predictedMs: at(predictions.latencyMs),
            lowerMs: at(predictions.lowerMs),
            upperMs: at(predictions.upperMs),
            coverage: 0.9,
          }),
        );
        options.onProgress?.(
          `${predictor.name}: ${train.platformId}, trial ${trial + 1}/${nTrials}`,
        );
      }
      results.push({
        predictor: predictor.name,
        platformId: train.platformId,
        family,
        nTrials,
        nSamples,
        nTest: test.rows.length,
        mean: overTrials(trials, mean),
        sd: overTrials(trials, (values) => (values.length > 1 ? standardDeviation(values) : 0)),
      });
    }
  }
  return results;
}
