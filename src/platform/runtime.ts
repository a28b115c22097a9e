/**
 * The variation point for inference software: what can run here, and one loaded model.
 *
 * Implementations live one per file beside this one and are listed in `registry.ts`. They run inside a sampler
 * process (`sampler.ts`), never in the process that plans and records: a synchronous run blocks the event loop,
 * and native crashes must cost one process only.
 */
import type { RuntimeInfo } from "../record/platform.js";
import type { Thread, WaitReader } from "./run-queue.js";

/** Format of a model file; `ncnn` is a `.param` text without weights. */
export type ModelFormat = "onnx" | "tflite" | "ncnn";

/** One way to run a runtime; several of them make several platforms of one family. */
export interface RuntimeVariant {
  /** Version and settings as the middle part of a platform id, e.g. `ort1.30-cpu-all-t1`. */
  readonly slug: string;
  readonly info: RuntimeInfo;
}

/** Whether a runtime can run here; if not, why and what would help. */
export type Availability =
  | { readonly available: true; readonly version: string }
  | { readonly available: false; readonly reason: string; readonly remedy: string };

/** A runtime that is a shared library following `native/samara_runner.h`: a simulator can run it without Node. */
export interface NativeForm {
  /** Name of the library, `native/build/lib<library>.so`. */
  readonly library: string;
  /**
   * The library's bytes of an ONNX file.
   *
   * @throws FormatError, UnsupportedError as `load` does
   */
  modelFor(model: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** A variant's settings where the simulated processor has no AVX-512. */
  simulatorSettings(settings: RuntimeInfo["settings"]): RuntimeInfo["settings"];
}

/** Inference software. Nothing heavy is imported or loaded before `load` is called. */
export interface Runtime {
  /** Unique among runtimes; that of a family's first runtime is the family's. */
  readonly name: string;
  /** Runtimes that share their kernels or their graph optimiser are one family: a hold-out removes them together. */
  readonly family: string;
  /** What the names of its platforms (after the device) begin with, so that a mistyped one is explained. */
  readonly slugPattern: RegExp;
  /** Computes nothing; offered only where tests ask for it. */
  readonly isForTests?: true;
  /** Settings of a variant hold for its process, which refuses every other variant from then on. */
  readonly isOnePerProcess?: true;
  /** What users call it, e.g. `ONNX Runtime (Node)`. */
  readonly title: string;
  readonly modelFormat: ModelFormat;
  /** Its sessions live in another process, whose messages counters would count along with the runs: none are opened. */
  readonly isElsewhere?: true;
  /** Whether it can run here, quickly (no model is loaded); never throws. */
  probe(): Promise<Availability>;
  /** The variants offered on this device (thread counts up to the core count), for a probed version. */
  variants(version: string, nCores: number): readonly RuntimeVariant[];
  /**
   * Load a model file with a variant's settings.
   *
   * @throws UnsupportedError when the runtime cannot run the model; the message names the operator if known
   */
  load(model: Uint8Array, info: RuntimeInfo): Promise<Session>;
  /** End what its sessions share (a browser), once all of them are disposed of; a later `load` starts it anew. */
  close?(): Promise<void>;
  /** How its library runs outside of Node, where it is a native one. */
  readonly native?: NativeForm;
}

/** A model file loaded in a runtime: one float32 input, one float32 output, both kept allocated. */
export interface Session {
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  /** Copy values into the input tensor, NCHW order whatever the runtime's own layout. */
  setInput(values: Float32Array): void | Promise<void>;
  /** One inference, synchronous where the runtime allows. */
  run(): void | Promise<void>;
  /**
   * Several inferences timed where they run: a session in another process (a browser's page) cannot be timed from
   * here, where every run would carry a message's way there and back.
   *
   * @returns wall time of all of them together, ns, by a monotonic clock beside the session
   */
  timeRuns?(nRuns: number): Promise<number>;
  /** The process and thread that the runs occupy, where that is not the calling one: its waits are read. */
  readonly thread?: Thread;
  /** Waits of the timed runs, where the session knows them better than the kernel's books do. */
  readonly waits?: WaitReader;
  /** Values of the output of the last run, in ONNX (NCHW) order. */
  output(): Float32Array | Promise<Float32Array>;
  /** Let go of everything; the session must not be used again. */
  dispose(): void | Promise<void>;
}
