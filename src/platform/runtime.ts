/**
 * The variation point for inference software: what can run here, and one loaded model.
 *
 * Implementations live one per file beside this one and are listed in `registry.ts`. They run inside a sampler
 * process (`sampler.ts`), never in the process that plans and records: a synchronous run blocks the event loop,
 * and native crashes must cost one process only.
 */
import type { RuntimeInfo } from "../record/platform.js";
import type { Thread } from "./run-queue.js";

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
  /** What users call it, e.g. `ONNX Runtime (Node)`. */
  readonly title: string;
  readonly modelFormat: ModelFormat;
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
}

/** A model file loaded in a runtime: one float32 input, one float32 output, both kept allocated. */
export interface Session {
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  /** Copy values into the input tensor, NCHW order whatever the runtime's own layout. */
  setInput(values: Float32Array): void;
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
  /** Values of the output of the last run, in ONNX (NCHW) order. */
  output(): Float32Array;
  /** Let go of everything; the session must not be used again. */
  dispose(): void | Promise<void>;
}
