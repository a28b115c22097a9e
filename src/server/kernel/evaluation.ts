/**
 * How good a predictor is, on the test networks of its platform: scores, coverage, learning curve, what to measure next.
 */
import { loadFitted, shippedPredictor } from "../../catalogue/predictors.js";
import { trainingPool } from "../../catalogue/training.js";
import { NotFoundError } from "../../errors.js";
import { coverageCurve, learningCurve, type MeasuredTable } from "../../evaluate/learning-curve.js";
import { scorePredictions } from "../../evaluate/metrics.js";
import { noiseOfIntervals, repeatCeiling } from "../../evaluate/repeat-noise.js";
import { createPredictor } from "../../predict/registry.js";
import type { Measurement } from "../../record/measurement.js";
import {
  archStringFromCell,
  cellFromIndex,
  indexFromNetworkId,
  networkId,
} from "../../space/nasbench201/cell.js";
import { featuresOfCells } from "../../space/nasbench201/features.js";
import { createRandom } from "../../tensor/random.js";
import type { Evaluation, LearningCurve, NextNetworks } from "../api/schemas.js";
import type { PredictorCache, ReadyPredictor } from "./predictors.js";
import { isUsable, type Shelf, type ShelvedPlatform } from "./shelf.js";

const coverage = 0.9;
/** 90 % intervals are this many standard deviations wide. */
const ninetyPercentWidth = 2 * 1.645;
const learningCounts = [5, 10, 20, 50, 100];
const learningTrials = 5;
/** Of the draws of learning curves and ceilings. */
const seed = 0;

const indexOf = ({ subjectId }: Measurement) => indexFromNetworkId(subjectId)!;

interface TestSet {
  readonly measurements: readonly Measurement[];
  readonly table: MeasuredTable;
  readonly how: string;
  /** Whether no predictor that ships has seen them. */
  readonly isApart: boolean;
}

function testSetOf({ measurements, loaded, origin, platform }: ShelvedPlatform): TestSet {
  const usable = measurements.filter(isUsable);
  const apart = usable.filter(({ subjectId }) => loaded.testIds.has(subjectId));
  const isApart = apart.length > 1;
  const chosen = isApart ? apart : usable;
  return {
    measurements: chosen,
    isApart,
    table: {
      networks: featuresOfCells(chosen.map(indexOf)),
      measuredMs: Float64Array.from(chosen, ({ latencyMs }) => latencyMs),
    },
    how: isApart
      ? `the ${apart.length} networks that the ${origin} pool keeps apart as its test set`
      : `all ${usable.length} networks measured on ${platform.id}, those that the predictor was adapted with among them`,
  };
}

function familiarity({ provenance }: ReadyPredictor): string {
  const { family } = provenance.platform!.runtime;
  return provenance.trainedFamilies.includes(family)
    ? `the predictor has learned from platforms of ${family}`
    : `the predictor has learned from no platform of ${family}`;
}

/** Predictions beside measurements. */
export async function evaluationOf(shelf: Shelf, ready: ReadyPredictor): Promise<Evaluation> {
  const test = testSetOf(await shelf.platform(ready.id));
  const { networks, measuredMs } = test.table;
  const { latencyMs, lowerMs, upperMs } = await ready.predictor.predict(networks, { coverage });
  const scores = scorePredictions({
    ...{ measuredMs, lowerMs, upperMs, coverage },
    predictedMs: latencyMs,
  });
  const relativeSd = Float64Array.from(
    test.measurements,
    (one) => (one.upperMs - one.lowerMs) / (ninetyPercentWidth * one.latencyMs),
  );
  const ceiling =
    measuredMs.length > 1
      ? repeatCeiling(measuredMs, noiseOfIntervals(relativeSd), createRandom(seed))
      : null;
  return {
    predictor: ready.id,
    platform: ready.id,
    scores: {
      nTest: scores.n,
      withinFivePercent: scores.withinFivePercent,
      withinTenPercent: scores.withinTenPercent,
      mape: scores.mape,
      spearman: Number.isFinite(scores.spearman) ? scores.spearman : null,
      coverage90: scores.coverage,
      intervalWidth: scores.intervalWidth,
    },
    ceiling: ceiling && {
      withinTenPercent: ceiling.withinTenPercent,
      spearman: ceiling.spearman,
    },
    coverage: await coverageCurve(ready.predictor, test.table),
    networks: test.measurements.map((one, i) => ({
      id: one.subjectId,
      predictedMs: latencyMs[i]!,
      lowerMs: lowerMs[i]!,
      upperMs: upperMs[i]!,
      measuredMs: one.latencyMs,
      measuredLowerMs: one.lowerMs,
      measuredUpperMs: one.upperMs,
      grade: one.grade,
    })),
    how: `${test.how}; ${familiarity(ready)}`,
  };
}

/**
 * Scores by number of samples, after learning without the platform's runtime family. Takes seconds.
 *
 * @throws NotFoundError when the platform has no test networks of its own
 */
export async function learningCurveOf(
  shelf: Shelf,
  ready: ReadyPredictor,
  select: LearningCurve["select"],
): Promise<LearningCurve> {
  const shelved = await shelf.platform(ready.id);
  const test = testSetOf(shelved);
  if (!test.isApart) {
    throw new NotFoundError(
      `no test networks of ${ready.id} are kept apart to learn a curve from`,
      {
        hint: "`samara onboard` says how accurate its predictor is",
      },
    );
  }
  const { id, runtime } = shelved.platform;
  const shipped = await shelf.shipped();
  const method = createPredictor(ready.predictor.name);
  const fitted = await method.fit(trainingPool(shipped, [runtime.family]), { seed });
  const train = shelved.loaded.samples(id, shelved.loaded.trainIds);
  const placeOfRow = new Map(Array.from(train.rows, (row, place) => [row, place]));
  const isDesigned = select === "designed" && fitted.chooseSamples !== undefined;
  const nTrials = isDesigned ? 1 : learningTrials;
  const points = await learningCurve({
    ...{ fitted, train, nTrials, seed },
    networks: shelved.loaded.networks,
    test: test.table,
    counts: learningCounts.filter((count) => count >= method.minSamples),
    ...(isDesigned
      ? {
          choose: (count: number) =>
            Array.from(
              fitted.chooseSamples!(shelved.loaded.networks, {
                ...{ count, seed },
                candidates: train.rows,
              }),
              (row) => placeOfRow.get(row)!,
            ),
        }
      : {}),
  });
  return {
    platform: id,
    select: isDesigned ? "designed" : "random",
    ...{ seed, nTrials },
    nTest: test.measurements.length,
    heldOutFamilies: [runtime.family],
    points,
  };
}

/** Which networks to measure next. */
export async function nextNetworks(
  shelf: Shelf,
  cache: PredictorCache,
  ready: ReadyPredictor,
  count: number,
): Promise<NextNetworks> {
  const { id, predictor } = ready;
  const networks = cache.cells;
  const platforms = await shelf.platforms();
  const own = platforms.find(({ platform }) => platform.id === id);
  const measured = new Set(own?.measurements.map(indexOf));
  const candidates = Array.from(networks.ids.keys()).filter((index) => !measured.has(index));
  const question = { count, seed, candidates };
  const next = predictor.chooseNextSamples?.(networks, question);
  const rows =
    next?.rows ??
    (await loadFitted(shippedPredictor())).predictor.chooseSamples!(networks, question);
  const { latencyMs, lowerMs, upperMs } = await cache.ofCells(ready, coverage);
  return {
    platform: id,
    networks: Array.from(rows, (index) => ({
      id: networkId(index),
      arch: archStringFromCell(cellFromIndex(index)),
      latencyMs: latencyMs[index]!,
      lowerMs: lowerMs[index]!,
      upperMs: upperMs[index]!,
    })),
    expectedWithinTenPercent: next ? Array.from(next.expectedWithinTenPercent) : null,
    reason: next ? null : `${predictor.name} does not say what to expect of further samples`,
    command: `samara measure --platform ${id} --next ${count}`,
  };
}
