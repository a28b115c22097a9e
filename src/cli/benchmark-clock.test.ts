import { describe, expect, test } from "vitest";
import { BenchmarkClock } from "./benchmark-clock.js";
import type { Job } from "./benchmark-messages.js";

const job = (predictor: string, nTrials: number, draw = 0): Job => ({
  task: { name: "ND", sources: [], targets: [] },
  predictor,
  protocol: "all",
  seed: 0,
  draw,
  trials: Array.from({ length: nTrials }, (_, trial) => ({
    ...{ target: 0, trial, samples: 10, select: "random" },
  })),
});

describe("BenchmarkClock", () => {
  test("knows nothing before a predictor has learned", () => {
    const clock = new BenchmarkClock([job("a", 2)], 1, () => 0);
    expect(clock.leftMs()).toBeUndefined();
  });

  test("counts learning and trials of what waits and what runs, over the workers", () => {
    let nowMs = 0;
    const jobs = [job("a", 3), job("a", 3, 1), job("a", 3, 2)];
    const clock = new BenchmarkClock(jobs, 2, () => nowMs);
    clock.start(jobs[0]!);
    clock.start(jobs[1]!);
    nowMs = 1000;
    clock.advance(jobs[0]!, 1);
    nowMs = 1010;
    clock.advance(jobs[0]!, 1);
    // First: one trial of 10 ms. Second: 1000 + 20 ms, of which 1010 are over. Third: 1000 + 20 ms.
    expect(clock.leftMs()).toBeCloseTo((10 + 10 + 1020) / 2, 9);
    clock.advance(jobs[0]!, 1);
    clock.finish(jobs[0]!);
    clock.finish(jobs[1]!);
    // A trial that ended at once halves the mean.
    expect(clock.leftMs()).toBeCloseTo((1000 + 2 * 5) / 2, 9);
  });

  test("takes an unknown predictor for one like the others", () => {
    let nowMs = 0;
    const jobs = [job("a", 1), job("b", 1)];
    const clock = new BenchmarkClock(jobs, 1, () => nowMs);
    clock.start(jobs[0]!);
    nowMs = 300;
    clock.advance(jobs[0]!, 1);
    clock.finish(jobs[0]!);
    expect(clock.leftMs()).toBe(300);
  });
});
