/**
 * The TensorFlow Lite C library, found and opened through koffi: the functions that `tflite.ts` uses.
 *
 * It is the user's own (SAMARA_TFLITE_LIBRARY) or the dated one inside the optional package tfjs-tflite-node.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { messageOf, UnsupportedError } from "../errors.js";

/** A pointer of the C API; 0 is NULL. */
export type Pointer = bigint;

function libraryFolder(): string | undefined {
  const folders: Readonly<Record<string, string>> = {
    "linux-x64": "linux_amd64",
    "linux-arm64": "linux_arm64",
    "darwin-arm64": "darwin_arm64",
    "win32-x64": "windows_amd64",
  };
  return folders[`${process.platform}-${process.arch}`];
}

function libraryFile(): string {
  if (process.platform === "win32") return "tensorflowlite_c.dll";
  return `libtensorflowlite_c.${process.platform === "darwin" ? "dylib" : "so"}`;
}

/** Path of the library to use. */
function findLibrary(): string {
  const own = process.env.SAMARA_TFLITE_LIBRARY;
  if (own !== undefined && own !== "") {
    if (existsSync(own)) return own;
    throw new UnsupportedError(`SAMARA_TFLITE_LIBRARY names no file: ${own}`);
  }
  const folder = libraryFolder();
  if (folder === undefined) {
    throw new UnsupportedError(
      `tfjs-tflite-node has no library for ${process.platform} ${process.arch}`,
    );
  }
  let manifest: string;
  try {
    manifest = createRequire(import.meta.url).resolve("tfjs-tflite-node/package.json");
  } catch (cause) {
    throw new UnsupportedError("the optional package tfjs-tflite-node is not installed", { cause });
  }
  const path = join(dirname(manifest), "cc_deps", folder, libraryFile());
  if (existsSync(path)) return path;
  throw new UnsupportedError(`tfjs-tflite-node has no ${folder}/${libraryFile()}`);
}

/** The functions of the C API that are used. */
export interface TfLite {
  version(): string;
  modelCreate(bytes: Uint8Array, sizeBytes: number): Pointer;
  modelDelete(model: Pointer): void;
  optionsCreate(): Pointer;
  optionsDelete(options: Pointer): void;
  optionsSetNumThreads(options: Pointer, threads: number): void;
  optionsAddDelegate(options: Pointer, delegate: Pointer): void;
  optionsSetErrorReporter(options: Pointer, reporter: Pointer, data: null): void;
  interpreterCreate(model: Pointer, options: Pointer): Pointer;
  interpreterDelete(interpreter: Pointer): void;
  interpreterAllocateTensors(interpreter: Pointer): number;
  interpreterInvoke(interpreter: Pointer): number;
  inputCount(interpreter: Pointer): number;
  outputCount(interpreter: Pointer): number;
  inputTensor(interpreter: Pointer, index: number): Pointer;
  outputTensor(interpreter: Pointer, index: number): Pointer;
  tensorName(tensor: Pointer): string;
  tensorType(tensor: Pointer): number;
  tensorRank(tensor: Pointer): number;
  tensorDim(tensor: Pointer, index: number): number;
  tensorData(tensor: Pointer): Pointer;
  xnnpackCreate(options: Uint8Array): Pointer;
  xnnpackDelete(delegate: Pointer): void;
  /** Memory of the library, seen from here; not to be used after the interpreter is deleted. */
  viewMemory(pointer: Pointer, sizeBytes: number): ArrayBuffer;
  /** Passed to interpreters: their messages go to `takeMessages`. */
  readonly reporter: Pointer;
  /** What the library has said since it was last asked. */
  takeMessages(): string;
}

let loaded: Promise<TfLite> | undefined;

async function openLibrary(): Promise<TfLite> {
  const koffi = (await import("koffi")).default;
  const library = koffi.load(findLibrary());
  const func = (name: string, result: string, parameters: string[]) =>
    library.func(name, result, parameters);
  const messages: string[] = [];
  const report = koffi.register(
    (_data: Pointer, format: string, args: Pointer) => {
      messages.push(formatMessage(format, args));
      return 0;
    },
    koffi.pointer(koffi.proto("int TfLiteReport(void *data, const char *format, void *args)")),
  );
  // The arguments of printf come as a va_list, which both ABIs of 64-bit Linux pass as one pointer.
  const vsnprintf =
    process.platform === "linux"
      ? koffi.load(null).func("int vsnprintf(char *, size_t, const char *, void *)")
      : undefined;
  function formatMessage(format: string, args: Pointer): string {
    if (vsnprintf === undefined) return format;
    const text = Buffer.alloc(1024);
    const length = Number(vsnprintf(text, text.length, format, args));
    return text.toString("utf8", 0, Math.max(0, Math.min(length, text.length - 1)));
  }
  return {
    version: func("TfLiteVersion", "const char *", []),
    modelCreate: func("TfLiteModelCreate", "void *", ["const void *", "size_t"]),
    modelDelete: func("TfLiteModelDelete", "void", ["void *"]),
    optionsCreate: func("TfLiteInterpreterOptionsCreate", "void *", []),
    optionsDelete: func("TfLiteInterpreterOptionsDelete", "void", ["void *"]),
    optionsSetNumThreads: func("TfLiteInterpreterOptionsSetNumThreads", "void", ["void *", "int"]),
    optionsAddDelegate: func("TfLiteInterpreterOptionsAddDelegate", "void", ["void *", "void *"]),
    optionsSetErrorReporter: func("TfLiteInterpreterOptionsSetErrorReporter", "void", [
      "void *",
      "void *",
      "void *",
    ]),
    interpreterCreate: func("TfLiteInterpreterCreate", "void *", ["void *", "void *"]),
    interpreterDelete: func("TfLiteInterpreterDelete", "void", ["void *"]),
    interpreterAllocateTensors: func("TfLiteInterpreterAllocateTensors", "int", ["void *"]),
    interpreterInvoke: func("TfLiteInterpreterInvoke", "int", ["void *"]),
    inputCount: func("TfLiteInterpreterGetInputTensorCount", "int", ["void *"]),
    outputCount: func("TfLiteInterpreterGetOutputTensorCount", "int", ["void *"]),
    inputTensor: func("TfLiteInterpreterGetInputTensor", "void *", ["void *", "int"]),
    outputTensor: func("TfLiteInterpreterGetOutputTensor", "void *", ["void *", "int"]),
    tensorName: func("TfLiteTensorName", "const char *", ["void *"]),
    tensorType: func("TfLiteTensorType", "int", ["void *"]),
    tensorRank: func("TfLiteTensorNumDims", "int", ["void *"]),
    tensorDim: func("TfLiteTensorDim", "int", ["void *", "int"]),
    tensorData: func("TfLiteTensorData", "void *", ["void *"]),
    xnnpackCreate: func("TfLiteXNNPackDelegateCreate", "void *", ["const void *"]),
    xnnpackDelete: func("TfLiteXNNPackDelegateDelete", "void", ["void *"]),
    viewMemory: (pointer, sizeBytes) => koffi.view(pointer, sizeBytes),
    reporter: report,
    takeMessages: () => messages.splice(0).join("; "),
  };
}

/**
 * The library, opened once.
 *
 * @throws UnsupportedError when there is none that works here
 */
export function loadTfLite(): Promise<TfLite> {
  loaded ??= openLibrary().catch((cause: unknown) => {
    loaded = undefined;
    if (cause instanceof UnsupportedError) throw cause;
    throw new UnsupportedError(
      `the TensorFlow Lite library cannot be loaded: ${messageOf(cause)}`,
      {
        cause,
      },
    );
  });
  return loaded;
}
