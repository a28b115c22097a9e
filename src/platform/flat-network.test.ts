import { describe, expect, test } from "vitest";
import { smallGraphs } from "../../test/networks.js";
import { UnsupportedError } from "../errors.js";
import { createGraphBuilder, type GraphBuilder } from "../graph/build.js";
import { flattenGraph, withoutDeadOperators } from "./flat-network.js";

const words = (bytes: Uint8Array): number[] => [...new Int32Array(new Uint8Array(bytes).buffer)];
const text = (of: string): number[] => {
  const padded = Buffer.from(of.padEnd(4 * Math.ceil(of.length / 4), "\0"));
  return [of.length, ...words(padded)];
};
const float = (value: number): number => new Int32Array(Float32Array.of(value).buffer)[0]!;

function graphOf(shape: number[], add: (b: GraphBuilder, x: string) => string) {
  const b = createGraphBuilder("test");
  return b.finish([add(b, b.input("input", shape))]);
}

describe("flattenGraph()", () => {
  test("writes tensors, steps, and which are input and output", () => {
    const graph = graphOf([1, 2], (b, x) => {
      const bias = b.constant("c", [2], { kind: "values", values: Float32Array.of(0.5, -3) });
      return b.operator(
        "Relu",
        [b.operator("Add", [x, bias], {}, { name: "sum" })],
        {},
        { name: "relu" },
      );
    });
    const [computed, input, constant] = [0, 1, 2];
    expect(words(flattenGraph(graph))).toEqual([
      0x314e4653,
      4,
      ...[input, 2, 1, 2],
      ...[constant, 2, 1, 2, float(0.5), float(-3)],
      ...[computed, 2, 1, 2],
      ...[computed, 2, 1, 2],
      2,
      ...[...text("Add"), ...text("sum"), 2, 0, 1, 2, 0, 0],
      ...[...text("Relu"), ...text("relu"), 1, 2, 3, 0, 0],
      ...[0, 3],
    ]);
  });

  test("writes the padding that ceil_mode reaches beyond what is stated", () => {
    const attributes = { kernel_shape: [3, 3], strides: [2, 2], pads: [0, 0, 0, 0], ceil_mode: 1 };
    const graph = graphOf([1, 1, 8, 8], (b, x) => b.operator("MaxPool", [x], attributes));
    const all = words(flattenGraph(graph));
    expect(all.slice(-14, -3)).toEqual([10, 3, 3, 2, 2, 1, 1, 0, 0, 1, 1]);
  });

  test("keeps operators that nobody reads, unless they are left out before", () => {
    const graph = smallGraphs.get("zeros as data, and an operator nobody reads")!;
    const all = flattenGraph(graph).length;
    expect(withoutDeadOperators(graph).operators).toHaveLength(graph.operators.length - 1);
    expect(flattenGraph(withoutDeadOperators(graph)).length).toBeLessThan(all);
  });

  const window = { kernel_shape: [3, 3], ceil_mode: 1, strides: [2, 2], count_include_pad: 1 };
  test.each([
    [
      "an operator without a form",
      [1, 4],
      "Softmax",
      {},
      "(Softmax) cannot run natively: known are",
    ],
    ["counted padding with ceil_mode", [1, 1, 8, 8], "AveragePool", window, "with ceil_mode"],
    ["images of one dimension", [1, 1, 8], "MaxPool", { kernel_shape: [2] }, "only images"],
  ])("refuses %s", (_what, shape, type, attributes, problem) => {
    const graph = graphOf(shape, (b, x) => b.operator(type, [x], attributes));
    expect(() => flattenGraph(graph)).toThrow(UnsupportedError);
    expect(() => flattenGraph(graph)).toThrow(problem);
  });

  test("refuses a graph whose output nothing computes", () => {
    const graph = graphOf([1, 2], (_, x) => x);
    expect(() => flattenGraph(graph)).toThrow('no operator computes the output "input"');
  });
});
