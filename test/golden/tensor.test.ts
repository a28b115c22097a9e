// Numerics against numpy and scipy (versions in tensor.json, made by tensor.py).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  logGamma,
  normalCdf,
  normalQuantile,
  studentTCdf,
  studentTQuantile,
} from "../../src/tensor/distributions.js";
import {
  cholesky,
  inverseFromCholesky,
  leastSquares,
  logDeterminantFromCholesky,
  matrix,
  multiplyVector,
  solveCholesky,
  symmetricProduct,
  tryCholesky,
} from "../../src/tensor/linalg.js";
import { createRandom } from "../../src/tensor/random.js";
import {
  averageRanks,
  binomialInterval,
  kendall,
  median,
  medianAbsoluteDeviation,
  pearson,
  quantile,
  spearman,
  standardDeviation,
} from "../../src/tensor/stats.js";

const golden = JSON.parse(readFileSync(join(import.meta.dirname, "tensor.json"), "utf8"));

function expectClose(actual: ArrayLike<number>, expected: number[], relative = 1e-10): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const tolerance = relative * Math.max(Math.abs(expected[i]!), 1e-3);
    expect(Math.abs(actual[i]! - expected[i]!)).toBeLessThanOrEqual(tolerance);
  }
}

describe(`golden: ${golden.program}`, () => {
  test("random numbers", () => {
    const random = createRandom(golden.xoshiro.seed);
    expect(golden.xoshiro.values.map(() => random.uint32())).toEqual(golden.xoshiro.values);
  });

  test("descriptive statistics", () => {
    const { a } = golden;
    expectClose(
      [median(a), medianAbsoluteDeviation(a), standardDeviation(a)],
      [golden.median, golden.mad, golden.standardDeviation],
    );
    for (const [p, value] of golden.quantiles) expectClose([quantile(a, p)], [value]);
    expectClose(averageRanks(a), golden.ranks);
  });

  test("correlations with ties", () => {
    const { a, b } = golden;
    expectClose(
      [pearson(a, b), spearman(a, b), kendall(a, b)],
      [golden.pearson, golden.spearman, golden.kendall],
    );
  });

  test("binomial intervals", () => {
    for (const [successes, trials, coverage, lower, upper] of golden.wilson) {
      const interval = binomialInterval(successes, trials, coverage);
      expectClose([interval.lower, interval.upper], [lower, upper], 1e-8);
    }
  });

  test("distributions", () => {
    for (const [x, value] of golden.logGamma) expectClose([logGamma(x)], [value]);
    for (const [x, value] of golden.normalCdf) expectClose([normalCdf(x) / value], [1], 1e-9);
    for (const [p, value] of golden.normalQuantile) expectClose([normalQuantile(p)], [value], 1e-9);
    for (const [x, df, value] of golden.tCdf) expectClose([studentTCdf(x, df) / value], [1], 1e-9);
    for (const [p, df, value] of golden.tQuantile) {
      expectClose([studentTQuantile(p, df)], [value], 1e-8);
    }
  });

  test("linear algebra", () => {
    const s = matrix(4, 4, Float64Array.from(golden.S));
    const x = matrix(12, 4, Float64Array.from(golden.X));
    const y = Float64Array.from(golden.y);
    const weights = Float64Array.from(golden.w);
    const l = cholesky(s);
    expectClose(l.values, golden.cholesky);
    expectClose(inverseFromCholesky(l).values, golden.inverse);
    expectClose([logDeterminantFromCholesky(l)], [golden.logDeterminant]);
    expectClose(solveCholesky(l, y.slice(0, 4)), golden.solution);
    expectClose(leastSquares(x, y), golden.leastSquares, 1e-8);
    expectClose(leastSquares(x, y, { weights }), golden.weightedLeastSquares, 1e-8);
    expectClose(symmetricProduct(x, weights).values, golden.weightedProduct);
    expectClose(multiplyVector(s, Float64Array.of(1, 0, 0, 0)), [
      golden.S[0],
      golden.S[4],
      golden.S[8],
      golden.S[12],
    ]);
  });

  test("a matrix that is not positive definite has no Cholesky factor", () => {
    expect(tryCholesky(matrix(2, 2, Float64Array.of(1, 2, 2, 1)))).toBeUndefined();
  });
});
