/**
 * A sampler without a process of its own: the heart of the sampler process, and with a step clock, a fake runtime
 * and fake waits what tests of measuring use.
 */
import { randomUUID } from "node:crypto";
import type { CounterSet } from "../counters/counter.js";
import { createNullCounters } from "../counters/null.js";
import { InputError, ShapeError } from "../errors.js";
import type { RuntimeInfo } from "../record/platform.js";
import { type Clock, measureClock, systemClock } from "./clock.js";
import { sizeOf } from "./onnx-session.js";
import { systemWaits, type WaitReader, type WaitSource } from "./run-queue.js";
import type { Runtime, Session } from "./runtime.js";
import type {
  LoadedModel,
  PairOptions,
  PairTimings,
  Sampler,
  SamplerInfo,
  WarmupOptions,
  WarmupResult,
} from "./sampler-types.js";
import { type Timed, type TimingContext, timePairs, warmUp } from "./timing.js";

export interface LocalSamplerOptions {
  readonly runtime: Runtime;
  readonly runtimeInfo: RuntimeInfo;
  /** Opened before the runtime is loaded; closed with the sampler. Default none. */
  readonly counters?: CounterSet;
  readonly clock?: Clock;
  readonly waits?: WaitSource;
  /** Called between timed regions; default nothing. */
  readonly breathe?: () => Promise<void>;
  readonly processId?: string;
}

/** Fixed values in −1…1, none of them tiny: denormal numbers would slow some processors down. */
function fixedValues(count: number): Float32Array {
  let state = 0x9e3779b9;
  return Float32Array.from({ length: count }, () => {
    // Marsaglia's xorshift32.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 31 - 1;
  });
}

class LocalSampler implements Sampler {
  readonly info: SamplerInfo;
  readonly #runtime: Runtime;
  readonly #runtimeInfo: RuntimeInfo;
  readonly #counters: CounterSet;
  readonly #waits: WaitSource;
  readonly #context: TimingContext;
  readonly #loaded = new Map<string, Timed>();
  /** Threads of the runtime itself, seen at the first load: pools that all sessions share. */
  #sharedThreads: readonly number[] | undefined;

  constructor(options: LocalSamplerOptions) {
    this.#runtime = options.runtime;
    this.#runtimeInfo = options.runtimeInfo;
    this.#counters = options.counters ?? createNullCounters("counters are off");
    this.#waits = options.waits ?? systemWaits;
    const clock = options.clock ?? systemClock;
    this.#context = { clock, breathe: options.breathe ?? (async () => {}) };
    const reader = this.#waits.open([]);
    reader?.close();
    this.info = {
      processId: options.processId ?? randomUUID(),
      clock: measureClock(clock),
      counters: { available: this.#counters.available, absent: this.#counters.absent },
      waitKnown: reader !== null,
    };
  }

  async load(key: string, model: Uint8Array): Promise<LoadedModel> {
    if (this.#loaded.has(key)) throw new InputError(`a network "${key}" is loaded already`);
    const { clock } = this.#context;
    const threadsBefore = new Set(this.#waits.threadIds());
    const start = clock.nowNs();
    const session = await this.#runtime.load(model, this.#runtimeInfo);
    try {
      await session.setInput(fixedValues(sizeOf(session.inputShape)));
      // Some runtimes create their threads at the first run.
      await session.run();
      const loadMs = Number(clock.nowNs() - start) / 1e6;
      const created = this.#waits.threadIds().filter((thread) => !threadsBefore.has(thread));
      this.#loaded.set(key, { session, waits: this.#openWaits(session, created) });
      const { inputShape, outputShape } = session;
      return { inputShape, outputShape, loadMs, nThreadsCreated: created.length };
    } catch (error) {
      await session.dispose();
      throw error;
    }
  }

  /**
   * Waits of a session's threads. A session that created none has one thread, or shares the pool that came with
   * the first. (With one thread, nobody else's wait delays a run: helpers of V8 or of the library do not count.)
   */
  #openWaits(session: Session, created: readonly number[]): WaitReader | null {
    if (session.waits !== undefined) return session.waits;
    // Elsewhere, threads cannot be told apart by when they appeared: the one that runs must do.
    if (session.thread !== undefined) return this.#waits.open([], session.thread);
    // Unknown: the waits of this thread, which only asks for the runs, are others.
    if (session.timeRuns !== undefined) return null;
    this.#sharedThreads ??= created;
    if (this.#runtimeInfo.threads === 1) return this.#waits.open([]);
    const threads = created.length > 0 ? created : this.#sharedThreads;
    return this.#waits.open(threads) ?? this.#waits.open([]);
  }

  #find(key: string): Timed {
    const timed = this.#loaded.get(key);
    if (timed === undefined) throw new InputError(`no network "${key}" is loaded`);
    return timed;
  }

  async #release(timed: Timed): Promise<void> {
    timed.waits?.close();
    await timed.session.dispose();
  }

  async unload(key: string): Promise<void> {
    const timed = this.#find(key);
    this.#loaded.delete(key);
    await this.#release(timed);
  }

  async runOnce(key: string, input: Float32Array): Promise<Float32Array> {
    const { session } = this.#find(key);
    checkSize(session, input);
    await session.setInput(input);
    await session.run();
    return session.output();
  }

  async warmUp(key: string, options: WarmupOptions): Promise<WarmupResult> {
    return warmUp(this.#find(key), options, this.#context);
  }

  async timePairs(options: PairOptions): Promise<PairTimings> {
    const { nPairs, runsPerBlock = 0, maxMs = Number.POSITIVE_INFINITY } = options;
    const { countersOn = true } = options;
    if (!Number.isInteger(nPairs) || nPairs < 1) {
      throw new InputError(`nPairs must be an integer >= 1, got ${nPairs}`);
    }
    const counters = countersOn && this.#counters.available.length > 0 ? this.#counters : undefined;
    return timePairs(
      this.#find(options.target),
      this.#find(options.reference),
      { nPairs, maxMs, runsPerBlock, counters },
      this.#context,
    );
  }

  async close(): Promise<void> {
    const all = [...this.#loaded.values()];
    this.#loaded.clear();
    for (const timed of all) await this.#release(timed);
    await this.#runtime.close?.();
    this.#counters.close();
  }
}

function checkSize(session: Session, input: Float32Array): void {
  const size = sizeOf(session.inputShape);
  if (input.length !== size) {
    throw new ShapeError(
      `input must have ${size} values (${session.inputShape.join(" × ")}), got ${input.length}`,
    );
  }
}

/** A sampler in this process. */
export function createLocalSampler(options: LocalSamplerOptions): Sampler {
  return new LocalSampler(options);
}
