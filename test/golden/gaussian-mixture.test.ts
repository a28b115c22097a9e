// Regression by Gaussian processes against numpy (gaussian-mixture.py says how the figures were made).
import { describe, expect, test } from "vitest";
import {
  createMixture,
  hypothesisGrid,
  weighHypotheses,
} from "../../src/predict/published/gaussian-mixture.js";
import { matrix } from "../../src/tensor/linalg.js";
import golden from "./gaussian-mixture.json" with { type: "json" };

const vector = (values: readonly number[]) => Float64Array.from(values);
const rowsOf = (values: readonly number[], rows: number) =>
  matrix(rows, values.length / rows, vector(values));
const { hypotheses, unit, views } = golden;
const scale = { unit, views };
const n = golden.logMs.length;
const observed = {
  counts: rowsOf(golden.counts, n),
  shared: rowsOf(golden.shared, n),
  logMs: vector(golden.logMs),
  ownVariance: vector(golden.ownVariance),
};
const m = golden.mean.length;
const others = {
  counts: rowsOf(golden.testCounts, m),
  shared: rowsOf(golden.testShared, m),
};

describe("weighHypotheses()", () => {
  test(`agrees with ${golden.by}`, () => {
    const weights = weighHypotheses(hypotheses, vector(golden.prior), observed, scale);
    weights.forEach((weight, h) => {
      expect(weight).toBeCloseTo(golden.weights[h]!, 10);
    });
  });

  test("gives hypotheses of the grid weights that add up to 1", () => {
    const grid = hypothesisGrid(views.length);
    const prior = new Float64Array(grid.length).fill(1 / grid.length);
    const weights = weighHypotheses(grid, prior, observed, scale);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 10);
  });
});

describe("createMixture()", () => {
  const mixture = createMixture(hypotheses, vector(golden.weights), observed, scale);

  test(`agrees with ${golden.by} in mean and variance`, () => {
    const { mean, variance } = mixture.predict(others);
    golden.mean.forEach((expected, i) => {
      expect(mean[i]).toBeCloseTo(expected, 10);
      expect(variance[i]).toBeCloseTo(golden.variance[i]!, 10);
    });
  });

  test("knows networks that it was shown better than others", () => {
    const [shown, other] = [mixture.predict(observed), mixture.predict(others)];
    const mean = (values: Float64Array) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(shown.variance)).toBeLessThan(mean(other.variance));
  });
});
