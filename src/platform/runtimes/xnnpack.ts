/**
 * XNNPACK by itself (`native/xnnpack.cc`), as Debian packages it: the kernels and the subgraph interface that TensorFlow
 * Lite's XNNPACK delegate uses, of another date. It is a family of its own here, not a sibling of `tflite`, whose
 * builtin kernels share nothing with it; who holds out one should know that the delegate's kernels are kin.
 *
 * What it fuses (activations into convolutions and sums) it fuses itself. Operators whose results nobody reads crash
 * this version, so they are left out. Waiting threads sleep between runs.
 */
import { readOnnx } from "../../onnx/read.js";
import type { RuntimeInfo } from "../../record/platform.js";
import { flattenGraph, withoutDeadOperators } from "../flat-network.js";
import { loadNative, probeNative } from "../native-library.js";
import { threadCounts } from "../onnx-session.js";
import type { Runtime, RuntimeVariant, Session } from "../runtime.js";

const family = "xnnpack";
const title = "XNNPACK (native)";

/** Versions are dates of commits: `20220216` of `20220216.ae108ef`. */
const dateOf = (version: string) => version.split(".")[0]!;

/** XNNPACK without TensorFlow Lite around it. */
export const runtime: Runtime = {
  name: family,
  family,
  slugPattern: /^xnnpack/,
  title,
  modelFormat: "onnx",

  probe: async () => probeNative(family),

  variants(version: string, nCores: number): readonly RuntimeVariant[] {
    return threadCounts(nCores).map((threads) => ({
      slug: `xnnpack${dateOf(version)}-t${threads}`,
      info: { family, version, threads, settings: {}, removesDeadOperators: true },
    }));
  },

  async load(model: Uint8Array, info: RuntimeInfo): Promise<Session> {
    const graph = withoutDeadOperators(readOnnx(model, { values: true }));
    return loadNative({ name: family, title, model: flattenGraph(graph), info });
  },
};
