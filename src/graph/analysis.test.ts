import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { livenessOf, partsOfSemantics, topologicalOrder, viewOf } from "./analysis.js";
import { createGraphBuilder } from "./build.js";
import { costOf, costOfGraph, signatureOf } from "./cost.js";
import { featuresOfGraphs } from "./feature-table.js";
import { pruningSemantics, rewriteSemantics } from "./features.js";
import type { ConstantSource, Operator, OperatorGraph } from "./graph.js";

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

/** What a view executes, by name. */
function executed(graph: OperatorGraph, view: "backward" | "unread"): string[] {
  const mask = viewOf(livenessOf(graph), view);
  return graph.operators.filter((_, i) => mask[i]).map(({ name }) => name);
}

describe("the view unread", () => {
  const random: ConstantSource = { kind: "random", seed: 1, scale: 1 };

  /** x -> through -> the output; x -> relu, and what `add` makes of it, is dead. */
  function withDead(
    add: (
      operator: (type: string, name: string, ...inputs: string[]) => string,
      weight: (name: string, shape: number[], source?: ConstantSource) => string,
    ) => void,
  ): OperatorGraph {
    const b = createGraphBuilder("dead");
    const x = b.input("x", [1, 2, 4, 4]);
    const operator = (type: string, name: string, ...inputs: string[]) =>
      b.operator(type, inputs, {}, { name, outputs: [name] });
    operator("Relu", "relu", x);
    add(operator, (name, shape, source = random) => b.constant(name, shape, source));
    return b.finish([operator("Sigmoid", "through", x)]);
  }

  test("runs a dead convolution that nobody reads, and what it needs", () => {
    const graph = withDead((operator, weight) => {
      operator("Conv", "conv", "relu", weight("w", [3, 2, 1, 1]));
    });
    expect(executed(graph, "unread")).toEqual(["relu", "conv", "through"]);
    expect(executed(graph, "backward")).toEqual(["through"]);
  });

  test("leaves out a dead sum with the convolutions before it", () => {
    const graph = withDead((operator, weight) => {
      const a = operator("Conv", "a", "relu", weight("wa", [2, 2, 1, 1]));
      operator("Add", "sum", a, operator("Conv", "b", "relu", weight("wb", [2, 2, 1, 1])));
    });
    expect(executed(graph, "unread")).toEqual(["through"]);
  });

  test("runs a dead sum that an unread convolution needs", () => {
    const graph = withDead((operator, weight) => {
      const sum = operator("Add", "sum", "relu", "x");
      operator("Conv", "conv", sum, weight("w", [2, 2, 1, 1]));
      operator("Relu", "end", sum);
    });
    expect(executed(graph, "unread")).toEqual(["relu", "sum", "conv", "through"]);
  });

  test("takes batch norm, Gemm and MatMul for operators with weights", () => {
    const graph = withDead((operator, weight) => {
      const channels = ["scale", "shift", "mean", "variance"].map((name) => weight(name, [2]));
      operator("BatchNormalization", "norm", "x", ...channels);
      const flat = operator("Flatten", "flat", "x");
      operator("Gemm", "gemm", flat, weight("wg", [32, 3]));
      operator("MatMul", "product", flat, weight("wm", [32, 3]));
      operator("MatMul", "square", "x", "x");
    });
    expect(executed(graph, "unread")).toEqual(["norm", "flat", "gemm", "product", "through"]);
  });

  test("takes filled constants and settings for no weights", () => {
    const graph = withDead((operator, weight) => {
      operator("Add", "fed", "relu", weight("zeros", [1, 2, 4, 4], { kind: "fill", value: 0 }));
      operator("Mul", "scaled", "relu", weight("ones", [1, 2, 4, 4], { kind: "fill", value: 1 }));
      operator("Mul", "halved", "relu", weight("half", []));
    });
    expect(executed(graph, "unread")).toEqual(["through"]);
  });
});

describe("partsOfSemantics()", () => {
  test("gives every pair of view and sharing once, those that fuse for views that fold or prune", () => {
    const views = ["all", "backward", "forward", "both", "unread"];
    const pairs = rewriteSemantics.map((semantics) => {
      const { view, sharing } = partsOfSemantics(semantics);
      return `${view}/${sharing}`;
    });
    const unfused = ["none", "shared", "merged"].flatMap((way) =>
      views.map((view) => `${view}/${way}`),
    );
    expect(new Set(pairs)).toEqual(
      new Set([...unfused, "backward/fused", "forward/fused", "both/fused"]),
    );
    expect(pairs).toHaveLength(18);
  });

  test("begins with the eight that saved predictors number", () => {
    expect(rewriteSemantics.slice(0, 8)).toEqual(pruningSemantics);
    expect(pruningSemantics).toHaveLength(8);
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
      "backward+fused 1020",
      "forward+fused 1011",
      "both+fused 1010",
    ]);
    const lengths = Object.values(table.longestPath).map(([length]) => length);
    expect(lengths).toEqual([3, 2, 3, 2, ...new Array(14).fill(2)]);
    expect(Object.values(table.heaviestPath).map(([weight]) => weight)).toEqual(lengths);
    expect(table.encoding).toBeUndefined();
  });
});
