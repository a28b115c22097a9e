/**
 * Runs the training graph: initial weights, order of rows, schedule, calls short enough for the event loop.
 *
 * Rows come in one endless stream of permutations, so that no row is dropped and every batch is full. The same seed
 * gives the same weights, with any number of threads.
 */
import { InputError, InterruptedError, ShapeError } from "../errors.js";
import { createOrtSession, type OrtTensor } from "../ort/session.js";
import { createRandom, deriveSeed, permutation, type Random } from "../tensor/random.js";
import type { Parameter } from "./tape.js";
import { parameterCount, type Task, trainingGraph } from "./training-graph.js";

/** Columns of data by name, each (rows, width). */
export type Columns = Readonly<Record<string, Float32Array>>;

/** Learned weights and the optimiser's state: what is needed to go on. */
export interface Checkpoint {
  readonly parameters: readonly Parameter[];
  readonly theta: Float32Array;
  readonly m: Float32Array;
  readonly v: Float32Array;
  /** Steps done. */
  readonly step: number;
}

export interface TrainOptions {
  readonly seed: number;
  /** Steps to do. */
  readonly steps: number;
  /** Rows a step; without `order` at most the rows there are. */
  readonly batchSize: number;
  /**
   * Numbers of the rows that the next steps read, batch after batch; `count` is a multiple of the batch size. Default:
   * one permutation of all rows after another.
   */
  readonly order?: (count: number) => Int32Array;
  /** Learning rate of a step, of `total` (which counts from the checkpoint's start). */
  readonly learningRate: (step: number, total: number) => number;
  /** Share of each weight that a step with learning rate 1 takes away; default 0. */
  readonly weightDecay?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** Go on from here; weights are drawn by seed when omitted. */
  readonly from?: Pick<Checkpoint, "theta"> & Partial<Checkpoint>;
  /** Threads of ONNX Runtime, default 1. */
  readonly threads?: number;
  /** Longest time one call should keep the event loop, ms; default 40. */
  readonly callMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (step: number, steps: number, loss: number) => void;
}

export interface TrainResult extends Checkpoint {
  /** Loss of each step's batch. */
  readonly losses: Float32Array;
  readonly durationMs: number;
}

/** Learning rate that rises linearly over the first `warmup` share, then falls as a half cosine to 0. */
export function cosineSchedule(peak: number, warmup = 0.05): TrainOptions["learningRate"] {
  return (step, total) => {
    const rising = warmup * total;
    if (step < rising) return (peak * (step + 1)) / rising;
    return (peak * (1 + Math.cos((Math.PI * (step - rising)) / Math.max(1, total - rising)))) / 2;
  };
}

/** Weights before training. */
export function initialWeights(parameters: readonly Parameter[], seed: number): Float32Array {
  const theta = new Float32Array(parameterCount(parameters));
  let offset = 0;
  for (const { name, size, initial } of parameters) {
    const part = theta.subarray(offset, offset + size);
    if (initial.kind === "fill") {
      part.fill(initial.value);
    } else {
      const random = createRandom(deriveSeed(seed, name));
      const draw =
        initial.kind === "uniform"
          ? () => (2 * random.uniform() - 1) * Math.sqrt(6 / initial.fan)
          : () => initial.deviation * random.normal();
      for (let i = 0; i < size; i++) part[i] = draw();
    }
    offset += size;
  }
  return theta;
}

/** Endless row numbers: one permutation after another. */
function createOrder(random: Random, nRows: number): (count: number) => Int32Array {
  let current = permutation(random, nRows);
  let next = 0;
  return (count) => {
    const rows = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      if (next === nRows) {
        current = permutation(random, nRows);
        next = 0;
      }
      rows[i] = current[next++]!;
    }
    return rows;
  };
}

function rowsOf(task: Task, columns: Columns): number {
  let nRows: number | undefined;
  for (const [name, width] of Object.entries(task.columns)) {
    const values = columns[name];
    if (values === undefined) throw new InputError(`column "${name}" is missing in the data`);
    const rows = values.length / width;
    if (!Number.isInteger(rows) || (nRows ?? rows) !== rows) {
      throw new ShapeError(`column "${name}" of width ${width} has ${values.length} values`);
    }
    nRows = rows;
  }
  if (nRows === undefined || nRows === 0) throw new InputError("there are no rows to train on");
  return nRows;
}

const scalar = (value: number): OrtTensor => ({ data: BigInt64Array.of(BigInt(value)), dims: [] });
const vector = (data: Float32Array | Int32Array): OrtTensor => ({ data, dims: [data.length] });

/** Most steps a call: bounds the permutation that is copied. */
const maxStepsPerCall = 256;

/**
 * Train a network.
 *
 * @throws InterruptedError between calls when `signal` says so
 */
export async function train(
  task: Task,
  columns: Columns,
  options: TrainOptions,
): Promise<TrainResult> {
  const { seed, steps, weightDecay = 0, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  const callMs = options.callMs ?? 40;
  const nRows = rowsOf(task, columns);
  const batchSize =
    options.order === undefined ? Math.min(options.batchSize, nRows) : options.batchSize;
  const { bytes, parameters } = trainingGraph(task, batchSize, { beta1, beta2 });
  const size = parameterCount(parameters);
  let theta = options.from?.theta ?? initialWeights(parameters, seed);
  if (theta.length !== size) {
    throw new ShapeError(
      `the network has ${size} parameters, the weights to go on from ${theta.length}`,
    );
  }
  let m = options.from?.m ?? new Float32Array(size);
  let v = options.from?.v ?? new Float32Array(size);
  const firstStep = options.from?.step ?? 0;
  const data = Object.fromEntries(
    Object.entries(task.columns).map(([name, width]) => [
      `data.${name}`,
      { data: columns[name]!, dims: [nRows, width] },
    ]),
  );
  const nextRows =
    options.order ?? createOrder(createRandom(deriveSeed(seed, `order/${firstStep}`)), nRows);
  const losses = new Float32Array(steps);
  const startedAt = performance.now();
  const session = await createOrtSession(bytes, {
    threads: options.threads ?? 1,
    allowSpinning: false,
  });
  try {
    let done = 0;
    let perCall = 4;
    while (done < steps) {
      await new Promise((resolve) => setImmediate(resolve));
      if (options.signal?.aborted) throw new InterruptedError("training stopped");
      const count = Math.min(perCall, steps - done);
      const factors = scheduleOf(options, {
        firstStep,
        done,
        count,
        beta1,
        beta2,
        epsilon,
        weightDecay,
      });
      const calledAt = performance.now();
      const outputs = await session.run({
        steps: scalar(count),
        theta_in: vector(theta),
        m_in: vector(m),
        v_in: vector(v),
        order: vector(nextRows(count * batchSize)),
        ...factors,
        ...data,
      });
      const tookMs = performance.now() - calledAt;
      theta = outputs.theta_out!.data as Float32Array;
      m = outputs.m_out!.data as Float32Array;
      v = outputs.v_out!.data as Float32Array;
      losses.set(outputs.losses!.data as Float32Array, done);
      done += count;
      options.onProgress?.(done, steps, losses[done - 1]!);
      const affordable = Math.floor((count * callMs) / Math.max(tookMs, 0.1));
      perCall = Math.max(1, Math.min(affordable, 2 * perCall, maxStepsPerCall));
    }
  } finally {
    await session.dispose();
  }
  return {
    parameters,
    theta: theta.slice(),
    m: m.slice(),
    v: v.slice(),
    step: firstStep + steps,
    losses,
    durationMs: performance.now() - startedAt,
  };
}

/** Adam's per-step factors: bias corrections folded into rate and epsilon (Kingma and Ba 2015, section 2). */
function scheduleOf(
  { learningRate, steps }: TrainOptions,
  at: {
    firstStep: number;
    done: number;
    count: number;
    beta1: number;
    beta2: number;
    epsilon: number;
    weightDecay: number;
  },
): Record<"rate" | "epsilon" | "decay", OrtTensor> {
  const rate = new Float32Array(at.count);
  const epsilon = new Float32Array(at.count);
  const decay = new Float32Array(at.count);
  for (let k = 0; k < at.count; k++) {
    const t = at.firstStep + at.done + k + 1;
    const rootCorrection = Math.sqrt(1 - at.beta2 ** t);
    const alpha = learningRate(at.done + k, steps);
    rate[k] = (alpha * rootCorrection) / (1 - at.beta1 ** t);
    epsilon[k] = at.epsilon * rootCorrection;
    decay[k] = 1 - alpha * at.weightDecay;
  }
  return { rate: vector(rate), epsilon: vector(epsilon), decay: vector(decay) };
}
