/**
 * Latencies of networks that a platform was not measured on, from those that it was: a ridge regression in
 * milliseconds on the encoding. For methods that need the same networks of every platform.
 */
import { leastSquares, type Matrix, matrix } from "../../tensor/linalg.js";

/** Relative; on source platforms 0.001 to 0.03 did equally well, and products of edges did worse than none. */
const ridge = 0.01;

function designOf(encodings: Float32Array, width: number): Matrix {
  const n = encodings.length / width;
  const values = new Float64Array(n * (width + 1));
  for (let i = 0; i < n; i++) {
    values[i * (width + 1)] = 1;
    values.set(encodings.subarray(i * width, (i + 1) * width), i * (width + 1) + 1);
  }
  return matrix(n, width + 1, values);
}

/**
 * Estimate latencies, in ms; never outside the range of measured ones.
 *
 * @param known - encodings (networks, width) of measured networks
 * @param latencyMs - their latencies
 * @param wanted - encodings of the networks in question
 */
export function fillInLatencies(
  known: Float32Array,
  latencyMs: Float64Array,
  wanted: Float32Array,
  width: number,
): Float64Array {
  const centre = latencyMs.reduce((sum, ms) => sum + ms, 0) / latencyMs.length;
  const coefficients = leastSquares(
    designOf(known, width),
    latencyMs.map((ms) => ms - centre),
    { ridge },
  );
  const [least, most] = [Math.min(...latencyMs), Math.max(...latencyMs)];
  return Float64Array.from({ length: wanted.length / width }, (_, j) => {
    let sum = centre + coefficients[0]!;
    for (let k = 0; k < width; k++) sum += coefficients[1 + k]! * wanted[j * width + k]!;
    return Math.min(Math.max(sum, least), most);
  });
}
