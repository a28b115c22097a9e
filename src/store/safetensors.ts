/**
 * The safetensors file format (huggingface/safetensors, version 0): an 8-byte little-endian header length, a JSON
 * header that names each tensor's type, shape and byte range, then the bytes. Plain numbers, no code. F32 and F64 only.
 */
import { FormatError, InternalError } from "../errors.js";

/** A tensor as it is stored; values in row-major order. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}

const bytesPerElement = { F32: 4, F64: 8 } as const;
type ElementType = keyof typeof bytesPerElement;
const maxHeaderBytes = 16 * 2 ** 20;

/**
 * Bytes of a file with these tensors; the data of each is aligned to its type.
 *
 * @throws InternalError when values do not fill their shape or are not finite
 */
export function encodeSafetensors(tensors: ReadonlyMap<string, StoredTensor>): Uint8Array {
  const header: Record<string, unknown> = {};
  let offset = 0;
  // F64 first: then every tensor is aligned without gaps, which the format forbids.
  const entries = [...tensors].sort(
    ([, a], [, b]) => b.values.BYTES_PER_ELEMENT - a.values.BYTES_PER_ELEMENT,
  );
  for (const [name, { shape, values }] of entries) {
    if (shape.reduce((product, size) => product * size, 1) !== values.length) {
      throw new InternalError(`tensor "${name}" of shape [${shape}] has ${values.length} values`);
    }
    const wrong = values.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) {
      throw new InternalError(`tensor "${name}" holds ${values[wrong]} at element ${wrong}`);
    }
    const type: ElementType = values instanceof Float64Array ? "F64" : "F32";
    header[name] = { dtype: type, shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const text = JSON.stringify(header);
  const encoded = new TextEncoder().encode(text);
  // Padded with spaces, so that the values start aligned too.
  const headerBytes = new Uint8Array(Math.ceil(encoded.length / 8) * 8).fill(0x20);
  headerBytes.set(encoded);
  const file = new Uint8Array(8 + headerBytes.length + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes.length), true);
  file.set(headerBytes, 8);
  let at = 8 + headerBytes.length;
  for (const [, { values }] of entries) {
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return file;
}

interface HeaderEntry {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isEntry(value: unknown): value is HeaderEntry {
  if (typeof value !== "object" || value === null) return false;
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  return (
    typeof dtype === "string" &&
    Object.hasOwn(bytesPerElement, dtype) &&
    Array.isArray(shape) &&
    shape.every(isCount) &&
    Array.isArray(offsets) &&
    offsets.length === 2 &&
    offsets.every(isCount)
  );
}

/**
 * Read tensors.
 *
 * @param path - for messages
 * @throws FormatError naming the file and the tensor when it is truncated, misshapen, or holds NaN or infinity
 */
export function decodeSafetensors(file: Uint8Array, path: string): Map<string, StoredTensor> {
  const fail = (message: string, field?: string) =>
    new FormatError(`tensor file ${path}: ${message}`, {
      path,
      ...(field === undefined ? {} : { field }),
      hint: "the file is damaged or incomplete: copy it again, or train the predictor again",
    });
  if (file.length < 8) throw fail(`${file.length} bytes are too few for a header`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const headerLength = Number(view.getBigUint64(0, true));
  if (headerLength > maxHeaderBytes || 8 + headerLength > file.length) {
    throw fail(`the header claims ${headerLength} bytes, the file has ${file.length}`);
  }
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + headerLength)));
  } catch {
    throw fail("the header is not JSON");
  }
  if (typeof header !== "object" || header === null) throw fail("the header is not a JSON object");
  const start = 8 + headerLength;
  let end = start;
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    if (!isEntry(entry)) throw fail(`the header's entry of tensor "${name}" is malformed`, name);
    const [from, to] = entry.data_offsets;
    const nElements = entry.shape.reduce((product, size) => product * size, 1);
    const nBytes = nElements * bytesPerElement[entry.dtype];
    if (to - from !== nBytes) {
      throw fail(`tensor "${name}" has ${to - from} bytes, its shape needs ${nBytes}`, name);
    }
    if (start + to > file.length) throw fail(`tensor "${name}" is cut short`, name);
    end = Math.max(end, start + to);
    // A copy: the bytes need not be aligned where they lie. (A Buffer's own `slice` would not copy.)
    const bytes = Uint8Array.from(file.subarray(start + from, start + to)).buffer;
    const values = entry.dtype === "F64" ? new Float64Array(bytes) : new Float32Array(bytes);
    const wrong = values.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) {
      throw fail(`tensor "${name}" holds ${values[wrong]} at element ${wrong}`, name);
    }
    tensors.set(name, { shape: entry.shape, values });
  }
  if (end !== file.length) throw fail(`${file.length - end} bytes belong to no tensor`);
  return tensors;
}
