/**
 * Dimensions of tensors in another order: shapes, values, and when the order does not matter.
 */
import type { Shape } from "./graph.js";
import { elementCount } from "./size.js";

/** Order of dimensions: position in the result -> position in the original. */
export type Order = readonly number[];

/** Shape with its dimensions in another order. */
export function permute(shape: Shape, order: Order): number[] {
  return order.map((from) => shape[from]!);
}

/** Values of a tensor of at most four dimensions whose dimensions get another order; `shape` is the original. */
export function permuteValues(values: Float32Array, shape: Shape, order: Order): Float32Array {
  const rank = shape.length;
  const strides = new Array<number>(rank).fill(1);
  for (let i = rank - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  // Four loops whatever the rank: leading ones of size 1.
  const size = [...new Array<number>(4 - rank).fill(1), ...permute(shape, order)];
  const step = [...new Array<number>(4 - rank).fill(0), ...permute(strides, order)];
  const [n0, n1, n2, n3] = size as [number, number, number, number];
  const [s0, s1, s2, s3] = step as [number, number, number, number];
  const result = new Float32Array(values.length);
  let to = 0;
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      for (let k = 0; k < n2; k++) {
        const from = i * s0 + j * s1 + k * s2;
        for (let l = 0; l < n3; l++) result[to++] = values[from + l * s3]!;
      }
    }
  }
  return result;
}

/** Whether all dimensions but one are 1, so that their order does not matter. */
export function isOrderFree(shape: Shape): boolean {
  return shape.filter((dim) => dim !== 1).length <= 1 || elementCount(shape) === 0;
}
