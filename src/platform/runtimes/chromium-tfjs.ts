/**
 * TensorFlow.js in a page of headless Chromium: the WebAssembly backend with SIMD, one thread. The model file is
 * read here, the page gets the steps.
 */
import { readOnnx } from "../../onnx/read.js";
import { createPageRuntime } from "../browser/page-runtime.js";
import { lowerForTfjs } from "../browser/tfjs-lowering.js";
import { packTfjsNetwork } from "../browser/tfjs-parcel.js";

/** TensorFlow.js (WebAssembly) in Chromium. */
export const runtime = createPageRuntime({
  name: "chromium-tfjs",
  family: "tfjs",
  title: "TensorFlow.js (Chromium)",
  modelFormat: "onnx",
  slugStem: "tfjs",
  settings: { target: "wasm-simd" },
  packages: {
    "@tensorflow/tfjs-core": ["dist/tf-core.es2017.min.js"],
    "@tensorflow/tfjs-backend-wasm": [
      "dist/tf-backend-wasm.es2017.min.js",
      "dist/tfjs-backend-wasm-simd.wasm",
    ],
  },
  imports: {},
  scripts: [
    "@tensorflow/tfjs-core/dist/tf-core.es2017.min.js",
    "@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.es2017.min.js",
  ],
  modules: [
    "platform/browser/page/tfjs",
    "platform/browser/tfjs-network",
    "platform/browser/tfjs-parcel",
  ],
  layout: "nhwc",
  parcelOf: (model) => packTfjsNetwork(lowerForTfjs(readOnnx(model, { values: true }))),
});
