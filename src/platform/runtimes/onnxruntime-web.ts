/**
 * ONNX Runtime compiled to WebAssembly (SIMD), run in Node: what a browser's CPU path does, without a browser.
 *
 * Threads are a setting of the whole process (`env.wasm.numThreads`), fixed by the first session: one process
 * serves one variant. `run` is a promise that is settled without a turn of the event loop; it allocates its
 * output anew each time, as in every application that uses this runtime.
 */
import { InternalError, messageOf } from "../../errors.js";
import type { RuntimeInfo } from "../../record/platform.js";
import { shortVersion, sizeOf, theOnlyTensor, threadCounts } from "../onnx-session.js";
import { ortWebLoadError } from "../ort-web-error.js";
import type { Availability, Runtime, RuntimeVariant, Session } from "../runtime.js";

const family = "onnxruntime-web";

/** The part of onnxruntime-web that is used; its own types belong to onnxruntime-common. */
interface OrtWeb {
  readonly env: {
    readonly versions: { readonly web?: string; readonly common: string };
    readonly wasm: { numThreads?: number };
    logLevel?: string;
  };
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<WebSession>;
  };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => WebTensor;
}

interface WebTensor {
  readonly data: unknown;
  readonly dims: readonly number[];
}

interface WebSession {
  readonly inputMetadata: readonly WebMetadata[];
  readonly outputMetadata: readonly WebMetadata[];
  run(feeds: Record<string, WebTensor>): Promise<Record<string, WebTensor>>;
  release(): Promise<void>;
}

interface WebMetadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

let threadsOfProcess: number | undefined;

async function importOrtWeb(): Promise<OrtWeb> {
  return (await import("onnxruntime-web")) as unknown as OrtWeb;
}

const describe = (metadata: WebMetadata) => ({
  name: metadata.name,
  dataType: metadata.type ?? "not a tensor",
  dims: metadata.shape ?? [],
});

async function load(model: Uint8Array, info: RuntimeInfo): Promise<Session> {
  const ort = await importOrtWeb();
  if (threadsOfProcess !== undefined && threadsOfProcess !== info.threads) {
    throw new InternalError(
      `onnxruntime-web runs with ${threadsOfProcess} threads in this process, asked for ${info.threads}`,
    );
  }
  threadsOfProcess = info.threads;
  ort.env.wasm.numThreads = info.threads;
  ort.env.logLevel = "error";
  let session: WebSession;
  try {
    session = await ort.InferenceSession.create(model, {
      executionProviders: ["wasm"],
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
    });
  } catch (cause) {
    throw ortWebLoadError(cause);
  }
  try {
    const input = theOnlyTensor("input", session.inputMetadata.map(describe));
    const inputValues = new Float32Array(sizeOf(input.shape));
    const feeds = { [input.name]: new ort.Tensor("float32", inputValues, input.shape) };
    let outputs = await session.run(feeds);
    const output = theOnlyTensor(
      "output",
      session.outputMetadata.map((metadata) => ({
        ...describe(metadata),
        dims: outputs[metadata.name]!.dims,
      })),
    );
    let isReleased = false;
    return {
      inputShape: input.shape,
      outputShape: output.shape,
      setInput: (values) => inputValues.set(values),
      async run() {
        outputs = await session.run(feeds);
      },
      output: () => (outputs[output.name]!.data as Float32Array).slice(),
      async dispose() {
        if (isReleased) return;
        isReleased = true;
        await session.release();
      },
    };
  } catch (error) {
    await session.release();
    throw error;
  }
}

/** ONNX Runtime Web: WebAssembly with SIMD in Node. */
export const runtime: Runtime = {
  name: family,
  family,
  slugPattern: /^(?:ortweb|onnxruntime-web)/,
  title: "ONNX Runtime Web (WebAssembly in Node)",
  modelFormat: "onnx",

  async probe(): Promise<Availability> {
    try {
      const { env } = await importOrtWeb();
      return { available: true, version: env.versions.web ?? env.versions.common };
    } catch (error) {
      return {
        available: false,
        reason: `onnxruntime-web cannot be loaded: ${messageOf(error)}`,
        remedy: "npm install onnxruntime-web",
      };
    }
  },

  variants(version: string, nCores: number): readonly RuntimeVariant[] {
    return threadCounts(nCores).map((threads) => ({
      slug: `ortweb${shortVersion(version)}-wasm-t${threads}`,
      info: { family, version, threads, settings: { target: "wasm-simd", optimisation: "all" } },
    }));
  },

  load,
};
