import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../errors.js";
import {
  archStringFromCell,
  type Cell,
  cellFromArchString,
  cellFromIndex,
  encodingOfCell,
  indexFromCell,
  nCells,
} from "./cell.js";

const arch = "|nor_conv_3x3~0|+|skip_connect~0|none~1|+|none~0|avg_pool_3x3~1|nor_conv_1x1~2|";

describe("cellFromArchString()", () => {
  test("reads the edges in the order 0->1, 0->2, 1->2, 0->3, 1->3, 2->3", () => {
    expect(cellFromArchString(arch)).toEqual([
      "nor_conv_3x3",
      "skip_connect",
      "none",
      "none",
      "avg_pool_3x3",
      "nor_conv_1x1",
    ]);
  });

  test("names an unknown operation and the known ones", () => {
    expect(() => cellFromArchString(arch.replace("none", "dil_conv_3x3"))).toThrow(
      /unknown operation "dil_conv_3x3".*known: none, skip_connect/,
    );
  });

  test.each([
    "",
    "nor_conv_3x3",
    "|none~0|+|none~0|none~1|",
    "|none~0|+|none~0|+|none~0|none~1|none~2|",
    "|none~0|+|none~0|none~0|+|none~0|none~1|none~2|",
    "|none~0|+|none~0|none~1|+|none~0|none~1|none~3|",
    "|none~0~0|+|none~0|none~1|+|none~0|none~1|none~2|",
    "none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
    "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|+",
    "|__proto__~0|+|none~0|none~1|+|none~0|none~1|none~2|",
  ])("refuses %j", (text) => {
    expect(() => cellFromArchString(text)).toThrow(InputError);
  });

  test("takes back what archStringFromCell gives", () => {
    expect(archStringFromCell(cellFromArchString(arch))).toBe(arch);
  });

  test("throws nothing but InputError on any text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => cellFromArchString(text)).toThrow(InputError);
      }),
    );
  });
});

describe("cellFromIndex()", () => {
  test("has the first edge as the most significant digit", () => {
    expect(cellFromIndex(1)[5]).toBe("skip_connect");
    expect(cellFromIndex(3125)[0]).toBe("skip_connect");
    expect(cellFromIndex(nCells - 1)).toEqual(new Array(6).fill("avg_pool_3x3"));
  });

  test("names every cell once", () => {
    const cells = Array.from({ length: nCells }, (_, index) => cellFromIndex(index));
    expect(cells.findIndex((cell, index) => indexFromCell(cell) !== index)).toBe(-1);
    expect(new Set(cells.map(archStringFromCell)).size).toBe(15_625);
  });

  test.each([-1, 15_625, 0.5, Number.NaN])("refuses %d", (index) => {
    expect(() => cellFromIndex(index)).toThrow(
      `a cell's index must be an integer in 0..15624, got ${index}`,
    );
  });
});

describe("encodingOfCell()", () => {
  test("is one-hot over the four operations other than none", () => {
    const cell: Cell = [
      "none",
      "skip_connect",
      "nor_conv_1x1",
      "nor_conv_3x3",
      "avg_pool_3x3",
      "none",
    ];
    expect(encodingOfCell(cell).join("")).toBe("000010000100001000010000");
  });
});
