import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { livenessOf, topologicalOrder, viewOf } from "./analysis.js";
import { createGraphBuilder } from "./build.js";
import { longestChain, sourcesOf } from "./chains.js";
import { costOf, costOfGraph, signatureOf } from "./cost.js";
import { featuresOfGraphs } from "./feature-table.js";
import type { Operator } from "./graph.js";
import { sharedClasses } from "./sharing.js";

/** x -> relu1 -> out; x -> relu2 -> dead; zeros -> fed -> out. */
function branches() {
  const b = createGraphBuilder("branches");
  const x = b.input("x", [1, 2, 4, 4]);
  const zeros = b.constant("zeros", [1, 2, 4, 4], { kind: "fill", value: 0 });
  const through = b.operator("Identity", [x], {}, { name: "through" });
  const a = b.operator("Relu", [x], {}, { name: "relu1" });
  const dead = b.operator("Relu", [through], {}, { name: "relu2" });
  b.operator("Sigmoid", [dead], {}, { name: "dead" });
  const fed = b.operator("Relu", [zeros], {}, { name: "fed" });
  const out = b.operator("Add", [a, fed], {}, { name: "out" });
  return b.finish([out]);
}

describe("livenessOf()", () => {
  test("tells what reaches the output from what is reached from an input", () => {
    const graph = branches();
    const liveness = livenessOf(graph);
    const names = (mask: Uint8Array) =>
      graph.operators.filter((_, i) => mask[i]).map(({ name }) => name);
    expect(names(viewOf(liveness, "all"))).toHaveLength(6);
    expect(names(viewOf(liveness, "backward"))).toEqual(["relu1", "fed", "out"]);
    expect(names(viewOf(liveness, "forward"))).toEqual([
      "through",
      "relu1",
      "relu2",
      "dead",
      "out",
    ]);
    expect(names(viewOf(liveness, "both"))).toEqual(["relu1", "out"]);
    expect(liveness.connected).toBe(true);
  });

  test("finds a network whose output does not depend on its input", () => {
    const b = createGraphBuilder("cut");
    b.operator("Relu", [b.input("x", [1])]);
    const zeros = b.constant("zeros", [1], { kind: "fill", value: 0 });
    expect(livenessOf(b.finish([b.operator("Relu", [zeros])])).connected).toBe(false);
  });
});

describe("sharedClasses()", () => {
  test("merges equal operators and sees through Identity", () => {
    const { classes, nClasses } = sharedClasses(branches());
    expect([...classes]).toEqual([-1, 0, 0, 1, 2, 3]);
    expect(nClasses).toBe(4);
  });

  test("keeps an Identity that makes the output, and weights apart", () => {
    const b = createGraphBuilder("convs");
    const x = b.input("x", [1, 1, 3, 3]);
    const weight = (name: string) =>
      b.constant(name, [1, 1, 1, 1], { kind: "random", seed: 1, scale: 1 });
    const sum = b.operator("Add", [
      b.operator("Conv", [x, weight("w1")]),
      b.operator("Conv", [x, weight("w2")]),
    ]);
    const { classes } = sharedClasses(b.finish([b.operator("Identity", [sum])]));
    expect([...classes]).toEqual([0, 1, 2, 3]);
  });
});

describe("longestChain()", () => {
  test("counts executed operators only", () => {
    const graph = branches();
    const sources = sourcesOf(graph);
    const liveness = livenessOf(graph);
    expect(longestChain(viewOf(liveness, "all"), sources)).toBe(3);
    expect(longestChain(viewOf(liveness, "both"), sources)).toBe(2);
  });
});

describe("topologicalOrder()", () => {
  const operator = (name: string, ...inputs: string[]): Operator => ({
    name,
    type: "Sum",
    inputs,
    outputs: [name],
    attributes: {},
  });

  test("moves an operator behind the producers of its inputs, no others", () => {
    const order = topologicalOrder([
      operator("c", "b", "x"),
      operator("a", "x"),
      operator("b", "a", "a"),
      operator("d", "x"),
    ]);
    expect(order.map(({ name }) => name).join("")).toBe("abcd");
  });

  test("names an operator of a circle", () => {
    expect(() => topologicalOrder([operator("a", "b"), operator("b", "a")])).toThrow(InputError);
  });
});

describe("costOf()", () => {
  test("counts a convolution's products, weights with bias, and bytes without bias", () => {
    const b = createGraphBuilder("conv");
    const x = b.input("x", [1, 4, 8, 8]);
    const w = b.constant("w", [8, 2, 3, 3], { kind: "random", seed: 1, scale: 1 });
    const bias = b.constant("bias", [8], { kind: "random", seed: 1, scale: 1 });
    b.operator("Conv", [x, w, bias], {
      kernel_shape: [3, 3],
      strides: [2, 2],
      pads: [1, 1, 1, 1],
      group: 2,
    });
    const graph = b.finish(["Conv_0"]);
    const [conv] = graph.operators;
    expect(costOf(conv!, graph)).toEqual({
      macs: 8 * 4 * 4 * 2 * 9,
      parameters: 8 * 2 * 9 + 8,
      bytesMoved: 4 * (4 * 64 + 8 * 2 * 9 + 8 * 16),
    });
    expect(signatureOf(conv!, graph).key).toBe("Conv 3x3/2 groups 2 4x8x8>8x4x4");
  });

  test("names depthwise convolutions, pools and operands", () => {
    const b = createGraphBuilder("keys");
    const x = b.input("x", [1, 4, 8, 8]);
    const w = b.constant("w", [4, 1, 3, 3], { kind: "random", seed: 1, scale: 1 });
    const half = b.constant("half", [], { kind: "fill", value: 0.5 });
    const conv = b.operator("Conv", [x, w], { group: 4, pads: [1, 1, 1, 1] });
    const pool = b.operator("AveragePool", [conv], { kernel_shape: [2, 2], strides: [2, 2] });
    const sum = b.operator("Add", [b.operator("Mul", [pool, half]), pool]);
    const graph = b.finish([sum]);
    expect(graph.operators.map((operator) => signatureOf(operator, graph).key)).toEqual([
      "Conv 3x3/1 depthwise 4x8x8>4x8x8",
      "AveragePool 2x2/2 4x8x8>4x4x4",
      "Mul 4x4x4,scalar>4x4x4",
      "Add 4x4x4,4x4x4>4x4x4",
    ]);
    expect(costOfGraph(graph).parameters).toBe(36);
  });
});

describe("featuresOfGraphs()", () => {
  test("counts operators by signature under every semantics", () => {
    const table = featuresOfGraphs([{ id: "branches", graph: branches() }]);
    expect(table.signatures.map(({ key }) => key)).toEqual([
      "Add 2x4x4,2x4x4>2x4x4",
      "Identity 2x4x4>2x4x4",
      "Relu 2x4x4>2x4x4",
      "Sigmoid 2x4x4>2x4x4",
    ]);
    const counts = Object.entries(table.counts).map(([name, row]) => `${name} ${row.join("")}`);
    expect(counts).toEqual([
      "all 1131",
      "backward 1020",
      "forward 1121",
      "both 1010",
      "all+shared 1021",
      "backward+shared 1020",
      "forward+shared 1011",
      "both+shared 1010",
      "unread 1020",
      "unread+shared 1020",
      "all+merged 1021",
      "backward+merged 1020",
      "forward+merged 1011",
      "both+merged 1010",
      "unread+merged 1020",
    ]);
    const lengths = Object.values(table.longestPath).map(([length]) => length);
    expect(lengths).toEqual([3, 2, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
    expect(Object.values(table.heaviestPath).map(([weight]) => weight)).toEqual(lengths);
    expect(table.encoding).toBeUndefined();
  });
});
