import { describe, expect, test } from "vitest";
import { createGraphBuilder } from "./build.js";
import { featuresOfGraphs } from "./feature-table.js";
import type { OperatorGraph } from "./graph.js";
import { sharedClasses } from "./sharing.js";

/** A graph of operators on a (1, 2, 4, 4) input; the last result is the output. */
function graphOf(
  add: (build: {
    x: string;
    operator: (type: string, ...inputs: string[]) => string;
    /** A convolution with weights of its own. */
    conv: (
      input: string,
      options?: { kernel?: number; channels?: number; bias?: boolean },
    ) => string;
  }) => string,
): OperatorGraph {
  const b = createGraphBuilder("graph");
  let nWeights = 0;
  const weight = (shape: number[]) =>
    b.constant(`w${nWeights++}`, shape, { kind: "random", seed: nWeights, scale: 1 });
  const output = add({
    x: b.input("x", [1, 2, 4, 4]),
    operator: (type, ...inputs) => b.operator(type, inputs),
    conv(input, { kernel = 1, channels = 2, bias = false } = {}) {
      const inputs = [input, weight([channels, b.shapeOf(input)[1]!, kernel, kernel])];
      if (bias) inputs.push(weight([channels]));
      const pad = (kernel - 1) / 2;
      return b.operator("Conv", inputs, {
        kernel_shape: [kernel, kernel],
        pads: [pad, pad, pad, pad],
      });
    },
  });
  return b.finish([output]);
}

describe("sharedClasses()", () => {
  test("has equal operators once and sees through Identity", () => {
    const graph = graphOf(({ x, operator }) =>
      operator("Add", operator("Relu", x), operator("Relu", operator("Identity", x))),
    );
    const { classes, nClasses, sources } = sharedClasses(graph);
    expect([...classes]).toEqual([0, -1, 0, 1]);
    expect(nClasses).toBe(2);
    expect(sources).toEqual([[], [0, 0]]);
  });

  test("keeps an Identity that makes the output, and weights apart", () => {
    const graph = graphOf(({ x, operator, conv }) =>
      operator("Identity", operator("Add", conv(x), conv(x))),
    );
    expect([...sharedClasses(graph).classes]).toEqual([0, 1, 2, 3]);
  });

  test("takes constants filled with the same value for equal", () => {
    const b = createGraphBuilder("filled");
    const filled = (name: string, value: number) =>
      b.constant(name, [1, 2, 4, 4], { kind: "fill", value });
    for (const [name, value] of Object.entries({ a: 0, b: 0, c: 1 })) {
      b.operator("Relu", [filled(name, value)]);
    }
    const { classes, launches } = sharedClasses(b.finish(["Relu_0"]));
    expect([...classes]).toEqual([0, 0, 1]);
    // Nothing but constants: there is no tensor that both read.
    expect([...launches]).toEqual([0, 1]);
  });

  test("launches sibling convolutions together, what reads them apart", () => {
    const graph = graphOf(({ x, operator, conv }) => {
      const [a, b] = [operator("Relu", conv(x)), operator("Relu", conv(operator("Identity", x)))];
      return operator("Add", a, b);
    });
    const { classes, launches } = sharedClasses(graph);
    expect(graph.operators.map(({ type }) => type).join(" ")).toBe(
      "Conv Relu Identity Conv Relu Add",
    );
    expect([...classes]).toEqual([0, 1, -1, 2, 3, 4]);
    expect([...launches]).toEqual([0, 1, 0, 3, 4]);
  });

  test("keeps convolutions of other kernels, channels, biases or inputs apart", () => {
    const graph = graphOf(({ x, operator, conv }) => {
      conv(x);
      conv(x, { kernel: 3 });
      conv(x, { channels: 3 });
      conv(x, { bias: true });
      return conv(operator("Relu", x));
    });
    expect([...sharedClasses(graph).launches]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("merges biased siblings, and batch norms with their statistics", () => {
    const b = createGraphBuilder("norms");
    const x = b.input("x", [1, 2, 4, 4]);
    for (const side of ["a", "b"]) {
      const channels = ["scale", "shift", "mean", "variance"].map((name, i) =>
        b.constant(`${side}.${name}`, [2], { kind: "random", seed: i, scale: 1 }),
      );
      b.operator("BatchNormalization", [x, ...channels]);
      const kernel = b.constant(`${side}.w`, [2, 2, 1, 1], { kind: "random", seed: 1, scale: 1 });
      b.operator("Conv", [x, kernel, channels[1]!], { kernel_shape: [1, 1] });
    }
    const { classes, launches } = sharedClasses(b.finish(["Conv_1"]));
    expect([...classes]).toEqual([0, 1, 2, 3]);
    expect([...launches]).toEqual([0, 1, 0, 1]);
  });

  test("keeps settings apart: a Reshape to another shape is another operator", () => {
    const b = createGraphBuilder("shapes");
    const x = b.input("x", [1, 2, 4, 4]);
    for (const shape of [
      [2, 16],
      [16, 2],
    ]) {
      const values = BigInt64Array.from(shape, BigInt);
      b.operator("Reshape", [
        x,
        b.constant(`to${shape[0]}`, [2], { kind: "values", values }, "int64"),
      ]);
    }
    expect([...sharedClasses(b.finish(["Reshape_0"])).launches]).toEqual([0, 1]);
  });
});

describe("merged semantics", () => {
  test("count a launch once, with all operators that read its results", () => {
    const graph = graphOf(({ x, operator, conv }) => {
      const [a, b] = [operator("Relu", conv(x)), operator("Relu", conv(x))];
      conv(x);
      return operator("Add", a, operator("Add", b, conv(x, { kernel: 3 })));
    });
    const { signatures, counts, longestPath } = featuresOfGraphs([{ id: "siblings", graph }]);
    const groups = signatures.map(({ group }) => group);
    const counted = (semantics: keyof typeof counts) =>
      Object.fromEntries(groups.map((group, i) => [group, counts[semantics][i]]));
    const others = { Add: 2, Relu: 2, "Conv 3x3/1": 1 };
    expect(counted("all+shared")).toEqual({ ...others, "Conv 1x1/1": 3 });
    expect(counted("backward+shared")).toEqual({ ...others, "Conv 1x1/1": 2 });
    expect(counted("unread+shared")).toEqual({ ...others, "Conv 1x1/1": 3 });
    for (const semantics of ["all+merged", "backward+merged", "unread+merged"] as const) {
      expect(counted(semantics)).toEqual({ ...others, "Conv 1x1/1": 1 });
      expect(longestPath[semantics][0]).toBe(4);
    }
  });

  test("count a launch whose first sibling is dead", () => {
    const graph = graphOf(({ x, operator, conv }) => {
      conv(x);
      return operator("Relu", conv(x));
    });
    const { signatures, counts } = featuresOfGraphs([{ id: "dead first", graph }]);
    expect(signatures.map(({ group }) => group)).toEqual(["Conv 1x1/1", "Relu"]);
    expect([...counts["backward+merged"]]).toEqual([1, 1]);
  });
});
