/**
 * Covariances between networks, from rows of standardised features.
 */
import { type Matrix, matrix } from "../../tensor/linalg.js";

function pairwise(a: Matrix, b: Matrix, of: (i: number, j: number) => number): Matrix {
  const result = matrix(a.rows, b.rows);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < b.rows; j++) result.values[i * b.rows + j] = of(i, j);
  }
  return result;
}

/** Mean product of features: functions linear in them, (a.rows, b.rows). */
export function linearKernel(a: Matrix, b: Matrix): Matrix {
  const d = a.columns;
  return pairwise(a, b, (i, j) => {
    let sum = 0;
    for (let k = 0; k < d; k++) sum += a.values[i * d + k]! * b.values[j * d + k]!;
    return sum / d;
  });
}

/**
 * exp(−(mean squared difference of features) / 2): smooth functions, (a.rows, b.rows). On standardised features two
 * networks drawn at random are correlated by about exp(−1).
 */
export function smoothKernel(a: Matrix, b: Matrix): Matrix {
  const d = a.columns;
  return pairwise(a, b, (i, j) => {
    let sum = 0;
    for (let k = 0; k < d; k++) sum += (a.values[i * d + k]! - b.values[j * d + k]!) ** 2;
    return Math.exp(-sum / (2 * d));
  });
}
