import { describe, expect, test } from "vitest";
import { createRandom } from "../tensor/random.js";
import { paretoFront } from "./pareto.js";

describe("paretoFront()", () => {
  test("keeps what no other equals or beats, by bound", () => {
    expect(paretoFront([3, 1, 2, 4, 1], [30, 10, 5, 40, 12])).toEqual([4, 0, 3]);
  });

  test("of equal ones the first stays", () => {
    expect(paretoFront([1, 1, 1], [5, 5, 5])).toEqual([0]);
  });

  test("considers only what it is told to, and never NaN", () => {
    expect(paretoFront([1, 2, 3], [9, Number.NaN, 10], Int32Array.of(1, 2))).toEqual([2]);
    expect(paretoFront([], [])).toEqual([]);
  });

  test("is what comparing all pairs gives", () => {
    const random = createRandom(1);
    const bounds = Array.from({ length: 300 }, () => random.integer(50));
    const merits = bounds.map(() => random.integer(50));
    const isBeaten = (i: number) =>
      bounds.some(
        (bound, j) =>
          j !== i &&
          bound <= bounds[i]! &&
          merits[j]! >= merits[i]! &&
          (bound < bounds[i]! || merits[j]! > merits[i]! || j < i),
      );
    const expected = bounds
      .map((_, i) => i)
      .filter((i) => !isBeaten(i))
      .sort((a, b) => bounds[a]! - bounds[b]!);
    expect(paretoFront(bounds, merits)).toEqual(expected);
  });
});
