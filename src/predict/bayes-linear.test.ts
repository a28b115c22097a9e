import { describe, expect, test } from "vitest";
import { matrix, multiplyVector } from "../tensor/linalg.js";
import { createRandom } from "../tensor/random.js";
import { fitWellSampled, gaussianOf, mixMoments, preparePrior, regress } from "./bayes-linear.js";

const random = createRandom(17);
const truth = Float64Array.of(2, 0.5, 1.5);

function drawDesign(n: number) {
  const values = Float64Array.from({ length: n * 3 }, (_, k) =>
    k % 3 === 0 ? 1 : random.integer(6),
  );
  return matrix(n, 3, values);
}

function noisy(clean: Float64Array, sd: number): Float64Array {
  return clean.map((value) => value * (1 + sd * random.normal()));
}

describe("fitWellSampled()", () => {
  test("finds coefficients and the relative noise", () => {
    const a = drawDesign(400);
    const fit = fitWellSampled(a, noisy(multiplyVector(a, truth), 0.05), new Float64Array(3));
    truth.forEach((value, j) => {
      expect(fit.coefficients[j]! / value).toBeCloseTo(1, 1);
    });
    expect(fit.noiseSd).toBeGreaterThan(0.04);
    expect(fit.noiseSd).toBeLessThan(0.06);
  });

  test("is not led astray by one sample in twenty being threefold", () => {
    const a = drawDesign(400);
    const y = noisy(multiplyVector(a, truth), 0.02).map((v, i) => (i % 20 === 0 ? 3 * v : v));
    const { coefficients } = fitWellSampled(a, y, new Float64Array(3));
    const predicted = multiplyVector(a, coefficients);
    const clean = multiplyVector(a, truth);
    const worst = Math.max(...predicted.map((value, i) => Math.abs(value / clean[i]! - 1)));
    expect(worst).toBeLessThan(0.05);
  });

  test("settles columns that cannot be told apart near the centre", () => {
    const narrow = drawDesign(200);
    const wide = matrix(
      200,
      4,
      Float64Array.from(
        { length: 800 },
        (_, k) => narrow.values[3 * (k >> 2) + Math.min(k & 3, 2)]!,
      ),
    );
    const y = multiplyVector(narrow, truth);
    const { coefficients } = fitWellSampled(wide, y, new Float64Array(4));
    expect(coefficients[2]!).toBeCloseTo(0.75, 2);
    expect(coefficients[3]!).toBeCloseTo(0.75, 2);
  });

  test("does not count the samples' own deviation as the platform's noise", () => {
    const a = drawDesign(400);
    const y = noisy(multiplyVector(a, truth), 0.05);
    const relativeSd = new Float64Array(400).fill(0.05);
    expect(fitWellSampled(a, y, new Float64Array(3), relativeSd).noiseSd).toBeLessThan(0.02);
  });
});

describe("regress()", () => {
  const prior = preparePrior({
    mean: Float64Array.of(1, 1, 1),
    covariance: matrix(3, 3, Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1)),
  });
  const a = drawDesign(12);
  const y = multiplyVector(a, truth);

  test("stays at the prior when samples say nothing", () => {
    const { mean, covariance } = gaussianOf(regress(a, y, prior, { sd: 1e4 }));
    expect(mean[0]!).toBeCloseTo(1, 3);
    expect(covariance.values[0]!).toBeCloseTo(1, 3);
  });

  test("follows samples that are exact", () => {
    const { mean } = regress(a, y, prior, { sd: 1e-4 });
    truth.forEach((value, j) => {
      expect(mean[j]!).toBeCloseTo(value, 3);
    });
  });

  test("gives the evidence of the multivariate normal", () => {
    // One sample, one column: y ~ N(m·x, c·x² + (sd·y)²), with the noise relative to the fitted latency.
    const one = preparePrior({
      mean: Float64Array.of(2),
      covariance: matrix(1, 1, Float64Array.of(0.25)),
    });
    const x = 3;
    const measured = 6.2;
    const posterior = regress(matrix(1, 1, Float64Array.of(x)), Float64Array.of(measured), one, {
      sd: 0.1,
    });
    // First pass relative to the measured latency, second to what it fitted.
    const fittedWith = (base: number) => {
      const noise = (0.1 * base) ** 2;
      const gain = (0.25 * x) / (0.25 * x * x + noise);
      return x * (2 + gain * (measured - 2 * x));
    };
    const base = fittedWith(measured);
    const variance = 0.25 * x * x + (0.1 * base) ** 2;
    const expected = -0.5 * ((measured - 2 * x) ** 2 / variance + Math.log(variance));
    expect(posterior.logEvidence).toBeCloseTo(expected, 10);
  });

  test("trusts a sample less when its own deviation is larger", () => {
    const relativeSd = Float64Array.from(y, (_, i) => (i === 0 ? 1 : 0));
    const wrong = y.map((value, i) => (i === 0 ? 2 * value : value));
    const { mean } = regress(a, wrong, prior, { sd: 0.01, relativeSd });
    expect(Math.abs(mean[1]! - truth[1]!)).toBeLessThan(0.05);
  });
});

describe("mixMoments()", () => {
  test("adds the spread between parts to the spread within", () => {
    const part = (at: number) => ({
      mean: Float64Array.of(at),
      covariance: matrix(1, 1, Float64Array.of(0.5)),
    });
    const mixed = mixMoments([part(0), part(4)], [3, 1]);
    expect(mixed.mean[0]).toBe(1);
    expect(mixed.covariance.values[0]).toBeCloseTo(0.5 + 3, 12);
  });
});
