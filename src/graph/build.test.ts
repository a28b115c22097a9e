import { describe, expect, test } from "vitest";
import { InputError, ShapeError, UnsupportedError } from "../errors.js";
import { createGraphBuilder } from "./build.js";
import type { AttributeValue, Shape } from "./graph.js";
import { inferOutputs } from "./shape.js";
import type { KnownTensor } from "./shape-view.js";
import { elementCount } from "./size.js";
import { constantValues, randomValues, seedOf } from "./values.js";

const weights = { kind: "random", seed: 1, scale: 0.1 } as const;

const float = (...shape: number[]): KnownTensor => ({ shape, dataType: "float32" });
const ints = (...values: number[]): KnownTensor => ({
  shape: [values.length],
  dataType: "int64",
  values,
});

function shapesOf(
  type: string,
  inputs: readonly (KnownTensor | undefined)[],
  attributes: Record<string, AttributeValue> = {},
  nOutputs = 1,
): Shape[] {
  const outputs = Array.from({ length: nOutputs }, (_, i) => `y${i}`);
  const operator = { name: "node", type, inputs: inputs.map(() => "x"), outputs, attributes };
  return inferOutputs(operator, inputs).map(({ shape }) => shape);
}

describe("createGraphBuilder()", () => {
  test("infers shapes and keeps operators in order", () => {
    const b = createGraphBuilder("tiny");
    const x = b.input("x", [1, 3, 8, 8]);
    const w = b.constant("w", [4, 3, 3, 3], weights);
    const y = b.operator("Conv", [x, w], { pads: [1, 1, 1, 1], strides: [2, 2] });
    const z = b.operator("Relu", [y], {}, { name: "out" });
    const graph = b.finish([z], { metadata: { space: "test" } });
    expect(graph.operators.map(({ name }) => name)).toEqual(["Conv_0", "out"]);
    expect(graph.tensors.get("out")).toEqual({
      name: "out",
      shape: [1, 4, 4, 4],
      dataType: "float32",
    });
  });

  test("refuses names that exist or do not", () => {
    const b = createGraphBuilder("tiny");
    b.input("x", [1]);
    expect(() => b.input("x", [1])).toThrow(InputError);
    expect(() => b.operator("Relu", ["y"])).toThrow('no tensor "y"');
    expect(() => b.finish(["y"])).toThrow(InputError);
    expect(() => b.finish([])).toThrow(InputError);
  });
});

describe("inferOutputs()", () => {
  test.each<[string, (KnownTensor | undefined)[], Record<string, AttributeValue>, Shape]>([
    ["Conv", [float(1, 4, 9, 9), float(8, 2, 3, 3)], { group: 2, strides: [2, 2] }, [1, 8, 4, 4]],
    ["Conv", [float(1, 4, 9), float(8, 4, 3)], { auto_pad: "SAME_UPPER" }, [1, 8, 9]],
    [
      "Conv",
      [float(1, 1, 9, 9), float(1, 1, 3, 3)],
      { dilations: [2, 2], pads: [2, 2, 2, 2] },
      [1, 1, 9, 9],
    ],
    ["ConvTranspose", [float(1, 4, 8, 8), float(4, 2, 2, 2)], { strides: [2, 2] }, [1, 2, 16, 16]],
    [
      "MaxPool",
      [float(1, 4, 7, 7)],
      { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 },
      [1, 4, 4, 4],
    ],
    ["GlobalAveragePool", [float(2, 4, 7, 7)], {}, [2, 4, 1, 1]],
    ["Add", [float(4, 1, 3), float(5, 1)], {}, [4, 5, 3]],
    ["Gemm", [float(2, 3), float(4, 3), float(4)], { transB: 1 }, [2, 4]],
    ["MatMul", [float(7, 2, 3), float(3, 5)], {}, [7, 2, 5]],
    ["MatMul", [float(3), float(3)], {}, []],
    ["Flatten", [float(2, 3, 4)], {}, [2, 12]],
    ["Reshape", [float(2, 3, 4), ints(0, -1)], {}, [2, 12]],
    ["Transpose", [float(2, 3, 4)], { perm: [0, 2, 1] }, [2, 4, 3]],
    ["Concat", [float(1, 2, 4), float(1, 3, 4)], { axis: -2 }, [1, 5, 4]],
    ["Pad", [float(1, 3, 4, 4), ints(0, 0, 1, 1, 0, 0, 1, 1)], {}, [1, 3, 6, 6]],
    ["ReduceMean", [float(1, 8, 4, 4)], { axes: [2, 3], keepdims: 0 }, [1, 8]],
    ["ReduceMean", [float(1, 8, 4, 4), ints(-1)], {}, [1, 8, 4, 1]],
    ["Slice", [float(10, 4), ints(1), ints(-1), ints(0), ints(2)], {}, [4, 4]],
    ["Slice", [float(10), ints(-1), ints(-1e15), ints(0), ints(-1)], {}, [10]],
    ["Squeeze", [float(1, 3, 1)], {}, [3]],
    ["Unsqueeze", [float(3), ints(0, 2)], {}, [1, 3, 1]],
    ["Gather", [float(10, 4), ints(1, 2)], {}, [2, 4]],
    ["Shape", [float(10, 4)], {}, [2]],
    ["Expand", [float(3, 1), ints(2, 1, 6)], {}, [2, 3, 6]],
    [
      "Resize",
      [float(1, 2, 4, 4), undefined, { ...float(4), values: [1, 1, 2, 2] }],
      {},
      [1, 2, 8, 8],
    ],
    ["DepthToSpace", [float(1, 8, 2, 2)], { blocksize: 2 }, [1, 2, 4, 4]],
    ["ArgMax", [float(1, 10)], { axis: 1, keepdims: 0 }, [1]],
    ["Softmax", [float(1, 10)], {}, [1, 10]],
  ])("%s of %j with %j", (type, inputs, attributes, expected) => {
    expect(shapesOf(type, inputs, attributes)).toEqual([expected]);
  });

  test("gives every output of a split", () => {
    expect(shapesOf("Split", [float(1, 6)], { axis: 1 }, 3)).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
    expect(shapesOf("Split", [float(1, 6), ints(4, 2)], { axis: 1 }, 2)).toEqual([
      [1, 4],
      [1, 2],
    ]);
  });

  test.each<[string, KnownTensor[], Record<string, AttributeValue>]>([
    ["Conv", [float(1, 4, 9, 9), float(8, 3, 3, 3)], {}],
    ["Conv", [float(1, 3, 2, 2), float(8, 3, 3, 3)], {}],
    ["Add", [float(2, 3), float(2, 4)], {}],
    ["Gemm", [float(2, 3), float(4, 3)], {}],
    ["Reshape", [float(2, 3), ints(4, -1)], {}],
    ["Concat", [float(2, 3), float(3, 4)], { axis: 1 }],
    ["Softmax", [float(2)], { axis: 3 }],
    ["BatchNormalization", [float(1, 4, 2, 2), float(4), float(3)], {}],
    ["AveragePool", [float(1, 4, 2, 2)], {}],
    ["Tile", [float(2), ints(2 ** 53)], {}],
  ])("names node and type when %s does not fit %j", (type, inputs, attributes) => {
    expect(() => shapesOf(type, inputs, attributes)).toThrow(ShapeError);
    expect(() => shapesOf(type, inputs, attributes)).toThrow(`operator "node" (${type}): `);
  });

  test("names operator types without a rule", () => {
    expect(() => shapesOf("MyOp", [float(1)])).toThrow(UnsupportedError);
    expect(() => shapesOf("MyOp", [float(1)])).toThrow("MyOp");
  });
});

describe("elementCount()", () => {
  test("refuses products that cannot be counted", () => {
    expect(elementCount([])).toBe(1);
    expect(elementCount([2, 0])).toBe(0);
    expect(() => elementCount([2 ** 30, 2 ** 30])).toThrow(ShapeError);
    expect(() => elementCount([-1])).toThrow(ShapeError);
  });
});

describe("constantValues()", () => {
  test("draws with mean 0 and the given standard deviation, the same for the same seed", () => {
    const values = randomValues(seedOf(3, "w"), 100_000, 0.5);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.01);
    expect(Math.abs(Math.sqrt(variance) - 0.5)).toBeLessThan(0.01);
    expect(randomValues(seedOf(3, "w"), 3, 0.5)).toEqual(values.slice(0, 3));
    expect(randomValues(seedOf(4, "w"), 3, 0.5)).not.toEqual(values.slice(0, 3));
  });

  test("says when values stayed in the file", () => {
    const constant = { name: "w", shape: [2], dataType: "float32" } as const;
    expect(constantValues({ ...constant, source: { kind: "fill", value: 2 } })).toEqual(
      Float32Array.of(2, 2),
    );
    expect(() => constantValues({ ...constant, source: { kind: "unread" } })).toThrow(
      UnsupportedError,
    );
  });
});
