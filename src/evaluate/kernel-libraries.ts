/**
 * Which kernel libraries a runtime computes with. Runtimes of different families may run the same kernels, so that
 * leaving a family out leaves its nearest relatives in the pool: a stricter hold-out removes them, too.
 *
 * General knowledge of the runtimes, by their names; what is not known here shares nothing with others.
 */
import type { Platform } from "../record/platform.js";

interface Library {
  readonly name: string;
  /** Of a runtime's family, name, and settings written as `key=value`, joined by spaces. */
  readonly pattern: RegExp;
}

const libraries: readonly Library[] = [
  // Inside TensorFlow Lite's delegate, its WebAssembly builds, TensorFlow.js's WebAssembly backend, and on its own.
  { name: "XNNPACK", pattern: /xnnpack|litert|tfjs-?(tflite|wasm)|tfjs(?!-?(cpu|webgl|webgpu))/ },
  { name: "MLAS", pattern: /onnxruntime|\bort/ },
  // TorchScript has oneDNN, too, but computes small images at batch 1 with kernels of its own.
  { name: "oneDNN", pattern: /onednn|dnnl/ },
];

/** Names of the libraries that a platform's runtime computes with; none when unknown. */
export function kernelLibrariesOf({ runtime }: Pick<Platform, "runtime">): string[] {
  const { family, name = "", settings } = runtime;
  const written = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  const text = [family, name, ...written].join(" ").toLowerCase();
  return libraries.filter(({ pattern }) => pattern.test(text)).map((library) => library.name);
}
