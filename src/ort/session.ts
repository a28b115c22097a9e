/**
 * The one door to onnxruntime-node: load a model, run it, dispose of it. Serves the measuring runtime
 * (`platform/onnxruntime.ts`) and the training engine (`nn/`). Nothing is loaded before the first session.
 *
 * The public `run` waits for a turn of the event loop (`setImmediate`) and re-checks its arguments: 6.6 µs on a
 * quiet loop with a 10 µs network, 15–50 µs after a run that emptied the caches, more when the loop is busy.
 * That belongs to the binding, not to the runtime, so sessions here call the native session synchronously (the
 * class that the package's own `dist/binding.js` exports and types). Where that file is missing or different,
 * the public API is used and `isSynchronous` says so.
 */
import { createRequire } from "node:module";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { FormatError, InputError, messageOf, UnsupportedError } from "../errors.js";

export type OrtOptimisation = "disabled" | "basic" | "extended" | "layout" | "all";

export type OrtData =
  | Float32Array
  | Float64Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Int8Array;

/** Values with their dimensions, outermost first. `type` is needed only for `bool` (stored as bytes). */
export interface OrtTensor<Data extends OrtData = OrtData> {
  readonly data: Data;
  readonly dims: readonly number[];
  readonly type?: "bool";
}

/** A session's input or output; a dimension known by name only is a string. */
export interface OrtTensorInfo {
  readonly name: string;
  readonly dataType: string;
  readonly dims: readonly (number | string)[];
}

export interface OrtSessionOptions {
  /** Graph optimisations; default `all`. */
  readonly optimisation?: OrtOptimisation;
  /** Threads within an operator, counting the caller; default 1. Operators run one after the other. */
  readonly threads?: number;
  /** Whether threads of the pool spin while they wait for work within a run; default true. */
  readonly allowSpinning?: boolean;
  /**
   * Whether they go on spinning after a run (over 30 ms of a core each time, in 1.30); default false, otherwise
   * than ONNX Runtime itself. A run that follows at once takes as long either way.
   */
  readonly spinBetweenRuns?: boolean;
}

/** A session with its inputs and outputs fixed: `run` reads and writes the same memory every time. */
export interface OrtBinding {
  /** One inference; synchronous when the session is. */
  run(): void | Promise<void>;
}

export interface OrtSession {
  readonly version: string;
  readonly inputs: readonly OrtTensorInfo[];
  readonly outputs: readonly OrtTensorInfo[];
  /** Whether runs return when they are done, without a turn of the event loop. */
  readonly isSynchronous: boolean;
  /**
   * One inference. It blocks the event loop while it runs, whatever the promise suggests.
   *
   * @param fetches - names of the wanted outputs; default all
   */
  run(
    feeds: Readonly<Record<string, OrtTensor>>,
    fetches?: readonly string[],
  ): Promise<Record<string, OrtTensor>>;
  /** Fix the memory of all inputs and outputs: change `data` of a feed, run, read `data` of an output. */
  bind(
    feeds: Readonly<Record<string, OrtTensor>>,
    outputs: Readonly<Record<string, OrtTensor>>,
  ): OrtBinding;
  /** Free the native session; again is harmless. */
  dispose(): Promise<void>;
}

type Tensors = Record<string, Tensor>;
type Fetches = Record<string, Tensor | null>;

/** What is used of the native session of `dist/binding.js`. */
interface NativeSession {
  loadModel(
    buffer: ArrayBufferLike,
    byteOffset: number,
    byteLength: number,
    options: InferenceSession.SessionOptions,
  ): void;
  readonly inputMetadata: readonly NativeMetadata[];
  readonly outputMetadata: readonly NativeMetadata[];
  run(feeds: Tensors, fetches: Fetches, options: object): Tensors;
  dispose(): void;
}

interface NativeMetadata {
  readonly name: string;
  readonly isTensor: boolean;
  /** ONNX's TensorProto.DataType. */
  readonly type: number;
  readonly shape: readonly number[];
  readonly symbolicDimensions: readonly string[];
}

interface NativeBinding {
  readonly binding: { readonly InferenceSession: new () => NativeSession };
  readonly initOrt: () => void;
}

type Ort = typeof import("onnxruntime-node");

/** TensorProto.DataType by number, as far as named by onnxruntime-common. */
const dataTypes: Readonly<Record<number, string>> = {
  1: "float32",
  2: "uint8",
  3: "int8",
  5: "int16",
  6: "int32",
  7: "int64",
  9: "bool",
  10: "float16",
  11: "float64",
};

/** Severity 3 = errors: warnings about a model are not for the user's terminal. */
const logSeverityLevel = 3;

let loading: Promise<{ ort: Ort; native: NativeBinding | undefined }> | undefined;

function loadNativeBinding(): NativeBinding | undefined {
  try {
    const require = createRequire(import.meta.url);
    const found = require("onnxruntime-node/dist/binding.js") as Partial<NativeBinding>;
    const methods = found.binding?.InferenceSession.prototype as Partial<NativeSession> | undefined;
    const usable =
      typeof found.initOrt === "function" &&
      typeof methods?.loadModel === "function" &&
      typeof methods.run === "function" &&
      typeof methods.dispose === "function";
    return usable ? (found as NativeBinding) : undefined;
  } catch {
    return undefined; // another layout of the package: the public API serves
  }
}

async function loadOrt() {
  loading ??= (async () => {
    try {
      const ort = await import("onnxruntime-node");
      ort.env.logLevel = "error";
      return { ort, native: loadNativeBinding() };
    } catch (cause) {
      loading = undefined;
      throw new UnsupportedError(`onnxruntime-node cannot be loaded: ${messageOf(cause)}`, {
        cause,
        hint: "install it with `npm install onnxruntime-node` on Linux, macOS (arm64) or Windows",
      });
    }
  })();
  return loading;
}

/**
 * Version of ONNX Runtime, e.g. `1.30.0`; loads the native library.
 *
 * @throws UnsupportedError when it cannot be loaded here
 */
export async function ortVersion(): Promise<string> {
  const { ort } = await loadOrt();
  return ort.env.versions.node ?? ort.env.versions.common;
}

function loadError(cause: unknown): Error {
  const message = messageOf(cause);
  const missing =
    /Could not find an implementation for (\w+)/.exec(message) ??
    /([\w.:]+)\(-?\d+\) is not a registered function\/op/.exec(message);
  if (missing) {
    return new UnsupportedError(`ONNX Runtime has no operator ${missing[1]}: ${message}`, {
      cause,
    });
  }
  return new FormatError(`ONNX Runtime cannot load the model: ${message}`, { cause });
}

function nativeInfo(metadata: NativeMetadata): OrtTensorInfo {
  return {
    name: metadata.name,
    dataType: dataTypes[metadata.type] ?? `onnx type ${metadata.type}`,
    dims: metadata.shape.map((dim, i) => (dim >= 0 ? dim : metadata.symbolicDimensions[i]!)),
  };
}

function publicInfo(metadata: InferenceSession.ValueMetadata): OrtTensorInfo {
  if (!metadata.isTensor) return { name: metadata.name, dataType: "not a tensor", dims: [] };
  return { name: metadata.name, dataType: metadata.type, dims: metadata.shape };
}

function createTensors(ort: Ort, values: Readonly<Record<string, OrtTensor>>): Tensors {
  const tensors: Tensors = {};
  for (const [name, { data, dims, type }] of Object.entries(values)) {
    tensors[name] =
      type === "bool" ? new ort.Tensor(type, data as Uint8Array, dims) : new ort.Tensor(data, dims);
  }
  return tensors;
}

function valuesOf(tensors: Readonly<Record<string, Tensor>>): Record<string, OrtTensor> {
  const values: Record<string, OrtTensor> = {};
  for (const [name, { data, dims, type }] of Object.entries(tensors)) {
    const tensor = { data: data as OrtData, dims };
    values[name] = type === "bool" ? { ...tensor, type } : tensor;
  }
  return values;
}

/** The part that differs between the native session and the public one. */
interface Core {
  readonly inputs: readonly OrtTensorInfo[];
  readonly outputs: readonly OrtTensorInfo[];
  readonly isSynchronous: boolean;
  run(feeds: Tensors, fetches: Fetches): Tensors | Promise<Tensors>;
  release(): void | Promise<void>;
}

function createNativeCore(
  native: NativeBinding,
  model: Uint8Array,
  options: InferenceSession.SessionOptions,
): Core {
  native.initOrt();
  const session = new native.binding.InferenceSession();
  session.loadModel(model.buffer, model.byteOffset, model.byteLength, options);
  const noOptions = {};
  return {
    inputs: session.inputMetadata.map(nativeInfo),
    outputs: session.outputMetadata.map(nativeInfo),
    isSynchronous: true,
    run: (feeds, fetches) => session.run(feeds, fetches, noOptions),
    release: () => session.dispose(),
  };
}

async function createPublicCore(
  ort: Ort,
  model: Uint8Array,
  options: InferenceSession.SessionOptions,
): Promise<Core> {
  const session = await ort.InferenceSession.create(model, options);
  return {
    inputs: session.inputMetadata.map(publicInfo),
    outputs: session.outputMetadata.map(publicInfo),
    isSynchronous: false,
    run: (feeds, fetches) => session.run(feeds, fetches) as Promise<Tensors>,
    release: () => session.release(),
  };
}

function checkFeeds(core: Core, feeds: Readonly<Record<string, OrtTensor>>): void {
  for (const { name } of core.inputs) {
    if (feeds[name] === undefined) throw new InputError(`input "${name}" is missing in the feeds`);
  }
}

/**
 * Load a model into ONNX Runtime on the CPU.
 *
 * @param model - bytes of an ONNX file
 * @throws FormatError when the bytes are no valid model; UnsupportedError when an operator is unknown
 */
export async function createOrtSession(
  model: Uint8Array,
  options: OrtSessionOptions = {},
): Promise<OrtSession> {
  const { ort, native } = await loadOrt();
  const { optimisation = "all", threads = 1 } = options;
  const { allowSpinning = true, spinBetweenRuns = false } = options;
  const sessionOptions: InferenceSession.SessionOptions = {
    executionProviders: ["cpu"],
    graphOptimizationLevel: optimisation,
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    logSeverityLevel,
    extra: {
      session: {
        intra_op: { allow_spinning: allowSpinning ? "1" : "0" },
        force_spinning_stop: spinBetweenRuns ? "0" : "1",
      },
    },
  };
  let core: Core;
  try {
    core =
      native === undefined
        ? await createPublicCore(ort, model, sessionOptions)
        : createNativeCore(native, model, sessionOptions);
  } catch (cause) {
    throw loadError(cause);
  }
  const { run } = core;
  let isDisposed = false;
  return {
    version: ort.env.versions.node ?? ort.env.versions.common,
    inputs: core.inputs,
    outputs: core.outputs,
    isSynchronous: core.isSynchronous,

    async run(feeds, fetches = core.outputs.map(({ name }) => name)) {
      checkFeeds(core, feeds);
      const wanted: Fetches = {};
      for (const name of fetches) wanted[name] = null;
      return valuesOf(await run(createTensors(ort, feeds), wanted));
    },

    bind(feeds, outputs) {
      checkFeeds(core, feeds);
      const boundFeeds = createTensors(ort, feeds);
      const boundOutputs = createTensors(ort, outputs);
      return core.isSynchronous
        ? { run: () => void run(boundFeeds, boundOutputs) }
        : { run: async () => void (await run(boundFeeds, boundOutputs)) };
    },

    async dispose() {
      if (isDisposed) return;
      isDisposed = true;
      await core.release();
    },
  };
}
