import { describe, expect, test } from "vitest";
import { matrix } from "../../tensor/linalg.js";
import { createRandom } from "../../tensor/random.js";
import { createRegression, prepareRegression, regressionSamples } from "./regression.js";

const truth = [2, 3, 1];

/** Rows (1, a, b), latencies of the truth with relative noise. */
function world(n: number, noise: number, seed: number) {
  const random = createRandom(seed);
  const design = matrix(n, 3);
  const latencyMs = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const row = [1, 2 * random.uniform(), 2 * random.uniform()];
    design.values.set(row, 3 * i);
    const latency = row.reduce((sum, value, j) => sum + value * truth[j]!, 0);
    latencyMs[i] = latency * (1 + noise * (2 * random.uniform() - 1));
  }
  return { design, latencyMs };
}

function identity(p: number, variance: number) {
  const result = matrix(p, p);
  for (let j = 0; j < p; j++) result.values[j * p + j] = variance;
  return result;
}
const prior = { mean: new Float64Array([1, 1, 1]), covariance: identity(3, 4) };

describe("createRegression()", () => {
  test.each([3, 12])("finds the coefficients of %i nearly exact samples", (n) => {
    const { design, latencyMs } = world(n, 1e-5, 1);
    const prepared = prepareRegression(design, latencyMs, prior);
    const { mean, covariance } = createRegression(regressionSamples(latencyMs)).gaussianOf(
      prepared,
      1e-4,
    );
    mean.forEach((value, j) => {
      expect(Math.abs(value - truth[j]!)).toBeLessThan(0.01);
      expect(covariance.values[4 * j]!).toBeGreaterThan(0);
      expect(covariance.values[4 * j]!).toBeLessThan(0.01);
    });
  });

  test("gives the same with more columns than samples, when the further columns are empty", () => {
    const { design, latencyMs } = world(6, 0.05, 2);
    const wide = matrix(6, 9);
    for (let i = 0; i < 6; i++) wide.values.set(design.values.subarray(3 * i, 3 * i + 3), 9 * i);
    const widePrior = {
      mean: Float64Array.from({ length: 9 }, (_, j) => prior.mean[j] ?? 0),
      covariance: identity(9, 4),
    };
    const regression = createRegression(regressionSamples(latencyMs));
    const narrow = prepareRegression(design, latencyMs, prior);
    const broad = prepareRegression(wide, latencyMs, widePrior);
    expect(regression.logEvidenceOf(broad, 0.05)).toBeCloseTo(
      regression.logEvidenceOf(narrow, 0.05),
      5,
    );
    const expected = regression.gaussianOf(narrow, 0.05);
    const found = regression.gaussianOf(broad, 0.05);
    for (let j = 0; j < 3; j++) {
      expect(found.mean[j]!).toBeCloseTo(expected.mean[j]!, 5);
      expect(found.covariance.values[9 * j + j]!).toBeCloseTo(
        expected.covariance.values[3 * j + j]!,
        5,
      );
    }
  });

  test("is not bent by one sample that is far off", () => {
    const { design, latencyMs } = world(12, 0.01, 3);
    latencyMs[5] = 2 * latencyMs[5]!;
    const prepared = prepareRegression(design, latencyMs, prior);
    const { mean } = createRegression(regressionSamples(latencyMs)).gaussianOf(prepared, 0.02);
    mean.forEach((value, j) => {
      expect(Math.abs(value / truth[j]! - 1)).toBeLessThan(0.05);
    });
  });

  test("prefers the noise that the samples have", () => {
    const { design, latencyMs } = world(40, 0.1, 4);
    const prepared = prepareRegression(design, latencyMs, prior);
    const regression = createRegression(regressionSamples(latencyMs));
    const best = [0.005, 0.05, 0.4].map((sd) => regression.logEvidenceOf(prepared, sd));
    expect(best[1]).toBe(Math.max(...best));
  });
});

describe("regressionSamples()", () => {
  test("sees that latencies are whole milliseconds, or finer than any step", () => {
    expect(regressionSamples(new Float64Array([3, 7, 12, 5])).stepMs).toBe(1);
    expect(regressionSamples(new Float64Array([3.5, 7, 12, 5])).stepMs).toBe(0.5);
    expect(regressionSamples(new Float64Array([3.1234, 7, 12, 5])).stepMs).toBe(0);
  });
});
