import { describe, expect, test } from "vitest";
import { createGraphBuilder } from "./build.js";
import { longestChain, sourcesOf } from "./chains.js";
import { featuresOfGraphs } from "./feature-table.js";

describe("longestChain()", () => {
  // 0 -> 1 -> 3 and 2 -> 3 -> 4.
  const sources = [[], [0], [], [1, 2], [3]];

  test("counts executed operators only", () => {
    expect(longestChain(Uint8Array.of(1, 1, 1, 1, 1), sources)).toBe(4);
    expect(longestChain(Uint8Array.of(1, 1, 1, 0, 1), sources)).toBe(2);
    expect(longestChain(new Uint8Array(5), sources)).toBe(0);
  });

  test("follows weights, not the number of operators", () => {
    expect(longestChain(new Uint8Array(5).fill(1), sources, [1, 1, 9, 1, 0])).toBe(10);
  });
});

describe("sourcesOf()", () => {
  test("gives the operators whose results are read, no inputs or constants", () => {
    const b = createGraphBuilder("sources");
    const x = b.input("x", [1]);
    const a = b.operator("Relu", [x]);
    b.operator("Add", [a, b.operator("Add", [a, x])]);
    expect(sourcesOf(b.finish(["Add_2"]))).toEqual([[], [0], [0, 1]]);
  });
});

describe("the heaviest path", () => {
  /** x -> conv of a kernel -> Identity -> sum; x -> four ReLU -> sum. */
  function branches(kernel: number) {
    const b = createGraphBuilder("branches");
    const x = b.input("x", [1, 2, 8, 8]);
    const weights = b.constant("w", [2, 2, kernel, kernel], { kind: "random", seed: 1, scale: 1 });
    const pad = (kernel - 1) / 2;
    const conv = b.operator("Conv", [x, weights], { pads: [pad, pad, pad, pad] });
    const wide = b.operator("Identity", [conv]);
    let long = x;
    for (let i = 0; i < 4; i++) long = b.operator("Relu", [long]);
    return b.finish([b.operator("Add", [wide, long])]);
  }

  test.each([
    [1, { path: 5, heaviest: 5, shared: 5 }],
    [3, { path: 5, heaviest: 11, shared: 10 }],
    [5, { path: 5, heaviest: 27, shared: 26 }],
  ])("takes the branch with more taps: kernel %i", (kernel, expected) => {
    const { longestPath, heaviestPath } = featuresOfGraphs([{ id: "x", graph: branches(kernel) }]);
    expect(longestPath.all[0]).toBe(expected.path);
    expect(heaviestPath.all[0]).toBe(expected.heaviest);
    // An Identity that is seen through weighs nothing.
    expect(heaviestPath["all+shared"][0]).toBe(expected.shared);
    expect(heaviestPath["all+merged"][0]).toBe(expected.shared);
  });

  test("weighs pooling by its window and global pooling as one operator", () => {
    const b = createGraphBuilder("pools");
    const x = b.input("x", [1, 2, 8, 8]);
    const pooled = b.operator("MaxPool", [x], { kernel_shape: [2, 3], strides: [2, 2] });
    const graph = b.finish([b.operator("GlobalAveragePool", [pooled])]);
    expect(featuresOfGraphs([{ id: "pools", graph }]).heaviestPath.all[0]).toBe(7);
  });

  test("leaves out a heavy branch that a view does not execute", () => {
    const b = createGraphBuilder("dead");
    const x = b.input("x", [1, 2, 8, 8]);
    b.operator("AveragePool", [x], { kernel_shape: [3, 3] });
    const graph = b.finish([b.operator("Relu", [x])]);
    const { heaviestPath } = featuresOfGraphs([{ id: "dead", graph }]);
    expect([heaviestPath.all[0], heaviestPath.backward[0]]).toEqual([9, 1]);
  });
});

describe("featuresOfGraphs()", () => {
  test("has one array for semantics that no network tells apart", () => {
    const b = createGraphBuilder("line");
    const graph = b.finish([b.operator("Relu", [b.input("x", [1])])]);
    const { counts, longestPath, heaviestPath } = featuresOfGraphs([{ id: "line", graph }]);
    for (const values of [counts, longestPath, heaviestPath]) {
      expect(new Set(Object.values(values)).size).toBe(1);
    }
  });
});
