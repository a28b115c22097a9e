/**
 * LiteRT.js in Node: its builds are loaded from a local folder as a browser's worker would load them by
 * `importScripts`. What stands in for a browser is there while a build loads and gone afterwards.
 *
 * Every build is a module of its own, so that one process can hold several.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInThisContext } from "node:vm";
import { messageOf, UnsupportedError } from "../errors.js";
import { findPackage } from "./optional-package.js";

export const litertPackage = "@litertjs/core";

/** `compat` does with WebAssembly's first SIMD instructions; the others need relaxed ones, fused multiply-add above all. */
export type LitertBuild = "compat" | "relaxed" | "threaded";

const fileOf: Readonly<Record<LitertBuild, string>> = {
  compat: "litert_wasm_compat_internal.js",
  relaxed: "litert_wasm_internal.js",
  threaded: "litert_wasm_threaded_internal.js",
};

/** The part of LiteRT.js that is used. */
interface Litert {
  loadLiteRt(path: string): Promise<unknown>;
  loadAndCompile(model: Uint8Array, options: object): Promise<LitertModel>;
  readonly Tensor: new (values: Float32Array, shape: readonly number[]) => LitertTensor;
}

export interface LitertTensor {
  toTypedArray(): Float32Array;
  delete(): void;
}

export interface LitertModel {
  getInputDetails(): readonly LitertDetails[];
  getOutputDetails(): readonly LitertDetails[];
  run(input: LitertTensor): Promise<LitertTensor[]>;
  delete(): void;
}

interface LitertDetails {
  readonly name: string;
  readonly dtype: string;
  readonly shape: Int32Array;
}

/** A loaded build. */
export interface LoadedLitert {
  createTensor(values: Float32Array, shape: readonly number[]): LitertTensor;
  loadAndCompile(model: Uint8Array, threads: number): Promise<LitertModel>;
  /** The errors that the build has reported on stderr since it was last asked. */
  takeErrors(): string;
}

/** A module with one function, `i8x16.relaxed_swizzle` of constants. */
const relaxedSimdProbe = Uint8Array.from([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15,
  65, 2, 253, 15, 253, 128, 2, 11,
]);

/** Known to Node, not to its types. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: { validate(bytes: Uint8Array): boolean };
};

/**
 * Whether this process compiles relaxed SIMD. Node 20 does when told to by a flag, which may be set while the process
 * runs, before the module is compiled; newer versions need none.
 */
export function allowRelaxedSimd(): boolean {
  if (WebAssembly.validate(relaxedSimdProbe)) return true;
  setFlagsFromString("--experimental-wasm-relaxed-simd");
  return WebAssembly.validate(relaxedSimdProbe);
}

const parameters = "module, exports, require, __filename, __dirname";

/**
 * Run a build's script as CommonJS, which the package's "type" would not let `require` do.
 *
 * @param workerScript - what the script takes for its own file, and starts its threads from
 */
function runScript(file: string, workerScript: string | URL): unknown {
  const text = `(function (${parameters}) {${readFileSync(file, "utf8")}\n})`;
  const script = runInThisContext(text, { filename: file }) as (...values: unknown[]) => void;
  const module = { exports: {} };
  script(module, module.exports, createRequire(file), workerScript, dirname(file));
  return module.exports;
}

/** The same for a thread, as a script without a file. */
function workerScriptFor(file: string): URL {
  const script = `
    import { readFileSync } from "node:fs";
    import { createRequire } from "node:module";
    import { runInThisContext } from "node:vm";
    const file = ${JSON.stringify(file)};
    const text = "(function (${parameters}) {" + readFileSync(file, "utf8") + "\\n})";
    const module = { exports: {} };
    const script = runInThisContext(text, { filename: file });
    script(module, module.exports, createRequire(file), file, "");`;
  return new URL(`data:text/javascript,${encodeURIComponent(script)}`);
}

/** Give globals values while something loads. */
async function withGlobals<Result>(
  values: Readonly<Record<string, unknown>>,
  load: () => Promise<Result>,
): Promise<Result> {
  const names = Object.keys(values);
  const before = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
  for (const name of names) {
    Object.defineProperty(globalThis, name, { value: values[name], configurable: true });
  }
  try {
    return await load();
  } finally {
    names.forEach((name, i) => {
      const descriptor = before[i];
      if (descriptor === undefined) Reflect.deleteProperty(globalThis, name);
      else Object.defineProperty(globalThis, name, descriptor);
    });
  }
}

/** A GPU without a device: LiteRT.js asks for one, and would complain on the console if nobody answered. */
const gpuWithoutDevice = {
  requestAdapter: async () => ({
    limits: {},
    features: new Set(),
    requestDevice: async () => null,
  }),
};

async function openLitert(build: LitertBuild): Promise<LoadedLitert> {
  if (build !== "compat" && !allowRelaxedSimd()) {
    throw new UnsupportedError("this version of Node cannot compile relaxed SIMD");
  }
  const { folder } = findPackage(litertPackage);
  const messages: string[] = [];
  const self: Record<string, unknown> = {
    Module: { print: () => {}, printErr: (text: string) => messages.push(text) },
  };
  const navigator = { gpu: gpuWithoutDevice, hardwareConcurrency: availableParallelism() };
  const importScripts = (file: string) => {
    const workerScript = build === "threaded" ? workerScriptFor(file) : file;
    self.ModuleFactory = runScript(file, workerScript);
  };
  // The query makes each build's module a new one.
  const entry = `${pathToFileURL(join(folder, "dist", "index.js")).href}?${build}`;
  const litert = (await import(/* @vite-ignore */ entry)) as Litert;
  await withGlobals({ self, navigator, importScripts }, () =>
    litert.loadLiteRt(join(folder, "wasm", fileOf[build])),
  );
  return {
    createTensor: (values, shape) => new litert.Tensor(values, shape),
    loadAndCompile: (model, threads) =>
      // The threaded build asks for the number of cores here, whether it needs it or not.
      withGlobals({ navigator }, () =>
        litert.loadAndCompile(model, {
          accelerator: "wasm",
          cpuOptions: { numThreads: threads },
        }),
      ),
    takeErrors: () =>
      messages
        .splice(0)
        .filter((text) => text.startsWith("ERROR"))
        .join("; "),
  };
}

const loaded = new Map<LitertBuild, Promise<LoadedLitert>>();

/**
 * A build, loaded once a process.
 *
 * @throws UnsupportedError when it cannot be loaded here
 */
export function loadLitert(build: LitertBuild): Promise<LoadedLitert> {
  let opening = loaded.get(build);
  if (opening === undefined) {
    opening = openLitert(build).catch((cause: unknown) => {
      loaded.delete(build);
      if (cause instanceof UnsupportedError) throw cause;
      throw new UnsupportedError(`LiteRT.js cannot be loaded: ${messageOf(cause)}`, { cause });
    });
    loaded.set(build, opening);
  }
  return opening;
}
