/**
 * How a predictor gets better with samples, and what its intervals cover: scores on networks that it has not seen.
 */
import type { FeatureTable } from "../graph/features.js";
import type { AdaptedPredictor, FittedPredictor, PlatformSamples } from "../predict/predictor.js";
import { pickSamples } from "../predict/samples.js";
import { createRandom, deriveSeed, drawWithoutReplacement } from "../tensor/random.js";
import { mean, standardDeviation } from "../tensor/stats.js";
import type { CoveragePoint, LearningPoint } from "./charts-curves.js";
import { intervalCoverage, type Scores, scorePredictions } from "./metrics.js";

/** Networks with measured latencies: entry i of `measuredMs` is row i of `networks`. */
export interface MeasuredTable {
  readonly networks: FeatureTable;
  readonly measuredMs: Float64Array;
}

/** Nominal coverages of a coverage curve. */
const nominalCoverages = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];

/** Share of measurements inside intervals of each nominal coverage. */
export async function coverageCurve(
  predictor: AdaptedPredictor,
  { networks, measuredMs }: MeasuredTable,
): Promise<CoveragePoint[]> {
  const points: CoveragePoint[] = [];
  for (const nominal of nominalCoverages) {
    const { lowerMs, upperMs } = await predictor.predict(networks, { coverage: nominal });
    points.push({ nominal, covered: intervalCoverage(measuredMs, lowerMs, upperMs) });
  }
  return points;
}

/** What a learning curve is made of. */
export interface LearningCurveOptions {
  /** Has not learned from the target or its relatives. */
  readonly fitted: FittedPredictor;
  /** Table that the rows of `train` point into. */
  readonly networks: FeatureTable;
  /** Measured networks of the target that samples are drawn from. */
  readonly train: PlatformSamples;
  readonly test: MeasuredTable;
  /** Numbers of samples, ascending; those that `train` does not have are left out. */
  readonly counts: readonly number[];
  readonly nTrials: number;
  readonly seed: number;
  /** Which entries of `train` to adapt with; default drawn uniformly by seed. */
  readonly choose?: (count: number, trial: number) => ArrayLike<number>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Scores after adapting with so many samples, means over trials. */
export async function learningCurve(options: LearningCurveOptions): Promise<LearningPoint[]> {
  const { fitted, networks, train, test, nTrials, seed } = options;
  const counts = options.counts.filter((count) => count <= train.rows.length);
  const points: LearningPoint[] = [];
  for (const samples of counts) {
    const scores: Scores[] = [];
    for (let trial = 0; trial < nTrials; trial++) {
      options.signal?.throwIfAborted();
      const random = createRandom(deriveSeed(seed, `${train.platformId}/${trial}`));
      const drawn =
        options.choose?.(samples, trial) ??
        drawWithoutReplacement(random, train.rows.length, samples);
      const adapted = await fitted.adapt(pickSamples(train, drawn), networks, {
        seed: deriveSeed(seed, trial),
      });
      const { latencyMs, lowerMs, upperMs } = await adapted.predict(test.networks, {
        coverage: 0.9,
      });
      scores.push(
        scorePredictions({
          measuredMs: test.measuredMs,
          predictedMs: latencyMs,
          lowerMs,
          upperMs,
          coverage: 0.9,
        }),
      );
      options.onProgress?.(points.length * nTrials + trial + 1, counts.length * nTrials);
    }
    const of = (key: "withinTenPercent" | "mape" | "spearman" | "coverage") =>
      Float64Array.from(scores, (one) => one[key]);
    points.push({
      samples,
      withinTenPercent: mean(of("withinTenPercent")),
      withinTenPercentSd: nTrials > 1 ? standardDeviation(of("withinTenPercent")) : 0,
      mape: mean(of("mape")),
      spearman: mean(of("spearman")),
      coverage90: mean(of("coverage")),
    });
  }
  return points;
}
