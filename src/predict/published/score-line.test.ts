import { describe, expect, test } from "vitest";
import { fillInLatencies } from "./fill-in.js";
import {
  deviationOfErrors,
  fitRobustScoreLine,
  fitScoreLine,
  latencyOfScores,
} from "./score-line.js";

describe("fitScoreLine()", () => {
  test("finds an exact line", () => {
    const scores = [0, 1, 2, 5];
    const line = fitScoreLine(
      scores,
      scores.map((score) => 3 + 2 * score),
    );
    expect(line.intercept).toBeCloseTo(3, 6);
    expect(line.slope).toBeCloseTo(2, 6);
    expect(latencyOfScores(line, [10])[0]).toBeCloseTo(23, 5);
  });

  test("never turns ranks round, and never predicts less than a fifth of the fastest sample", () => {
    const line = fitScoreLine([3, 2, 1, 0], [1, 2, 3, 4]);
    expect(line.slope).toBeGreaterThan(0);
    const [low, high] = latencyOfScores(line, [0, 1]);
    expect(high).toBeGreaterThan(low!);
    expect(latencyOfScores(line, [-1e9])[0]).toBeCloseTo(0.2, 10);
  });

  test("survives scores or latencies that are all alike", () => {
    for (const [scores, latencies] of [
      [
        [1, 1, 1],
        [2, 3, 4],
      ],
      [
        [1, 2, 3],
        [5, 5, 5],
      ],
    ] as const) {
      const predicted = latencyOfScores(fitScoreLine(scores, latencies), [0, 2, 9]);
      expect(predicted.every((ms) => Number.isFinite(ms) && ms > 0)).toBe(true);
    }
  });
});

describe("fitRobustScoreLine()", () => {
  test("is not bent by a sample that is nothing like its score", () => {
    const scores = [0, 0.2, 0.3, 0.5, 0.6, 0.8, 0.9, 1];
    const latencies = scores.map((score) => 1 + 2 * score);
    // A network that a runtime prunes to nothing, and that was ranked as the slowest.
    latencies[7] = 0.1;
    const line = fitRobustScoreLine(scores, latencies);
    expect(line.slope).toBeCloseTo(2, 6);
    expect(line.intercept).toBeCloseTo(1, 6);
    expect(fitScoreLine(scores, latencies).slope).toBeLessThan(1);
  });

  test("never turns ranks round, and survives scores that are all alike", () => {
    expect(fitRobustScoreLine([3, 2, 1, 0], [1, 2, 3, 4]).slope).toBeGreaterThan(0);
    const [latency] = latencyOfScores(fitRobustScoreLine([1, 1, 1], [2, 3, 4]), [1]);
    expect(latency).toBeCloseTo(3, 6);
  });
});

describe("deviationOfErrors()", () => {
  test("is the root mean square, with far errors counted as four times the median", () => {
    expect(deviationOfErrors([0.1, -0.1, 0.1])).toBeCloseTo(0.1, 10);
    expect(deviationOfErrors([0.1, -0.1, 0.1, -0.1, 50])).toBeCloseTo(
      Math.sqrt((4 * 0.01 + 0.16) / 5),
      10,
    );
    expect(deviationOfErrors([0, 0, 0])).toBe(0.01);
  });
});

describe("fillInLatencies()", () => {
  test("finds additive costs and stays within what was measured", () => {
    const known = Float32Array.from([0, 0, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0]);
    const latencyMs = Float64Array.from([1, 3, 2, 4, 1, 3]);
    const [a, b] = fillInLatencies(known, latencyMs, Float32Array.from([0, 1, 1, 1]), 2);
    expect(a).toBeCloseTo(2, 1);
    expect(b).toBeCloseTo(4, 1);
    const [beyond] = fillInLatencies(known, latencyMs, Float32Array.from([9, 9]), 2);
    expect(beyond).toBe(4);
  });
});
