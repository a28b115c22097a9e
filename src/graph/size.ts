/**
 * Sizes of tensors: how many elements, how many bytes, and shapes as text. No operators here.
 */
import { ShapeError } from "../errors.js";
import type { DataType, Shape } from "./graph.js";

/** Bytes of one element by data type (`bool` is stored as a byte). */
export const bytesPerElement: Readonly<Record<DataType, number>> = {
  float32: 4,
  float16: 2,
  float64: 8,
  int8: 1,
  uint8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
};

/**
 * Number of elements of a shape; 1 for a scalar.
 *
 * @throws ShapeError when a dimension is no integer >= 0 or the product exceeds 2^53 - 1
 */
export function elementCount(shape: Shape): number {
  let product = 1;
  for (const dim of shape) {
    if (!Number.isSafeInteger(dim) || dim < 0) {
      throw new ShapeError(`a dimension must be an integer >= 0, got ${formatShape(shape)}`);
    }
    product *= dim;
    if (!Number.isSafeInteger(product)) {
      throw new ShapeError(`a shape has too many elements to count: ${formatShape(shape)}`);
    }
  }
  return product;
}

/** A shape for people: `1x16x32x32`; a scalar is `scalar`. */
export function formatShape(shape: Shape): string {
  return shape.length === 0 ? "scalar" : shape.join("x");
}

/** Whether two shapes are the same. */
export function equalShapes(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}
