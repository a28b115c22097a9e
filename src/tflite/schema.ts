/**
 * The TensorFlow Lite file format: the few tables of its FlatBuffers schema that we write.
 *
 * Slot and enum numbers are those of tensorflow/lite/schema/schema.fbs (version 3, mark TFL3). What operators a
 * network needs is up to `lower.ts`.
 */
import { Builder, type Offset } from "flatbuffers";

/** Enum TensorType. */
export const tensorType = { float32: 0, int32: 2 } as const;

/** Enum BuiltinOperator; all of them in version 1. */
export const builtin = {
  ADD: 0,
  AVERAGE_POOL_2D: 1,
  CONV_2D: 3,
  DEPTHWISE_CONV_2D: 4,
  FULLY_CONNECTED: 9,
  MAX_POOL_2D: 17,
  MUL: 18,
  RELU: 19,
  RELU6: 21,
  RESHAPE: 22,
  PAD: 34,
  TRANSPOSE: 39,
  MEAN: 40,
  PADV2: 60,
} as const;

export type Builtin = keyof typeof builtin;

/** Enum Padding. */
export const padding = { SAME: 0, VALID: 1 } as const;

type FieldValue =
  | readonly ["byte" | "int32" | "bool", number]
  | readonly ["int32s", readonly number[]];

/** One of the union BuiltinOptions: its number, and the fields in slot order. */
export interface Options {
  readonly union: number;
  readonly fields: readonly FieldValue[];
}

interface Strides {
  readonly strides: readonly number[];
  readonly padding: number;
}

const byte = (value: number): FieldValue => ["byte", value];
const int32 = (value: number): FieldValue => ["int32", value];
const noActivation = byte(0);

/** Constructors of the options we use. Heights come before widths in arguments, after them in the file. */
export const options = {
  conv: ({ strides, padding, dilations }: Strides & { dilations: readonly number[] }): Options => ({
    union: 1,
    fields: [
      byte(padding),
      int32(strides[1]!),
      int32(strides[0]!),
      noActivation,
      int32(dilations[1]!),
      int32(dilations[0]!),
    ],
  }),
  depthwise: (
    window: Strides & { dilations: readonly number[] },
    depthMultiplier: number,
  ): Options => ({
    union: 2,
    fields: [
      byte(window.padding),
      int32(window.strides[1]!),
      int32(window.strides[0]!),
      int32(depthMultiplier),
      noActivation,
      int32(window.dilations[1]!),
      int32(window.dilations[0]!),
    ],
  }),
  pool: ({ strides, padding, kernel }: Strides & { kernel: readonly number[] }): Options => ({
    union: 5,
    fields: [
      byte(padding),
      int32(strides[1]!),
      int32(strides[0]!),
      int32(kernel[1]!),
      int32(kernel[0]!),
      noActivation,
    ],
  }),
  fullyConnected: { union: 8, fields: [noActivation] } as Options,
  add: { union: 11, fields: [noActivation] } as Options,
  reshape: (shape: readonly number[]): Options => ({ union: 17, fields: [["int32s", shape]] }),
  mul: { union: 21, fields: [noActivation] } as Options,
  reducer: (keepDims: boolean): Options => ({ union: 27, fields: [["bool", keepDims ? 1 : 0]] }),
};

export interface TfliteTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: keyof typeof tensorType;
  /** Values of a constant, row-major, little-endian. */
  readonly data?: Uint8Array;
}

export interface TfliteOperator {
  readonly type: Builtin;
  /** Indices into `tensors`. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options?: Options;
}

export interface TfliteModel {
  readonly name: string;
  readonly tensors: readonly TfliteTensor[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly operators: readonly TfliteOperator[];
  /** Entries of the file's metadata. */
  readonly metadata: ReadonlyMap<string, Uint8Array>;
}

/** Readers expect constants at multiples of this (schema: force_align). */
const bufferAlignment = 16;

function writeInt32s(b: Builder, values: readonly number[]): Offset {
  b.startVector(4, values.length, 4);
  for (let i = values.length - 1; i >= 0; i--) b.addInt32(values[i]!);
  return b.endVector();
}

function writeOffsets(b: Builder, offsets: readonly Offset[]): Offset {
  b.startVector(4, offsets.length, 4);
  for (let i = offsets.length - 1; i >= 0; i--) b.addOffset(offsets[i]!);
  return b.endVector();
}

function writeBuffer(b: Builder, data: Uint8Array | undefined): Offset {
  let vector = 0;
  if (data !== undefined) {
    b.prep(bufferAlignment, data.length);
    vector = b.createByteVector(data);
  }
  b.startObject(1);
  b.addFieldOffset(0, vector, 0);
  return b.endObject();
}

function writeTensor(b: Builder, tensor: TfliteTensor, buffer: number): Offset {
  const shape = writeInt32s(b, tensor.shape);
  const name = b.createString(tensor.name);
  b.startObject(4);
  b.addFieldOffset(0, shape, 0);
  b.addFieldInt8(1, tensorType[tensor.type], 0);
  b.addFieldInt32(2, buffer, 0);
  b.addFieldOffset(3, name, 0);
  return b.endObject();
}

function writeOptions(b: Builder, { fields }: Options): Offset {
  const vectors = fields.map(([kind, value]) => (kind === "int32s" ? writeInt32s(b, value) : 0));
  b.startObject(fields.length);
  fields.forEach(([kind, value], slot) => {
    // A missing field would read as the schema's default, which is not 0 for all: write every one.
    if (kind === "int32s") b.addFieldOffset(slot, vectors[slot]!, 0);
    else if (kind === "int32") b.addFieldInt32(slot, value, null);
    else b.addFieldInt8(slot, value, null);
  });
  return b.endObject();
}

function writeOperator(b: Builder, operator: TfliteOperator, codeIndex: number): Offset {
  const inputs = writeInt32s(b, operator.inputs);
  const outputs = writeInt32s(b, operator.outputs);
  const operatorOptions = operator.options ? writeOptions(b, operator.options) : 0;
  b.startObject(5);
  b.addFieldInt32(0, codeIndex, 0);
  b.addFieldOffset(1, inputs, 0);
  b.addFieldOffset(2, outputs, 0);
  b.addFieldInt8(3, operator.options?.union ?? 0, 0);
  b.addFieldOffset(4, operatorOptions, 0);
  return b.endObject();
}

function writeOperatorCode(b: Builder, type: Builtin): Offset {
  b.startObject(4);
  // Readers before 2.4 know slot 0 only, later ones take the larger of both.
  b.addFieldInt8(0, builtin[type], 0);
  b.addFieldInt32(2, 1, 1);
  b.addFieldInt32(3, builtin[type], 0);
  return b.endObject();
}

/** Bytes of a model file. */
export function encodeTflite(model: TfliteModel): Uint8Array {
  const codes = [...new Set(model.operators.map(({ type }) => type))];
  const constants = model.tensors.flatMap(({ data }) => (data === undefined ? [] : [data]));
  const nBytes = constants.reduce((sum, { length }) => sum + length + bufferAlignment, 0);
  const b = new Builder(nBytes + 400 * (model.tensors.length + model.operators.length) + 4096);

  // Buffer 0 is empty by convention: tensors without values refer to it.
  let nBuffers = 1;
  const buffers = [undefined, ...constants, ...model.metadata.values()].map((data) =>
    writeBuffer(b, data),
  );
  const tensors = model.tensors.map((tensor) =>
    writeTensor(b, tensor, tensor.data === undefined ? 0 : nBuffers++),
  );
  const operators = model.operators.map((operator) =>
    writeOperator(b, operator, codes.indexOf(operator.type)),
  );
  const metadata = [...model.metadata.keys()].map((key) => {
    const name = b.createString(key);
    b.startObject(2);
    b.addFieldOffset(0, name, 0);
    b.addFieldInt32(1, nBuffers++, 0);
    return b.endObject();
  });

  const subgraphFields = [
    writeOffsets(b, tensors),
    writeInt32s(b, model.inputs),
    writeInt32s(b, model.outputs),
    writeOffsets(b, operators),
    b.createString(model.name),
  ];
  b.startObject(subgraphFields.length);
  subgraphFields.forEach((field, slot) => {
    b.addFieldOffset(slot, field, 0);
  });
  const subgraph = b.endObject();

  const modelFields = new Map([
    [
      1,
      writeOffsets(
        b,
        codes.map((type) => writeOperatorCode(b, type)),
      ),
    ],
    [2, writeOffsets(b, [subgraph])],
    [3, b.createString(model.name)],
    [4, writeOffsets(b, buffers)],
    [6, writeOffsets(b, metadata)],
  ]);
  b.startObject(7);
  b.addFieldInt32(0, 3, 0);
  for (const [slot, field] of modelFields) b.addFieldOffset(slot, field, 0);
  b.finish(b.endObject(), "TFL3");
  return b.asUint8Array();
}
