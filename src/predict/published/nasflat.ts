/**
 * Predictor `nasflat`: NASFLAT rebuilt from its publication and code (Akhauri and Abdelfattah 2024, arXiv 2403.02446,
 * github.com/abdelfattah-lab/nasflat_latency).
 *
 * A graph network learns to rank networks on all source platforms at once, each with an embedding of its own. A target
 * starts from the embedding of the source that agrees best with its samples, and all weights are tuned to them.
 * Left out: supplementary encodings (zero-cost proxies, Arch2Vec, CATE), and samples chosen by them. Ours: how agreement
 * is found without further latencies, all pairs of a batch in the loss, the way to milliseconds, and intervals.
 */
import { z } from "zod";
import type { FeatureTable } from "../../graph/features.js";
import { createForward } from "../../nn/prediction.js";
import { cosineSchedule, train } from "../../nn/trainer.js";
import { parameterCount, parametersOf } from "../../nn/training-graph.js";
import { concatenated, repeated } from "../../tensor/floats.js";
import {
  createRandom,
  deriveSeed,
  drawWithoutReplacement,
  permutation,
} from "../../tensor/random.js";
import { spearman } from "../../tensor/stats.js";
import {
  type EncodingForm,
  encodingFormOf,
  encodingFormSchema,
  encodingsOf,
} from "../encodings.js";
import type { Belief } from "../intervals.js";
import { emptyRange, type KnownRange, knownRangeSchema, widenRange } from "../known-range.js";
import { predictTable } from "../predict-table.js";
import type {
  AdaptedPredictor,
  FitOptions,
  FittedPredictor,
  PlatformSamples,
  Predictor,
  SavedPredictor,
  TrainingPool,
} from "../predictor.js";
import { breathe, checkPool, checkTarget, familiesOf, pickSamples } from "../samples.js";
import { readFloats, readSettings } from "../saved.js";
import {
  type NasflatForm,
  nasflatFormOf,
  nasflatGraphs,
  nasflatNetwork,
  nasflatTask,
  nasflatWidths,
} from "./nasflat-network.js";
import {
  deviationOfErrors,
  fitScoreLine,
  latencyOfScores,
  leftOutIntervals,
  type ScoreLine,
  scoreLineSchema,
} from "./score-line.js";

const name = "nasflat";
const formatVersion = 1;
const minSamples = 5;

/** Settings of the method; all have defaults. */
export interface NasflatSettings {
  /** Most training steps, default 5,400 on cells (150 epochs of 9 · 512 rows) and 2,700 on other spaces. */
  readonly steps?: number;
  /** Steps of tuning to a target, default as published: 40 on cells, 30 on other spaces. */
  readonly adaptSteps?: number;
  readonly threads?: number;
}

/** Settings of the published code (main_trf.py and its list of jobs). */
const epochs = 150;
const batchSize = 128;
const learningRate = 1e-3;
const weightDecay = 1e-5;
const ofCells = {
  sourceSamples: 512,
  mostSteps: 5400,
  adaptSteps: 40,
  adaptLearningRate: 3e-3,
};
const ofOthers = {
  sourceSamples: 800,
  mostSteps: 2700,
  adaptSteps: 30,
  adaptLearningRate: 1e-3,
};
/** Parts into which samples are cut; each is left out once to see how far off predictions are. */
const nParts = 5;
const chunkRows = 512;

const commonSchema = z.object({
  families: z.array(z.string()),
  encoding: encodingFormSchema,
  nPlatforms: z.number().int().positive(),
  range: knownRangeSchema,
  threads: z.number().int().positive(),
});
const fittedSchema = commonSchema.extend({
  kind: z.literal("fitted"),
  adaptSteps: z.number().int().positive(),
});
const adaptedSchema = commonSchema.extend({
  kind: z.literal("adapted"),
  platformId: z.string(),
  nSamples: z.number().int().positive(),
  /** Number of the source platform whose embedding the target took over. */
  source: z.number().int().nonnegative(),
  line: scoreLineSchema,
  deviation: z.number().positive(),
});

interface Common {
  readonly families: readonly string[];
  readonly encoding: EncodingForm;
  readonly nPlatforms: number;
  readonly range: KnownRange;
  readonly threads: number;
  readonly theta: Float32Array;
}
interface Learned extends Common {
  readonly adaptSteps: number;
}
interface Adapted extends Common {
  readonly platformId: string;
  readonly nSamples: number;
  readonly source: number;
  readonly line: ScoreLine;
  readonly deviation: number;
}

const formOf = ({ encoding, nPlatforms }: Pick<Common, "encoding" | "nPlatforms">) =>
  nasflatFormOf(encoding, nPlatforms);

const settingsOf = ({ graph }: NasflatForm) => (graph.kind === "cell" ? ofCells : ofOthers);

/** Columns of networks on one platform. */
function columnsOf(form: NasflatForm, encodings: Float32Array, source: number) {
  const graphs = nasflatGraphs(form, encodings);
  const platform = new Float32Array(form.nPlatforms);
  platform[source] = 1;
  const nRows = graphs.links.length / nasflatWidths(form).links;
  return { ...graphs, platform: repeated(platform, nRows) };
}

/** Latencies to 0…1, as published; only their order within a platform matters much. */
function relativeLatencies(latencyMs: Float64Array): Float32Array {
  const least = Math.min(...latencyMs);
  const span = Math.max(...latencyMs) - least;
  return Float32Array.from(latencyMs, (ms) => (span > 0 ? (ms - least) / span : 0));
}

async function learn(
  { networks, platforms }: TrainingPool,
  settings: NasflatSettings,
  options: FitOptions,
): Promise<Learned> {
  await breathe(options);
  const encoding = encodingFormOf(networks, name);
  const form = nasflatFormOf(encoding, platforms.length);
  const { sourceSamples, mostSteps, adaptSteps } = settingsOf(form);
  const sources = platforms.map((samples) => {
    const random = createRandom(deriveSeed(options.seed, `source/${samples.platformId}`));
    const n = samples.rows.length;
    return n <= sourceSamples
      ? samples
      : pickSamples(samples, drawWithoutReplacement(random, n, sourceSamples));
  });
  const parts = sources.map(({ rows }, source) =>
    columnsOf(form, encodingsOf(networks, rows, encoding, name), source),
  );
  const nRows = sources.reduce((sum, { rows }) => sum + rows.length, 0);
  const threads = settings.threads ?? 1;
  const { theta } = await train(
    nasflatTask(form, deriveSeed(options.seed, "dropout")),
    {
      choices: concatenated(parts.map(({ choices }) => choices)),
      links: concatenated(parts.map(({ links }) => links)),
      platform: concatenated(parts.map(({ platform }) => platform)),
      target: concatenated(sources.map(({ latencyMs }) => relativeLatencies(latencyMs))),
    },
    {
      seed: options.seed,
      steps: Math.min(settings.steps ?? mostSteps, Math.ceil((epochs * nRows) / batchSize)),
      batchSize,
      learningRate: cosineSchedule(learningRate, 0),
      weightDecay,
      threads,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onProgress: (step, steps) => options.onProgress?.(step, steps, "training steps"),
    },
  );
  const seen = new Set(platforms.flatMap(({ rows }) => [...rows]));
  return {
    families: familiesOf(platforms),
    encoding,
    nPlatforms: platforms.length,
    range: widenRange(emptyRange, networks, seen),
    threads,
    theta,
    adaptSteps: settings.adaptSteps ?? adaptSteps,
  };
}

/** Scores of networks on each of some source platforms. */
async function scoresOn(
  common: Common,
  encodings: Float32Array,
  sources: readonly number[],
): Promise<Float32Array[]> {
  const form = formOf(common);
  const forward = await createForward(nasflatNetwork(form), nasflatWidths(form), common.theta, {
    threads: common.threads,
    chunkRows,
  });
  try {
    const scores: Float32Array[] = [];
    for (const source of sources) {
      scores.push(await forward.predict(columnsOf(form, encodings, source)));
    }
    return scores;
  } finally {
    await forward.dispose();
  }
}

/** Weights tuned to samples of a platform that took over a source's embedding. */
async function tune(
  learned: Learned,
  encodings: Float32Array,
  latencyMs: Float64Array,
  { source, ...options }: FitOptions & { source: number },
): Promise<Float32Array> {
  const form = formOf(learned);
  const { theta } = await train(
    nasflatTask(form, deriveSeed(options.seed, "dropout")),
    { ...columnsOf(form, encodings, source), target: relativeLatencies(latencyMs) },
    {
      seed: options.seed,
      steps: learned.adaptSteps * Math.ceil(latencyMs.length / batchSize),
      batchSize,
      learningRate: cosineSchedule(settingsOf(form).adaptLearningRate, 0),
      weightDecay,
      from: { theta: learned.theta },
      threads: learned.threads,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    },
  );
  return theta;
}

async function adapt(
  target: PlatformSamples,
  networks: FeatureTable,
  learned: Learned,
  options: FitOptions,
): Promise<Adapted> {
  const { adaptSteps: _, ...common } = learned;
  const { latencyMs, rows } = target;
  const encodings = encodingsOf(networks, rows, learned.encoding, name);
  const sources = Array.from({ length: learned.nPlatforms }, (_, p) => p);
  // The published code correlates measured latencies; here sources need not have been measured on the samples.
  const agreements = (await scoresOn(learned, encodings, sources)).map((scores) =>
    spearman(scores, latencyMs),
  );
  const source = agreements.indexOf(Math.max(...agreements));
  const tuning = { ...options, source };
  const theta = await tune(learned, encodings, latencyMs, tuning);
  const [scores] = await scoresOn({ ...common, theta }, encodings, [source]);
  return {
    ...common,
    theta,
    range: widenRange(learned.range, networks, rows),
    platformId: target.platformId,
    nSamples: rows.length,
    source,
    line: fitScoreLine(scores!, latencyMs),
    deviation: deviationOfErrors(await leftOutErrors(target, networks, learned, tuning)),
  };
}

/** log(measured / predicted) of samples by networks tuned to the others. */
async function leftOutErrors(
  target: PlatformSamples,
  networks: FeatureTable,
  learned: Learned,
  tuning: FitOptions & { source: number },
): Promise<number[]> {
  const order = permutation(createRandom(deriveSeed(tuning.seed, "parts")), target.rows.length);
  const errors: number[] = [];
  for (let part = 0; part < nParts; part++) {
    await breathe(tuning);
    const places = (isWanted: (i: number) => boolean) => order.filter((_, i) => isWanted(i));
    const kept = pickSamples(
      target,
      places((i) => i % nParts !== part),
    );
    const leftOut = pickSamples(
      target,
      places((i) => i % nParts === part),
    );
    const encodingsFor = ({ rows }: PlatformSamples) =>
      encodingsOf(networks, rows, learned.encoding, name);
    const theta = await tune(learned, encodingsFor(kept), kept.latencyMs, tuning);
    const tuned = { ...learned, theta };
    const [ofKept] = await scoresOn(tuned, encodingsFor(kept), [tuning.source]);
    const [ofLeftOut] = await scoresOn(tuned, encodingsFor(leftOut), [tuning.source]);
    const predicted = latencyOfScores(fitScoreLine(ofKept!, kept.latencyMs), ofLeftOut!);
    errors.push(...leftOut.latencyMs.map((ms, i) => Math.log(ms / predicted[i]!)));
  }
  return errors;
}

async function predictRows(
  adapted: Adapted,
  networks: FeatureTable,
  rows: ArrayLike<number>,
): Promise<Belief> {
  const encodings = encodingsOf(networks, rows, adapted.encoding, name);
  const [scores] = await scoresOn(adapted, encodings, [adapted.source]);
  return {
    meanMs: latencyOfScores(adapted.line, scores!),
    deviation: new Float64Array(rows.length).fill(adapted.deviation),
  };
}

/** Create the method. */
export function createNasflat(settings: NasflatSettings = {}): Predictor {
  return {
    name,
    minSamples,
    async fit(pool, options) {
      checkPool(pool);
      return createFitted(await learn(pool, settings, options));
    },
    async load(saved) {
      const read = readSettings(saved, { method: name, formatVersion }, fittedSchema);
      const { kind: _, ...learned } = read;
      return createFitted({ ...learned, theta: readTheta(saved, learned) });
    },
    async loadAdapted(saved) {
      const read = readSettings(saved, { method: name, formatVersion }, adaptedSchema);
      const { kind: _, ...adapted } = read;
      return createAdapted({ ...adapted, theta: readTheta(saved, adapted) });
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
    save: () => save("fitted", learned),
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
    save: () => save("adapted", adapted),
  };
}

function save(kind: string, { theta, ...settings }: Common): SavedPredictor {
  const { space, width } = settings.encoding;
  return {
    method: name,
    formatVersion,
    settings: { kind, ...settings },
    tensors: new Map([["theta", { shape: [theta.length], values: theta }]]),
    features: [{ name: `${width} numbers of the ${space} encoding`, unit: "0 or 1" }],
  };
}

function readTheta(saved: SavedPredictor, common: Pick<Common, "encoding" | "nPlatforms">) {
  const form = formOf(common);
  const parameters = parametersOf(nasflatNetwork(form), nasflatWidths(form));
  return readFloats(saved, "theta", [parameterCount(parameters)]);
}
