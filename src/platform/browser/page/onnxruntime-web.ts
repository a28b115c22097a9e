/**
 * ONNX Runtime Web in a page: its build for WebAssembly alone, one thread, on the page's own thread.
 */
// The page's import map says which file that is.
import * as onnxruntimeWeb from "onnxruntime-web";
import { type OrtWeb, openOrtWebModel } from "../../ort-web.js";
import { type PageSession, servePage } from "./sessions.js";

const ort = onnxruntimeWeb as unknown as OrtWeb;
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = new URL("packages/onnxruntime-web/dist/", pageUrl()).href;
ort.env.logLevel = "error";

function pageUrl(): string {
  return (globalThis as unknown as { location: { href: string } }).location.href;
}

async function load(model: Uint8Array): Promise<PageSession> {
  const { release, ...opened } = await openOrtWebModel(ort, model);
  return { ...opened, dispose: release };
}

servePage(load);
