/**
 * The main job: from nothing to checked predictions for all architectures on one platform, within a time budget.
 *
 * What will be verified is drawn before anything is measured; the predictor is saved before anything is verified.
 */
import { join } from "node:path";
import { type LoadedFitted, loadFitted } from "../catalogue/predictors.js";
import { samplesOf } from "../catalogue/training.js";
import { InterruptedError, MeasurementError, UnusableQualityError } from "../errors.js";
import { scorePredictions } from "../evaluate/metrics.js";
import type { FeatureTable } from "../graph/features.js";
import { bulkProtocol } from "../measure/campaign.js";
import { judgeContext, takeContext } from "../measure/environment.js";
import { summarise } from "../measure/summarise.js";
import type { StartSampler } from "../measure/unit.js";
import { tool } from "../package.js";
import type { AvailablePlatform } from "../platform/registry.js";
import type { AdaptedPredictor, Predictions } from "../predict/predictor.js";
import type { Descriptor } from "../record/descriptor.js";
import type { Measurement } from "../record/measurement.js";
import type { ComparedNetwork, OnboardingReport, OnboardingResult } from "../record/onboarding.js";
import { archStringFromCell, cellFromIndex, networkId } from "../space/nasbench201/cell.js";
import { featuresOfCells } from "../space/nasbench201/features.js";
import type { Pool } from "../store/pool.js";
import { writePredictor } from "../store/predictors.js";
import { deriveSeed } from "../tensor/random.js";
import { binomialInterval, median } from "../tensor/stats.js";
import { formatDuration, formatMs, formatShare } from "../units.js";
import { checkedDescriptor, measureNetworks, profileInto } from "./measuring.js";
import type { Warn } from "./predicting.js";
import type { Progress } from "./progress.js";
import { drawIndices, subjectsFromIndices } from "./subjects.js";

/** Seconds that the phases may take at most; together they hold the whole job under four minutes. */
export interface TimeBudget {
  readonly profileS: number;
  readonly measureS: number;
  readonly totalS: number;
}

export const defaultTimeBudget: TimeBudget = { profileS: 70, measureS: 60, totalS: 225 };

/** Predictors to compare with, adapted with the same samples. */
export interface Baselines {
  /** Without descriptors. */
  readonly operatorSum: LoadedFitted;
  readonly flopsLine: LoadedFitted;
}

/**
 * Load the baselines in a folder, as `flops-line` and `operator-sum`.
 *
 * @throws NotFoundError, FormatError when one is missing or damaged
 */
export async function loadBaselines(folder: string): Promise<Baselines> {
  return {
    operatorSum: await loadFitted(join(folder, "operator-sum")),
    flopsLine: await loadFitted(join(folder, "flops-line")),
  };
}

export interface OnboardingOptions {
  readonly platform: AvailablePlatform;
  readonly fitted: LoadedFitted;
  readonly baselines: Baselines;
  readonly nSamples: number;
  readonly nVerified: number;
  /** `designed`: samples that tell most about all others; `random`: uniform by seed. Default `random`. */
  readonly select?: "random" | "designed";
  /** What was drawn when it was begun; default drawn now. */
  readonly drawn?: DrawnNetworks;
  /** How often it was begun or gone on with; default 1. */
  readonly nAttempts?: number;
  readonly seed: number;
  readonly budget: TimeBudget;
  /** Holds this onboarding's log, descriptor and measurements. */
  readonly pool: Pool;
  readonly predictorFolder: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly warn: Warn;
  /** How to start a sampler; default a process of its own. */
  readonly startSampler?: StartSampler;
}

interface DrawOptions {
  readonly networks: FeatureTable;
  /** Chooses telling samples; without it, or without such a method, they are uniform by seed. */
  readonly predictor?: Pick<LoadedFitted["predictor"], "chooseSamples">;
}

/** Architectures by index. */
export interface DrawnNetworks {
  readonly verified: readonly number[];
  readonly samples: readonly number[];
}

/**
 * The networks of an onboarding, drawn before anything is measured: those to verify uniformly by seed and first, so
 * that they depend on nothing else, then the samples from the rest.
 */
export function drawNetworks(
  seed: number,
  nSamples: number,
  nVerified: number,
  { networks, predictor }: DrawOptions = { networks: featuresOfCells([]) },
) {
  const verified = drawIndices(deriveSeed(seed, "verify"), nVerified);
  const taken = new Set(verified);
  const sampleSeed = deriveSeed(seed, "samples");
  if (!predictor?.chooseSamples) {
    return { verified, samples: drawIndices(sampleSeed, nSamples, taken) };
  }
  const candidates = Array.from(networks.ids.keys()).filter((index) => !taken.has(index));
  const options = { count: nSamples, seed: sampleSeed, candidates };
  return { verified, samples: Array.from(predictor.chooseSamples(networks, options)) };
}

/** What an onboarding of these settings measures. */
export function drawForOnboarding(
  options: Pick<OnboardingOptions, "seed" | "nSamples" | "nVerified" | "select" | "fitted">,
): DrawnNetworks {
  return drawNetworks(options.seed, options.nSamples, options.nVerified, {
    networks: featuresOfCells(),
    ...(options.select === "designed" ? { predictor: options.fitted.predictor } : {}),
  });
}

const archOf = (index: number) => archStringFromCell(cellFromIndex(index));

function byIndex(measurements: readonly Measurement[]): Map<string, Measurement> {
  return new Map(measurements.map((measurement) => [measurement.subjectId, measurement]));
}

function compare(
  indices: readonly number[],
  role: ComparedNetwork["role"],
  predictions: Predictions,
  measurements: ReadonlyMap<string, Measurement>,
): ComparedNetwork[] {
  return indices.map((index) => {
    const measurement = measurements.get(networkId(index));
    return {
      id: networkId(index),
      arch: archOf(index),
      role,
      predictedMs: predictions.latencyMs[index]!,
      lowerMs: predictions.lowerMs[index]!,
      upperMs: predictions.upperMs[index]!,
      measuredMs: measurement?.latencyMs ?? null,
      measuredLowerMs: measurement?.lowerMs ?? null,
      measuredUpperMs: measurement?.upperMs ?? null,
      grade: measurement?.grade ?? "X",
    };
  });
}

/** A network with a bad grade, or none, is a miss: it stays in every denominator. */
function isUsable(network: ComparedNetwork): network is ComparedNetwork & { measuredMs: number } {
  return network.measuredMs !== null && network.grade !== "X";
}

function scoresOf(compared: readonly ComparedNetwork[]) {
  const usable = compared.filter(isUsable);
  if (usable.length === 0) {
    throw new UnusableQualityError("none of the networks to verify could be measured well enough", {
      hint: "run `samara doctor`, stop other work, then onboard again",
    });
  }
  const scores = scorePredictions({
    measuredMs: usable.map(({ measuredMs }) => measuredMs),
    predictedMs: usable.map(({ predictedMs }) => predictedMs),
    lowerMs: usable.map(({ lowerMs }) => lowerMs),
    upperMs: usable.map(({ upperMs }) => upperMs),
    coverage: 0.9,
  });
  const share = usable.length / compared.length;
  return {
    withinFivePercent: scores.withinFivePercent * share,
    withinTenPercent: scores.withinTenPercent * share,
    mape: scores.mape,
    spearman: Number.isFinite(scores.spearman) ? scores.spearman : null,
    coverage90: scores.coverage * share,
    intervalWidth: scores.intervalWidth,
  };
}

async function baselineScores(
  { predictor }: LoadedFitted,
  options: OnboardingOptions,
  samples: Parameters<LoadedFitted["predictor"]["adapt"]>[0],
  networks: FeatureTable,
  verified: readonly number[],
  measurements: ReadonlyMap<string, Measurement>,
) {
  const adapted = await predictor.adapt(samples, networks, { seed: options.seed });
  const predictions = await adapted.predict(networks, { coverage: 0.9 });
  const { withinTenPercent, mape, spearman } = scoresOf(
    compare(verified, "verified", predictions, measurements),
  );
  return { withinTenPercent, mape, spearman };
}

const resumeCommandOf = ({ folder }: Pool) => `samara onboard --resume ${folder}`;

/** What every measurement of an onboarding has in common. */
const measuringOf = ({ pool, progress, signal, startSampler }: OnboardingOptions) => ({
  pool,
  progress,
  signal,
  resumeCommand: resumeCommandOf(pool),
  ...(startSampler ? { startSampler } : {}),
});

async function profile(
  options: OnboardingOptions,
  deadlineMs: number,
): Promise<Descriptor | undefined> {
  const { platform, pool, warn } = options;
  try {
    const profiled = pool.descriptor(platform.platform.id);
    if (profiled !== undefined) return checkedDescriptor(profiled);
    return await profileInto(platform, { ...measuringOf(options), continued: true, deadlineMs });
  } catch (error) {
    if (error instanceof InterruptedError || !(error instanceof MeasurementError)) throw error;
    warn("no-descriptor", `going on without a descriptor: ${error.message}`, error.hint);
    return undefined;
  }
}

function rank(predictions: Predictions, order: readonly number[]) {
  return order.map((index) => ({
    id: networkId(index),
    arch: archOf(index),
    latencyMs: predictions.latencyMs[index]!,
    lowerMs: predictions.lowerMs[index]!,
    upperMs: predictions.upperMs[index]!,
  }));
}

/**
 * What a pool's log says without the processes that verify: an onboarding that goes on may hold some already, and the
 * predictor must not know them, not even by the anchor that they share with the samples.
 */
function measuredWithout(verified: readonly number[], pool: Pool): Measurement[] {
  const hidden = new Set(verified.map(networkId));
  return summarise(pool.runs().lines.filter(({ subjectId }) => !hidden.has(subjectId)));
}

/** Runs phases one after the other and remembers how long each took. */
class Phases {
  readonly startMs = performance.now();
  readonly durationS: Record<string, number> = {};

  async run<T>(name: string, body: () => Promise<T>): Promise<T> {
    const startMs = performance.now();
    try {
      return await body();
    } finally {
      this.durationS[name] = (performance.now() - startMs) / 1000;
    }
  }

  totalS(): number {
    return (performance.now() - this.startMs) / 1000;
  }
}

/**
 * Onboard a platform, or go on with an onboarding from what its pool holds.
 *
 * @throws MeasurementError when fewer samples than the predictor needs could be measured; UnusableQualityError when
 *   nothing could be verified; InterruptedError on Ctrl-C, with everything measured so far in the pool
 */
export async function onboardPlatform(options: OnboardingOptions): Promise<OnboardingReport> {
  try {
    return await options.pool.exclusively(() => onboardAlone(options));
  } catch (error) {
    if (!(error instanceof InterruptedError) || error.hint !== undefined) throw error;
    throw new InterruptedError("stopped; everything that was measured is kept", {
      hint: `go on with: ${resumeCommandOf(options.pool)}`,
      cause: error,
    });
  }
}

async function onboardAlone(options: OnboardingOptions): Promise<OnboardingReport> {
  const { platform, fitted, pool, progress, signal, seed, budget, warn } = options;
  const { select = "random", nAttempts = 1 } = options;
  const phases = new Phases();
  const networks = featuresOfCells();
  const { samples, verified } = options.drawn ?? drawForOnboarding(options);
  const context = takeContext(platform.platform.runtime.version);
  const findings = judgeContext(context).filter(({ severity }) => severity === "warning");
  for (const { message, remedy } of findings) warn("disturbance", message, remedy ?? undefined);
  progress.note(`platform    ${platform.platform.id}`);
  progress.note(
    `samples     ${samples.join(" ")} (architectures by index, ${select}, seed ${seed})`,
  );
  progress.note(`to verify   ${verified.join(" ")}`);

  const descriptor = await phases.run("profile", () =>
    profile(options, phases.startMs + budget.profileS * 1000),
  );
  progress.note(
    descriptor
      ? `profiled    ${descriptor.rows.length} operators in ${formatDuration(phases.durationS.profile! * 1000)}`
      : "profiled    nothing usable",
  );

  const measuring = measuringOf(options);
  const sampled = await phases.run("measure", () =>
    measureNetworks([platform], subjectsFromIndices(samples), {
      ...measuring,
      label: `measure ${samples.length} networks to adapt`,
      protocol: { ...bulkProtocol, nProcesses: 5, nPairs: 15, nExtraProcesses: 1 },
      deadlineMs: performance.now() + budget.measureS * 1000,
    }),
  );
  const sampleMeasurements = measuredWithout(verified, pool).filter(({ subjectId }) =>
    samples.some((index) => networkId(index) === subjectId),
  );
  const target = samplesOf(platform.platform, sampleMeasurements, descriptor);
  const needed = Math.min(options.nSamples, 5);
  if (target.rows.length < needed) {
    const failure = sampled.result.failures[0];
    throw new MeasurementError(
      `only ${target.rows.length} of ${samples.length} networks could be measured${failure ? `: ${failure.reason}` : ""}`,
      { hint: "run `samara doctor`, stop other work, then onboard again" },
    );
  }
  progress.note(
    `measured    ${target.rows.length} networks, ${formatMs(Math.min(...target.latencyMs))} to ${formatMs(Math.max(...target.latencyMs))}, in ${formatDuration(phases.durationS.measure! * 1000)}`,
  );

  const adapted: AdaptedPredictor = await phases.run("adapt", () =>
    fitted.predictor.adapt(target, networks, { seed, signal }),
  );
  const predictions = await phases.run("predict", () =>
    adapted.predict(networks, { coverage: 0.9 }),
  );
  progress.note(
    `predicted   ${networks.ids.length} networks, ${formatMs(Math.min(...predictions.latencyMs))} to ${formatMs(Math.max(...predictions.latencyMs))}`,
  );
  const provenance = {
    ...fitted.provenance,
    seed,
    platform: platform.platform,
    nSamples: target.rows.length,
  };
  writePredictor(options.predictorFolder, adapted.save(), { ...provenance, accuracy: null });

  const checked = await phases.run("verify", () =>
    measureNetworks([platform], subjectsFromIndices(verified), {
      ...measuring,
      label: `verify with ${verified.length} networks`,
      protocol: { ...bulkProtocol, nProcesses: 5, nPairs: 10, chunkSize: 30 },
      deadlineMs: phases.startMs + budget.totalS * 1000,
    }),
  );
  // The anchor grows with every process, so the samples' milliseconds are read again on the common anchor.
  const measurements = byIndex(await pool.measurements());
  const compared = [
    ...compare(verified, "verified", predictions, measurements),
    ...compare(samples, "sample", predictions, measurements),
  ];
  const unseen = compared.filter(({ role }) => role === "verified");
  const scores = scoresOf(unseen);
  const hits = Math.round(scores.withinTenPercent * unseen.length);
  const interval = binomialInterval(hits, unseen.length, 0.95);
  const noise = checked.measurements.map(
    (m) => (m.upperMs - m.lowerMs) / (2 * 1.645 * m.latencyMs),
  );
  const baselines = {
    operatorSum: await baselineScores(
      options.baselines.operatorSum,
      options,
      target,
      networks,
      verified,
      measurements,
    ),
    flopsLine: await baselineScores(
      options.baselines.flopsLine,
      options,
      target,
      networks,
      verified,
      measurements,
    ),
  };
  const { trainedFamilies } = fitted.predictor;
  const result: OnboardingResult = {
    platform: platform.platform.id,
    predictor: adapted.name,
    predictorFolder: options.predictorFolder,
    heldOutFamilies: [...fitted.provenance.heldOutFamilies],
    familySeenInTraining: trainedFamilies.includes(platform.platform.runtime.family),
    seed,
    samples: target.rows.length,
    sampleIds: samples.map(networkId),
    nVerified: verified.length,
    verifiedIds: verified.map(networkId),
    ...scores,
    withinTenPercentInterval: [interval.lower, interval.upper],
    repeatNoise: noise.length === 0 ? 0 : median(noise),
    baselines,
    durationS: {
      profile: phases.durationS.profile!,
      measure: phases.durationS.measure!,
      adapt: phases.durationS.adapt!,
      predict: phases.durationS.predict!,
      verify: phases.durationS.verify!,
      total: phases.totalS(),
    },
    ...(nAttempts > 1 ? { nAttempts } : {}),
  };
  writePredictor(options.predictorFolder, adapted.save(), {
    ...provenance,
    accuracy: {
      withinTenPercent: scores.withinTenPercent,
      mape: scores.mape,
      coverage90: scores.coverage90,
      nTest: verified.length,
      how: `verified on ${verified.length} networks drawn uniformly by seed ${seed}`,
    },
  });
  const order = Array.from(predictions.latencyMs.keys()).sort(
    (a, b) => predictions.latencyMs[a]! - predictions.latencyMs[b]!,
  );
  // Networks without a path from input to output are fast for nothing: they are predicted, not recommended.
  const connected = order.filter((index) => networks.connected[index] === 1);
  return {
    schema: "samara/onboarding-report/1",
    tool: { ...tool },
    createdAt: new Date().toISOString(),
    result,
    compared,
    fastest: rank(predictions, connected.slice(0, 10)),
    slowest: rank(predictions, connected.slice(-10).reverse()),
    predictedMs: order.map((index) => predictions.latencyMs[index]!),
    ...(descriptor ? { descriptor } : {}),
    context,
    settings: {
      platform: platform.platform.id,
      samples: options.nSamples,
      verified: options.nVerified,
      select,
      seed,
      predictor: fitted.folder.split("/").slice(-3).join("/"),
    },
    findings: findings.map(({ message }) => message),
  };
}

/** The verdict as people read it. */
export function describeResult(result: OnboardingResult): string {
  const [low, high] = result.withinTenPercentInterval;
  const seen = result.familySeenInTraining
    ? "siblings of this platform WERE in training: this is no test on an unseen runtime family"
    : `the predictor has seen no platform of this runtime family (held out: ${result.heldOutFamilies.join(", ") || "none needed"})`;
  const spearman = (value: number | null) => value?.toFixed(3) ?? "–";
  const line = (
    name: string,
    b: { withinTenPercent: number; mape: number; spearman: number | null },
  ) =>
    `  ${name.padEnd(34)} ±10 % ${formatShare(b.withinTenPercent, 0).padStart(5)}   MAPE ${formatShare(b.mape).padStart(6)}   Spearman ${spearman(b.spearman)}`;
  const { durationS: d } = result;
  const seconds = (value: number) => `${value < 1 ? value.toFixed(2) : value.toFixed(0)} s`;
  return [
    "",
    `Predicted against measured, ${result.nVerified} networks drawn before anything was measured (a bad grade is a miss):`,
    `  within ±10 %   ${formatShare(result.withinTenPercent, 0)}   (95 % binomial interval ${formatShare(low, 0)} – ${formatShare(high, 0)})`,
    `  within ±5 %    ${formatShare(result.withinFivePercent, 0)}`,
    `  MAPE           ${formatShare(result.mape)}`,
    `  Spearman       ${spearman(result.spearman)}`,
    `  90 % intervals cover ${formatShare(result.coverage90, 0)}, median width ${formatShare(result.intervalWidth, 0)} of the prediction`,
    `  repeat noise of a measurement ${formatShare(result.repeatNoise)}`,
    `  ${seen}`,
    "",
    `With the same ${result.samples} samples:`,
    line(`${result.predictor} (this predictor)`, result),
    line("operator-sum without descriptor", result.baselines.operatorSum),
    line("flops-line", result.baselines.flopsLine),
    "",
    `Time${result.nAttempts ? ` (the last of ${result.nAttempts} attempts)` : ""}: profile ${seconds(d.profile)}, measure ${seconds(d.measure)}, adapt ${seconds(d.adapt)}, predict ${seconds(d.predict)}, verify ${seconds(d.verify)}, total ${seconds(d.total)}`,
  ].join("\n");
}
