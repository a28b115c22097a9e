/**
 * Values of constants: drawn, filled or given. Random weights are uniform, so that writing a network takes
 * milliseconds; the same seed gives the same weights on every machine.
 */
import { UnsupportedError } from "../errors.js";
import type { Constant } from "./graph.js";
import { elementCount, formatShape } from "./size.js";

/** A seed for a part of a network by its name, so that a part's weights do not depend on the others. */
export function seedOf(seed: number, name: string): number {
  // FNV-1a over the name, started from the seed.
  let hash = (0x811c9dc5 ^ seed ^ Math.floor(seed / 2 ** 32)) >>> 0;
  for (let i = 0; i < name.length; i++) {
    hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

/**
 * Independent uniform numbers with mean 0 and the standard deviation `scale`.
 *
 * Generator: mulberry32 (Tommy Ettinger, public domain), good enough for weights.
 */
export function randomValues(seed: number, n: number, scale: number): Float32Array {
  const values = new Float32Array(n);
  const width = (2 * Math.sqrt(3) * scale) / 2 ** 32;
  let state = seed >>> 0;
  for (let i = 0; i < n; i++) {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    values[i] = ((t ^ (t >>> 14)) | 0) * width;
  }
  return values;
}

/**
 * Values of a constant in row-major order.
 *
 * @throws UnsupportedError when they were left in the file, or its type cannot be filled
 */
export function constantValues(constant: Constant): Float32Array | Int32Array | BigInt64Array {
  const { source, shape, dataType, name } = constant;
  switch (source.kind) {
    case "values":
      return source.values;
    case "random":
      return randomValues(source.seed, elementCount(shape), source.scale);
    case "fill": {
      const n = elementCount(shape);
      if (dataType === "float32") return new Float32Array(n).fill(source.value);
      if (dataType === "int32") return new Int32Array(n).fill(source.value);
      if (dataType === "int64") return new BigInt64Array(n).fill(BigInt(source.value));
      throw new UnsupportedError(`constant "${name}" of type ${dataType} cannot be filled`);
    }
    case "unread":
      throw new UnsupportedError(
        `the values of constant "${name}" (${formatShape(shape)}) were not read from its file`,
        { hint: "read the file with its weights" },
      );
    default:
      return source satisfies never;
  }
}
