/**
 * ONNX Runtime Web in a page: its build for WebAssembly alone, one thread, on the page's own thread.
 */
// The page's import map says which file that is.
import * as onnxruntimeWeb from "onnxruntime-web";
import { sizeOf, theOnlyTensor } from "../../onnx-session.js";
import {
  describeOrtWebTensor,
  type OrtWeb,
  type OrtWebSession,
  ortWebLoadError,
} from "../../ort-web.js";
import { type PageSession, servePage } from "./sessions.js";

const ort = onnxruntimeWeb as unknown as OrtWeb;
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = new URL("packages/onnxruntime-web/dist/", pageUrl()).href;
ort.env.logLevel = "error";

function pageUrl(): string {
  return (globalThis as unknown as { location: { href: string } }).location.href;
}

async function createSession(model: Uint8Array): Promise<OrtWebSession> {
  try {
    return await ort.InferenceSession.create(model, {
      executionProviders: ["wasm"],
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
    });
  } catch (cause) {
    throw ortWebLoadError(cause);
  }
}

async function load(model: Uint8Array): Promise<PageSession> {
  const session = await createSession(model);
  try {
    const input = theOnlyTensor("input", session.inputMetadata.map(describeOrtWebTensor));
    const inputValues = new Float32Array(sizeOf(input.shape));
    const feeds = { [input.name]: new ort.Tensor("float32", inputValues, input.shape) };
    // A free batch of the output is known only after a run.
    let outputs = await session.run(feeds);
    const output = theOnlyTensor(
      "output",
      session.outputMetadata.map((metadata) => ({
        ...describeOrtWebTensor(metadata),
        dims: outputs[metadata.name]!.dims,
      })),
    );
    return {
      inputShape: input.shape,
      outputShape: output.shape,
      setInput: (values) => inputValues.set(values),
      async run() {
        outputs = await session.run(feeds);
      },
      output: () => outputs[output.name]!.data as Float32Array,
      dispose: () => session.release(),
    };
  } catch (error) {
    await session.release();
    throw error;
  }
}

servePage(load);
