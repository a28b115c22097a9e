/**
 * PyTorch's TorchScript interpreter (libtorch) on the CPU: a network translated into a script module, neither frozen nor
 * optimised for inference. Its executor leaves out operators whose result nobody reads and computes equal expressions
 * once; it fuses nothing on the CPU where it was built without LLVM, as Debian's is.
 *
 * Convolutions of small images are matrix products of the system's BLAS, which is part of the platform.
 */
import { realpathSync } from "node:fs";
import { basename, dirname } from "node:path";
import { readOnnx } from "../../onnx/read.js";
import { librariesOfNative } from "../native-library.js";
import { createNativeRuntime } from "../native-runtime.js";
import { shortVersion, threadCounts } from "../onnx-session.js";
import type { Runtime } from "../runtime.js";
import { torchBytes, torchModule } from "../torchscript/translate.js";

const family = "torchscript";

/** The system's BLAS by the folder that Debian's alternatives point to; `reference` is the slow one that is always there. */
function blasOf(libraries: readonly string[]): string {
  const path = libraries.find((file) => basename(file).startsWith("libblas."));
  if (path === undefined) return "unknown";
  const folder = basename(dirname(realpathSync(path)));
  if (folder === "blas") return "reference";
  return folder.startsWith("openblas") ? "openblas" : folder.replaceAll(/[^a-z0-9]/g, "");
}

/** Which of its kernels OpenBLAS was told to use, where it does not choose them by the processor itself. */
function coreTypeOf(blas: string): { blasCoreType?: string } {
  const coreType = process.env.OPENBLAS_CORETYPE;
  return blas === "openblas" && coreType !== undefined ? { blasCoreType: coreType } : {};
}

/** TorchScript in libtorch, CPU, as built by Debian. */
export const runtime: Runtime = createNativeRuntime({
  name: family,
  family,
  slugPattern: /^torch/,
  title: "PyTorch (TorchScript)",
  modelFor: (model) => torchBytes(torchModule(readOnnx(model, { values: true }))),
  variants(version, nCores) {
    const blas = blasOf(librariesOfNative(family));
    return threadCounts(nCores).map((threads) => ({
      slug: `torch${shortVersion(version)}-jit-${blas === "reference" ? "refblas" : blas}-t${threads}`,
      info: { family, version, threads, settings: { blas, ...coreTypeOf(blas) } },
    }));
  },
});
