/**
 * Operator graphs as ONNX files: opset 13 unless the graph says otherwise, weights inside the file.
 *
 * Not here: training graphs, which `nn/` writes as messages of its own through `proto.ts`.
 */
import { ShapeError, UnsupportedError } from "../errors.js";
import type {
  AttributeValue,
  Constant,
  DataType,
  Operator,
  OperatorGraph,
  TensorInfo,
} from "../graph/graph.js";
import { elementCount, formatShape } from "../graph/size.js";
import { constantValues } from "../graph/values.js";
import { tool } from "../package.js";
import {
  type AttributeProto,
  attributeType,
  encodeModel,
  type NodeProto,
  type OperatorSetId,
  type StringStringEntry,
  tensorType,
  type ValueInfoProto,
} from "./proto.js";

/** Accepted by every runtime we measure. */
export const defaultOpset = 13;
const irVersion = 8;

/** Metadata of a graph that was read with another opset: `onnx.opset`, and with other domains `onnx.opset.<domain>`. */
export const opsetKey = "onnx.opset";
/** Metadata under which a graph's encoding is kept: JSON of `{ space, values }`. */
export const encodingKey = "samara.encoding";

/**
 * Attributes that are floats in ONNX even where their value is a whole number. A graph has plain numbers only;
 * all other whole numbers are written as integers.
 */
const floatAttributes: ReadonlySet<string> = new Set([
  "activation_alpha",
  "activation_beta",
  "alpha",
  "beta",
  "clip",
  "cubic_coeff_a",
  "epsilon",
  "extrapolation_value",
  "gamma",
  "lambd",
  "max",
  "min",
  "momentum",
  "norm_coefficient",
  "ratio",
  "scales",
  "spatial_scale",
  "value_float",
  "value_floats",
]);

const utf8 = new TextEncoder();

function attributeOf(name: string, value: AttributeValue): AttributeProto {
  if (typeof value === "string") return { name, type: attributeType.string, s: utf8.encode(value) };
  const isFloat = floatAttributes.has(name);
  if (typeof value === "number") {
    return isFloat || !Number.isInteger(value)
      ? { name, type: attributeType.float, f: value }
      : { name, type: attributeType.int, i: value };
  }
  if (value.some((item) => typeof item === "string")) {
    return { name, type: attributeType.strings, strings: value.map((s) => utf8.encode(String(s))) };
  }
  const numbers = value as readonly number[];
  return isFloat || numbers.some((item) => !Number.isInteger(item))
    ? { name, type: attributeType.floats, floats: numbers }
    : { name, type: attributeType.ints, ints: [...numbers] };
}

/** `com.microsoft.Gelu` as domain and type; types of the standard domain have no dot. */
function splitType(type: string): { domain: string; opType: string } {
  const dot = type.lastIndexOf(".");
  return { domain: type.slice(0, Math.max(dot, 0)), opType: type.slice(dot + 1) };
}

function nodeOf({ name, type, inputs, outputs, attributes }: Operator): NodeProto {
  const { domain, opType } = splitType(type);
  return {
    name,
    opType,
    ...(domain === "" ? {} : { domain }),
    input: [...inputs],
    output: [...outputs],
    attribute: Object.entries(attributes).map(([key, value]) => attributeOf(key, value)),
  };
}

function valueInfoOf({ name, shape, dataType }: TensorInfo): ValueInfoProto {
  const dim = shape.map((dimValue) => ({ dimValue }));
  return { name, type: { tensorType: { elemType: tensorType[dataType], shape: { dim } } } };
}

/** Values as the file holds them: row-major, little-endian like the machines we run on. */
function bytesOf(constant: Constant): Uint8Array {
  const { name, shape, dataType } = constant;
  const values = constantValues(constant);
  if (values.length !== elementCount(shape)) {
    throw new ShapeError(
      `constant "${name}" of shape ${formatShape(shape)} has ${values.length} values`,
    );
  }
  const typed = inTypeOf(dataType, values);
  if (typed) return new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength);
  throw new UnsupportedError(`constant "${name}": values of type ${dataType} cannot be written`);
}

/** A graph keeps values as float32, int32 or int64; files have more types. */
function inTypeOf(dataType: DataType, values: ReturnType<typeof constantValues>) {
  switch (dataType) {
    case "float32":
      return values instanceof Float32Array ? values : undefined;
    case "float64":
      return values instanceof Float32Array ? Float64Array.from(values) : undefined;
    case "int64":
      return values instanceof BigInt64Array ? values : undefined;
    case "int32":
      return values instanceof Int32Array ? values : undefined;
    case "int8":
      return values instanceof Int32Array ? Int8Array.from(values) : undefined;
    case "uint8":
    case "bool":
      return values instanceof Int32Array ? Uint8Array.from(values) : undefined;
    case "float16":
      return undefined;
    default:
      return dataType satisfies never;
  }
}

function opsetsOf({ metadata, operators }: OperatorGraph): OperatorSetId[] {
  const versionOf = (key: string, missing: number) => Number(metadata[key] ?? missing);
  const domains = new Set(operators.map(({ type }) => splitType(type).domain));
  domains.delete("");
  return [
    { domain: "", version: versionOf(opsetKey, defaultOpset) },
    ...[...domains].map((domain) => ({ domain, version: versionOf(`${opsetKey}.${domain}`, 1) })),
  ];
}

function metadataOf({ metadata, encoding }: OperatorGraph): StringStringEntry[] {
  const entries = Object.entries(metadata).filter(([key]) => !key.startsWith(opsetKey));
  if (encoding) entries.push([encodingKey, JSON.stringify(encoding)]);
  return entries.map(([key, value]) => ({ key, value }));
}

/**
 * An ONNX file of a graph: same names, weights made from their sources, the graph's metadata in `metadata_props`.
 *
 * @param options.hasShapes - state the shape of every operator's output (`value_info`); default false, runtimes
 *   infer them
 * @throws UnsupportedError when weights are not in memory
 */
export function writeOnnx(graph: OperatorGraph, options: { hasShapes?: boolean } = {}): Uint8Array {
  const infoOf = (name: string): TensorInfo => {
    const info = graph.tensors.get(name);
    if (info) return info;
    throw new UnsupportedError(`tensor "${name}" has no known shape`);
  };
  const outputs = new Set(graph.outputs);
  const inner = graph.operators
    .flatMap((operator) => operator.outputs)
    .filter((name) => name !== "" && !outputs.has(name));
  return encodeModel({
    irVersion,
    producerName: tool.name,
    producerVersion: tool.version,
    opsetImport: opsetsOf(graph),
    metadataProps: metadataOf(graph),
    graph: {
      name: graph.name,
      node: graph.operators.map(nodeOf),
      initializer: [...graph.constants.values()].map((constant) => ({
        name: constant.name,
        dims: [...constant.shape],
        dataType: tensorType[constant.dataType],
        rawData: bytesOf(constant),
      })),
      input: graph.inputs.map(valueInfoOf),
      output: graph.outputs.map((name) => valueInfoOf(infoOf(name))),
      ...(options.hasShapes ? { valueInfo: inner.map((name) => valueInfoOf(infoOf(name))) } : {}),
    },
  });
}
