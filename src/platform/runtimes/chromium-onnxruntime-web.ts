/**
 * ONNX Runtime Web in a page of headless Chromium: the WebAssembly build, one thread.
 */
import { createPageRuntime } from "../browser/page-runtime.js";

/** ONNX Runtime Web (WebAssembly) in Chromium. */
export const runtime = createPageRuntime({
  name: "chromium-onnxruntime-web",
  family: "onnxruntime-web",
  title: "ONNX Runtime Web (Chromium)",
  modelFormat: "onnx",
  slugStem: "ortweb",
  settings: { target: "wasm-simd", optimisation: "all" },
  packages: {
    "onnxruntime-web": [
      "dist/ort.wasm.min.mjs",
      "dist/ort-wasm-simd-threaded.mjs",
      "dist/ort-wasm-simd-threaded.wasm",
    ],
  },
  imports: { "onnxruntime-web": "onnxruntime-web/dist/ort.wasm.min.mjs" },
  modules: ["platform/browser/page/onnxruntime-web", "platform/onnx-session", "platform/ort-web"],
  layout: "nchw",
});
