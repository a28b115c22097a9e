/**
 * Predictor `help`: HELP rebuilt from its publication and code (Lee et al. 2021, arXiv 2106.08630,
 * github.com/HayeonLee/HELP).
 *
 * A regressor meta-learned over the source platforms. A platform is described by its latencies on ten reference
 * networks; on further samples the regressor is tuned by two gradient steps. Both are samples of the target.
 * Ours: references drawn by seed instead of a published list; latencies normalised without reading any of the target
 * but its samples; missing references filled in; the way to milliseconds, and intervals.
 */
import { InterruptedError } from "../../errors.js";
import type { FeatureTable } from "../../graph/features.js";
import { createForward } from "../../nn/prediction.js";
import { train } from "../../nn/trainer.js";
import { concatenated, repeated } from "../../tensor/floats.js";
import {
  createRandom,
  deriveSeed,
  drawWithoutReplacement,
  permutation,
} from "../../tensor/random.js";
import { quantile } from "../../tensor/stats.js";
import { encodingFormOf, encodingsOf } from "../encodings.js";
import type { Belief } from "../intervals.js";
import { emptyRange, widenRange } from "../known-range.js";
import { predictTable } from "../predict-table.js";
import type {
  AdaptedPredictor,
  FitOptions,
  FittedPredictor,
  PlatformSamples,
  Predictor,
  TrainingPool,
} from "../predictor.js";
import { checkPool, checkTarget, familiesOf } from "../samples.js";
import { fillInLatencies } from "./fill-in.js";
import {
  type Episode,
  type HelpForm,
  helpFeatures,
  helpFormOf,
  helpTask,
  nReferences,
  type TargetSupport,
  tunedNetwork,
} from "./help-network.js";
import {
  type Adapted,
  type Learned,
  loadAdapted,
  loadFitted,
  name,
  saveAdapted,
  saveFitted,
} from "./help-saved.js";
import {
  deviationOfErrors,
  fitRobustScoreLine,
  latencyOfScores,
  leftOutIntervals,
} from "./score-line.js";

const minSamples = 5;

/** Settings of the method; all have defaults. */
export interface HelpSettings {
  /** Episodes of meta-training, default as published: 2,000 on cells, 4,000 on other encodings. */
  readonly episodes?: number;
  readonly threads?: number;
}

/** Settings of HELP's code (parser.py, loader.py). */
const metaLearningRate = 1e-4;
const tasksPerEpisode = 8;
const supportRows = 10;
const queryRows = 200;
const draws = 10;
/** Share of a platform's networks that is left out at each end, the fastest and the slowest. */
const trimmedShare = 0.1;
/** Where the fastest and slowest networks that are kept come to lie. */
const normalRange = { least: 0.05, width: 0.9 };
const chunkRows = 256;
/** Left-out samples that intervals are made of; each costs a tuning. */
const maxLeftOut = 20;

/** Latencies to 0…1 between the least and the greatest: the hardware embedding. */
function hardwareEmbedding(latencyMs: Float64Array): Float32Array {
  const least = Math.min(...latencyMs);
  const span = Math.max(...latencyMs) - least;
  return Float32Array.from(latencyMs, (ms) => (span > 0 ? (ms - least) / span : 0.5));
}

function normalised(latencyMs: Float64Array, least: number, most: number): Float32Array {
  const span = most > least ? most - least : least;
  return Float32Array.from(
    latencyMs,
    (ms) => normalRange.least + (normalRange.width * (ms - least)) / span,
  );
}

/** Reference networks: connected ones that all platforms were measured on if there are enough, drawn by seed. */
function drawReferences({ networks, platforms }: TrainingPool, seed: number): number[] {
  const counts = new Map<number, number>();
  for (const { rows } of platforms) {
    for (const row of new Set(rows)) counts.set(row, (counts.get(row) ?? 0) + 1);
  }
  const measured = [...counts.keys()].sort((a, b) => a - b);
  const connected = measured.filter((row) => networks.connected[row] === 1);
  const shared = connected.filter((row) => counts.get(row) === platforms.length);
  const pick = [shared, connected].find((rows) => rows.length >= nReferences) ?? measured;
  const random = createRandom(deriveSeed(seed, "references"));
  return Array.from(drawWithoutReplacement(random, pick.length, nReferences), (i) => pick[i]!);
}

/** Latencies of a platform on the references; those that were not measured are filled in. */
function referenceLatencies(
  samples: PlatformSamples,
  networks: FeatureTable,
  {
    references,
    referenceEncodings,
    encoding,
  }: Pick<Learned, "references" | "referenceEncodings" | "encoding">,
): Float64Array {
  const measured = new Map(
    Array.from(samples.rows, (row, i) => [networks.ids[row]!, samples.latencyMs[i]!]),
  );
  const known = references.map((id) => measured.get(id));
  if (!known.includes(undefined)) return Float64Array.from(known, (ms) => ms!);
  const encodings = encodingsOf(networks, samples.rows, encoding, name);
  const filled = fillInLatencies(encodings, samples.latencyMs, referenceEncodings, encoding.width);
  return filled.map((ms, i) => known[i] ?? ms);
}

/** Rows of a source that are learned from: all but the fastest and slowest. */
function trimmedRows({ latencyMs }: PlatformSamples): Int32Array {
  const n = latencyMs.length;
  const order = Array.from(latencyMs.keys()).sort((a, b) => latencyMs[a]! - latencyMs[b]!);
  return Int32Array.from(
    order.slice(Math.floor(n * trimmedShare), Math.floor(n * (1 - trimmedShare))),
  );
}

interface SourceData {
  readonly networks: Float32Array;
  readonly target: Float32Array;
  readonly hardware: Float32Array;
  readonly nRows: number;
}

/** Rows of episodes: some platforms, of each some networks to tune to and others to test on. */
function createEpisodes(
  nRows: readonly number[],
  { tasks, nSupport, nQuery }: Episode,
  seed: number,
): (count: number) => Int32Array {
  const random = createRandom(deriveSeed(seed, "episodes"));
  const starts = nRows.map((_, p) => nRows.slice(0, p).reduce((sum, n) => sum + n, 0));
  const perTask = nSupport + nQuery;
  return (count) => {
    const rows = new Int32Array(count);
    for (let at = 0; at < count; ) {
      for (const p of permutation(random, nRows.length).subarray(0, tasks)) {
        const drawn = drawWithoutReplacement(random, nRows[p]!, perTask);
        for (const row of drawn) rows[at++] = starts[p]! + row;
      }
    }
    return rows;
  };
}

async function learn(
  pool: TrainingPool,
  settings: HelpSettings,
  options: FitOptions,
): Promise<Learned> {
  const { networks, platforms } = pool;
  const encoding = encodingFormOf(networks, name);
  const form = helpFormOf(encoding);
  const referenceRows = drawReferences(pool, options.seed);
  const described = {
    encoding,
    references: referenceRows.map((row) => networks.ids[row]!),
    referenceEncodings: encodingsOf(networks, referenceRows, encoding, name),
  };
  const sources = platforms.map((samples): SourceData => {
    const kept = trimmedRows(samples);
    const latencyMs = Float64Array.from(kept, (i) => samples.latencyMs[i]!);
    const rows = Array.from(kept, (i) => samples.rows[i]!);
    const hardware = hardwareEmbedding(referenceLatencies(samples, networks, described));
    return {
      networks: helpFeatures(form, encodingsOf(networks, rows, encoding, name)),
      target: normalised(latencyMs, latencyMs[0]!, latencyMs.at(-1)!),
      hardware: repeated(hardware, rows.length),
      nRows: rows.length,
    };
  });
  const episode = episodeOf(sources.map(({ nRows }) => nRows));
  const threads = settings.threads ?? 1;
  const { theta } = await train(
    helpTask(form, episode, deriveSeed(options.seed, "noise")),
    {
      networks: concatenated(sources.map((source) => source.networks)),
      target: concatenated(sources.map((source) => source.target)),
      hardware: concatenated(sources.map((source) => source.hardware)),
    },
    {
      seed: options.seed,
      steps: settings.episodes ?? (form.graph.kind === "cell" ? 2000 : 4000),
      batchSize: episode.tasks * (episode.nSupport + episode.nQuery),
      order: createEpisodes(
        sources.map(({ nRows }) => nRows),
        episode,
        options.seed,
      ),
      learningRate: () => metaLearningRate,
      threads,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onProgress: (step, steps) => options.onProgress?.(step, steps, "episodes"),
    },
  );
  const seen = new Set(platforms.flatMap(({ rows }) => [...rows]));
  return {
    families: familiesOf(platforms),
    ...described,
    range: widenRange(emptyRange, networks, seen),
    threads,
    theta,
  };
}

/** Sizes of episodes as published, or what the smallest platform allows. */
function episodeOf(nRows: readonly number[]): Episode {
  const fewest = Math.min(...nRows);
  const nSupport = Math.min(supportRows, Math.floor(fewest / 2));
  return {
    tasks: Math.min(tasksPerEpisode, nRows.length),
    nSupport,
    nQuery: Math.min(queryRows, fewest - nSupport),
  };
}

/** Places of the samples to tune to: those that are no references, and references where these are few. */
function supportPlaces(
  { rows }: PlatformSamples,
  networks: FeatureTable,
  references: readonly string[],
): number[] {
  const isReference = (place: number) => references.includes(networks.ids[rows[place]!]!);
  const places = Array.from(rows.keys());
  const others = places.filter((place) => !isReference(place));
  const missing = Math.max(0, supportRows - others.length);
  return [...others, ...places.filter(isReference).slice(0, missing)];
}

/** Normalised predictions of a regressor tuned to samples. */
async function scoresOf(
  common: Pick<Learned, "theta" | "threads">,
  form: HelpForm,
  tuned: { readonly support: TargetSupport; readonly noiseSeed: number },
  features: Float32Array,
): Promise<Float32Array> {
  const noise = (block: string, size: number) => {
    const random = createRandom(deriveSeed(tuned.noiseSeed, block));
    return { draws, values: Float32Array.from({ length: draws * size }, () => random.normal()) };
  };
  const forward = await createForward(
    tunedNetwork(form, tuned.support, noise),
    { networks: form.nFeatures },
    common.theta,
    { threads: common.threads, chunkRows },
  );
  try {
    return await forward.predict({ networks: features });
  } finally {
    await forward.dispose();
  }
}

async function adapt(
  target: PlatformSamples,
  networks: FeatureTable,
  learned: Learned,
  options: FitOptions,
): Promise<Adapted> {
  const { encoding, theta, threads } = learned;
  const form = helpFormOf(encoding);
  const features = helpFeatures(form, encodingsOf(networks, target.rows, encoding, name));
  const hardware = hardwareEmbedding(referenceLatencies(target, networks, learned));
  const targets = normalised(
    target.latencyMs,
    quantile(target.latencyMs, trimmedShare),
    quantile(target.latencyMs, 1 - trimmedShare),
  );
  const noiseSeed = deriveSeed(options.seed, "modulation");
  const supportOf = (places: readonly number[]): TargetSupport => ({
    networks: concatenated(
      places.map((i) => features.subarray(i * form.nFeatures, (i + 1) * form.nFeatures)),
    ),
    targets: Float32Array.from(places, (i) => targets[i]!),
    hardware,
  });
  const scoresWith = (support: TargetSupport) =>
    scoresOf({ theta, threads }, form, { support, noiseSeed }, features);
  const places = supportPlaces(target, networks, learned.references);
  const support = supportOf(places);
  const scores = await scoresWith(support);
  const leftOut = places.slice(0, maxLeftOut);
  const errors: number[] = [];
  for (const place of leftOut) {
    if (options.signal?.aborted) throw new InterruptedError("stopped while adapting");
    const others = await scoresWith(supportOf(places.filter((other) => other !== place)));
    errors.push(errorOfLeftOut(others, target.latencyMs, place));
  }
  return {
    families: learned.families,
    encoding,
    range: widenRange(learned.range, networks, target.rows),
    threads,
    theta,
    platformId: target.platformId,
    nSamples: target.rows.length,
    support,
    noiseSeed,
    line: fitRobustScoreLine(scores, target.latencyMs),
    deviation: deviationOfErrors(errors),
  };
}

/** log(measured / predicted) of one sample by a line through the others. */
function errorOfLeftOut(scores: Float32Array, latencyMs: Float64Array, place: number): number {
  const isOther = (_: number, i: number) => i !== place;
  const line = fitRobustScoreLine(scores.filter(isOther), latencyMs.filter(isOther));
  const [predicted = Number.NaN] = latencyOfScores(line, [scores[place]!]);
  return Math.log(latencyMs[place]! / predicted);
}

async function predictRows(
  adapted: Adapted,
  networks: FeatureTable,
  rows: ArrayLike<number>,
): Promise<Belief> {
  const form = helpFormOf(adapted.encoding);
  const features = helpFeatures(form, encodingsOf(networks, rows, adapted.encoding, name));
  return {
    meanMs: latencyOfScores(adapted.line, await scoresOf(adapted, form, adapted, features)),
    deviation: new Float64Array(rows.length).fill(adapted.deviation),
  };
}

/** Create the method. */
export function createHelp(settings: HelpSettings = {}): Predictor {
  return {
    name,
    minSamples,
    async fit(pool, options) {
      checkPool(pool);
      return createFitted(await learn(pool, settings, options));
    },
    async load(saved) {
      return createFitted(loadFitted(saved));
    },
    async loadAdapted(saved) {
      return createAdapted(loadAdapted(saved));
    },
  };
}

function createFitted(learned: Learned): FittedPredictor {
  return {
    name,
    trainedFamilies: learned.families,
    async adapt(target, networks, options) {
      checkTarget(target, networks, { name, minSamples });
      return createAdapted(await adapt(target, networks, learned, options));
    },
    referenceRows(networks) {
      const rowOf = new Map(networks.ids.map((id, row) => [id, row]));
      return Int32Array.from(learned.references.flatMap((id) => rowOf.get(id) ?? []));
    },
    save: () => saveFitted(learned),
  };
}

function createAdapted(adapted: Adapted): AdaptedPredictor {
  return {
    name,
    platformId: adapted.platformId,
    predict: (networks, { coverage }) =>
      predictTable(networks, (rows) => predictRows(adapted, networks, rows), {
        ...adapted,
        intervals: leftOutIntervals(adapted.nSamples),
        coverage,
      }),
    save: () => saveAdapted(adapted),
  };
}
