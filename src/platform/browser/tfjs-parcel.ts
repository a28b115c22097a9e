/**
 * A description of a network for TensorFlow.js as bytes: how it travels into a page, where the constants would be
 * millions of numbers as text. No Node imports.
 */
import type { TfjsNetwork } from "./tfjs-network.js";

/** The description without the values of its constants, which follow it one after the other. */
interface Header extends Omit<TfjsNetwork, "constants"> {
  readonly constantShapes: readonly (readonly number[])[];
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, dim) => product * dim, 1);

/** Length of the header in bytes (uint32), the header as JSON, zeros up to a multiple of 4, the values. */
export function packTfjsNetwork({ constants, ...rest }: TfjsNetwork): Uint8Array {
  const header: Header = { ...rest, constantShapes: constants.map(({ shape }) => shape) };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const start = 4 + 4 * Math.ceil(text.length / 4);
  const nValues = constants.reduce((sum, { values }) => sum + values.length, 0);
  const bytes = new Uint8Array(start + 4 * nValues);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  const values = new Float32Array(bytes.buffer, start);
  let offset = 0;
  for (const constant of constants) {
    values.set(constant.values, offset);
    offset += constant.values.length;
  }
  return bytes;
}

/** The description in `bytes`, which begin at the start of their buffer. Constants are views of it. */
export function unpackTfjsNetwork(bytes: Uint8Array): TfjsNetwork {
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const text = new TextDecoder().decode(bytes.subarray(4, 4 + length));
  const { constantShapes, ...rest } = JSON.parse(text) as Header;
  let offset = 4 + 4 * Math.ceil(length / 4);
  const constants = constantShapes.map((shape) => {
    const values = new Float32Array(bytes.buffer, offset, sizeOf(shape));
    offset += values.byteLength;
    return { shape, values };
  });
  return { ...rest, constants };
}
