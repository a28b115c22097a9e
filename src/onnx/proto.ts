/**
 * ONNX files on the wire: the protobuf messages we read and write, as plain objects, and their codec.
 *
 * Field numbers are those of onnx.proto3 (ONNX IR version 8); fields not listed are skipped when reading. What the
 * messages mean is up to `write.ts` and `read.ts`. Decoding trusts nothing: damage becomes a FormatError that says
 * where, nesting and the number of messages are bounded.
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { FormatError, messageOf } from "../errors.js";

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

type Scalar = "string" | "bytes" | "int" | "float" | "double";
type Kind = Scalar | (() => Schema);

interface Field {
  readonly no: number;
  readonly name: string;
  readonly kind: Kind;
  readonly isRepeated: boolean;
}

interface Schema {
  readonly fields: readonly Field[];
  readonly byNo: ReadonlyMap<number, Field>;
}

type FieldSpec = readonly [no: number, kind: Kind] | readonly [no: number, kind: Kind, "repeated"];

function schema<T>(specs: Record<keyof T & string, FieldSpec>): Schema {
  const fields = Object.entries<FieldSpec>(specs)
    .map(([name, [no, kind, repeated]]) => ({ no, name, kind, isRepeated: repeated !== undefined }))
    .sort((a, b) => a.no - b.no);
  return { fields, byNo: new Map(fields.map((field) => [field.no, field])) };
}

const stringEntry = schema<StringStringEntry>({ key: [1, "string"], value: [2, "string"] });

const operatorSet = schema<OperatorSetId>({ domain: [1, "string"], version: [2, "int"] });

const dimension = schema<{ dimValue?: number; dimParam?: string }>({
  dimValue: [1, "int"],
  dimParam: [2, "string"],
});

const tensorShape = schema<TensorShapeProto>({ dim: [1, () => dimension, "repeated"] });

const tensorTypeProto = schema<NonNullable<TypeProto["tensorType"]>>({
  elemType: [1, "int"],
  shape: [2, () => tensorShape],
});

const typeProto = schema<TypeProto>({ tensorType: [1, () => tensorTypeProto] });

const valueInfo = schema<ValueInfoProto>({ name: [1, "string"], type: [2, () => typeProto] });

const tensor = schema<TensorProto>({
  dims: [1, "int", "repeated"],
  dataType: [2, "int"],
  floatData: [4, "float", "repeated"],
  int32Data: [5, "int", "repeated"],
  int64Data: [7, "int", "repeated"],
  name: [8, "string"],
  rawData: [9, "bytes"],
  doubleData: [10, "double", "repeated"],
  externalData: [13, () => stringEntry, "repeated"],
  dataLocation: [14, "int"],
});

const attribute = schema<AttributeProto>({
  name: [1, "string"],
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
  input: [1, "string", "repeated"],
  output: [2, "string", "repeated"],
  name: [3, "string"],
  opType: [4, "string"],
  attribute: [5, () => attribute, "repeated"],
  domain: [7, "string"],
});

const graph: Schema = schema<GraphProto>({
  node: [1, () => node, "repeated"],
  name: [2, "string"],
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

type Message = Record<string, unknown>;

const int64Limit = 2n ** 63n;

/** The nearest int64; numbers at the edge (2^63 as a double) become the largest one. */
function toInt64(value: number): number | bigint {
  if (Number.isSafeInteger(value)) return value;
  const big = BigInt(Math.trunc(value));
  if (big >= int64Limit) return int64Limit - 1n;
  return big < -int64Limit ? -int64Limit : big;
}

function writeScalar(writer: BinaryWriter, kind: Scalar, value: unknown): void {
  if (kind === "string") writer.string(value as string);
  else if (kind === "bytes") writer.bytes(value as Uint8Array);
  else if (kind === "int") writer.int64(toInt64(value as number));
  else if (kind === "float") writer.float(value as number);
  else writer.double(value as number);
}

const wireTypeOf: Readonly<Record<Scalar, WireType>> = {
  string: WireType.LengthDelimited,
  bytes: WireType.LengthDelimited,
  int: WireType.Varint,
  float: WireType.Bit32,
  double: WireType.Bit64,
};

const isPackable = (kind: Kind): kind is "int" | "float" | "double" =>
  kind === "int" || kind === "float" || kind === "double";

function encode(message: Message, { fields }: Schema, writer: BinaryWriter): BinaryWriter {
  for (const { no, name, kind, isRepeated } of fields) {
    const value = message[name];
    if (value === undefined) continue;
    const items = isRepeated ? (value as ArrayLike<unknown>) : [value];
    if (isRepeated && isPackable(kind)) {
      if (items.length === 0) continue;
      writer.tag(no, WireType.LengthDelimited).fork();
      for (let i = 0; i < items.length; i++) writeScalar(writer, kind, items[i]);
      writer.join();
      continue;
    }
    for (let i = 0; i < items.length; i++) {
      if (typeof kind === "function") {
        encode(items[i] as Message, kind(), writer.tag(no, WireType.LengthDelimited).fork()).join();
      } else {
        writeScalar(writer.tag(no, wireTypeOf[kind]), kind, items[i]);
      }
    }
  }
  return writer;
}

/** Bytes of a model file. */
export function encodeModel(value: ModelProto): Uint8Array {
  return encode(value as Message, model, new BinaryWriter()).finish();
}

/** Deepest nesting that is read: a node's subgraph is three levels below the node. */
const maxDepth = 60;
/** Most messages that are read, which bounds memory; the largest public models have well under a million. */
const maxMessages = 2_000_000;

class Decoder {
  private nMessages = 0;
  /** Names of the fields on the way to where we are, for errors. */
  private readonly trail: string[] = [];

  where(): string {
    return this.trail.join(".");
  }

  decode(bytes: Uint8Array, schema: Schema): Message {
    if (++this.nMessages > maxMessages) throw new RangeError(`more than ${maxMessages} messages`);
    if (this.trail.length > maxDepth) throw new RangeError(`nested deeper than ${maxDepth} levels`);
    const reader = new BinaryReader(bytes);
    const message: Message = {};
    while (reader.pos < reader.len) {
      const [no, wireType] = reader.tag();
      const field = schema.byNo.get(no);
      if (wireType === WireType.StartGroup || wireType === WireType.EndGroup) {
        throw new RangeError(`field ${no} is a group, which ONNX has none of`);
      }
      if (field === undefined) {
        reader.skip(wireType, no);
        continue;
      }
      this.trail.push(field.name);
      this.readField(reader, field, wireType, message);
      this.trail.pop();
    }
    return message;
  }

  private readField(
    reader: BinaryReader,
    { name, kind, isRepeated }: Field,
    wireType: WireType,
    message: Message,
  ): void {
    if (isRepeated && isPackable(kind) && wireType === WireType.LengthDelimited) {
      const packed = readPacked(kind, reader.bytes());
      if (message[name] === undefined) {
        message[name] = packed;
        return;
      }
      const list = listOf<number>(message, name);
      for (let i = 0; i < packed.length; i++) list.push(packed[i]!);
      return;
    }
    const expected = typeof kind === "function" ? WireType.LengthDelimited : wireTypeOf[kind];
    if (wireType !== expected) {
      throw new RangeError(`wire type ${wireType} where ${expected} belongs`);
    }
    const value =
      typeof kind === "function" ? this.decode(reader.bytes(), kind()) : readScalar(reader, kind);
    if (!isRepeated) {
      message[name] = value;
      return;
    }
    listOf<unknown>(message, name).push(value);
  }
}

/** The growing list of a repeated field; a packed piece that is a typed array becomes a plain one. */
function listOf<T>(message: Message, name: string): T[] {
  const before = message[name] as ArrayLike<T> | undefined;
  if (Array.isArray(before)) return before;
  const list: T[] = before === undefined ? [] : Array.from(before);
  message[name] = list;
  return list;
}

function readScalar(reader: BinaryReader, kind: Scalar): unknown {
  switch (kind) {
    case "string":
      return reader.string();
    case "bytes":
      return reader.bytes();
    case "int":
      return Number(reader.int64());
    case "float":
      return reader.float();
    case "double":
      return reader.double();
    default:
      return kind satisfies never;
  }
}

function readPacked(kind: "int" | "float" | "double", bytes: Uint8Array): ArrayLike<number> {
  if (kind === "int") {
    const reader = new BinaryReader(bytes);
    const values: number[] = [];
    while (reader.pos < reader.len) values.push(Number(reader.int64()));
    return values;
  }
  const size = kind === "float" ? 4 : 8;
  if (bytes.length % size !== 0) throw new RangeError(`${bytes.length} bytes of ${kind} values`);
  const copy = bytes.slice();
  return kind === "float" ? new Float32Array(copy.buffer) : new Float64Array(copy.buffer);
}

/**
 * The messages of a model file. Raw data are views of `bytes`.
 *
 * @param path - name of the file, for errors
 * @throws FormatError when the bytes are truncated, damaged or nested too deeply
 */
export function decodeModel(bytes: Uint8Array, path?: string): ModelProto {
  const decoder = new Decoder();
  try {
    return decoder.decode(bytes, model) as ModelProto;
  } catch (cause) {
    const field = decoder.where();
    const at = field === "" ? "" : ` at ${field}`;
    throw new FormatError(
      `${path ?? "the model"} is no readable ONNX file: damaged${at} (${messageOf(cause)})`,
      { ...(path === undefined ? {} : { path }), ...(field === "" ? {} : { field }), cause },
    );
  }
}
