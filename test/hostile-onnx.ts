/** Models made by hand to harm their reader, small honest ones to damage, and what reading them must come to. */

import { InternalError, SamaraError } from "../src/errors.js";
import { createGraphBuilder } from "../src/graph/build.js";
import { featuresOfGraphs } from "../src/graph/feature-table.js";
import type { OperatorGraph } from "../src/graph/graph.js";
import { uploadLimits } from "../src/onnx/limits.js";
import {
  attributeType,
  encodeModel,
  type GraphProto,
  type NodeProto,
  tensorType,
} from "../src/onnx/proto.js";
import { readOnnx } from "../src/onnx/read.js";
import { writeOnnx } from "../src/onnx/write.js";

const tensorInfo = (
  name: string,
  dims: readonly number[],
  elemType: number = tensorType.float32,
) => ({
  name,
  type: { tensorType: { elemType, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
});

/** An int64 tensor of these values. */
export const integers = (name: string, values: readonly number[]) => ({
  name,
  dims: [values.length],
  dataType: tensorType.int64,
  int64Data: [...values],
});

/** A model with one input `x`, one output `y`. */
export function modelOf(
  node: NodeProto[],
  graph: Partial<GraphProto> = {},
  inputDims: readonly number[] = [1, 4, 8, 8],
): Uint8Array {
  return encodeModel({
    irVersion: 8,
    opsetImport: [{ domain: "", version: 13 }],
    graph: {
      name: "g",
      node,
      input: [tensorInfo("x", inputDims)],
      output: [{ name: "y" }],
      ...graph,
    },
  });
}

export const node = (
  opType: string,
  input: string[],
  output: string[],
  attribute: NodeProto["attribute"] = [],
): NodeProto => ({ opType, input, output, attribute });

export const ints = (name: string, values: readonly number[]) => ({
  name,
  type: attributeType.ints,
  ints: [...values],
});

/** Bytes of a length-delimited protobuf field. */
export function field(no: number, content: Uint8Array): Uint8Array {
  const head: number[] = [(no << 3) | 2];
  let length = content.length;
  do {
    head.push((length & 0x7f) | (length > 0x7f ? 0x80 : 0));
    length >>>= 7;
  } while (length > 0);
  return Buffer.concat([Uint8Array.from(head), content]);
}

/** A small honest network of layers with weights. */
export function convolutions(): Uint8Array {
  const b = createGraphBuilder("small");
  const x = b.input("x", [1, 3, 8, 8]);
  const w = b.constant("w", [4, 3, 3, 3], { kind: "random", seed: 1, scale: 0.1 });
  const conv = b.operator("Conv", [x, w], { pads: [1, 1, 1, 1], kernel_shape: [3, 3] });
  const relu = b.operator("Relu", [conv]);
  const sum = b.operator("Add", [relu, conv]);
  const pool = b.operator("MaxPool", [sum], { kernel_shape: [2, 2], strides: [2, 2] });
  const global = b.operator("GlobalAveragePool", [pool]);
  return writeOnnx(b.finish([b.operator("Flatten", [global])], { metadata: { a: "b" } }));
}

/** A small honest network that computes its shapes, as exporters write them. */
export const shapeComputing = (): Uint8Array =>
  modelOf(
    [
      node("Shape", ["x"], ["s"]),
      node("Gather", ["s", "zero"], ["batch"]),
      node(
        "Concat",
        ["batch", "rest"],
        ["shape"],
        [{ name: "axis", type: attributeType.int, i: 0 }],
      ),
      node("Reshape", ["x", "shape"], ["flat"]),
      node("Slice", ["rest", "zero", "one", "zero", "one"], ["cut"]),
      node("Add", ["cut", "one"], ["sum"]),
      node("Cast", ["sum"], ["cast"], [{ name: "to", type: attributeType.int, i: 7 }]),
      node("ConstantOfShape", ["one"], ["fill"]),
      node("Constant", [], ["c"], [ints("value_ints", [1, 1, 1, 1])]),
      node("Expand", ["x", "c"], ["expanded"]),
      node("Split", ["flat"], ["left", "right"], [{ name: "axis", type: attributeType.int, i: 1 }]),
      node("Add", ["left", "right"], ["half"]),
      node("Add", ["half", "fill"], ["y"]),
    ],
    { initializer: [integers("zero", [0]), integers("one", [1]), integers("rest", [-1])] },
  );

/** Small enough that a case is read in milliseconds. */
const limits = { ...uploadLimits, messages: 20_000, nodes: 2000, items: 50_000 };

/** Reads and takes features; gives the error if there is one that users may see, and throws any other. */
export function readingOf(bytes: Uint8Array): OperatorGraph | SamaraError {
  try {
    const graph = readOnnx(bytes, { limits });
    const table = featuresOfGraphs([{ id: "fuzz", graph }]);
    for (const { key, macs, bytesMoved } of table.signatures) {
      if (!(macs >= 0 && bytesMoved >= 0)) throw new TypeError(`costs of ${key} are no numbers`);
    }
    return graph;
  } catch (error) {
    if (error instanceof SamaraError && !(error instanceof InternalError)) return error;
    throw error;
  }
}
