import { describe, expect, test } from "vitest";
import { InputError, ShapeError } from "../errors.js";
import { createRandom } from "./random.js";
import {
  binomialInterval,
  bootstrapInterval,
  kendall,
  mean,
  median,
  quantile,
  spearman,
  standardDeviation,
  weightedMedian,
} from "./stats.js";

describe("median()", () => {
  test("averages the two middle values when the count is even", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  test("leaves its input as it was", () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  test("refuses no values", () => {
    expect(() => median([])).toThrow(InputError);
  });
});

describe("weightedMedian()", () => {
  test("is the median when weights are equal", () => {
    expect(weightedMedian([4, 1, 3, 2], [1, 1, 1, 1])).toBe(2.5);
    expect(weightedMedian([5, 1, 3], [2, 2, 2])).toBe(3);
  });

  test("follows the weight", () => {
    expect(weightedMedian([1, 2, 30], [1, 1, 10])).toBe(30);
  });
});

describe("quantile()", () => {
  test("refuses a share outside 0..1", () => {
    expect(() => quantile([1, 2], 1.1)).toThrow("must be in 0..1");
  });
});

describe("standardDeviation()", () => {
  test("is 0 for a single value", () => {
    expect(standardDeviation([3])).toBe(0);
  });
});

describe("rank correlation", () => {
  test("is 1 for any increasing map and -1 for any decreasing one", () => {
    const values = [3, 1, 4, 1.5, 9];
    const grown = values.map((value) => Math.exp(value));
    const fallen = values.map((value) => -value);
    expect(spearman(values, grown)).toBeCloseTo(1, 12);
    expect(kendall(values, grown)).toBeCloseTo(1, 12);
    expect(spearman(values, fallen)).toBeCloseTo(-1, 12);
    expect(kendall(values, fallen)).toBeCloseTo(-1, 12);
  });

  test("is NaN when a side is constant", () => {
    expect(spearman([1, 1, 1], [1, 2, 3])).toBeNaN();
    expect(kendall([1, 1, 1], [1, 2, 3])).toBeNaN();
  });

  test("refuses sides of different length", () => {
    expect(() => spearman([1, 2], [1])).toThrow(ShapeError);
  });
});

describe("bootstrapInterval()", () => {
  test("covers the true mean about as often as it says", () => {
    const random = createRandom(11);
    let covered = 0;
    for (let trial = 0; trial < 200; trial++) {
      const values = Float64Array.from({ length: 60 }, () => random.normal());
      const { lower, upper } = bootstrapInterval(values, mean, random, {
        coverage: 0.9,
        resamples: 200,
      });
      if (lower <= 0 && upper >= 0) covered++;
    }
    expect(covered / 200).toBeGreaterThan(0.82);
    expect(covered / 200).toBeLessThan(0.97);
  });
});

describe("binomialInterval()", () => {
  test("stays inside 0..1 and holds the observed share", () => {
    expect(binomialInterval(0, 5, 0.95).lower).toBe(0);
    expect(binomialInterval(5, 5, 0.95).upper).toBe(1);
    expect(binomialInterval(5, 5, 0.95).lower).toBeLessThan(0.6);
  });

  test("refuses no trials", () => {
    expect(() => binomialInterval(0, 0, 0.9)).toThrow(InputError);
  });
});
