/**
 * What `samara report` shows, put together from pools, predictors and a search space. Drawing it is
 * `evaluate/platform-report.ts`.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  folderNameOf,
  type LoadedAdapted,
  shippedAdapted,
  shippedPredictor,
} from "../catalogue/predictors.js";
import { type LoadedPool, loadPool, trainingPool } from "../catalogue/training.js";
import { InterruptedError } from "../errors.js";
import { coverageCurve, learningCurve, type MeasuredTable } from "../evaluate/learning-curve.js";
import { scorePredictions } from "../evaluate/metrics.js";
import type {
  BudgetAnswer,
  CheckedPredictor,
  PlatformReport,
  ReportedPlatform,
} from "../evaluate/platform-report.js";
import type { RankedNetwork } from "../evaluate/report-parts.js";
import type { FeatureTable } from "../graph/features.js";
import { tool } from "../package.js";
import type { AdaptedPredictor, Predictions } from "../predict/predictor.js";
import { createPredictor } from "../predict/registry.js";
import type { Measurement } from "../record/measurement.js";
import {
  type AccuracyTable,
  accuraciesOfSpace,
  candidatesWithAccuracies,
} from "../search/accuracy.js";
import { allByMacs, type Candidates } from "../search/candidates.js";
import { paretoFront } from "../search/pareto.js";
import { searchCandidates } from "../search/search.js";
import {
  archStringFromCell,
  cellFromIndex,
  indexFromNetworkId,
  networkId,
} from "../space/nasbench201/cell.js";
import { featuresOfCells } from "../space/nasbench201/features.js";
import { spaces } from "../space/registry.js";
import { adaptedPredictors, shippedPool, userPool } from "../store/paths.js";
import { Pool } from "../store/pool.js";
import { readPredictor } from "../store/predictors.js";
import { median, quantile } from "../tensor/stats.js";
import type { Progress } from "./progress.js";

/** How to put a report together. */
export interface ReportingOptions {
  readonly chosen: LoadedAdapted & { readonly isShipped: boolean };
  readonly accuracies: AccuracyTable | undefined;
  /** Budgets to find the best networks for; none: some that fall within the space's latencies. */
  readonly budgetsMs: readonly number[];
  readonly confidence: number;
  readonly hasLearningCurve: boolean;
  readonly seed: number;
  readonly command: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

const learningCounts = [5, 10, 20, 50, 100, 200];
const learningTrials = 5;
/** Where budgets are set without being asked for: shares of the space's networks that are faster. */
const budgetQuantiles = [0.1, 0.25, 0.5, 0.75];
const nFastest = 10;

interface ReportedPool {
  readonly origin: "shipped" | "own";
  readonly pool: Pool;
  readonly loaded: LoadedPool;
}

/** The shipped pool, and the user's where one was measured. */
async function readPools(): Promise<ReportedPool[]> {
  const folders = [
    { origin: "own", folder: userPool() },
    { origin: "shipped", folder: shippedPool },
  ] as const;
  const pools: ReportedPool[] = [];
  for (const { origin, folder } of folders) {
    // A pool of the user's may hold runs only: nothing was summarised yet.
    if (origin === "own" && !existsSync(join(folder, "measurements.parquet"))) continue;
    const pool = new Pool(folder);
    pools.push({ origin, pool, loaded: await loadPool(pool) });
  }
  return pools;
}

/** Usable measurements of NAS-Bench-201 networks on one platform. */
function usableOf({ loaded }: ReportedPool, platformId: string): Measurement[] {
  return loaded.measurements.filter(
    (measurement) =>
      measurement.platformId === platformId &&
      measurement.grade !== "X" &&
      indexFromNetworkId(measurement.subjectId) !== undefined,
  );
}

/** Share within ±10 % that is kept with the predictor adapted to a platform. */
function keptAccuracyOf(platformId: string): number | null {
  for (const parent of [adaptedPredictors(), shippedAdapted()]) {
    const folder = join(parent, folderNameOf(platformId));
    if (!existsSync(join(folder, "predictor.json"))) continue;
    return readPredictor(folder).provenance.accuracy?.withinTenPercent ?? null;
  }
  return null;
}

function reportedPlatforms(pools: readonly ReportedPool[]): ReportedPlatform[] {
  return pools.flatMap((from) =>
    from.loaded.platforms.map(({ id, runtime }): ReportedPlatform => {
      const usable = usableOf(from, id);
      const latencies = usable.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
      const { relativeSd = [] } = from.loaded.samples(id, new Set(usable.map((m) => m.subjectId)));
      return {
        id,
        origin: from.origin,
        runtime: `${runtime.family} ${runtime.version}`,
        threads: runtime.threads,
        nMeasured: usable.length,
        nTest: usable.filter(({ subjectId }) => from.loaded.testIds.has(subjectId)).length,
        fastestMs: latencies[0] ?? null,
        medianMs: latencies.length > 0 ? median(latencies) : null,
        slowestMs: latencies.at(-1) ?? null,
        repeatNoise: relativeSd.length > 0 ? median(relativeSd) : null,
        hasDescriptor: from.pool.descriptor(id) !== undefined,
        withinTenPercent: keptAccuracyOf(id),
      };
    }),
  );
}

/** Measured networks that the predictor is checked on. */
interface TestSet {
  readonly measurements: readonly Measurement[];
  readonly how: string;
  readonly isApart: boolean;
}

function testSetOf(from: ReportedPool, platformId: string): TestSet {
  const usable = usableOf(from, platformId);
  const apart = usable.filter(({ subjectId }) => from.loaded.testIds.has(subjectId));
  return apart.length > 1
    ? {
        measurements: apart,
        isApart: true,
        how: `the ${apart.length} networks that the ${from.origin} pool keeps apart as its test set`,
      }
    : {
        measurements: usable,
        isApart: false,
        how: `the ${usable.length} networks measured in the own pool, those that it was adapted with among them`,
      };
}

const indexOf = ({ subjectId }: Measurement) => indexFromNetworkId(subjectId)!;

function measuredTable(measurements: readonly Measurement[]): MeasuredTable {
  return {
    networks: featuresOfCells(measurements.map(indexOf)),
    measuredMs: Float64Array.from(measurements, ({ latencyMs }) => latencyMs),
  };
}

const archOf = (index: number) => archStringFromCell(cellFromIndex(index));

async function checkPredictor(
  predictor: AdaptedPredictor,
  { measurements, how }: TestSet,
): Promise<CheckedPredictor> {
  const test = measuredTable(measurements);
  const { latencyMs, lowerMs, upperMs } = await predictor.predict(test.networks, { coverage: 0.9 });
  return {
    how,
    scores: scorePredictions({
      measuredMs: test.measuredMs,
      predictedMs: latencyMs,
      lowerMs,
      upperMs,
      coverage: 0.9,
    }),
    coverage: await coverageCurve(predictor, test),
    compared: measurements.map((measurement, i) => ({
      id: measurement.subjectId,
      arch: archOf(indexOf(measurement)),
      role: "verified" as const,
      predictedMs: latencyMs[i]!,
      lowerMs: lowerMs[i]!,
      upperMs: upperMs[i]!,
      measuredMs: measurement.latencyMs,
      measuredLowerMs: measurement.lowerMs,
      measuredUpperMs: measurement.upperMs,
      grade: measurement.grade,
    })),
  };
}

async function learn(
  pools: readonly ReportedPool[],
  from: ReportedPool | undefined,
  test: TestSet | undefined,
  options: ReportingOptions,
): Promise<PlatformReport["learning"]> {
  const { chosen, seed, progress, signal, hasLearningCurve } = options;
  if (!hasLearningCurve) return { reason: "it was not asked for" };
  if (from === undefined || !test?.isApart) {
    return { reason: "no test networks of this platform are kept apart" };
  }
  const { id, runtime } = chosen.provenance.platform!;
  const shipped = pools.find(({ origin }) => origin === "shipped")!.loaded;
  const method = createPredictor(chosen.predictor.name);
  progress.update(`learning without ${runtime.family}, for the learning curve`);
  const fitted = await method.fit(trainingPool(shipped, [runtime.family]), {
    seed,
    signal,
    onProgress: (done, total, what) =>
      progress.update(`learning without ${runtime.family}: ${done} of ${total} ${what}`),
  });
  const points = await learningCurve({
    fitted,
    networks: shipped.networks,
    train: from.loaded.samples(id, from.loaded.trainIds),
    test: measuredTable(test.measurements),
    counts: learningCounts.filter((count) => count >= method.minSamples),
    nTrials: learningTrials,
    seed,
    signal,
    onProgress: (done, total) => progress.update(`learning curve: ${done} of ${total} adaptations`),
  });
  if (points.length === 0) return { reason: "too few networks of this platform are measured" };
  return {
    value: {
      points,
      how: `${chosen.predictor.name} that has learned from no platform of the family ${runtime.family}, adapted with random samples, ${learningTrials} trials, seed ${seed}, scored on ${test.how}`,
    },
  };
}

function cardOf(): PlatformReport["card"] {
  const { card } = readPredictor(shippedPredictor()).provenance;
  if (card === undefined) return { reason: "the shipped predictor has no card" };
  const { nSamples, nTrials, seed, how, platforms } = card;
  return {
    value: { platforms, how: `${nSamples} samples, ${nTrials} trials, seed ${seed}; ${how}` },
  };
}

/** Round to two digits: budgets are round figures. */
const rounded = (ms: number) => Number(ms.toPrecision(2));

async function answersOf(
  candidates: Candidates,
  budgetsMs: readonly number[],
  { chosen, confidence, seed, signal }: ReportingOptions,
): Promise<BudgetAnswer[]> {
  const answers: BudgetAnswer[] = [];
  for (const budgetMs of budgetsMs) {
    const found = await searchCandidates(candidates, {
      predictor: chosen.predictor,
      budgetMs,
      confidence,
      seed,
      signal,
    });
    const { winner, nFeasible } = found;
    answers.push({ budgetMs, nFeasible, winner: winner && { ...winner, arch: winner.network } });
  }
  return answers;
}

/** Latency and merit of the candidates; those without a path from input to output have no merit of their own. */
async function cloudOf(
  candidates: Candidates,
  predictor: AdaptedPredictor,
): Promise<PlatformReport["merit"]> {
  const [table] = candidates.tables;
  const { latencyMs } = await predictor.predict(table!.features, { coverage: 0.9 });
  const isMacs = candidates.merit.kind === "macs";
  const { connected } = table!.features;
  const values = table!.merit.map((merit, i) =>
    isMacs && connected[i] === 0 ? Number.NaN : merit,
  );
  const { source, unit } = candidates.merit;
  return {
    latencyMs,
    values,
    name: isMacs ? "million multiply-accumulates" : `accuracy (${unit})`,
    from: isMacs ? "which stand in for accuracy here" : `from ${source}`,
    front: paretoFront(latencyMs, values),
  };
}

/** The fastest connected networks: one without a path from input to output computes a constant. */
function fastestOf(
  { connected }: FeatureTable,
  { latencyMs, lowerMs, upperMs }: Predictions,
): RankedNetwork[] {
  return [...latencyMs.keys()]
    .filter((index) => connected[index] === 1)
    .sort((a, b) => latencyMs[a]! - latencyMs[b]!)
    .slice(0, nFastest)
    .map((index) => ({
      id: networkId(index),
      arch: archOf(index),
      latencyMs: latencyMs[index]!,
      lowerMs: lowerMs[index]!,
      upperMs: upperMs[index]!,
    }));
}

/**
 * Put a report together.
 *
 * @throws InterruptedError when aborted; InputError when the accuracy table names no NAS-Bench-201 network
 */
export async function platformReport(options: ReportingOptions): Promise<PlatformReport> {
  const { chosen, accuracies, budgetsMs, confidence, seed, progress, signal } = options;
  const { predictor, provenance } = chosen;
  const platformId = provenance.platform!.id;
  progress.update("reading the pools");
  const pools = await readPools();
  const preferred = chosen.isShipped ? "shipped" : "own";
  const having = pools.filter((from) => usableOf(from, platformId).length > 1);
  const from = having.find(({ origin }) => origin === preferred) ?? having[0];
  const test = from && testSetOf(from, platformId);
  const candidates =
    accuracies === undefined
      ? allByMacs(spaces[0])!
      : candidatesWithAccuracies(accuraciesOfSpace(accuracies, spaces[0]));
  progress.update("predicting all networks");
  const everything = featuresOfCells();
  const all = await predictor.predict(everything, { coverage: 0.9 });
  const budgets =
    budgetsMs.length > 0
      ? budgetsMs
      : budgetQuantiles.map((share) => rounded(quantile(all.latencyMs, share)));
  const contextIds = new Set(from && usableOf(from, platformId).map(({ contextId }) => contextId));
  try {
    const learning = await learn(pools, from, test, options);
    return {
      tool,
      createdAt: new Date().toISOString(),
      platforms: reportedPlatforms(pools),
      platformId,
      predictor: {
        method: predictor.name,
        origin: chosen.isShipped ? "shipped with the package" : "adapted here",
        nSamples: provenance.nSamples,
        trainedFamilies: provenance.trainedFamilies,
        heldOutFamilies: provenance.heldOutFamilies,
        poolHash: provenance.poolHash,
        seed: provenance.seed,
      },
      checked: test
        ? { value: await checkPredictor(predictor, test) }
        : { reason: "no pool holds measurements of this platform" },
      card: cardOf(),
      learning,
      latencyMs: all.latencyMs,
      merit: await cloudOf(candidates, predictor),
      confidence,
      budgets: await answersOf(candidates, budgets, options),
      fastest: fastestOf(everything, all),
      descriptor: from?.pool.descriptor(platformId),
      contexts: from ? from.pool.contexts().filter(({ id }) => contextIds.has(id)) : [],
      settings: {
        seed,
        confidence,
        accuracies: accuracies === undefined ? "none" : accuracies.source,
      },
      command: options.command,
    };
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new InterruptedError("interrupted: no report was written", { cause: error });
  }
}
