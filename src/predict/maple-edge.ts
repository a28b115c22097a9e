/**
 * Predictor `maple-edge`: MAPLE-Edge rebuilt from its publication (Nair et al. 2022, arXiv 2204.12950).
 *
 * As published: one network on the cell's encoding beside the hardware-runtime descriptor (operator latencies, and
 * counters divided by them), trained on a pool of platforms; a target's ten samples are weighted up in the loss.
 * Ours, because not public: two hidden layers of 128, smooth absolute error of log latency, Adam with a cosine
 * schedule, 1,500 steps; latencies normalised by the sum of the descriptor's operators (without a descriptor by the
 * samples' median) and a target's also by the median error on its samples; adaptation goes on from the trained weights
 * with half of the rows from the target; intervals from the residual spread on held-out source families; where no
 * source has a descriptor, what is estimated from samples (`maple-edge-estimates.ts`).
 *
 * `maple` (Abbasi et al. 2021, arXiv 2111.15106) is the same network on counters that are not divided.
 */
import type { FeatureTable } from "../graph/features.js";
import { perceptron } from "../nn/layers.js";
import { smoothAbsoluteError } from "../nn/losses.js";
import { createForward } from "../nn/prediction.js";
import { cosineSchedule, train } from "../nn/trainer.js";
import type { Task } from "../nn/training-graph.js";
import { concatenated, repeated } from "../tensor/floats.js";
import { createRandom, deriveSeed, drawWithoutReplacement } from "../tensor/random.js";
import { median } from "../tensor/stats.js";
import { descriptorFormOf, descriptorVector, platformScaleMs } from "./descriptor-features.js";
import { type EncodingForm, encodingFormOf, encodingsOf } from "./encodings.js";
import { calibrateOnSources } from "./hold-out.js";
import type { Belief } from "./intervals.js";
import { emptyRange, widenRange } from "./known-range.js";
import { estimatesOfSources, estimateVector } from "./maple-edge-estimates.js";
import {
  type Adapted,
  type Common,
  descriptionWidth,
  hiddenWidths,
  type Learned,
  loadAdapted,
  loadFitted,
  saveAdapted,
  saveFitted,
} from "./maple-edge-saved.js";
import { checkDescriptor, commonOperators } from "./operator-costs.js";
import { adaptedPredictor } from "./predict-table.js";
import type {
  AdaptedPredictor,
  FitOptions,
  FittedPredictor,
  PlatformSamples,
  Predictor,
  TrainingPool,
} from "./predictor.js";
import { checkPool, checkTarget, familiesOf, pickSamples } from "./samples.js";

const minSamples = 5;

/** Settings of both methods; all have defaults. */
export interface MapleEdgeSettings {
  /** Training steps of batch 256, default 1500. */
  readonly steps?: number;
  /** Steps of adaptation, default 120. */
  readonly adaptSteps?: number;
  /** Source families held out to check intervals, default 3; each costs a training. */
  readonly heldOutFamilies?: number;
  readonly threads?: number;
}

const batchSize = 256;
const adaptBatchSize = 64;
const learningRate = 3e-3;
const adaptLearningRate = 1e-3;
/** Large: with 0.01, networks learned the sources by heart and ranked held-out source platforms far worse. */
const weightDecay = 3;
/** Where the loss turns from square to linear, in log latency. */
const lossDelta = 0.1;
/** Source rows kept for adaptation, over all platforms. */
const maxReplayRows = 1024;
const maxSourceSamples = 1000;
/** Relative deviation that calibration scales. */
const unitDeviation = 0.1;
/** Networks faster than this share of the platform's scale are taken for this fast: log latency must stay bounded. */
const leastRelativeLatency = 1e-4;

const network = perceptron(["encoding", "descriptor"], [...hiddenWidths, 1]);

function taskOf(form: Pick<Common, "encoding" | "descriptor" | "estimates">): Task {
  return {
    network,
    loss: (tape, predicted, { target, weight }) =>
      smoothAbsoluteError(tape, predicted, target!, { delta: lossDelta, weight: weight! }),
    columns: {
      encoding: form.encoding.width,
      descriptor: descriptionWidth(form),
      target: 1,
      weight: 1,
    },
  };
}

const logTargets = (latencyMs: Float64Array, scaleMs: number) =>
  Float32Array.from(latencyMs, (ms) => Math.log(Math.max(ms / scaleMs, leastRelativeLatency)));

/** Weight of samples by how well they are known: half at a relative deviation of 5 %. */
function weightsOf({ rows, relativeSd }: PlatformSamples): Float32Array {
  return Float32Array.from(rows, (_, i) => 1 / (1 + ((relativeSd?.[i] ?? 0) / 0.05) ** 2));
}

interface Source {
  readonly samples: PlatformSamples;
}

/** What tells the published methods apart. */
interface Method {
  readonly name: string;
  /** Counters per nanosecond of their operator, or per run. */
  readonly dividedByLatency: boolean;
}

interface LearnContext {
  readonly method: Method;
  readonly networks: FeatureTable;
  readonly encoding: EncodingForm;
  readonly settings: Required<MapleEdgeSettings>;
  readonly options: FitOptions;
}

/** How platforms are described, and the descriptions of each source: more than one where they are estimated. */
function describeSources(
  platforms: readonly PlatformSamples[],
  { method, networks, options }: LearnContext,
): Pick<Common, "descriptor" | "estimates"> & { vectors: Float32Array[][] } {
  const descriptors = platforms.flatMap(({ descriptor }) => descriptor ?? []);
  const operators = commonOperators(platforms);
  const descriptor = descriptorFormOf(descriptors, operators, method.dividedByLatency);
  if (descriptors.length === 0) {
    const { form, vectors } = estimatesOfSources(networks, platforms, options.seed);
    return { descriptor, estimates: form, vectors };
  }
  const vectors = platforms.map((platform) => [descriptorVector(platform.descriptor, descriptor)]);
  return { descriptor, vectors };
}

async function learn(sources: readonly Source[], context: LearnContext): Promise<Learned> {
  const { method, networks, encoding, settings, options } = context;
  const platforms = sources.map(({ samples }) => samples);
  const { descriptor, estimates, vectors } = describeSources(platforms, context);
  const descriptions = vectors.flat();
  const descriptionOfRow = platforms.flatMap(({ rows }, p) => {
    const first = vectors.slice(0, p).flat().length;
    return Array.from(rows, (_, i) => first + (i % vectors[p]!.length));
  });
  const medians = platforms.map(({ latencyMs }) => median(latencyMs));
  const described = platforms.flatMap((platform, p) =>
    platform.descriptor === undefined
      ? []
      : [medians[p]! / platformScaleMs(platform.descriptor, descriptor.operators)],
  );
  const typicalRelative = described.length > 0 ? median(described) : 1;
  const scales = platforms.map((platform, p) =>
    platform.descriptor === undefined
      ? medians[p]! / typicalRelative
      : platformScaleMs(platform.descriptor, descriptor.operators),
  );
  const columns = {
    encoding: concatenated(
      platforms.map(({ rows }) => encodingsOf(networks, rows, encoding, method.name)),
    ),
    descriptor: concatenated(descriptionOfRow.map((d) => descriptions[d]!)),
    target: concatenated(platforms.map(({ latencyMs }, p) => logTargets(latencyMs, scales[p]!))),
    weight: concatenated(platforms.map(weightsOf)),
  };
  const { theta } = await train(taskOf({ encoding, descriptor, estimates }), columns, {
    seed: options.seed,
    steps: settings.steps,
    batchSize,
    learningRate: cosineSchedule(learningRate),
    weightDecay,
    threads: settings.threads,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    onProgress: (step, steps) => options.onProgress?.(step, steps, "training steps"),
  });
  const nReplay = Math.min(maxReplayRows, descriptionOfRow.length);
  const kept = drawWithoutReplacement(
    createRandom(deriveSeed(options.seed, "replay")),
    descriptionOfRow.length,
    nReplay,
  );
  const allSeen = new Set(platforms.flatMap(({ rows }) => [...rows]));
  return {
    method: method.name,
    families: familiesOf(platforms),
    encoding,
    descriptor,
    ...(estimates === undefined ? {} : { estimates }),
    range: widenRange(emptyRange, networks, allSeen),
    intervals: [],
    theta,
    adaptSteps: settings.adaptSteps,
    threads: settings.threads,
    typicalRelative,
    descriptions: concatenated(descriptions),
    replay: {
      encoding: concatenated(
        Array.from(kept, (row) =>
          columns.encoding.subarray(row * encoding.width, (row + 1) * encoding.width),
        ),
      ),
      target: Float32Array.from(kept, (row) => columns.target[row]!),
      description: Float32Array.from(kept, (row) => descriptionOfRow[row]!),
    },
  };
}

async function forwardOf(
  common: Common,
  vector: Float32Array,
  encodings: Float32Array,
): Promise<Float32Array> {
  const { theta, encoding } = common;
  const widths = { encoding: encoding.width, descriptor: descriptionWidth(common) };
  const forward = await createForward(network, widths, theta, { threads: 1 });
  try {
    const nRows = encodings.length / encoding.width;
    return await forward.predict({ encoding: encodings, descriptor: repeated(vector, nRows) });
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
  const { method, encoding, descriptor, estimates, replay } = learned;
  const { rows, latencyMs } = target;
  const vector =
    estimates === undefined
      ? descriptorVector(target.descriptor, descriptor)
      : estimateVector(estimates, networks, target);
  const roughMs =
    target.descriptor !== undefined && descriptor.operators.length > 0
      ? platformScaleMs(target.descriptor, descriptor.operators)
      : median(latencyMs) / learned.typicalRelative;
  const encodings = encodingsOf(networks, rows, encoding, method);
  const before = await forwardOf(learned, vector, encodings);
  const scaleMs =
    roughMs *
    Math.exp(median(logTargets(latencyMs, roughMs).map((value, i) => value - before[i]!)));
  const targets = logTargets(latencyMs, scaleMs);
  const nReplay = replay.target.length;
  const repeats = Math.max(1, Math.round(nReplay / rows.length));
  const width = vector.length;
  // Half of all rows are the target's: weighting by repetition, which keeps every batch's gradient steady.
  const columns = {
    encoding: concatenated([replay.encoding, repeated(encodings, repeats)]),
    descriptor: concatenated([
      concatenated(
        Array.from(replay.description, (d) =>
          learned.descriptions.subarray(d * width, (d + 1) * width),
        ),
      ),
      repeated(vector, repeats * rows.length),
    ]),
    target: concatenated([replay.target, repeated(targets, repeats)]),
    weight: concatenated([new Float32Array(nReplay).fill(1), repeated(weightsOf(target), repeats)]),
  };
  const trained = await train(taskOf(learned), columns, {
    seed: options.seed,
    steps: learned.adaptSteps,
    batchSize: adaptBatchSize,
    learningRate: cosineSchedule(adaptLearningRate),
    threads: learned.threads,
    from: { theta: learned.theta },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return {
    method,
    families: learned.families,
    encoding,
    descriptor,
    ...(estimates === undefined ? {} : { estimates }),
    range: widenRange(learned.range, networks, rows),
    intervals: learned.intervals,
    theta: trained.theta,
    platformId: target.platformId,
    nSamples: rows.length,
    scaleMs,
    description: vector,
  };
}

async function predictRows(
  adapted: Adapted,
  networks: FeatureTable,
  rows: ArrayLike<number>,
): Promise<Belief> {
  const encodings = encodingsOf(networks, rows, adapted.encoding, adapted.method);
  const logs = await forwardOf(adapted, adapted.description, encodings);
  return {
    meanMs: Float64Array.from(logs, (value) => adapted.scaleMs * Math.exp(value)),
    deviation: new Float64Array(rows.length).fill(unitDeviation),
  };
}

/** Create MAPLE-Edge: counters divided by their operator's latency. */
export function createMapleEdge(settings: MapleEdgeSettings = {}): Predictor {
  return createMapleMethod({ name: "maple-edge", dividedByLatency: true }, settings);
}

/** Create a method of the family: the network is the same, what it reads of counters differs. */
export function createMapleMethod(method: Method, settings: MapleEdgeSettings): Predictor {
  const complete: Required<MapleEdgeSettings> = {
    steps: 1500,
    adaptSteps: 120,
    heldOutFamilies: 3,
    threads: 1,
    ...settings,
  };
  const { name } = method;
  return {
    name,
    minSamples,
    async fit(pool, options) {
      checkPool(pool);
      return createFitted(await fitAndCalibrate(pool, method, complete, options));
    },
    async load(saved) {
      return createFitted(loadFitted(name, saved));
    },
    async loadAdapted(saved) {
      return createAdapted(loadAdapted(name, saved));
    },
  };
}

async function fitAndCalibrate(
  pool: TrainingPool,
  method: Method,
  settings: Required<MapleEdgeSettings>,
  options: FitOptions,
): Promise<Learned> {
  const { networks } = pool;
  const encoding = encodingFormOf(networks, method.name);
  const sources = pool.platforms.map((samples): Source => {
    if (samples.rows.length <= maxSourceSamples) return { samples };
    const random = createRandom(deriveSeed(options.seed, `source/${samples.platformId}`));
    const kept = drawWithoutReplacement(random, samples.rows.length, maxSourceSamples);
    return { samples: pickSamples(samples, kept) };
  });
  const context = { method, networks, encoding, settings, options };
  const learned = await learn(sources, context);
  const intervals = await calibrateOnSources(
    {
      sources,
      networks,
      samples: [10],
      draws: 2,
      maxUnits: settings.heldOutFamilies,
      learnFrom: async (others) => {
        const heldOut = await learn(others, context);
        return async (target, rows) =>
          predictRows(await adapt(target, networks, heldOut, options), networks, rows);
      },
    },
    options,
  );
  return { ...learned, intervals };
}

function createFitted(learned: Learned): FittedPredictor {
  const { method: name } = learned;
  return {
    name,
    trainedFamilies: learned.families,
    async adapt(target, networks, options) {
      checkTarget(target, networks, { name, minSamples });
      if (target.descriptor !== undefined) {
        checkDescriptor(target.descriptor, learned.descriptor.operators);
      }
      return createAdapted(await adapt(target, networks, learned, options));
    },
    save: () => saveFitted(learned),
  };
}

function createAdapted(adapted: Adapted): AdaptedPredictor {
  return adaptedPredictor(adapted, {
    name: adapted.method,
    beliefOf: (networks, rows) => predictRows(adapted, networks, rows),
    save: () => saveAdapted(adapted),
  });
}
