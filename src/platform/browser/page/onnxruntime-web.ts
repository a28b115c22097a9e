/**
 * ONNX Runtime Web in a page: its build for WebAssembly alone, one thread, on the page's own thread.
 */
// The page's import map says which file that is.
import * as onnxruntimeWeb from "onnxruntime-web";
import { sizeOf, theOnlyTensor } from "../../onnx-session.js";
import { ortWebLoadError } from "../../ort-web-error.js";
import { type PageSession, servePage } from "./sessions.js";

/** The part of onnxruntime-web that is used. */
interface OrtWeb {
  readonly env: { readonly wasm: { numThreads?: number; wasmPaths?: string }; logLevel?: string };
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<OrtSession>;
  };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => OrtTensor;
}

interface OrtTensor {
  readonly data: unknown;
  readonly dims: readonly number[];
}

interface OrtSession {
  readonly inputMetadata: readonly OrtMetadata[];
  readonly outputMetadata: readonly OrtMetadata[];
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

interface OrtMetadata {
  readonly name: string;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

const ort = onnxruntimeWeb as unknown as OrtWeb;
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = new URL("packages/onnxruntime-web/dist/", pageUrl()).href;
ort.env.logLevel = "error";

function pageUrl(): string {
  return (globalThis as unknown as { location: { href: string } }).location.href;
}

const describe = (metadata: OrtMetadata) => ({
  name: metadata.name,
  dataType: metadata.type ?? "not a tensor",
  dims: metadata.shape ?? [],
});

async function createSession(model: Uint8Array): Promise<OrtSession> {
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
    const input = theOnlyTensor("input", session.inputMetadata.map(describe));
    const inputValues = new Float32Array(sizeOf(input.shape));
    const feeds = { [input.name]: new ort.Tensor("float32", inputValues, input.shape) };
    // A free batch of the output is known only after a run.
    let outputs = await session.run(feeds);
    const output = theOnlyTensor(
      "output",
      session.outputMetadata.map((metadata) => ({
        ...describe(metadata),
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
