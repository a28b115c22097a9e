/**
 * What a sampler does: hold networks in one runtime variant, warm them up and time them against a reference.
 *
 * The sampler proper is a process of its own (`sampler.ts`); `sampler-local.ts` is the same thing without the
 * process, which is what runs inside it and what tests use with a step clock.
 */
import type { AbsentCounter, CounterInfo } from "../counters/counter.js";
import type { CounterReading } from "../record/counter.js";
import type { ClockQuality } from "./clock.js";

/** What a sampler can tell of itself. */
export interface SamplerInfo {
  /** Unique for each sampler process; goes into the record. */
  readonly processId: string;
  readonly clock: ClockQuality;
  readonly counters: {
    readonly available: readonly CounterInfo[];
    readonly absent: readonly AbsentCounter[];
  };
  /** Whether the kernel tells run-queue waits; where it does not, nothing is corrected. */
  readonly waitKnown: boolean;
}

/** What loading a model showed. */
export interface LoadedModel {
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  /** From the bytes to the first output. */
  readonly loadMs: number;
  /** Threads that appeared while the runtime and the model were loaded. */
  readonly nThreadsCreated: number;
}

/** When a warm-up has been long enough. */
export interface WarmupOptions {
  /**
   * `steady`: until two windows agree; `bulk`: exactly `minRuns` runs, nothing is judged.
   */
  readonly mode: "steady" | "bulk";
  /** Default 5. */
  readonly minRuns?: number;
  /** Default 500 ms. */
  readonly minMs?: number;
  /** Default 10,000 ms. */
  readonly maxMs?: number;
  /** Runs in a window; default 10. */
  readonly windowRuns?: number;
  /** Largest relative difference of the medians of two windows; default 0.02. */
  readonly tolerance?: number;
}

/** How a warm-up went. */
export interface WarmupResult {
  readonly runs: number;
  /** Whether the last two windows agreed; null in bulk mode, where nobody looked. */
  readonly steady: boolean | null;
  readonly durationMs: number;
}

/** What to time against what, and for how long. */
export interface PairOptions {
  /** Key of the network that is measured. */
  readonly target: string;
  /** Key of the reference; may be the target itself. */
  readonly reference: string;
  readonly nPairs: number;
  /** After this time no further pair is begun (three are timed in any case); default no limit. */
  readonly maxMs?: number;
  /** Inferences timed together; 0 (default) chooses so that a block lasts at least 1 ms. */
  readonly runsPerBlock?: number;
  /** Whether counters count during the target's blocks; default true. */
  readonly countersOn?: boolean;
}

/** Timed blocks in order. All times are ns. */
export interface BlockSeries {
  /** Wall time per inference, uncorrected. */
  readonly wallNs: Float64Array;
  /** Run-queue wait of the calling thread per *block*; null where the kernel does not tell. */
  readonly waitNs: Float64Array | null;
  /** Share of each block in which any thread of the runtime waited, 0..1; null where the kernel does not tell. */
  readonly waitShares: Float64Array | null;
  /** Wall time per inference without the calling thread's wait; equal to `wallNs` where that is unknown. */
  readonly correctedNs: Float64Array;
}

/**
 * The order in time is R T R T … R: `reference` holds one block more than `target`, which holds `nPairs` or, at the
 * time limit, fewer.
 */
export interface PairTimings {
  readonly runsPerBlock: number;
  readonly referenceRunsPerBlock: number;
  readonly target: BlockSeries;
  readonly reference: BlockSeries;
  /** Per pair: corrected target / mean of the corrected references before (i) and after (i + 1). */
  readonly ratios: Float64Array;
  /** Per inference of the target; empty with counters off. */
  readonly counters: CounterReading[];
}

/** Loads networks in one runtime variant, warms them up and times them. */
export interface Sampler {
  readonly info: SamplerInfo;
  /**
   * Load a model under a key and run it once on fixed pseudo-random values.
   *
   * @throws FormatError, UnsupportedError from the runtime; MeasurementError when the process breaks
   */
  load(key: string, model: Uint8Array): Promise<LoadedModel>;
  /** Forget a network. */
  unload(key: string): Promise<void>;
  /** One inference on given values (NCHW), for tests of agreement. */
  runOnce(key: string, input: Float32Array): Promise<Float32Array>;
  /** Run a network untimed until it is steady, or a fixed number of times. */
  warmUp(key: string, options: WarmupOptions): Promise<WarmupResult>;
  /** Time a network between runs of the reference. */
  timePairs(options: PairOptions): Promise<PairTimings>;
  /** Dispose of everything; again is harmless. */
  close(): Promise<void>;
}
