import { describe, expect, test } from "vitest";
import { cellFromArchString, encodingOfCell } from "../../space/nasbench201/cell.js";
import { featuresOfCells } from "../../space/nasbench201/features.js";
import { choicesOf, graphFormOf, prunedLinks, wholeLinks } from "./cell-graph.js";

const cell = graphFormOf({ space: "nasbench201", width: 24 });

function prunedOf(arch: string) {
  const encoding = Float32Array.from(encodingOfCell(cellFromArchString(arch)));
  const { links, isLive } = prunedLinks(cell, choicesOf(cell, encoding));
  const pairs: string[] = [];
  for (let from = 0; from < 8; from++) {
    for (let to = 0; to < 8; to++) if (links[to * 8 + from] === 1) pairs.push(`${from}>${to}`);
  }
  return { links: pairs, isLive: [...isLive] };
}

describe("graphFormOf()", () => {
  test("knows cells and chains, and takes any other encoding as one node", () => {
    expect(cell).toEqual({ kind: "cell", nChoices: 6, nAlternatives: 5 });
    expect(graphFormOf({ space: "fbnet", width: 198 })).toEqual({
      kind: "chain",
      nChoices: 22,
      nAlternatives: 9,
    });
    expect(graphFormOf({ space: "other", width: 7 })).toEqual({
      kind: "single",
      nChoices: 1,
      nAlternatives: 7,
    });
  });
});

describe("choicesOf()", () => {
  test("makes `none` a choice of its own", () => {
    const arch = "|none~0|+|skip_connect~0|nor_conv_1x1~1|+|nor_conv_3x3~0|avg_pool_3x3~1|none~2|";
    const encoding = Float32Array.from(encodingOfCell(cellFromArchString(arch)));
    const choices = choicesOf(cell, encoding);
    const chosen = Array.from({ length: 6 }, (_, edge) =>
      choices.subarray(5 * edge, 5 * edge + 5).indexOf(1),
    );
    expect(chosen).toEqual([0, 1, 2, 3, 4, 0]);
    expect(choices.reduce((sum, value) => sum + value, 0)).toBe(6);
  });
});

describe("prunedLinks()", () => {
  const conv = "nor_conv_3x3";

  test("leaves a cell of operations as it is", () => {
    const { links, isLive } = prunedOf(
      `|${conv}~0|+|${conv}~0|${conv}~1|+|${conv}~0|${conv}~1|${conv}~2|`,
    );
    expect(links).toEqual(["0>1", "0>2", "0>4", "1>3", "1>5", "2>6", "3>6", "4>7", "5>7", "6>7"]);
    expect(isLive).toEqual([1, 1, 1, 1, 1, 1]);
    expect(wholeLinks(cell).reduce((sum, value) => sum + value, 0)).toBe(links.length);
  });

  test("passes through skips and cuts at none", () => {
    // Input -(skip)-> node 1 -(conv)-> node 2 -(skip)-> output; input -(none)-> everything else.
    const { links, isLive } = prunedOf(
      `|skip_connect~0|+|none~0|${conv}~1|+|none~0|none~1|skip_connect~2|`,
    );
    expect(links).toEqual(["0>3", "3>7"]);
    expect(isLive).toEqual([0, 0, 1, 0, 0, 0]);
  });

  test("drops operations whose result nobody reads, and all links of a cut cell", () => {
    const dead = prunedOf(`|${conv}~0|+|none~0|none~1|+|${conv}~0|none~1|none~2|`);
    expect(dead.links).toEqual(["0>4", "4>7"]);
    expect(dead.isLive).toEqual([0, 0, 0, 1, 0, 0]);
    expect(prunedOf(`|${conv}~0|+|none~0|none~1|+|none~0|none~1|${conv}~2|`).links).toEqual([]);
  });

  test("keeps a way from input to output in connected cells only", () => {
    const { encoding, connected } = featuresOfCells();
    const choices = choicesOf(cell, encoding!.values);
    const differing = [...connected.keys()].filter((row) => {
      const { links } = prunedLinks(cell, choices.subarray(30 * row, 30 * row + 30));
      return links.some((link) => link === 1) !== (connected[row] === 1);
    });
    expect(differing).toEqual([]);
  });
});
