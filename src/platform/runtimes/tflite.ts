/**
 * TensorFlow Lite by its C API: with the XNNPACK delegate, or with its builtin kernels. Tensors are NHWC there; this
 * file turns them, outside `run`. Which library it is: see `tflite-library.ts`.
 */
import { readdirSync } from "node:fs";
import { FormatError, InternalError, messageOf, UnsupportedError } from "../../errors.js";
import type { RuntimeInfo } from "../../record/platform.js";
import { copyToNchw, copyToNhwc, nchwShape } from "../layout.js";
import { shortVersion, sizeOf, theOnlyTensor, threadCounts } from "../onnx-session.js";
import type { Availability, Runtime, RuntimeVariant, Session } from "../runtime.js";
import { loadTfLite, type Pointer, type TfLite } from "../tflite-library.js";
import { checkTfliteMark } from "../tflite-model.js";

const family = "tflite";
const delegates = ["xnnpack", "builtin"] as const;
type Delegate = (typeof delegates)[number];

const isNull = (pointer: Pointer | null) => pointer === null || pointer === 0n;

/** TfLiteType by number, as far as it is needed. */
const float32Type = 1;

/**
 * Bytes kept for TfLiteXNNPackDelegateOptions, which has grown from 8 to 64 over the versions: in all of them
 * `num_threads` comes first and zero is the default of the rest as far as float32 goes.
 */
const delegateOptionsBytes = 256;

/** Undo in reverse what was done; again is harmless. */
class Cleanup {
  readonly #steps: (() => void)[] = [];

  add(step: () => void): void {
    this.#steps.push(step);
  }

  run(): void {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) step();
  }
}

function createModel(tflite: TfLite, model: Uint8Array, cleanup: Cleanup): Pointer {
  checkTfliteMark(model);
  // A copy of its own (malloc's alignment), kept by `cleanup` as long as the library reads it.
  const bytes = Buffer.allocUnsafeSlow(model.length);
  bytes.set(model);
  const pointer = tflite.modelCreate(bytes, bytes.length);
  if (isNull(pointer)) {
    throw new FormatError(`TensorFlow Lite cannot read the model: ${tflite.takeMessages()}`);
  }
  cleanup.add(() => {
    tflite.modelDelete(pointer);
    bytes.fill(0, 0, 1);
  });
  return pointer;
}

function createInterpreter(
  tflite: TfLite,
  model: Pointer,
  settings: { threads: number; delegate: Delegate },
  cleanup: Cleanup,
): Pointer {
  const options = tflite.optionsCreate();
  try {
    tflite.optionsSetNumThreads(options, settings.threads);
    tflite.optionsSetErrorReporter(options, tflite.reporter, null);
    if (settings.delegate === "xnnpack") {
      const delegateOptions = Buffer.alloc(delegateOptionsBytes);
      delegateOptions.writeInt32LE(settings.threads, 0);
      const delegate = tflite.xnnpackCreate(delegateOptions);
      if (isNull(delegate)) {
        throw new UnsupportedError("TensorFlow Lite cannot start XNNPACK on this processor");
      }
      cleanup.add(() => tflite.xnnpackDelete(delegate));
      tflite.optionsAddDelegate(options, delegate);
    }
    const interpreter = tflite.interpreterCreate(model, options);
    if (isNull(interpreter)) {
      throw new UnsupportedError(`TensorFlow Lite cannot run the model: ${tflite.takeMessages()}`);
    }
    cleanup.add(() => tflite.interpreterDelete(interpreter));
    return interpreter;
  } finally {
    tflite.optionsDelete(options);
  }
}

function allocateTensors(tflite: TfLite, interpreter: Pointer): void {
  if (tflite.interpreterAllocateTensors(interpreter) !== 0) {
    throw new UnsupportedError(`TensorFlow Lite cannot run the model: ${tflite.takeMessages()}`);
  }
}

const nThreadsNow = () => readdirSync("/proc/self/task").length;

/**
 * Refuse a library that applies XNNPACK unasked (as builds of some newer versions do): its "builtin" would be a
 * second XNNPACK. With two threads XNNPACK starts one when tensors are allocated, builtin kernels only when run.
 * Only Linux shows the threads; elsewhere the check is left out.
 */
function checkReallyBuiltin(tflite: TfLite, model: Pointer): void {
  if (process.platform !== "linux") return;
  const cleanup = new Cleanup();
  try {
    const nThreadsBefore = nThreadsNow();
    const settings = { threads: 2, delegate: "builtin" } as const;
    allocateTensors(tflite, createInterpreter(tflite, model, settings, cleanup));
    if (nThreadsNow() > nThreadsBefore) {
      throw new UnsupportedError(
        `TensorFlow Lite ${tflite.version()} applies XNNPACK by default, so its builtin kernels cannot be measured`,
        { hint: "unset SAMARA_TFLITE_LIBRARY, or build the library without tflite_with_xnnpack" },
      );
    }
  } finally {
    cleanup.run();
  }
}

function describeTensor(tflite: TfLite, tensor: Pointer) {
  const rank = tflite.tensorRank(tensor);
  return {
    name: tflite.tensorName(tensor),
    dataType: tflite.tensorType(tensor) === float32Type ? "float32" : "another type",
    dims: Array.from({ length: rank }, (_, i) => tflite.tensorDim(tensor, i)),
  };
}

/** A tensor of the interpreter: NCHW shape for the outside, values in the library's own order. */
interface NativeTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

function openTensor(tflite: TfLite, what: "input" | "output", interpreter: Pointer): NativeTensor {
  const isInput = what === "input";
  const count = isInput ? tflite.inputCount(interpreter) : tflite.outputCount(interpreter);
  const pointers = Array.from({ length: count }, (_, i) =>
    isInput ? tflite.inputTensor(interpreter, i) : tflite.outputTensor(interpreter, i),
  );
  const { shape } = theOnlyTensor(
    what,
    pointers.map((pointer) => describeTensor(tflite, pointer)),
  );
  const data = tflite.tensorData(pointers[0]!);
  if (isNull(data)) throw new InternalError(`TensorFlow Lite gave no memory for the ${what}`);
  return {
    shape: nchwShape(shape),
    values: new Float32Array(tflite.viewMemory(data, 4 * sizeOf(shape))),
  };
}

function delegateOf(info: RuntimeInfo): Delegate {
  const delegate = delegates.find((known) => known === info.settings.delegate);
  if (delegate !== undefined) return delegate;
  throw new UnsupportedError(
    `tflite has no delegate "${String(info.settings.delegate)}"; there are: ${delegates.join(", ")}`,
  );
}

let isReallyBuiltin = false;

async function load(model: Uint8Array, info: RuntimeInfo): Promise<Session> {
  const tflite = await loadTfLite();
  const delegate = delegateOf(info);
  const cleanup = new Cleanup();
  try {
    tflite.takeMessages();
    const nativeModel = createModel(tflite, model, cleanup);
    if (delegate === "builtin" && !isReallyBuiltin) {
      checkReallyBuiltin(tflite, nativeModel);
      isReallyBuiltin = true;
    }
    const settings = { threads: info.threads, delegate };
    const interpreter = createInterpreter(tflite, nativeModel, settings, cleanup);
    allocateTensors(tflite, interpreter);
    const input = openTensor(tflite, "input", interpreter);
    const output = openTensor(tflite, "output", interpreter);
    const invoke = tflite.interpreterInvoke;
    return {
      inputShape: input.shape,
      outputShape: output.shape,
      setInput: (values) => copyToNhwc(values, input.values, input.shape),
      run() {
        if (invoke(interpreter) !== 0) {
          throw new UnsupportedError(
            `TensorFlow Lite cannot run the model: ${tflite.takeMessages()}`,
          );
        }
      },
      output() {
        const values = new Float32Array(output.values.length);
        copyToNchw(output.values, values, output.shape);
        return values;
      },
      dispose: () => cleanup.run(),
    };
  } catch (error) {
    cleanup.run();
    throw error;
  }
}

/** TensorFlow Lite (C API) with XNNPACK or builtin kernels. */
export const runtime: Runtime = {
  name: family,
  family,
  slugPattern: /^tflite/,
  title: "TensorFlow Lite (C API)",
  modelFormat: "tflite",

  async probe(): Promise<Availability> {
    try {
      return { available: true, version: (await loadTfLite()).version() };
    } catch (error) {
      return {
        available: false,
        reason: messageOf(error),
        remedy:
          "npm install tfjs-tflite-node --ignore-scripts, or set SAMARA_TFLITE_LIBRARY to your libtensorflowlite_c",
      };
    }
  },

  variants(version: string, nCores: number): readonly RuntimeVariant[] {
    return delegates.flatMap((delegate) =>
      threadCounts(nCores).map((threads) => ({
        slug: `tflite${shortVersion(version)}-${delegate}-t${threads}`,
        info: { family, version, threads, settings: { delegate }, removesDeadOperators: true },
      })),
    );
  },

  load,
};
