// What the rebuilt graph networks read of a network.
import { describe, expect, test } from "vitest";
import { cellFromArchString, encodingOfCell } from "../../space/nasbench201/cell.js";
import { brpNasColumns, brpNasFormOf } from "./brp-nas-network.js";
import { helpFeatures, helpFormOf } from "./help-network.js";
import { nasflatFormOf, nasflatGraphs } from "./nasflat-network.js";

const space = { space: "nasbench201", width: 24 };
const conv = "nor_conv_3x3";
/** Input -(skip)-> node 1 -(conv)-> node 2 -(skip)-> output, and a convolution that nobody reads. */
const encoding = Float32Array.from(
  encodingOfCell(
    cellFromArchString(`|skip_connect~0|+|none~0|${conv}~1|+|none~0|none~1|skip_connect~2|`),
  ),
);

/** Positions of ones in each row of a matrix. */
function onesByRow(values: Float32Array, width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, row) => {
    const part = values.subarray(row * width, (row + 1) * width);
    return Array.from(part.keys()).filter((i) => part[i] === 1);
  });
}

describe("helpFeatures()", () => {
  test("gives every edge of a cell its choice, and input, output and global node their own", () => {
    const form = helpFormOf(space);
    expect(form.nFeatures).toBe(72);
    const features = helpFeatures(form, encoding);
    expect(onesByRow(features, 8)).toEqual([[5], [1], [0], [3], [0], [0], [1], [6], [7]]);
  });

  test("writes an FBNet as 132 numbers: kernel and expansion of each block, a skip as zeros", () => {
    const form = helpFormOf({ space: "fbnet", width: 198 });
    const blocks = [...Array(20).fill(8), 2, 5];
    const chain = new Float32Array(198);
    blocks.forEach((block, place) => {
      chain[place * 9 + block] = 1;
    });
    const features = helpFeatures(form, chain);
    expect(features.length).toBe(132);
    expect(onesByRow(features, 6).slice(19)).toEqual([[], [0, 4], [1, 3]]);
  });
});

describe("brpNasColumns()", () => {
  test("prunes, and reads what comes after a node; the global node reads all", () => {
    const form = brpNasFormOf(space, 4);
    const { nodes, links } = brpNasColumns(form, encoding);
    expect(onesByRow(nodes, 8)).toEqual([[7], [5], [], [], [3], [], [], [], [6]]);
    expect(onesByRow(links, 9)).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7, 8],
      [1, 4],
      [2],
      [3],
      [4, 8],
      [5],
      [6],
      [7],
      [8],
    ]);
  });
});

describe("nasflatGraphs()", () => {
  test("keeps all choices beside pruned links, which lead to a node", () => {
    const { choices, links } = nasflatGraphs(nasflatFormOf(space, 3), encoding);
    expect(onesByRow(choices, 5)).toEqual([[1], [0], [3], [0], [0], [1]]);
    expect(onesByRow(links, 8)).toEqual([[], [], [], [0], [], [], [], [3]]);
  });
});
