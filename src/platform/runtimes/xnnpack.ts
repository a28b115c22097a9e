/**
 * XNNPACK by itself (`native/xnnpack.cc`), as Debian packages it: the kernels and the subgraph interface that TensorFlow
 * Lite's XNNPACK delegate uses, of another date. It is a family of its own here, not a sibling of `tflite`, whose
 * builtin kernels share nothing with it; who holds out one should know that the delegate's kernels are kin.
 *
 * What it fuses (activations into convolutions and sums) it fuses itself. Operators whose results nobody reads crash
 * this version, so they are left out. Waiting threads sleep between runs.
 */
import { readOnnx } from "../../onnx/read.js";
import { flattenGraph, withoutDeadOperators } from "../flat-network.js";
import { createNativeRuntime } from "../native-runtime.js";
import { threadCounts } from "../onnx-session.js";
import type { Runtime, RuntimeVariant } from "../runtime.js";

const family = "xnnpack";

/** Versions are dates of commits: `20220216` of `20220216.ae108ef`. */
const dateOf = (version: string) => version.split(".")[0]!;

/** XNNPACK without TensorFlow Lite around it. */
export const runtime: Runtime = createNativeRuntime({
  name: family,
  family,
  slugPattern: /^xnnpack/,
  title: "XNNPACK (native)",

  variants(version: string, nCores: number): readonly RuntimeVariant[] {
    return threadCounts(nCores).map((threads) => ({
      slug: `xnnpack${dateOf(version)}-t${threads}`,
      info: { family, version, threads, settings: {}, removesDeadOperators: true },
    }));
  },

  modelFor: (model) => flattenGraph(withoutDeadOperators(readOnnx(model, { values: true }))),
});
