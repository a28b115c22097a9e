/**
 * oneDNN, Intel's kernels, as an eager runtime (`native/onednn.cc`): one primitive an operator, nothing fused or left
 * out, layouts as oneDNN chooses them. An Identity is a copy, as in ONNX Runtime without optimisations.
 *
 * Its instruction sets are platforms of their own: one machine stands for three generations of processors. They and
 * the thread count hold for the whole process, so one process serves one variant. Threads are OpenMP's and sleep
 * between runs.
 */
import { readFileSync } from "node:fs";
import { readOnnx } from "../../onnx/read.js";
import { flattenGraph } from "../flat-network.js";
import { createNativeRuntime } from "../native-runtime.js";
import { shortVersion, threadCounts } from "../onnx-session.js";
import type { Runtime, RuntimeVariant } from "../runtime.js";

const family = "onednn";

/** Instruction sets, widest first, with the flags of /proc/cpuinfo that oneDNN wants for each. */
const instructionSets: readonly (readonly [string, readonly string[]])[] = [
  ["avx512", ["avx512f", "avx512bw", "avx512vl", "avx512dq"]],
  ["avx2", ["avx2", "fma"]],
  ["sse41", ["sse4_1"]],
];

function processorFlags(): ReadonlySet<string> {
  try {
    const flags = /^flags\s*:\s*(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "";
    return new Set(flags.split(" "));
  } catch {
    return new Set();
  }
}

/** The instruction sets that can be asked for; only x86 has a choice. */
function instructionSetsHere(): readonly string[] {
  if (process.arch !== "x64") return ["default"];
  const flags = processorFlags();
  return instructionSets
    .filter(([, wanted]) => wanted.every((flag) => flags.has(flag)))
    .map(([name]) => name);
}

/** oneDNN, one platform for each instruction set of the processor. */
export const runtime: Runtime = createNativeRuntime({
  name: family,
  family,
  slugPattern: /^onednn/,
  title: "oneDNN (native, eager)",
  isOnePerProcess: true,

  variants(version: string, nCores: number): readonly RuntimeVariant[] {
    return instructionSetsHere().flatMap((isa) =>
      threadCounts(nCores).map((threads) => ({
        slug: `onednn${shortVersion(version)}-${isa}-t${threads}`,
        info: { family, version, threads, settings: { isa } },
      })),
    );
  },

  modelFor: (model) => flattenGraph(readOnnx(model, { values: true })),

  simulatorSettings: (settings) => (settings.isa === "avx512" ? { isa: "avx2" } : settings),
});
