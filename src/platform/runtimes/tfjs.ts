/**
 * TensorFlow.js with its WebAssembly backend (SIMD, XNNPACK inside), run in Node: what a browser page without a GPU
 * gets. It runs operations one by one as they are called, whoever reads their results: an eager runtime. One thread,
 * because its threads need a browser's workers.
 *
 * The backend computes synchronously, inside the calls; nothing is read back during a run.
 */
import { join } from "node:path";
import { InternalError, messageOf, UnsupportedError } from "../../errors.js";
import { readOnnx } from "../../onnx/read.js";
import { lowerForTfjs } from "../browser/tfjs-lowering.js";
import { createTfjsNetwork, type Tfjs } from "../browser/tfjs-network.js";
import { copyToNchw, copyToNhwc, nchwShape } from "../layout.js";
import { shortVersion, sizeOf } from "../onnx-session.js";
import { findPackage } from "../optional-package.js";
import type { Availability, Runtime, RuntimeVariant, Session } from "../runtime.js";

const family = "tfjs";
const corePackage = "@tensorflow/tfjs-core";
const backendPackage = "@tensorflow/tfjs-backend-wasm";

/** What is used of the core beside its operations. */
interface TfjsCore extends Tfjs {
  enableProdMode(): void;
  setBackend(name: "wasm"): Promise<boolean>;
  ready(): Promise<void>;
}

let loaded: Promise<TfjsCore> | undefined;

async function openTfjs(): Promise<TfjsCore> {
  const tf = (await import("@tensorflow/tfjs-core")) as unknown as TfjsCore;
  const wasm = await import("@tensorflow/tfjs-backend-wasm");
  // Without it, the first operation advertises another package on the console.
  tf.enableProdMode();
  wasm.setWasmPaths(`${join(findPackage(backendPackage).folder, "dist")}/`);
  if (!(await tf.setBackend("wasm"))) throw new Error("its WebAssembly backend does not start");
  await tf.ready();
  return tf;
}

/** The module with its backend ready, loaded once a process. */
function loadTfjs(): Promise<TfjsCore> {
  loaded ??= openTfjs().catch((cause: unknown) => {
    loaded = undefined;
    throw new UnsupportedError(`TensorFlow.js cannot be loaded: ${messageOf(cause)}`, { cause });
  });
  return loaded;
}

async function load(model: Uint8Array): Promise<Session> {
  const network = lowerForTfjs(readOnnx(model, { values: true }));
  const tf = await loadTfjs();
  const executor = createTfjsNetwork(tf, network);
  const inputShape = nchwShape(network.inputShape);
  const outputShape = nchwShape(network.outputShape);
  return {
    inputShape,
    outputShape,
    setInput(values) {
      const nhwc = new Float32Array(sizeOf(inputShape));
      copyToNhwc(values, nhwc, inputShape);
      executor.setInput(nhwc);
    },
    run: () => executor.run(),
    output() {
      const nhwc = executor.output();
      if (nhwc === undefined) throw new InternalError("the output was asked for before a run");
      const values = new Float32Array(nhwc.length);
      copyToNchw(nhwc, values, outputShape);
      return values;
    },
    dispose: () => executor.dispose(),
  };
}

/** TensorFlow.js: WebAssembly with SIMD in Node. */
export const runtime: Runtime = {
  name: family,
  family,
  slugPattern: /^tfjs(?!tflite)/,
  title: "TensorFlow.js (WebAssembly in Node)",
  modelFormat: "onnx",

  async probe(): Promise<Availability> {
    try {
      findPackage(backendPackage);
      return { available: true, version: findPackage(corePackage).version };
    } catch (error) {
      return {
        available: false,
        reason: messageOf(error),
        remedy: `npm install ${corePackage} ${backendPackage}`,
      };
    }
  },

  variants: (version: string): readonly RuntimeVariant[] => [
    {
      slug: `tfjs${shortVersion(version)}-wasm-t1`,
      info: { family, version, threads: 1, settings: { target: "wasm-simd" } },
    },
  ],

  load,
};
