/**
 * Predictor `brp-nas`: BRP-NAS's latency predictor rebuilt from its publication and code (Dudziak et al. 2020,
 * arXiv 2007.08859, github.com/SamsungLabs/eagle, configs/predictors/lat_gcn_nasbench201_desktop.yaml).
 *
 * A graph network trained from nothing on each platform: it learns nothing from source platforms and wants some
 * hundred samples. Ours: larger batches, fewer epochs and a cosine schedule; no dropout (0.2 %); latencies relative to the
 * samples' median; intervals from samples that are left out.
 */
import { z } from "zod";
import type { FeatureTable } from "../../graph/features.js";
import { createForward } from "../../nn/prediction.js";
import { cosineSchedule, initialWeights, train } from "../../nn/trainer.js";
import { parameterCount, parametersOf } from "../../nn/training-graph.js";
import { createRandom, deriveSeed, permutation } from "../../tensor/random.js";
import { median } from "../../tensor/stats.js";
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
} from "../predictor.js";
import { breathe, checkPool, checkTarget, familiesOf, pickSamples } from "../samples.js";
import { readFloats, readSettings } from "../saved.js";
import {
  type BrpNasForm,
  brpNasColumns,
  brpNasFormOf,
  brpNasNetwork,
  brpNasTask,
  brpNasWidths,
} from "./brp-nas-network.js";
import { deviationOfErrors, leastShare, leftOutIntervals } from "./score-line.js";

const name = "brp-nas";
const formatVersion = 1;
const minSamples = 10;

/** Settings of the method; all have defaults. */
export interface BrpNasSettings {
  /** Passes over the samples, default 60 (published: up to 250, with batches of one network). */
  readonly epochs?: number;
  /** Width of the graph convolutions, default 600 as published. */
  readonly hidden?: number;
  readonly threads?: number;
}

const batchSize = 32;
const learningRate = 4e-4;
const weightDecay = 5e-4;
/** Share of the samples that is left out of training; published: 100 beside 900. */
const leftOutShare = 0.1;
const chunkRows = 256;

const trainingSchema = z.object({
  epochs: z.number().int().positive(),
  hidden: z.number().int().positive(),
  threads: z.number().int().positive(),
});
const commonSchema = z.object({
  families: z.array(z.string()),
  encoding: encodingFormSchema,
  training: trainingSchema,
});
const fittedSchema = commonSchema.extend({ kind: z.literal("fitted") });
const adaptedSchema = commonSchema.extend({
  kind: z.literal("adapted"),
  platformId: z.string(),
  nSamples: z.number().int().positive(),
  nLeftOut: z.number().int().positive(),
  range: knownRangeSchema,
  scaleMs: z.number().positive(),
  leastMs: z.number().positive(),
  deviation: z.number().positive(),
});

interface Common {
  readonly families: readonly string[];
  readonly encoding: EncodingForm;
  readonly training: z.infer<typeof trainingSchema>;
  /** Initial weights of `fit`, from which every target starts; trained ones of `adapt`. */
  readonly theta: Float32Array;
}
interface Adapted extends Common {
  readonly platformId: string;
  readonly nSamples: number;
  readonly nLeftOut: number;
  readonly range: KnownRange;
  readonly scaleMs: number;
  readonly leastMs: number;
  readonly deviation: number;
}

const formOf = ({ encoding, training }: Pick<Common, "encoding" | "training">) =>
  brpNasFormOf(encoding, training.hidden);

function parametersOfForm(form: BrpNasForm) {
  return parametersOf(brpNasNetwork(form), brpNasWidths(form));
}

async function latenciesOf(
  { theta, training }: Pick<Common, "theta" | "training">,
  form: BrpNasForm,
  encodings: Float32Array,
  { scaleMs, leastMs }: { scaleMs: number; leastMs: number },
): Promise<Float64Array> {
  const forward = await createForward(brpNasNetwork(form), brpNasWidths(form), theta, {
    threads: training.threads,
    chunkRows,
  });
  try {
    const relative = await forward.predict(brpNasColumns(form, encodings));
    return Float64Array.from(relative, (value) => Math.max(value * scaleMs, leastMs));
  } finally {
    await forward.dispose();
  }
}

async function adapt(
  target: PlatformSamples,
  networks: FeatureTable,
  prepared: Common,
  options: FitOptions,
): Promise<Adapted> {
  await breathe(options);
  const { encoding, training } = prepared;
  const form = formOf(prepared);
  const nSamples = target.rows.length;
  const order = permutation(createRandom(deriveSeed(options.seed, "left out")), nSamples);
  const nLeftOut = Math.max(1, Math.round(leftOutShare * nSamples));
  const leftOut = pickSamples(target, order.subarray(0, nLeftOut));
  const kept = pickSamples(target, order.subarray(nLeftOut));
  const scaleMs = median(kept.latencyMs);
  const leastMs = leastShare * Math.min(...target.latencyMs);
  const { theta } = await train(
    brpNasTask(form),
    {
      ...brpNasColumns(form, encodingsOf(networks, kept.rows, encoding, name)),
      target: Float32Array.from(kept.latencyMs, (ms) => ms / scaleMs),
    },
    {
      seed: options.seed,
      steps: Math.ceil((training.epochs * kept.rows.length) / batchSize),
      batchSize,
      learningRate: cosineSchedule(learningRate),
      weightDecay,
      from: prepared,
      threads: training.threads,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onProgress: (step, steps) => options.onProgress?.(step, steps, "training steps"),
    },
  );
  const predicted = await latenciesOf(
    { theta, training },
    form,
    encodingsOf(networks, leftOut.rows, encoding, name),
    { scaleMs, leastMs },
  );
  return {
    families: prepared.families,
    encoding,
    training,
    theta,
    platformId: target.platformId,
    nSamples,
    nLeftOut,
    range: widenRange(emptyRange, networks, target.rows),
    scaleMs,
    leastMs,
    deviation: deviationOfErrors(leftOut.latencyMs.map((ms, i) => Math.log(ms / predicted[i]!))),
  };
}

async function predictRows(
  adapted: Adapted,
  networks: FeatureTable,
  rows: ArrayLike<number>,
): Promise<Belief> {
  const encodings = encodingsOf(networks, rows, adapted.encoding, name);
  return {
    meanMs: await latenciesOf(adapted, formOf(adapted), encodings, adapted),
    deviation: new Float64Array(rows.length).fill(adapted.deviation),
  };
}

/** Create the method. */
export function createBrpNas(settings: BrpNasSettings = {}): Predictor {
  const training = { epochs: 60, hidden: 600, threads: 1, ...settings };
  return {
    name,
    minSamples,
    async fit(pool, options) {
      checkPool(pool);
      await breathe(options);
      const encoding = encodingFormOf(pool.networks, name);
      const parameters = parametersOfForm(formOf({ encoding, training }));
      return createFitted({
        families: familiesOf(pool.platforms),
        encoding,
        training,
        theta: initialWeights(parameters, options.seed),
      });
    },
    async load(saved) {
      const settings = readSettings(saved, { method: name, formatVersion }, fittedSchema);
      const { kind: _, ...prepared } = settings;
      return createFitted({ ...prepared, theta: readTheta(saved, prepared) });
    },
    async loadAdapted(saved) {
      const settings = readSettings(saved, { method: name, formatVersion }, adaptedSchema);
      const { kind: _, ...adapted } = settings;
      return createAdapted({ ...adapted, theta: readTheta(saved, adapted) });
    },
  };
}

function createFitted(prepared: Common): FittedPredictor {
  return {
    name,
    trainedFamilies: prepared.families,
    async adapt(target, networks, options) {
      checkTarget(target, networks, { name, minSamples });
      return createAdapted(await adapt(target, networks, prepared, options));
    },
    save: () => save("fitted", prepared),
  };
}

function createAdapted(adapted: Adapted): AdaptedPredictor {
  return {
    name,
    platformId: adapted.platformId,
    predict: (networks, { coverage }) =>
      predictTable(networks, (rows) => predictRows(adapted, networks, rows), {
        ...adapted,
        intervals: leftOutIntervals(adapted.nLeftOut),
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

function readTheta(saved: SavedPredictor, form: Pick<Common, "encoding" | "training">) {
  return readFloats(saved, "theta", [parameterCount(parametersOfForm(formOf(form)))]);
}
