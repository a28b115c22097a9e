/**
 * Native runtimes: shared libraries that follow `native/samara_runner.h`, opened through koffi and run in this
 * process by one synchronous call. `scripts/build-native.mjs` builds them, and writes beside each what `probe`
 * wants to know, so that probing loads nothing.
 *
 * Not here: what a runtime's settings are (`runtimes/`) and what its model bytes hold (`flat-network.ts`).
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { FormatError, MeasurementError, messageOf, UnsupportedError } from "../errors.js";
import { packageRoot } from "../package.js";
import type { RuntimeInfo } from "../record/platform.js";
import { sizeOf } from "./onnx-session.js";
import type { Availability, Session } from "./runtime.js";

/** A pointer of the C interface; 0 is NULL. */
type Pointer = bigint;

const isNull = (pointer: Pointer | null) => pointer === null || pointer === 0n;

/** What the build script writes beside a library. */
const buildRecordSchema = z.object({
  name: z.string(),
  version: z.string().min(1),
  architecture: z.string(),
  /** Shared libraries that it was linked with, by path. */
  libraries: z.array(z.string()),
});

/** Folder of the libraries: `native/build/`, or SAMARA_NATIVE. */
export function nativeFolder(): string {
  const own = process.env.SAMARA_NATIVE;
  return own === undefined || own === "" ? join(packageRoot, "native", "build") : own;
}

/** Path of the library of a native runtime, whether or not it is there. */
export function nativeLibraryPath(name: string): string {
  return join(nativeFolder(), `lib${name}.so`);
}

function readBuildRecord(name: string): z.infer<typeof buildRecordSchema> {
  const text = readFileSync(join(nativeFolder(), `${name}.json`), "utf8");
  return buildRecordSchema.parse(JSON.parse(text));
}

/** Shared libraries that a native runtime was linked with, by path; none where it is not built. */
export function librariesOfNative(name: string): readonly string[] {
  try {
    return readBuildRecord(name).libraries;
  } catch {
    return [];
  }
}

/** Whether a native runtime is built and its parts are there; loads nothing, never throws. */
export function probeNative(name: string): Availability {
  const unavailable = (reason: string): Availability => ({
    available: false,
    reason,
    remedy: `node scripts/build-native.mjs ${name} --install (builds it from Debian packages)`,
  });
  if (process.platform !== "linux") return unavailable("native runtimes need Linux");
  const path = nativeLibraryPath(name);
  if (!existsSync(path)) return unavailable("its native library is not built");
  try {
    const record = readBuildRecord(name);
    if (record.architecture !== process.arch) {
      return unavailable(`its library was built for ${record.architecture}, not ${process.arch}`);
    }
    const missing = record.libraries.find((library) => !existsSync(library));
    if (missing !== undefined) return unavailable(`its library needs ${missing}, which is gone`);
    return { available: true, version: record.version };
  } catch (error) {
    return unavailable(`the record of its build cannot be read: ${messageOf(error)}`);
  }
}

/** The functions of `samara_runner.h`. */
interface Runner {
  version(): string;
  error(): string;
  load(model: Uint8Array, sizeBytes: number, settings: string, threads: number): Pointer | null;
  inputShape(session: Pointer, dims: BigInt64Array, capacity: number): number;
  outputShape(session: Pointer, dims: BigInt64Array, capacity: number): number;
  setInput(session: Pointer, values: Float32Array, count: number): number;
  run(session: Pointer): number;
  output(session: Pointer, values: Float32Array, count: number): number;
  free(session: Pointer): void;
}

const runners = new Map<string, Runner>();

async function openRunner(name: string): Promise<Runner> {
  const path = nativeLibraryPath(name);
  const known = runners.get(path);
  if (known !== undefined) return known;
  // Waiting threads of OpenMP sleep: spinning ones would take a core from what is timed next. Read once, when the
  // library is loaded.
  process.env.OMP_WAIT_POLICY ??= "passive";
  const koffi = (await import("koffi")).default;
  let library: ReturnType<typeof koffi.load>;
  try {
    library = koffi.load(path);
  } catch (cause) {
    throw new UnsupportedError(`the native library ${path} cannot be loaded: ${messageOf(cause)}`, {
      hint: `build it again: node scripts/build-native.mjs ${name} --install`,
      cause,
    });
  }
  const func = (part: string, result: string, parameters: string[]) =>
    library.func(`samara_${part}`, result, parameters);
  const runner: Runner = {
    version: func("version", "const char *", []),
    error: func("error", "const char *", []),
    load: func("load", "void *", ["const uint8_t *", "size_t", "const char *", "int32_t"]),
    inputShape: func("input_shape", "int32_t", ["void *", "int64_t *", "int32_t"]),
    outputShape: func("output_shape", "int32_t", ["void *", "int64_t *", "int32_t"]),
    setInput: func("set_input", "int32_t", ["void *", "const float *", "size_t"]),
    run: func("run", "int32_t", ["void *"]),
    output: func("output", "int32_t", ["void *", "float *", "size_t"]),
    free: func("free", "void", ["void *"]),
  };
  runners.set(path, runner);
  return runner;
}

/**
 * The error that a message of a library stands for.
 *
 * @param what - what could not be run, for the message
 */
export function nativeError(title: string, message: string, what = "the model"): Error {
  const [, kind, problem] = /^(unsupported|format): (.*)$/s.exec(message) ?? [];
  if (kind === "unsupported")
    return new UnsupportedError(`${title} cannot run ${what}: ${problem}`);
  if (kind === "format") return new FormatError(`${title} cannot read ${what}: ${problem}`);
  return new MeasurementError(`${title} failed on ${what}: ${message || "it does not say why"}`);
}

/** A runtime's settings as its library reads them. */
export function settingsText(settings: RuntimeInfo["settings"]): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join(";");
}

/** Dimensions are at most 8. */
const maxRank = 8;

/** Which library to load a model into, and how. */
export interface NativeModel {
  /** Of the library, e.g. `onednn`. */
  readonly name: string;
  /** What messages call the runtime. */
  readonly title: string;
  /** Bytes in the library's own format. */
  readonly model: Uint8Array;
  readonly info: RuntimeInfo;
}

/**
 * Load a model into a native runtime.
 *
 * @throws UnsupportedError when the library cannot be used or cannot run the model; FormatError when the bytes are
 *   no model; MeasurementError when the runtime fails for another reason
 */
export async function loadNative({ name, title, model, info }: NativeModel): Promise<Session> {
  const runner = await openRunner(name);
  const version = runner.version();
  if (version !== info.version) {
    throw new UnsupportedError(`${title} is ${version} here, not ${info.version}`, {
      hint: `its package was updated: node scripts/build-native.mjs ${name}`,
    });
  }
  let pointer = runner.load(model, model.length, settingsText(info.settings), info.threads);
  if (pointer === null || isNull(pointer)) throw nativeError(title, runner.error());
  const session = pointer;
  const shapeOf = (read: Runner["inputShape"]): number[] => {
    const dims = new BigInt64Array(maxRank);
    const rank = read(session, dims, maxRank);
    return Array.from(dims.subarray(0, rank), Number);
  };
  const check = (isDone: number): void => {
    if (isDone === 0) throw nativeError(title, runner.error());
  };
  const { run } = runner;
  const inputShape = shapeOf(runner.inputShape);
  const outputShape = shapeOf(runner.outputShape);
  return {
    inputShape,
    outputShape,
    setInput: (values) => check(runner.setInput(session, values, values.length)),
    run() {
      if (run(session) === 0) throw nativeError(title, runner.error());
    },
    output() {
      const values = new Float32Array(sizeOf(outputShape));
      check(runner.output(session, values, values.length));
      return values;
    },
    dispose() {
      if (pointer !== null) runner.free(pointer);
      pointer = null;
    },
  };
}
