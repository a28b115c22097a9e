/**
 * Timed regions: warm-up, and pairs of target and reference. What is timed is the loop over `session.run()` and
 * nothing else; clocks, waits and counters are read at its boundary into arrays that exist before.
 *
 * Method: docs/measuring.md. Values are never dropped here; the record keeps all of them.
 */
import type { CounterSet } from "../counters/counter.js";
import type { Clock } from "./clock.js";
import type { WaitReader } from "./run-queue.js";
import type { Session } from "./runtime.js";
import type { BlockSeries, PairTimings, WarmupOptions, WarmupResult } from "./sampler-types.js";

/** Blocks last at least this long: below, the clock and the boundary show. */
const minBlockNs = 1e6;
/** Pairs that are timed however long they take. */
const minPairs = 3;
/**
 * Untimed runs of the reference before its first block: what was loaded and warmed up meanwhile has taken its place in
 * caches and memory pools. (TensorFlow.js' reference took 1.6 times as long in its first two blocks without them.)
 */
const referenceSettlingRuns = 2;
/** A wait never explains more of a wall time than this. */
const maxWaitShare = 0.99;

/** A session with all that is needed to time it. */
export interface Timed {
  readonly session: Session;
  /** Waits of the thread that runs and of the session's own; null where unknown. */
  readonly waits: WaitReader | null;
}

/** What timing needs of its surroundings. */
export interface TimingContext {
  readonly clock: Clock;
  /** Lets the process notice that it shall end; called between timed regions. */
  readonly breathe: () => Promise<void>;
}

/**
 * How much of a block's wall time is taken away: the wait of the calling thread, the first of `waitsNs`.
 *
 * Its wait is certainly part of the wall time. The other threads' waits are not taken away: others steal their
 * work meanwhile, and the kernel books a wait when it ends, so that it may have begun before the block. (Tried on
 * a busy machine with two threads: taking away the longest wait, or the time in which any thread waited, made
 * 20 µs of a network of 1.1 ms.) What they cost shows in `waitShareOf` and is for the grade to judge.
 */
export function delayOf(waitsNs: Float64Array, wallNs: number): number {
  return Math.min(waitsNs[0]!, maxWaitShare * wallNs);
}

/**
 * Share of a block's wall time in which any of its threads waited: 1 − Π (1 − waitᵢ / wall).
 *
 * For one thread that is its own share; for several it takes their waits as independent of each other in time, so
 * small shares add up.
 */
export function waitShareOf(waitsNs: Float64Array, wallNs: number): number {
  if (wallNs <= 0) return 0;
  let clean = 1;
  for (let i = 0; i < waitsNs.length; i++) clean *= 1 - Math.min(waitsNs[i]! / wallNs, 1);
  return 1 - clean;
}

/** Wall time of several inferences, ns, by this clock or, where the session is elsewhere, by its own. */
async function timeRuns(session: Session, runs: number, clock: Clock): Promise<number> {
  if (session.timeRuns !== undefined) return session.timeRuns(runs);
  const start = clock.nowNs();
  for (let i = 0; i < runs; i++) {
    const pending = session.run();
    // Synchronous runtimes return nothing: then no promise, no turn of the event loop, lies in the region.
    if (pending !== undefined) await pending;
  }
  return Number(clock.nowNs() - start);
}

/** Times blocks of one session into arrays of its own. */
class BlockTimer {
  readonly #timed: Timed;
  readonly #clock: Clock;
  readonly #before: Float64Array;
  readonly #after: Float64Array;
  readonly #wallNs: Float64Array;
  readonly #waitNs: Float64Array | null;
  readonly #waitShares: Float64Array | null;
  #nBlocks = 0;

  constructor(timed: Timed, clock: Clock, nBlocks: number) {
    this.#timed = timed;
    this.#clock = clock;
    const nThreads = timed.waits?.nThreads ?? 0;
    this.#before = new Float64Array(nThreads);
    this.#after = new Float64Array(nThreads);
    this.#wallNs = new Float64Array(nBlocks);
    this.#waitNs = timed.waits === null ? null : new Float64Array(nBlocks);
    this.#waitShares = timed.waits === null ? null : new Float64Array(nBlocks);
  }

  /** Time `runs` inferences as one block; with counters, they count just this. */
  async time(runs: number, counters: CounterSet | undefined): Promise<void> {
    const { session, waits } = this.#timed;
    const clock = this.#clock;
    waits?.read(this.#before);
    counters?.start();
    const wallNs = await timeRuns(session, runs, clock);
    counters?.stop(runs);
    waits?.read(this.#after);
    this.#wallNs[this.#nBlocks] = wallNs;
    if (this.#waitNs !== null && this.#waitShares !== null) {
      const waitsNs = this.#after;
      for (let i = 0; i < waitsNs.length; i++) waitsNs[i] = waitsNs[i]! - this.#before[i]!;
      this.#waitNs[this.#nBlocks] = delayOf(waitsNs, wallNs);
      this.#waitShares[this.#nBlocks] = waitShareOf(waitsNs, wallNs);
    }
    this.#nBlocks += 1;
  }

  /** The blocks timed so far, `runs` inferences each. */
  series(runs: number): BlockSeries {
    const wallNs = this.#wallNs.slice(0, this.#nBlocks);
    const waitNs = this.#waitNs?.slice(0, this.#nBlocks) ?? null;
    return {
      wallNs: wallNs.map((wall) => wall / runs),
      waitNs,
      waitShares: this.#waitShares?.slice(0, this.#nBlocks) ?? null,
      correctedNs: wallNs.map((wall, i) => (wall - (waitNs?.[i] ?? 0)) / runs),
    };
  }
}

function medianOf(values: Float64Array): number {
  const sorted = values.slice().sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Run a session until its latency has settled (or a fixed number of times). */
export async function warmUp(
  timed: Timed,
  options: WarmupOptions,
  context: TimingContext,
): Promise<WarmupResult> {
  const { minRuns = 5, minMs = 500, maxMs = 10_000, windowRuns = 10, tolerance = 0.02 } = options;
  const { clock, breathe } = context;
  const startNs = clock.nowNs();
  const elapsedMs = () => Number(clock.nowNs() - startNs) / 1e6;
  let runs = 0;
  if (options.mode === "bulk") {
    for (; runs < minRuns; runs++) await timed.session.run();
    return { runs, steady: null, durationMs: elapsedMs() };
  }
  let previous = Number.NaN;
  while (true) {
    const timer = new BlockTimer(timed, clock, windowRuns);
    for (let i = 0; i < windowRuns; i++) {
      await timer.time(1, undefined);
      if (elapsedMs() >= maxMs)
        return { runs: runs + i + 1, steady: false, durationMs: elapsedMs() };
    }
    runs += windowRuns;
    const median = medianOf(timer.series(1).correctedNs);
    const agree = Math.abs(median - previous) <= tolerance * previous;
    if (agree && runs >= minRuns && elapsedMs() >= minMs) {
      return { runs, steady: true, durationMs: elapsedMs() };
    }
    previous = median;
    await breathe();
  }
}

/**
 * Inferences for a block of at least 1 ms, from the fastest of three runs. Uncorrected: a run that waited a lot must
 * not make the blocks of a busy machine many times longer.
 */
async function chooseRunsPerBlock(timed: Timed, clock: Clock): Promise<number> {
  const timer = new BlockTimer(timed, clock, 3);
  for (let i = 0; i < 3; i++) await timer.time(1, undefined);
  return Math.max(1, Math.ceil(minBlockNs / Math.max(1, Math.min(...timer.series(1).wallNs))));
}

/** Inferences in a block of a session that is a reference again and again: asked once. */
const referenceRunsPerBlock = new WeakMap<Timed, number>();

async function runsPerReferenceBlock(reference: Timed, clock: Clock): Promise<number> {
  const known = referenceRunsPerBlock.get(reference);
  if (known !== undefined) return known;
  const runs = await chooseRunsPerBlock(reference, clock);
  referenceRunsPerBlock.set(reference, runs);
  return runs;
}

/** Time pairs in the order R T R T … R. */
export async function timePairs(
  target: Timed,
  reference: Timed,
  settings: {
    readonly nPairs: number;
    readonly maxMs: number;
    /** 0 chooses. */
    readonly runsPerBlock: number;
    /** Undefined: none count. */
    readonly counters: CounterSet | undefined;
  },
  context: TimingContext,
): Promise<PairTimings> {
  const { nPairs, maxMs, counters } = settings;
  const { clock, breathe } = context;
  const startNs = clock.nowNs();
  const referenceRuns = await runsPerReferenceBlock(reference, clock);
  const runs = settings.runsPerBlock || (await chooseRunsPerBlock(target, clock));
  const targetTimer = new BlockTimer(target, clock, nPairs);
  const referenceTimer = new BlockTimer(reference, clock, nPairs + 1);
  const isLate = () => Number(clock.nowNs() - startNs) > maxMs * 1e6;
  for (let i = 0; i < referenceSettlingRuns; i++) await reference.session.run();
  counters?.take();
  await referenceTimer.time(referenceRuns, undefined);
  for (let pair = 1; pair <= nPairs; pair++) {
    await targetTimer.time(runs, counters);
    await referenceTimer.time(referenceRuns, undefined);
    if (pair >= minPairs && isLate()) break;
    await breathe();
  }
  const targetSeries = targetTimer.series(runs);
  const referenceSeries = referenceTimer.series(referenceRuns);
  const neighbours = referenceSeries.correctedNs;
  return {
    runsPerBlock: runs,
    referenceRunsPerBlock: referenceRuns,
    target: targetSeries,
    reference: referenceSeries,
    ratios: targetSeries.correctedNs.map(
      (corrected, i) => corrected / ((neighbours[i]! + neighbours[i + 1]!) / 2),
    ),
    counters: counters?.take() ?? [],
  };
}
