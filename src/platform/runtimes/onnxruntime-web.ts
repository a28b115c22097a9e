/**
 * ONNX Runtime compiled to WebAssembly (SIMD), run in Node: what a browser's CPU path does, without a browser.
 *
 * Threads are a setting of the whole process (`env.wasm.numThreads`), fixed by the first session: one process
 * serves one variant. `run` is a promise that is settled without a turn of the event loop; it allocates its
 * output anew each time, as in every application that uses this runtime.
 */
import { InternalError, messageOf } from "../../errors.js";
import type { RuntimeInfo } from "../../record/platform.js";
import { shortVersion, threadCounts } from "../onnx-session.js";
import { type OrtWeb, openOrtWebModel } from "../ort-web.js";
import type { Availability, Runtime, RuntimeVariant, Session } from "../runtime.js";

const family = "onnxruntime-web";

let threadsOfProcess: number | undefined;

async function importOrtWeb(): Promise<OrtWeb> {
  return (await import("onnxruntime-web")) as unknown as OrtWeb;
}

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
  const opened = await openOrtWebModel(ort, model);
  let isReleased = false;
  return {
    inputShape: opened.inputShape,
    outputShape: opened.outputShape,
    setInput: opened.setInput,
    run: opened.run,
    output: () => opened.output().slice(),
    async dispose() {
      if (isReleased) return;
      isReleased = true;
      await opened.release();
    },
  };
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
