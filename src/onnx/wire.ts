/**
 * A small protobuf codec: messages as plain objects, described by tables of their fields.
 *
 * Unknown fields are skipped when reading. Decoding trusts nothing: nesting and the numbers of messages and of entries
 * are bounded, and what is wrong is thrown as any error; `proto.ts` says which file. A `name` is a short text.
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Budget } from "./limits.js";

/** Damaged text becomes replacement characters: names that then are the same are refused where they must not be. */
const utf8 = new TextDecoder();

type Scalar = "name" | "string" | "bytes" | "int" | "float" | "double";
type Kind = Scalar | (() => Schema);

interface Field {
  readonly no: number;
  readonly name: string;
  readonly kind: Kind;
  readonly isRepeated: boolean;
}

/** A message's fields. */
export interface Schema {
  readonly fields: readonly Field[];
  readonly byNo: ReadonlyMap<number, Field>;
}

type FieldSpec = readonly [no: number, kind: Kind] | readonly [no: number, kind: Kind, "repeated"];

/** Describe a message by its fields: numbers and kinds by name. */
export function schema<T>(specs: Record<keyof T & string, FieldSpec>): Schema {
  const fields = Object.entries<FieldSpec>(specs)
    .map(([name, [no, kind, repeated]]) => ({ no, name, kind, isRepeated: repeated !== undefined }))
    .sort((a, b) => a.no - b.no);
  return { fields, byNo: new Map(fields.map((field) => [field.no, field])) };
}

export type Message = Record<string, unknown>;

const int64Limit = 2n ** 63n;

/** The nearest int64; numbers at the edge (2^63 as a double) become the largest one. */
function toInt64(value: number): number | bigint {
  if (Number.isSafeInteger(value)) return value;
  const big = BigInt(Math.trunc(value));
  if (big >= int64Limit) return int64Limit - 1n;
  return big < -int64Limit ? -int64Limit : big;
}

function writeScalar(writer: BinaryWriter, kind: Scalar, value: unknown): void {
  if (kind === "string" || kind === "name") writer.string(value as string);
  else if (kind === "bytes") writer.bytes(value as Uint8Array);
  else if (kind === "int") writer.int64(toInt64(value as number));
  else if (kind === "float") writer.float(value as number);
  else writer.double(value as number);
}

const wireTypeOf: Readonly<Record<Scalar, WireType>> = {
  name: WireType.LengthDelimited,
  string: WireType.LengthDelimited,
  bytes: WireType.LengthDelimited,
  int: WireType.Varint,
  float: WireType.Bit32,
  double: WireType.Bit64,
};

const isPackable = (kind: Kind): kind is "int" | "float" | "double" =>
  kind === "int" || kind === "float" || kind === "double";

function encodeInto(message: Message, { fields }: Schema, writer: BinaryWriter): BinaryWriter {
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
        encodeInto(
          items[i] as Message,
          kind(),
          writer.tag(no, WireType.LengthDelimited).fork(),
        ).join();
      } else {
        writeScalar(writer.tag(no, wireTypeOf[kind]), kind, items[i]);
      }
    }
  }
  return writer;
}

/** Deepest nesting that is read: a node's subgraph is three levels below the node. */
const maxDepth = 60;
/** Decodes one file; afterwards `where` says how far it came. */
export class Decoder {
  private readonly budget: Budget;
  /** Names of the fields on the way to where we are, for errors. */
  private readonly trail: string[] = [];

  constructor(budget: Budget) {
    this.budget = budget;
  }

  /** Names of the fields that lead to where decoding stopped. */
  where(): string {
    return this.trail.join(".");
  }

  /** @throws any error on damage; bytes fields are views of `bytes` */
  decode(bytes: Uint8Array, schema: Schema): Message {
    this.budget.spend("messages", 1, "protobuf messages");
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
      const packed = this.readPacked(kind, reader.bytes());
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
      typeof kind === "function"
        ? this.decode(reader.bytes(), kind())
        : this.readScalar(reader, kind);
    if (!isRepeated) {
      message[name] = value;
      return;
    }
    if (typeof kind !== "function") this.budget.spend("items", 1, "entries of repeated fields");
    listOf<unknown>(message, name).push(value);
  }

  private readScalar(reader: BinaryReader, kind: Scalar): unknown {
    switch (kind) {
      case "name": {
        const bytes = reader.bytes();
        this.budget.check("nameBytes", bytes.length, "bytes of a name");
        return utf8.decode(bytes);
      }
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

  private readPacked(kind: "int" | "float" | "double", bytes: Uint8Array): ArrayLike<number> {
    if (kind === "int") {
      const reader = new BinaryReader(bytes);
      const values: number[] = [];
      while (reader.pos < reader.len) {
        this.budget.spend("items", 1, "entries of repeated fields");
        values.push(Number(reader.int64()));
      }
      return values;
    }
    const size = kind === "float" ? 4 : 8;
    if (bytes.length % size !== 0) throw new RangeError(`${bytes.length} bytes of ${kind} values`);
    const copy = new Uint8Array(bytes); // aligned
    return kind === "float" ? new Float32Array(copy.buffer) : new Float64Array(copy.buffer);
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

/** Bytes of a message. */
export function encode(message: Message, schema: Schema): Uint8Array {
  return encodeInto(message, schema, new BinaryWriter()).finish();
}
