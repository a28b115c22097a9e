/**
 * Dense linear algebra in float64 for the small systems of closed-form predictors: up to a few hundred unknowns.
 *
 * Matrices are row-major. Not here: anything large enough to deserve ONNX Runtime (see `nn/`).
 */
import { InternalError, ShapeError } from "../errors.js";

/** A dense row-major matrix. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** (rows · columns), element (i, j) at `i * columns + j`. */
  readonly values: Float64Array;
}

/**
 * A matrix of zeros, or over given values.
 *
 * @throws ShapeError when the values do not fill the shape
 */
export function matrix(rows: number, columns: number, values?: Float64Array): Matrix {
  if (values !== undefined && values.length !== rows * columns) {
    throw new ShapeError(`a ${rows} x ${columns} matrix has no place for ${values.length} values`);
  }
  return { rows, columns, values: values ?? new Float64Array(rows * columns) };
}

/** A · x. */
export function multiplyVector(a: Matrix, x: Float64Array): Float64Array {
  if (x.length !== a.columns) {
    throw new ShapeError(`a ${a.rows} x ${a.columns} matrix times a vector of ${x.length}`);
  }
  const result = new Float64Array(a.rows);
  for (let i = 0; i < a.rows; i++) {
    let sum = 0;
    for (let j = 0; j < a.columns; j++) sum += a.values[i * a.columns + j]! * x[j]!;
    result[i] = sum;
  }
  return result;
}

/** Aᵀ · diag(weights) · y; weights of 1 when omitted. */
export function transposedTimesVector(
  a: Matrix,
  y: Float64Array,
  weights?: Float64Array,
): Float64Array {
  if (y.length !== a.rows) {
    throw new ShapeError(`the transpose of ${a.rows} x ${a.columns} times a vector of ${y.length}`);
  }
  const result = new Float64Array(a.columns);
  for (let i = 0; i < a.rows; i++) {
    const factor = y[i]! * (weights?.[i] ?? 1);
    for (let j = 0; j < a.columns; j++) result[j]! += factor * a.values[i * a.columns + j]!;
  }
  return result;
}

/** Aᵀ · diag(weights) · A, a symmetric (columns × columns) matrix; weights of 1 when omitted. */
export function symmetricProduct(a: Matrix, weights?: Float64Array): Matrix {
  const n = a.columns;
  const result = matrix(n, n);
  for (let i = 0; i < a.rows; i++) {
    const row = i * n;
    const weight = weights?.[i] ?? 1;
    for (let j = 0; j < n; j++) {
      const factor = weight * a.values[row + j]!;
      if (factor === 0) continue;
      for (let k = 0; k <= j; k++) result.values[j * n + k]! += factor * a.values[row + k]!;
    }
  }
  for (let j = 0; j < n; j++) {
    for (let k = 0; k < j; k++) result.values[k * n + j] = result.values[j * n + k]!;
  }
  return result;
}

/** A copy with `value` (one for all, or one each) added to the diagonal. */
export function addDiagonal(a: Matrix, value: number | Float64Array): Matrix {
  const values = a.values.slice();
  for (let i = 0; i < a.rows; i++) {
    values[i * a.columns + i]! += typeof value === "number" ? value : value[i]!;
  }
  return { ...a, values };
}

/**
 * The lower triangle L of A = L · Lᵀ; what lies above the diagonal is 0.
 *
 * @param a - symmetric; only its lower triangle is read
 * @returns undefined when A is not positive definite
 */
export function tryCholesky(a: Matrix): Matrix | undefined {
  if (a.rows !== a.columns) throw new ShapeError(`Cholesky of a ${a.rows} x ${a.columns} matrix`);
  const n = a.rows;
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a.values[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!;
      if (i === j) {
        if (!(sum > 0)) return undefined;
        l[i * n + i] = Math.sqrt(sum);
      } else {
        l[i * n + j] = sum / l[j * n + j]!;
      }
    }
  }
  return { rows: n, columns: n, values: l };
}

/**
 * As `tryCholesky`, for matrices that are positive definite by construction.
 *
 * @throws InternalError when this one is not
 */
export function cholesky(a: Matrix): Matrix {
  const lower = tryCholesky(a);
  if (lower === undefined)
    throw new InternalError(`a ${a.rows} x ${a.columns} matrix is not positive definite`);
  return lower;
}

/** x of L · x = b, for a lower triangle L. */
function solveLower(l: Matrix, b: Float64Array): Float64Array {
  const n = l.rows;
  const x = b.slice();
  for (let i = 0; i < n; i++) {
    let sum = x[i]!;
    for (let k = 0; k < i; k++) sum -= l.values[i * n + k]! * x[k]!;
    x[i] = sum / l.values[i * n + i]!;
  }
  return x;
}

/** x of Lᵀ · x = b, for a lower triangle L. */
function solveLowerTransposed(l: Matrix, b: Float64Array): Float64Array {
  const n = l.rows;
  const x = b.slice();
  for (let i = n - 1; i >= 0; i--) {
    const value = x[i]! / l.values[i * n + i]!;
    x[i] = value;
    for (let k = 0; k < i; k++) x[k]! -= l.values[i * n + k]! * value;
  }
  return x;
}

/** x of A · x = b, for A = L · Lᵀ. */
export function solveCholesky(l: Matrix, b: Float64Array): Float64Array {
  return solveLowerTransposed(l, solveLower(l, b));
}

/** The inverse of A = L · Lᵀ, symmetric. */
export function inverseFromCholesky(l: Matrix): Matrix {
  const n = l.rows;
  const inverse = matrix(n, n);
  for (let j = 0; j < n; j++) {
    const unit = new Float64Array(n);
    unit[j] = 1;
    const column = solveCholesky(l, unit);
    for (let i = 0; i < n; i++) inverse.values[i * n + j] = column[i]!;
  }
  return inverse;
}

/** log |A| for A = L · Lᵀ. */
export function logDeterminantFromCholesky(l: Matrix): number {
  let sum = 0;
  for (let i = 0; i < l.rows; i++) sum += Math.log(l.values[i * l.columns + i]!);
  return 2 * sum;
}

/**
 * x that minimises Σ wᵢ (Aᵢ·x − yᵢ)² + ridge · Σ (sⱼ xⱼ)², with sⱼ² the j-th diagonal of AᵀWA, so that the
 * ridge means the same whatever the columns' units are.
 *
 * @param ridge - relative; 1e-10 when omitted, which settles collinear columns without moving others
 */
export function leastSquares(
  a: Matrix,
  y: Float64Array,
  options: { weights?: Float64Array; ridge?: number } = {},
): Float64Array {
  const gram = symmetricProduct(a, options.weights);
  const n = a.columns;
  const scale = new Float64Array(n);
  for (let j = 0; j < n; j++) scale[j] = Math.sqrt(gram.values[j * n + j]!) || 1;
  const scaled = matrix(n, n);
  for (let j = 0; j < n; j++) {
    for (let k = 0; k < n; k++) {
      scaled.values[j * n + k] = gram.values[j * n + k]! / (scale[j]! * scale[k]!);
    }
  }
  const right = transposedTimesVector(a, y, options.weights).map((value, j) => value / scale[j]!);
  const solution = solveCholesky(cholesky(addDiagonal(scaled, options.ridge ?? 1e-10)), right);
  return solution.map((value, j) => value / scale[j]!);
}
