/**
 * OpenCV's DNN module on the CPU, with its own kernels and its fusion, as it comes by default. It runs operators whose
 * result nobody reads; operators on constants alone it cannot take, so they are folded before (`opencv-model.ts`).
 */
import { createNativeRuntime } from "../native-runtime.js";
import { shortVersion, threadCounts } from "../onnx-session.js";
import { opencvModel } from "../opencv-model.js";
import type { Runtime } from "../runtime.js";

const family = "opencv-dnn";

/** OpenCV DNN, CPU, as built by Debian. */
export const runtime: Runtime = createNativeRuntime({
  name: family,
  family,
  slugPattern: /^opencv/,
  title: "OpenCV DNN",
  modelFor: opencvModel,
  variants: (version, nCores) =>
    threadCounts(nCores).map((threads) => ({
      slug: `opencv${shortVersion(version)}-t${threads}`,
      info: { family, version, threads, settings: {} },
    })),
});
