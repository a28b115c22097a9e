import { describe, expect, test } from "vitest";
import { InputError, ShapeError } from "../errors.js";
import {
  intervalCoverage,
  meanAbsolutePercentageError,
  meanIntervalScore,
  medianRelativeWidth,
  scorePredictions,
  withinShare,
} from "./metrics.js";

const measuredMs = [10, 20, 40, 50];
const predictedMs = [10.4, 22, 40, 40];
const lowerMs = [9, 21, 30, 30];
const upperMs = [11, 23, 50, 45];

describe("scorePredictions()", () => {
  const scores = scorePredictions({ measuredMs, predictedMs, lowerMs, upperMs, coverage: 0.9 });

  test("counts errors relative to the measured latency, the limit included", () => {
    expect(scores.withinFivePercent).toBe(0.5);
    expect(scores.withinTenPercent).toBe(0.75);
    expect(scores.mape).toBeCloseTo((0.04 + 0.1 + 0 + 0.2) / 4, 12);
  });

  test("counts measured latencies inside their interval", () => {
    expect(scores.coverage).toBe(0.5);
  });

  test("penalises what an interval misses by 2/α of it", () => {
    const byHand = (2 / 10 + (2 + 20 * 1) / 20 + 20 / 40 + (15 + 20 * 5) / 50) / 4;
    expect(scores.intervalScore).toBeCloseTo(byHand, 12);
  });

  test("takes the median width relative to the prediction", () => {
    const widths = [2 / 10.4, 2 / 22, 20 / 40, 15 / 40].sort((a, b) => a - b);
    expect(scores.intervalWidth).toBeCloseTo((widths[1]! + widths[2]!) / 2, 12);
  });

  test("ranks ties by their average", () => {
    // Ranks 1 2 3 4 against 1 2 3.5 3.5.
    expect(scores.spearman).toBeCloseTo(4.5 / Math.sqrt(5 * 4.5), 12);
    expect(scores.kendall).toBeCloseTo(5 / Math.sqrt(6 * 5), 12);
  });
});

test("scores refuse no networks and columns of different length", () => {
  expect(() => withinShare([], [], 0.1)).toThrow(InputError);
  expect(() => meanAbsolutePercentageError([1, 2], [1])).toThrow(ShapeError);
  expect(() => intervalCoverage([1], [1], [])).toThrow(ShapeError);
  expect(() => medianRelativeWidth([1], [1], [])).toThrow(ShapeError);
  expect(() =>
    meanIntervalScore({ measuredMs: [], lowerMs: [], upperMs: [], coverage: 0.9 }),
  ).toThrow(InputError);
});
