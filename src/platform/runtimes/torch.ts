/**
 * PyTorch's TorchScript interpreter (libtorch) on the CPU: a network translated into a script module, neither frozen nor
 * optimised for inference. Its executor leaves out operators whose result nobody reads and computes equal expressions
 * once; it fuses nothing on the CPU where it was built without LLVM, as Debian's is.
 *
 * Convolutions of small images are matrix products of the system's BLAS, which is part of the platform.
 */
import { realpathSync } from "node:fs";
import { basename, dirname } from "node:path";
import { UnsupportedError } from "../../errors.js";
import type { TensorInfo } from "../../graph/graph.js";
import { formatShape } from "../../graph/size.js";
import { readOnnx } from "../../onnx/read.js";
import type { RuntimeInfo } from "../../record/platform.js";
import { librariesOfNative, loadNative, probeNative } from "../native-library.js";
import { shortVersion, theOnlyTensor, threadCounts } from "../onnx-session.js";
import type { Runtime, Session } from "../runtime.js";
import { torchBytes, torchModule } from "../torchscript/translate.js";

const family = "torchscript";
const library = "torch";
const title = "PyTorch (TorchScript)";

/** The system's BLAS by the folder that Debian's alternatives point to; `reference` is the slow one that is always there. */
function blasOf(libraries: readonly string[]): string {
  const path = libraries.find((file) => basename(file).startsWith("libblas."));
  if (path === undefined) return "unknown";
  const folder = basename(dirname(realpathSync(path)));
  if (folder === "blas") return "reference";
  return folder.startsWith("openblas") ? "openblas" : folder.replaceAll(/[^a-z0-9]/g, "");
}

async function load(model: Uint8Array, info: RuntimeInfo): Promise<Session> {
  const graph = readOnnx(model, { values: true });
  const dimsOf = ({ name, dataType, shape }: TensorInfo) => ({ name, dataType, dims: shape });
  theOnlyTensor("input", graph.inputs.map(dimsOf));
  const outputs = graph.outputs.map((name) => dimsOf(graph.tensors.get(name)!));
  const { shape } = theOnlyTensor("output", outputs);
  const bytes = torchBytes(torchModule(graph));
  const session = await loadNative({ name: library, title, model: bytes, info });
  const made = formatShape(session.outputShape);
  if (made !== formatShape(shape)) {
    await session.dispose();
    throw new UnsupportedError(
      `${title} gives an output of ${made}, which must be ${formatShape(shape)}`,
    );
  }
  return session;
}

/** TorchScript in libtorch, CPU, as built by Debian. */
export const runtime: Runtime = {
  name: family,
  family,
  slugPattern: /^torch/,
  title,
  modelFormat: "onnx",
  probe: async () => probeNative(library),
  variants(version, nCores) {
    const blas = blasOf(librariesOfNative(library));
    return threadCounts(nCores).map((threads) => ({
      slug: `torch${shortVersion(version)}-jit-${blas}-t${threads}`,
      info: { family, version, threads, settings: { blas } },
    }));
  },
  load,
};
