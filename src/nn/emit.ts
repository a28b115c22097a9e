/**
 * ONNX messages for the graphs that train and predict: nodes, constants and models, opset 17.
 */
import {
  type AttributeProto,
  attributeType,
  encodeModel,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  tensorType,
  type ValueInfoProto,
} from "../onnx/proto.js";

/** Number type of a network: float32 to train and predict, float64 to check gradients. */
export type Precision = "float32" | "float64";

export type ElementType = keyof typeof tensorType;

/** Dimensions; a name stands for a size known at run time. */
export type Dims = readonly (number | string)[];

const opset = 17;
/** IR version that came with opset 17. */
const irVersion = 8;

/** One ONNX node. Attributes: integers, lists of integers, or a subgraph. */
export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, number | readonly number[] | GraphProto>> = {},
): NodeProto {
  const attribute = Object.entries(attributes).map(([name, value]): AttributeProto => {
    if (typeof value === "number") return { name, type: attributeType.int, i: value };
    if (Array.isArray(value)) return { name, type: attributeType.ints, ints: [...value] };
    return { name, type: attributeType.graph, g: value as GraphProto };
  });
  return { name: output[0]!, opType, input: [...input], output: [...output], attribute };
}

/** A node without inputs that draws random numbers: standard normal, or uniform in 0…1. */
export function randomNode(
  kind: "normal" | "uniform",
  output: string,
  { shape, seed, type }: { shape: readonly number[]; seed: number; type: Precision },
): NodeProto {
  const opType = kind === "normal" ? "RandomNormal" : "RandomUniform";
  const drawn = node(opType, [], [output], { shape, dtype: tensorType[type] });
  drawn.attribute!.push({ name: "seed", type: attributeType.float, f: seed });
  return drawn;
}

/** `Cast` to a type. */
export function castNode(input: string, output: string, type: ElementType): NodeProto {
  return node("Cast", [input], [output], { to: tensorType[type] });
}

/** A constant. Numbers become values of the type. */
export function constant(
  name: string,
  type: ElementType,
  dims: readonly number[],
  values: ArrayLike<number>,
): TensorProto {
  const bytes = {
    float32: () => Float32Array.from(values),
    float64: () => Float64Array.from(values),
    int32: () => Int32Array.from(values),
    int64: () => BigInt64Array.from(Array.from(values, BigInt)),
    bool: () => Uint8Array.from(values),
    uint8: () => Uint8Array.from(values),
    int8: () => Int8Array.from(values),
    float16: () => {
      throw new TypeError("internal: float16 constants are not written");
    },
  }[type]();
  return {
    name,
    dataType: tensorType[type],
    dims: [...dims],
    rawData: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  };
}

/** Declaration of an input or output. */
export function valueInfo(name: string, type: ElementType, dims?: Dims): ValueInfoProto {
  const dim = dims?.map((d) => (typeof d === "number" ? { dimValue: d } : { dimParam: d }));
  return {
    name,
    type: {
      tensorType: { elemType: tensorType[type], ...(dim === undefined ? {} : { shape: { dim } }) },
    },
  };
}

/** Bytes of a model. */
export function modelBytes(graph: GraphProto): Uint8Array {
  return encodeModel({
    irVersion,
    producerName: "samara",
    opsetImport: [{ domain: "", version: opset }],
    graph,
  });
}
