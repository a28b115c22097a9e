/**
 * Tensors of an ONNX file as constants of a graph: shapes and sizes are checked, values read where they are wanted.
 */
import { FormatError, ShapeError, UnsupportedError } from "../errors.js";
import type { Constant, ConstantSource, DataType } from "../graph/graph.js";
import { bytesPerElement, elementCount, formatShape } from "../graph/size.js";
import { externalDataOf, readExternalData } from "./external.js";
import type { Budget } from "./limits.js";
import { type TensorProto, tensorType } from "./proto.js";

/** Most dimensions of a tensor; runtimes have limits of 8 and less. */
export const maxRank = 64;

/** Values that may decide shapes (new shapes, axes, pads, scales) are always read: up to so many elements. */
const maxShapeIntegers = 1024;
const maxShapeFloats = 16;

const dataTypes: ReadonlyMap<number, DataType> = new Map(
  Object.entries(tensorType).map(([name, number]) => [number, name as DataType]),
);

/** What reading a tensor depends on. */
export interface TensorContext {
  /** Of the ONNX file, for errors and for external data. */
  readonly path: string | undefined;
  /** Whether to read values of all constants, not only of those that may decide shapes. */
  readonly readsValues: boolean;
  /** What the file may hold. */
  readonly budget: Budget;
}

/**
 * The type that an element type of ONNX is.
 *
 * @throws UnsupportedError when graphs cannot hold it
 */
export function dataTypeOf(elemType: number | undefined, what: string): DataType {
  const dataType = dataTypes.get(elemType ?? 0);
  if (dataType) return dataType;
  throw new UnsupportedError(
    `${what} has the element type ${elemType ?? 0} (onnx.proto), which is not supported; supported are ${[...dataTypes.values()].join(", ")}`,
  );
}

/** IEEE half precision as a number. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

type Values = Extract<ConstantSource, { kind: "values" }>["values"];

/** Values from their bytes; a copy. Small integer types become Int32Array, all floats Float32Array. */
function valuesOfBytes(bytes: Uint8Array, dataType: DataType): Values {
  // Not slice(): that of a Buffer would be a view of the whole file.
  const { buffer } = new Uint8Array(bytes);
  switch (dataType) {
    case "float32":
      return new Float32Array(buffer);
    case "float64":
      return Float32Array.from(new Float64Array(buffer));
    case "float16":
      return Float32Array.from(new Uint16Array(buffer), halfToNumber);
    case "int64":
      return new BigInt64Array(buffer);
    case "int32":
      return new Int32Array(buffer);
    case "int8":
      return Int32Array.from(new Int8Array(buffer));
    case "uint8":
    case "bool":
      return Int32Array.from(new Uint8Array(buffer));
    default:
      return dataType satisfies never;
  }
}

const int64 = (value: number): bigint => BigInt.asIntN(64, BigInt(Math.trunc(value)));

/** Values from the field that holds a type's values when they are not raw; undefined when it is empty. */
function typedField(
  tensor: TensorProto,
  dataType: DataType,
): { readonly length: number; values(): Values } | undefined {
  const { floatData, doubleData, int32Data, int64Data } = tensor;
  const field = <T extends ArrayLike<number>>(data: T | undefined, convert: (data: T) => Values) =>
    data && { length: data.length, values: () => convert(data) };
  switch (dataType) {
    case "float32":
      return field(floatData, (data) => Float32Array.from(data));
    case "float64":
      return field(doubleData, (data) => Float32Array.from(data));
    case "int64":
      return field(int64Data, (data) => BigInt64Array.from(data, int64));
    case "float16":
      return field(int32Data, (data) => Float32Array.from(data, halfToNumber));
    default:
      return field(int32Data, (data) => Int32Array.from(data));
  }
}

/**
 * A tensor as a constant. Its values stay `unread` unless they are wanted or may decide shapes.
 *
 * @throws FormatError when its size does not match its shape; ShapeError when its shape cannot be; UnsupportedError
 *   for a type graphs cannot hold
 */
export function constantOfTensor(
  tensor: TensorProto,
  name: string,
  context: TensorContext,
): Constant {
  const { path } = context;
  const what = `${path ?? "the model"}: tensor "${name}"`;
  const shape = tensor.dims ?? [];
  const dataType = dataTypeOf(tensor.dataType, what);
  if (shape.length > maxRank) {
    throw new FormatError(`${what} has ${shape.length} dimensions, more than ${maxRank}`, {
      ...(path === undefined ? {} : { path }),
      field: name,
    });
  }
  let n: number;
  try {
    n = elementCount(shape);
  } catch (cause) {
    throw new ShapeError(`${what}: ${(cause as Error).message}`, { cause });
  }
  const nBytes = n * bytesPerElement[dataType];
  const wrongSize = (given: string): FormatError =>
    new FormatError(`${what} of shape ${formatShape(shape)} (${dataType}) has ${given}`, {
      ...(path === undefined ? {} : { path }),
      field: name,
    });
  if (!Number.isSafeInteger(nBytes)) throw wrongSize("too many bytes to count");

  const limit = dataType.startsWith("float") ? maxShapeFloats : maxShapeIntegers;
  const isWanted = context.readsValues || n <= limit;
  context.budget.check("tensorElements", n, `elements of tensor "${name}"`);
  if (isWanted) context.budget.spend("valueBytes", nBytes, "bytes of values");
  const constantFrom = (values: () => Values): Constant => {
    const source: ConstantSource = isWanted
      ? { kind: "values", values: values() }
      : { kind: "unread" };
    return { name, shape, dataType, source };
  };

  if (tensor.dataLocation === 1) {
    const external = externalDataOf({ ...tensor, name }, nBytes, path);
    return constantFrom(() => valuesOfBytes(readExternalData(external, path), dataType));
  }
  const { rawData } = tensor;
  if (rawData !== undefined && (rawData.length > 0 || n === 0)) {
    if (rawData.length !== nBytes) {
      throw wrongSize(`${rawData.length} bytes of values, must have ${nBytes}`);
    }
    return constantFrom(() => valuesOfBytes(rawData, dataType));
  }
  const field = typedField(tensor, dataType);
  if ((field?.length ?? 0) !== n) throw wrongSize(`${field?.length ?? 0} values, must have ${n}`);
  return constantFrom(() => field?.values() ?? valuesOfBytes(new Uint8Array(0), dataType));
}
