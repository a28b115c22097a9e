/**
 * ONNX files on the wire: the protobuf messages we read and write, as plain objects.
 *
 * Field numbers are those of onnx.proto3 (ONNX IR version 8); fields not listed are skipped when reading. What the
 * messages mean is up to `write.ts` and `read.ts`.
 */
import { FormatError, messageOf } from "../errors.js";
import { Budget } from "./limits.js";
import { refuseOtherFormats } from "./other-formats.js";
import { Decoder, encode, type Message, type Schema, schema } from "./wire.js";

export interface ModelProto {
  irVersion?: number;
  opsetImport?: OperatorSetId[];
  producerName?: string;
  producerVersion?: string;
  graph?: GraphProto;
  metadataProps?: StringStringEntry[];
}

export interface OperatorSetId {
  domain?: string;
  version?: number;
}

export interface StringStringEntry {
  key?: string;
  value?: string;
}

export interface GraphProto {
  name?: string;
  node?: NodeProto[];
  initializer?: TensorProto[];
  sparseInitializer?: Uint8Array[];
  input?: ValueInfoProto[];
  output?: ValueInfoProto[];
  valueInfo?: ValueInfoProto[];
}

export interface NodeProto {
  name?: string;
  opType?: string;
  domain?: string;
  input?: string[];
  output?: string[];
  attribute?: AttributeProto[];
}

/** `type` says which field holds the value, see `attributeType`. Integers are exact up to 2^53. */
export interface AttributeProto {
  name?: string;
  type?: number;
  f?: number;
  i?: number;
  /** UTF-8 text, mostly. */
  s?: Uint8Array;
  t?: TensorProto;
  g?: GraphProto;
  floats?: ArrayLike<number>;
  ints?: number[];
  strings?: Uint8Array[];
}

/** Values are in `rawData` (little-endian), in one of the typed fields, or in another file. */
export interface TensorProto {
  name?: string;
  dims?: number[];
  /** See `tensorType`. */
  dataType?: number;
  rawData?: Uint8Array;
  floatData?: ArrayLike<number>;
  doubleData?: ArrayLike<number>;
  int32Data?: number[];
  int64Data?: number[];
  /** `location`, `offset`, `length` where `dataLocation` is 1. */
  externalData?: StringStringEntry[];
  dataLocation?: number;
}

export interface ValueInfoProto {
  name?: string;
  type?: TypeProto;
}

export interface TypeProto {
  tensorType?: { elemType?: number; shape?: TensorShapeProto };
}

export interface TensorShapeProto {
  dim?: { dimValue?: number; dimParam?: string }[];
}

/** AttributeProto.AttributeType, the kinds that are used. */
export const attributeType = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;

/** TensorProto.DataType of the types an operator graph has. */
export const tensorType = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
} as const;

const stringEntry = schema<StringStringEntry>({ key: [1, "string"], value: [2, "string"] });

const operatorSet = schema<OperatorSetId>({ domain: [1, "name"], version: [2, "int"] });

const dimension = schema<{ dimValue?: number; dimParam?: string }>({
  dimValue: [1, "int"],
  dimParam: [2, "name"],
});

const tensorShape = schema<TensorShapeProto>({ dim: [1, () => dimension, "repeated"] });

const tensorTypeProto = schema<NonNullable<TypeProto["tensorType"]>>({
  elemType: [1, "int"],
  shape: [2, () => tensorShape],
});

const typeProto = schema<TypeProto>({ tensorType: [1, () => tensorTypeProto] });

const valueInfo = schema<ValueInfoProto>({ name: [1, "name"], type: [2, () => typeProto] });

const tensor = schema<TensorProto>({
  dims: [1, "int", "repeated"],
  dataType: [2, "int"],
  floatData: [4, "float", "repeated"],
  int32Data: [5, "int", "repeated"],
  int64Data: [7, "int", "repeated"],
  name: [8, "name"],
  rawData: [9, "bytes"],
  doubleData: [10, "double", "repeated"],
  externalData: [13, () => stringEntry, "repeated"],
  dataLocation: [14, "int"],
});

const attribute = schema<AttributeProto>({
  name: [1, "name"],
  f: [2, "float"],
  i: [3, "int"],
  s: [4, "bytes"],
  t: [5, () => tensor],
  g: [6, () => graph],
  floats: [7, "float", "repeated"],
  ints: [8, "int", "repeated"],
  strings: [9, "bytes", "repeated"],
  type: [20, "int"],
});

const node = schema<NodeProto>({
  input: [1, "name", "repeated"],
  output: [2, "name", "repeated"],
  name: [3, "name"],
  opType: [4, "name"],
  attribute: [5, () => attribute, "repeated"],
  domain: [7, "name"],
});

const graph: Schema = schema<GraphProto>({
  node: [1, () => node, "repeated"],
  name: [2, "name"],
  initializer: [5, () => tensor, "repeated"],
  input: [11, () => valueInfo, "repeated"],
  output: [12, () => valueInfo, "repeated"],
  valueInfo: [13, () => valueInfo, "repeated"],
  sparseInitializer: [15, "bytes", "repeated"],
});

const model = schema<ModelProto>({
  irVersion: [1, "int"],
  producerName: [2, "string"],
  producerVersion: [3, "string"],
  graph: [7, () => graph],
  opsetImport: [8, () => operatorSet, "repeated"],
  metadataProps: [14, () => stringEntry, "repeated"],
});

/** Bytes of a model file. */
export function encodeModel(value: ModelProto): Uint8Array {
  return encode(value as Message, model);
}

/**
 * The messages of a model file. Raw data are views of `bytes`.
 *
 * @param path - name of the file, for errors
 * @param budget - what it may hold
 * @throws FormatError when the bytes are truncated, damaged, nested too deeply, something else, or exceed a limit
 */
export function decodeModel(
  bytes: Uint8Array,
  path?: string,
  budget: Budget = new Budget({}, path),
): ModelProto {
  refuseOtherFormats(bytes, path);
  budget.check("modelBytes", bytes.length, "bytes of the file");
  const decoder = new Decoder(budget);
  try {
    return decoder.decode(bytes, model) as ModelProto;
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    const field = decoder.where();
    const at = field === "" ? "" : ` at ${field}`;
    throw new FormatError(
      `${path ?? "the model"} is no readable ONNX file: damaged${at} (${messageOf(cause)})`,
      { ...(path === undefined ? {} : { path }), ...(field === "" ? {} : { field }), cause },
    );
  }
}
