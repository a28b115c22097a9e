import { expect, test } from "vitest";
import { kernelLibrariesOf } from "./kernel-libraries.js";

const runtime = (family: string, settings: Record<string, string> = {}, name?: string) => ({
  runtime: { family, version: "1.0", threads: 1, settings, ...(name ? { name } : {}) },
});

test.each([
  ["tflite", { delegate: "xnnpack" }, ["XNNPACK"]],
  ["tflite", { delegate: "builtin" }, []],
  ["litert", {}, ["XNNPACK"]],
  ["tfjs-tflite", {}, ["XNNPACK"]],
  ["tfjs", { backend: "wasm" }, ["XNNPACK"]],
  ["tfjs-wasm", {}, ["XNNPACK"]],
  ["xnnpack", {}, ["XNNPACK"]],
  ["onnxruntime", { optimisation: "all" }, ["MLAS"]],
  ["onnxruntime-web", { target: "wasm-simd" }, ["MLAS"]],
  ["onednn", { isa: "AVX2" }, ["oneDNN"]],
  ["opencv", {}, []],
])("%s with %j computes with %j", (family, settings, libraries) => {
  expect(kernelLibrariesOf(runtime(family, settings as Record<string, string>))).toEqual(libraries);
});
