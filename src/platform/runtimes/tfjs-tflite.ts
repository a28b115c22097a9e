/**
 * TensorFlow Lite compiled to WebAssembly with SIMD (XNNPACK inside), as the package tfjs-tflite ships it for browsers,
 * run in Node. Its module is spoken to directly, so that TensorFlow.js is not needed. The build has no threads.
 *
 * Tensors are NHWC, turned here outside `run`.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { messageOf, UnsupportedError } from "../../errors.js";
import { copyToNchw, copyToNhwc, nchwShape } from "../layout.js";
import { sizeOf, theOnlyTensor } from "../onnx-session.js";
import { findPackage } from "../optional-package.js";
import type { Availability, Runtime, RuntimeVariant, Session } from "../runtime.js";
import { checkTfliteMark } from "../tflite-model.js";

const name = "tfjs-tflite";
/** Its kernels are those of the C library. */
const family = "tflite";
const packageName = "@tensorflow/tfjs-tflite";

/** An object of the module's C++ side, which nobody collects. */
interface Deletable {
  delete(): void;
}

interface WasmTensor extends Deletable {
  readonly name: string;
  readonly dataType: string;
  /** Joined by commas. */
  readonly shape: string;
  /** View of the tensor; stale when the module's memory has grown. */
  data(): Float32Array;
}

interface WasmTensors extends Deletable {
  size(): number;
  get(i: number): WasmTensor;
}

interface WasmRunner extends Deletable {
  GetInputs(): WasmTensors;
  GetOutputs(): WasmTensors;
  Infer(): boolean;
}

interface WasmStatus extends Deletable {
  ok(): boolean;
  errorMessage(): string;
  value(): WasmRunner;
}

/** The part of the module that is used. */
interface WasmModule {
  readonly HEAPU8: Uint8Array;
  _malloc(sizeBytes: number): number;
  _free(pointer: number): void;
  readonly TFLiteWebModelRunner: {
    CreateFromBufferAndOptions(model: number, sizeBytes: number, options: object): WasmStatus;
  };
}

type WasmFactory = (settings: object) => Promise<WasmModule>;

let loaded: Promise<WasmModule> | undefined;
let messages: string[] = [];

async function openModule(): Promise<WasmModule> {
  const stem = join(findPackage(packageName).folder, "wasm", "tflite_web_api_cc_simd");
  const factory = createRequire(import.meta.url)(`${stem}.js`) as WasmFactory;
  // Made for browsers, it knows no files: given the bytes, it looks for none.
  const wasmBinary = readFileSync(`${stem}.wasm`);
  const printErr = (text: string) => messages.push(text);
  return factory({ wasmBinary, print: () => {}, printErr });
}

/** The module, started once a process. */
function loadModule(): Promise<WasmModule> {
  loaded ??= openModule().catch((cause: unknown) => {
    loaded = undefined;
    throw new UnsupportedError(`tfjs-tflite cannot be loaded: ${messageOf(cause)}`, { cause });
  });
  return loaded;
}

/** A tensor of a runner with its NCHW shape. */
interface OpenTensor {
  readonly tensor: WasmTensor;
  readonly shape: readonly number[];
}

function openTensor(
  what: "input" | "output",
  tensors: WasmTensors,
  owned: Deletable[],
): OpenTensor {
  owned.push(tensors);
  const all = Array.from({ length: tensors.size() }, (_, i) => tensors.get(i));
  owned.push(...all);
  const { shape } = theOnlyTensor(
    what,
    all.map((tensor) => ({
      name: tensor.name,
      dataType: tensor.dataType,
      dims: tensor.shape === "" ? [] : tensor.shape.split(",").map(Number),
    })),
  );
  return { tensor: all[0]!, shape: nchwShape(shape) };
}

function openRunner(module: WasmModule, pointer: number, sizeBytes: number): WasmRunner {
  messages = [];
  const options = { numThreads: 1, enableProfiling: false, maxProfilingBufferEntries: 1 };
  const status = module.TFLiteWebModelRunner.CreateFromBufferAndOptions(
    pointer,
    sizeBytes,
    options,
  );
  try {
    if (status.ok()) return status.value();
    throw new UnsupportedError(
      `tfjs-tflite cannot run the model: ${[status.errorMessage(), ...messages].join("; ")}`,
    );
  } finally {
    status.delete();
  }
}

async function load(model: Uint8Array): Promise<Session> {
  checkTfliteMark(model);
  const module = await loadModule();
  // The interpreter reads its weights from these bytes as long as it lives.
  const pointer = module._malloc(model.length);
  module.HEAPU8.set(model, pointer);
  const owned: Deletable[] = [];
  let isReleased = false;
  const release = () => {
    if (isReleased) return;
    isReleased = true;
    for (const object of owned.reverse()) object.delete();
    module._free(pointer);
  };
  try {
    const runner = openRunner(module, pointer, model.length);
    owned.push(runner);
    const input = openTensor("input", runner.GetInputs(), owned);
    const output = openTensor("output", runner.GetOutputs(), owned);
    return {
      inputShape: input.shape,
      outputShape: output.shape,
      setInput: (values) => copyToNhwc(values, input.tensor.data(), input.shape),
      run() {
        if (!runner.Infer()) throw new UnsupportedError("tfjs-tflite cannot run the model");
      },
      output() {
        const values = new Float32Array(sizeOf(output.shape));
        copyToNchw(output.tensor.data(), values, output.shape);
        return values;
      },
      dispose: release,
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** TensorFlow Lite in WebAssembly, by the package tfjs-tflite. */
export const runtime: Runtime = {
  name,
  family,
  slugPattern: /^tfjs-?tflite/,
  title: "tfjs-tflite (WebAssembly in Node)",
  modelFormat: "tflite",

  async probe(): Promise<Availability> {
    try {
      return { available: true, version: findPackage(packageName).version };
    } catch (error) {
      return {
        available: false,
        reason: messageOf(error),
        remedy: `npm install ${packageName}`,
      };
    }
  },

  variants: (version: string): readonly RuntimeVariant[] => [
    {
      slug: `tfjstflite${version}-wasm-t1`,
      info: {
        family,
        name,
        version,
        threads: 1,
        settings: { target: "wasm-simd", delegate: "xnnpack" },
        removesDeadOperators: true,
      },
    },
  ],

  load,
};
