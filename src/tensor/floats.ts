/**
 * Float32 arrays put together: rows of data on their way to a network.
 */

/** One array after the other. */
export function concatenated(parts: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** The array `count` times. */
export function repeated(vector: Float32Array, count: number): Float32Array {
  const values = new Float32Array(vector.length * count);
  for (let i = 0; i < count; i++) values.set(vector, i * vector.length);
  return values;
}
