/**
 * LiteRT.js in a page of headless Chromium: WebAssembly with relaxed SIMD (XNNPACK underneath), one thread.
 */
import { createPageRuntime } from "../browser/page-runtime.js";
import { checkTfliteMark } from "../tflite-model.js";

/** LiteRT.js (WebAssembly) in Chromium. */
export const runtime = createPageRuntime({
  name: "chromium-litert",
  family: "litert",
  title: "LiteRT.js (Chromium)",
  modelFormat: "tflite",
  slugStem: "litert",
  removesDeadOperators: true,
  settings: { target: "wasm", simd: "relaxed" },
  packages: {
    "@litertjs/core": [
      "dist/index.js",
      "wasm/litert_wasm_internal.js",
      "wasm/litert_wasm_internal.wasm",
    ],
    "@litertjs/wasm-utils": ["dist/index.js"],
  },
  imports: {
    "@litertjs/core": "@litertjs/core/dist/index.js",
    "@litertjs/wasm-utils": "@litertjs/wasm-utils/dist/index.js",
  },
  modules: ["platform/browser/page/litert", "platform/onnx-session"],
  layout: "nhwc",

  parcelOf(model) {
    checkTfliteMark(model);
    return model;
  },
});
