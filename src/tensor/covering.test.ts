import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { coveringRows } from "./covering.js";
import { matrix } from "./linalg.js";

const points = (values: number[], columns: number) =>
  matrix(values.length / columns, columns, Float64Array.from(values));

describe("coveringRows()", () => {
  test("goes to the farthest point each time, the lower number among equals", () => {
    expect(coveringRows(points([0, 1, 2, 10, 5], 1), 5)).toEqual([0, 3, 4, 2, 1]);
    expect(coveringRows(points([5, 0, 10], 1), 2)).toEqual([0, 1]);
  });

  test("begins far from what is taken, and takes none of it again", () => {
    const all = points([0, 1, 2, 10, 5], 1);
    expect(coveringRows(all, 3, [0, 4])).toEqual([3, 2, 1]);
  });

  test("weighs columns alike whatever their units, and constant ones not at all", () => {
    // Row 1 is far in the first column, row 2 in the second by as many standard deviations and a bit.
    const rows = points([0, 0, 7, 1, 0, 7, 0, 5000, 7, 0, 0, 7], 3);
    expect(new Set(coveringRows(rows, 3, [3]))).toEqual(new Set([0, 1, 2]));
    expect(coveringRows(rows, 2, [3]).sort()).toEqual([1, 2]);
  });

  test("refuses more rows than there are", () => {
    expect(() => coveringRows(points([1, 2, 3], 1), 3, [0])).toThrow(InputError);
    expect(() => coveringRows(points([1, 2, 3], 1), 3, [0])).toThrow(
      "only 2 rows are left to choose from, asked for 3",
    );
  });
});
