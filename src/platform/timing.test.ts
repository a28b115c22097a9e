// Measuring on a step clock: every number is exact.
import { describe, expect, test } from "vitest";
import { tinyConvNet } from "../../test/contract/tiny-models.js";
import type { CounterSet } from "../counters/counter.js";
import { InputError, ShapeError } from "../errors.js";
import { StepClock } from "./clock.js";
import type { WaitSource } from "./run-queue.js";
import { createReferenceRuntime, referenceLatencyNs } from "./runtimes/reference.js";
import { createLocalSampler } from "./sampler-local.js";
import { delayOf, waitShareOf } from "./timing.js";

const small = tinyConvNet(1);
const large = tinyConvNet(40, 32);

/** A sampler whose n-th run waits `waitNs(n)` in a run queue on top of its latency, times `factor(n)`. */
function createSampler(
  options: {
    waitNs?: (run: number) => number;
    factor?: (run: number) => number;
    waitKnown?: boolean;
    counters?: CounterSet;
  } = {},
) {
  const { waitNs = () => 0, factor = () => 1, waitKnown = true } = options;
  const clock = new StepClock();
  let run = 0;
  let totalWaitNs = 0;
  const runtime = createReferenceRuntime((ns) => {
    clock.advance(ns * factor(run) + waitNs(run));
    totalWaitNs += waitNs(run);
    run += 1;
  });
  const waits: WaitSource = {
    threadIds: () => [],
    open: () =>
      waitKnown
        ? {
            nThreads: 1,
            read: (into) => {
              into[0] = totalWaitNs;
            },
            close() {},
          }
        : null,
  };
  const { info } = runtime.variants("1.0.0", 1)[0]!;
  const { counters } = options;
  const sampler = createLocalSampler({
    runtime,
    runtimeInfo: info,
    clock,
    waits,
    ...(counters === undefined ? {} : { counters }),
  });
  return { sampler, info, nRuns: () => run };
}

describe("timePairs()", () => {
  test("finds the known latencies and their ratio", async () => {
    const { sampler, info } = createSampler();
    await sampler.load("target", large);
    await sampler.load("reference", small);
    const timings = await sampler.timePairs({
      target: "target",
      reference: "reference",
      nPairs: 3,
    });
    const targetNs = referenceLatencyNs(large, info);
    const referenceNs = referenceLatencyNs(small, info);
    expect([...timings.target.wallNs]).toEqual([targetNs, targetNs, targetNs]);
    expect(timings.reference.wallNs).toHaveLength(4);
    for (const ratio of timings.ratios) expect(ratio).toBeCloseTo(targetNs / referenceNs, 9);
  });

  test("times fast networks in blocks of at least 1 ms", async () => {
    const { sampler, info } = createSampler();
    await sampler.load("small", small);
    const timings = await sampler.timePairs({ target: "small", reference: "small", nPairs: 1 });
    const latencyNs = referenceLatencyNs(small, info);
    expect(timings.runsPerBlock).toBe(Math.ceil(1e6 / latencyNs));
    expect(timings.target.wallNs[0]).toBeCloseTo(latencyNs, 6);
  });

  test("keeps a given number of runs per block", async () => {
    const { sampler } = createSampler();
    await sampler.load("small", small);
    const options = { target: "small", reference: "small", nPairs: 2, runsPerBlock: 3 };
    expect((await sampler.timePairs(options)).runsPerBlock).toBe(3);
  });

  test("takes run-queue waits away from the corrected times only", async () => {
    const { sampler, info } = createSampler({ waitNs: (run) => (run % 7) * 1000 });
    await sampler.load("large", large);
    const timings = await sampler.timePairs({ target: "large", reference: "large", nPairs: 20 });
    const latencyNs = referenceLatencyNs(large, info);
    expect(Math.max(...timings.target.wallNs)).toBeGreaterThan(latencyNs);
    for (const corrected of timings.target.correctedNs) expect(corrected).toBeCloseTo(latencyNs, 6);
    for (const ratio of timings.ratios) expect(ratio).toBeCloseTo(1, 9);
    for (let i = 0; i < 20; i++) {
      const perBlock = timings.target.waitNs![i]! / timings.runsPerBlock;
      expect(timings.target.wallNs[i]! - perBlock).toBeCloseTo(latencyNs, 6);
    }
  });

  test("leaves times as they are where waits are unknown, and says so", async () => {
    const { sampler } = createSampler({ waitNs: () => 5000, waitKnown: false });
    expect(sampler.info.waitKnown).toBe(false);
    await sampler.load("large", large);
    const { target } = await sampler.timePairs({ target: "large", reference: "large", nPairs: 2 });
    expect(target.waitNs).toBeNull();
    expect(target.waitShares).toBeNull();
    expect(target.correctedNs).toEqual(target.wallNs);
  });

  test("divides by the references on both sides, so that a linear drift cancels", async () => {
    const { sampler } = createSampler({ factor: (run) => 1 + run / 1000 });
    await sampler.load("large", large);
    const timings = await sampler.timePairs({ target: "large", reference: "large", nPairs: 10 });
    expect(timings.referenceRunsPerBlock).toBe(timings.runsPerBlock);
    expect(timings.target.wallNs[9]! / timings.target.wallNs[0]!).toBeGreaterThan(1.01);
    for (const ratio of timings.ratios) expect(ratio).toBeCloseTo(1, 6);
  });

  test("begins no further pair after its time limit, but times three", async () => {
    const { sampler, info } = createSampler();
    await sampler.load("large", large);
    const options = { target: "large", reference: "large", nPairs: 100 };
    const latencyMs = referenceLatencyNs(large, info) / 1e6;
    const runsPerPair = 2 * Math.ceil(1 / latencyMs);
    const timings = await sampler.timePairs({ ...options, maxMs: 10.5 * latencyMs * runsPerPair });
    expect(timings.ratios.length).toBeGreaterThan(3);
    expect(timings.ratios.length).toBeLessThan(11);
    expect(timings.reference.wallNs).toHaveLength(timings.target.wallNs.length + 1);
    expect((await sampler.timePairs({ ...options, maxMs: 0 })).ratios).toHaveLength(3);
  });

  test("starts and stops counters at the target's blocks only", async () => {
    const calls: string[] = [];
    const counters: CounterSet = {
      available: [{ name: "task-clock", source: "software" }],
      absent: [],
      start: () => calls.push("start"),
      stop: (nRuns) => calls.push(`stop ${nRuns}`),
      take: () => {
        calls.push("take");
        return [{ name: "task-clock", source: "software", perRun: 7, runningShare: 1 }];
      },
      close: () => calls.push("close"),
    };
    const { sampler } = createSampler({ counters });
    await sampler.load("n", large);
    const options = { target: "n", reference: "n", nPairs: 2, runsPerBlock: 4 };
    const on = await sampler.timePairs(options);
    expect(calls).toEqual(["take", "start", "stop 4", "start", "stop 4", "take"]);
    expect(on.counters[0]?.perRun).toBe(7);
    const off = await sampler.timePairs({ ...options, countersOn: false });
    expect(off.counters).toEqual([]);
    expect(calls).toHaveLength(6);
    await sampler.close();
    expect(calls.at(-1)).toBe("close");
  });
});

describe("delayOf()", () => {
  test("is the wait of the calling thread", () => {
    expect(delayOf(Float64Array.of(30, 70), 100)).toBe(30);
  });

  test("never takes everything away, whatever the kernel books", () => {
    expect(delayOf(Float64Array.of(500), 100)).toBe(99);
  });
});

describe("waitShareOf()", () => {
  test("is the share of the one thread", () => {
    expect(waitShareOf(Float64Array.of(30), 100)).toBeCloseTo(0.3, 12);
    expect(waitShareOf(Float64Array.of(0), 100)).toBe(0);
  });

  test("is the share in which any of several threads waits, when they wait independently", () => {
    expect(waitShareOf(Float64Array.of(50, 20), 100)).toBeCloseTo(0.6, 12);
    expect(waitShareOf(Float64Array.of(0, 500), 100)).toBe(1);
  });
});

describe("warmUp()", () => {
  test("stops once two windows of 10 agree and the least time has passed", async () => {
    const { sampler, info } = createSampler();
    await sampler.load("large", large);
    const { runs, steady, durationMs } = await sampler.warmUp("large", { mode: "steady" });
    const nWindows = Math.ceil(5e8 / referenceLatencyNs(large, info) / 10);
    expect({ runs, steady }).toEqual({ runs: 10 * nWindows, steady: true });
    expect(durationMs).toBeGreaterThanOrEqual(500);
  });

  test("goes on while the latency still falls", async () => {
    const { sampler } = createSampler({ factor: (run) => Math.max(1, 2 - run / 100) });
    await sampler.load("large", large);
    const result = await sampler.warmUp("large", { mode: "steady", minMs: 0 });
    expect(result.steady).toBe(true);
    expect(result.runs).toBeGreaterThan(100);
  });

  test("gives up at its limit and says that the network never settled", async () => {
    const { sampler } = createSampler({ factor: (run) => 1 + run / 20 });
    await sampler.load("large", large);
    const { steady, durationMs } = await sampler.warmUp("large", { mode: "steady", maxMs: 300 });
    expect(steady).toBe(false);
    expect(durationMs).toBeLessThan(350);
  });

  test("runs exactly as often as asked in bulk mode and judges nothing", async () => {
    const { sampler, nRuns } = createSampler();
    await sampler.load("large", large);
    const before = nRuns();
    const { runs, steady } = await sampler.warmUp("large", { mode: "bulk", minRuns: 5 });
    expect({ runs, steady, really: nRuns() - before }).toEqual({
      runs: 5,
      steady: null,
      really: 5,
    });
  });
});

describe("the local sampler", () => {
  test("refuses unknown and repeated keys, and inputs of the wrong size", async () => {
    const { sampler } = createSampler();
    await expect(sampler.warmUp("none", { mode: "bulk" })).rejects.toThrow(
      'no network "none" is loaded',
    );
    await sampler.load("n", small);
    await expect(sampler.load("n", small)).rejects.toThrow(InputError);
    await expect(sampler.runOnce("n", new Float32Array(3))).rejects.toThrow(ShapeError);
    await expect(sampler.timePairs({ target: "n", reference: "n", nPairs: 0 })).rejects.toThrow(
      "nPairs must be an integer >= 1, got 0",
    );
    await sampler.unload("n");
    await expect(sampler.unload("n")).rejects.toThrow(InputError);
  });
});
