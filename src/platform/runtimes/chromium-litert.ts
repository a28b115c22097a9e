/**
 * LiteRT.js (TensorFlow Lite's successor) in a page of headless Chromium: WebAssembly with XNNPACK, one thread.
 */
import { FormatError } from "../../errors.js";
import { createPageRuntime } from "../browser/page-runtime.js";

/** LiteRT.js (WebAssembly) in Chromium. */
export const runtime = createPageRuntime({
  name: "chromium-litert",
  family: "litert",
  title: "LiteRT.js (Chromium)",
  modelFormat: "tflite",
  slugStem: "litert",
  removesDeadOperators: true,
  settings: { target: "wasm", delegate: "xnnpack" },
  packages: {
    "@litertjs/core": [
      "dist/index.js",
      // Which of the two is fetched depends on the browser: with relaxed SIMD, or compatible.
      "wasm/litert_wasm_internal.js",
      "wasm/litert_wasm_internal.wasm",
      "wasm/litert_wasm_compat_internal.js",
      "wasm/litert_wasm_compat_internal.wasm",
    ],
    "@litertjs/wasm-utils": ["dist/index.js"],
  },
  imports: {
    "@litertjs/core": "@litertjs/core/dist/index.js",
    "@litertjs/wasm-utils": "@litertjs/wasm-utils/dist/index.js",
  },
  modules: ["platform/browser/page/litert", "platform/onnx-session"],
  layout: "nhwc",

  checkModel(model) {
    // The identifier of the FlatBuffers schema; the library does not look.
    if (model.length < 16 || Buffer.from(model.subarray(4, 8)).toString("latin1") !== "TFL3") {
      throw new FormatError("the model is not a TensorFlow Lite file: it lacks the mark TFL3");
    }
  },
});
