/**
 * One trial of a transfer task: which networks are learned from and which are measured on the target, adaptation,
 * prediction, and scores on the networks that nobody has read.
 *
 * Draws depend on seed, trial and platform only, so every predictor gets the same; the networks drawn for few samples
 * are among those drawn for more.
 */
import { InputError } from "../errors.js";
import type {
  AdaptedPredictor,
  FittedPredictor,
  OnProgress,
  PlatformSamples,
  Predictions,
  Predictor,
} from "../predict/predictor.js";
import { createRandom, deriveSeed, drawWithoutReplacement } from "../tensor/random.js";
import { meanAbsolutePercentageError, scorePredictions, withinShare } from "./metrics.js";
import { spaceTraits } from "./spaces.js";
import type { MeasuredPlatform, TransferTask } from "./transfer-task.js";

/**
 * `all`: some hundred networks of each source, tests on all networks of the target. `help`: sources, samples and test
 * networks come from windows of the published order (Lee et al. 2021, arXiv 2106.08630).
 */
export const protocols = ["all", "help"] as const;
/** One of `protocols`. */
export type Protocol = (typeof protocols)[number];

/** How samples of a target are selected. */
export const selections = ["random", "designed"] as const;
/** One of `selections`. */
export type Selection = (typeof selections)[number];

/** What is alike for all trials. */
export interface TransferSettings {
  readonly protocol: Protocol;
  /** Networks measured on a target. */
  readonly samples: number;
  readonly select: Selection;
  readonly seed: number;
}

/** Share of HELP's test window that is left out at each end, the fastest and the slowest. */
const helpTrimmedShare = 0.1;
/** Fewest test networks that scores are made of. */
const minTestNetworks = 2;
const intervalCoverage = 0.9;

/** The latencies of a platform at some places, as samples in that order. */
export function samplesAt(platform: MeasuredPlatform, places: ArrayLike<number>): PlatformSamples {
  const { id, family, rows, latencyMs } = platform;
  return {
    platformId: id,
    family,
    rows: Int32Array.from(places, (place) => rows[place]!),
    latencyMs: Float64Array.from(places, (place) => latencyMs[place]!),
  };
}

/** Places of the networks whose published index is in a window. */
function placesWithin({ publishedIndex }: MeasuredPlatform, from: number, to: number): number[] {
  return Array.from(publishedIndex.keys()).filter(
    (place) => publishedIndex[place]! >= from && publishedIndex[place]! < to,
  );
}

/** What is learned from a source: all of HELP's window, or a draw. */
export function sourceSamples(
  { space }: Pick<TransferTask, "space">,
  platform: MeasuredPlatform,
  { protocol, seed }: Pick<TransferSettings, "protocol" | "seed">,
  draw: number,
): PlatformSamples {
  const { help, nSourceNetworks } = spaceTraits[space];
  if (protocol === "help") return samplesAt(platform, placesWithin(platform, 0, help.learn));
  const n = platform.rows.length;
  const random = createRandom(deriveSeed(seed, `source/${platform.id}/${draw}`));
  return samplesAt(
    platform,
    drawWithoutReplacement(random, n, Math.min(nSourceNetworks, n)).sort(),
  );
}

/** Places of the networks that samples of a target may be taken from. */
export function candidatePlaces(
  { space }: Pick<TransferTask, "space">,
  platform: MeasuredPlatform,
  protocol: Protocol,
): number[] {
  if (protocol === "help") return placesWithin(platform, 0, spaceTraits[space].help.learn);
  return Array.from(platform.rows.keys());
}

/**
 * Places of the networks that a target is tested on, before those leave that were read: all, or HELP's test window
 * without its fastest and slowest tenth (stable sort by latency, then published index).
 */
export function testPlaces(
  { space }: Pick<TransferTask, "space">,
  platform: MeasuredPlatform,
  protocol: Protocol,
): number[] {
  if (protocol === "all") return Array.from(platform.rows.keys());
  const [from, to] = spaceTraits[space].help.test;
  const { latencyMs, publishedIndex } = platform;
  const sorted = placesWithin(platform, from, to).sort(
    (a, b) => latencyMs[a]! - latencyMs[b]! || publishedIndex[a]! - publishedIndex[b]!,
  );
  const nTrimmed = Math.floor(helpTrimmedShare * sorted.length);
  return sorted.slice(nTrimmed, sorted.length - nTrimmed).sort((a, b) => a - b);
}

/**
 * Check that a target has networks enough for its samples and a test.
 *
 * @throws InputError naming both numbers
 */
export function checkTargetNetworks(
  task: Pick<TransferTask, "name" | "space">,
  platform: MeasuredPlatform,
  { protocol, samples }: Pick<TransferSettings, "protocol" | "samples">,
): void {
  const nCandidates = candidatePlaces(task, platform, protocol).length;
  const nTest = testPlaces(task, platform, protocol).length;
  const isEnough =
    protocol === "all"
      ? nCandidates >= samples + minTestNetworks
      : nCandidates >= samples && nTest >= minTestNetworks;
  if (isEnough) return;
  const found =
    protocol === "all"
      ? `it has ${nCandidates} measured networks`
      : `it has ${nCandidates} measured networks in the window for samples and ${nTest} in the test window of protocol help`;
  throw new InputError(
    `task ${task.name}: target ${platform.id} needs ${samples} networks to sample and at least ${minTestNetworks} others to test on, ${found}`,
    { hint: "ask for fewer samples, or leave this target out" },
  );
}

/** A predictor that has learned from a task's sources. */
export interface FittedTask {
  readonly fitted: FittedPredictor;
  readonly trainS: number;
}

/**
 * Learn from a task's sources.
 *
 * @param draw - number of the draw of source networks: the trial, or 0 where all trials share one
 */
export async function fitSources(
  predictor: Predictor,
  task: TransferTask,
  settings: Pick<TransferSettings, "protocol" | "seed">,
  draw: number,
  onProgress?: OnProgress,
): Promise<FittedTask> {
  const platforms = task.sources.map((source) => sourceSamples(task, source, settings, draw));
  const startMs = performance.now();
  const fitted = await predictor.fit(
    { networks: task.networks, platforms },
    {
      seed: deriveSeed(settings.seed, `fit/${draw}`),
      ...(onProgress === undefined ? {} : { onProgress }),
    },
  );
  return { fitted, trainS: (performance.now() - startMs) / 1000 };
}

/**
 * Places of the networks that are measured on a target; their latencies are not looked at. References that the
 * method asks for come first.
 */
function drawSamples(
  fitted: FittedPredictor,
  task: TransferTask,
  target: MeasuredPlatform,
  settings: TransferSettings,
  trial: number,
): number[] {
  const { samples, select, protocol, seed } = settings;
  const references = referencePlaces(fitted, task, target, samples);
  const isReference = new Set(references);
  const nOthers = samples - references.length;
  const candidates = candidatePlaces(task, target, protocol);
  const drawSeed = deriveSeed(seed, `target/${target.id}/${trial}`);
  if (select === "designed" && fitted.chooseSamples) {
    const placeOfRow = new Map(candidates.map((place) => [target.rows[place]!, place]));
    for (const place of references) placeOfRow.delete(target.rows[place]!);
    const chosen = fitted.chooseSamples(task.networks, {
      count: nOthers,
      seed: drawSeed,
      candidates: [...placeOfRow.keys()],
    });
    return [...references, ...Array.from(chosen, (row) => placeOfRow.get(row)!)];
  }
  // One stream for all predictors: a method's references are skipped where they are drawn.
  const nDrawn = Math.min(samples + references.length, candidates.length);
  const drawn = Array.from(
    drawWithoutReplacement(createRandom(drawSeed), candidates.length, nDrawn),
    (i) => candidates[i]!,
  );
  return [...references, ...drawn.filter((place) => !isReference.has(place)).slice(0, nOthers)];
}

function referencePlaces(
  fitted: FittedPredictor,
  { name, networks }: TransferTask,
  target: MeasuredPlatform,
  samples: number,
): number[] {
  const rows = fitted.referenceRows?.(networks) ?? new Int32Array(0);
  if (rows.length === 0) return [];
  if (samples <= rows.length) {
    throw new InputError(
      `${fitted.name} reads ${rows.length} reference networks of a target and needs further samples: samples must be more than ${rows.length}, got ${samples}`,
      { hint: `--samples ${2 * rows.length}` },
    );
  }
  const placeOfRow = new Map(Array.from(target.rows, (row, place) => [row, place]));
  return Array.from(rows, (row) => {
    const place = placeOfRow.get(row);
    if (place !== undefined) return place;
    throw new InputError(
      `task ${name}: ${fitted.name} needs the latency of its reference network ${networks.ids[row]} on ${target.id}, which was not measured there`,
    );
  });
}

/** A target predicted from its samples. */
export interface TransferOutcome {
  /** Whether the method itself chose the samples; one that has no opinion gets random ones. */
  readonly isDesigned: boolean;
  /** Places in the target that were read, in the order given to the predictor. */
  readonly read: readonly number[];
  readonly adapted: AdaptedPredictor;
  /** For every network of the task's table. */
  readonly predictions: Predictions;
  readonly adaptMs: number;
  /** Networks predicted a second, with intervals. */
  readonly predictPerS: number;
}

/** Adapt to a target with the samples of a trial, and predict all networks. */
export async function transferTo(
  fitted: FittedPredictor,
  task: TransferTask,
  target: MeasuredPlatform,
  settings: TransferSettings,
  trial: number,
): Promise<TransferOutcome> {
  const read = drawSamples(fitted, task, target, settings, trial);
  const startMs = performance.now();
  const adapted = await fitted.adapt(samplesAt(target, read), task.networks, {
    seed: deriveSeed(settings.seed, `adapt/${trial}`),
  });
  const adaptedMs = performance.now();
  const predictions = await adapted.predict(task.networks, { coverage: intervalCoverage });
  const predictS = (performance.now() - adaptedMs) / 1000;
  return {
    isDesigned: settings.select === "designed" && fitted.chooseSamples !== undefined,
    read,
    adapted,
    predictions,
    adaptMs: adaptedMs - startMs,
    predictPerS: task.networks.ids.length / predictS,
  };
}

/** Scores of one trial on one target. Shares are fractions; relative errors are relative to the measured latency. */
export interface TransferScores {
  /** Rank correlations, ties by average rank (Kendall: tau-b). */
  readonly spearman: number;
  readonly kendall: number;
  readonly withinFivePercent: number;
  readonly withinTenPercent: number;
  readonly mape: number;
  /** Share of test networks inside their 90 % interval. */
  readonly coverage90: number;
  /** Median of (upper − lower) / predicted. */
  readonly intervalWidth: number;
  /** Mean interval score at 90 % (Gneiting and Raftery 2007) over the measured latency: see `meanIntervalScore`. */
  readonly intervalScore: number;
  /** The same without networks that have no path from input to output. */
  readonly mapeConnected: number;
  readonly withinTenPercentConnected: number;
  /** Networks without such a path that the target is tested on, before those leave that were read. */
  readonly nUnconnected: number;
  readonly nTest: number;
  /** Every latency of the target that the method was given. */
  readonly targetLatenciesRead: number;
}

/** Values at some places, in their order. */
function valuesAt(values: Float64Array, places: ArrayLike<number>): Float64Array {
  const found = new Float64Array(places.length);
  for (let i = 0; i < found.length; i++) found[i] = values[places[i]!]!;
  return found;
}

/** Score predictions on the test networks that were not read. */
export function scoreTransfer(
  { networks, ...task }: Pick<TransferTask, "space" | "networks">,
  target: MeasuredPlatform,
  protocol: Protocol,
  { read, predictions }: Pick<TransferOutcome, "read" | "predictions">,
): TransferScores {
  const isRead = new Set(read);
  const offered = testPlaces(task, target, protocol);
  const test = offered.filter((place) => !isRead.has(place));
  const isConnected = (place: number) => networks.connected[target.rows[place]!] === 1;
  const columnsAt = (places: readonly number[]) => {
    const rows = Int32Array.from(places, (place) => target.rows[place]!);
    return {
      measuredMs: valuesAt(target.latencyMs, places),
      predictedMs: valuesAt(predictions.latencyMs, rows),
      lowerMs: valuesAt(predictions.lowerMs, rows),
      upperMs: valuesAt(predictions.upperMs, rows),
    };
  };
  const { coverage, n, ...scores } = scorePredictions({
    ...columnsAt(test),
    coverage: predictions.coverage,
  });
  const connected = columnsAt(test.filter(isConnected));
  const ofConnected = (score: (measuredMs: Float64Array, predictedMs: Float64Array) => number) =>
    connected.measuredMs.length === 0
      ? Number.NaN
      : score(connected.measuredMs, connected.predictedMs);
  return {
    ...scores,
    coverage90: coverage,
    mapeConnected: ofConnected(meanAbsolutePercentageError),
    withinTenPercentConnected: ofConnected((a, b) => withinShare(a, b, 0.1)),
    nUnconnected: offered.length - offered.filter(isConnected).length,
    nTest: n,
    targetLatenciesRead: isRead.size,
  };
}
