/**
 * Points that cover a set of points: each next one is the farthest from those that are there.
 *
 * The greedy 2-approximation of the k-centre problem (Gonzalez 1985). Unlike a uniform draw it reaches the corners.
 */
import { InputError } from "../errors.js";
import type { Matrix } from "./linalg.js";

/** Columns brought to mean 0 and standard deviation 1; constant columns become 0. */
function standardised({ values: data, rows: nRows, columns: nColumns }: Matrix): Float64Array {
  const result = new Float64Array(data.length);
  for (let j = 0; j < nColumns; j += 1) {
    let sum = 0;
    for (let i = 0; i < nRows; i += 1) sum += data[i * nColumns + j]!;
    const centre = sum / nRows;
    let squares = 0;
    for (let i = 0; i < nRows; i += 1) squares += (data[i * nColumns + j]! - centre) ** 2;
    const sd = Math.sqrt(squares / nRows);
    for (let i = 0; i < nRows; i += 1) {
      result[i * nColumns + j] = sd === 0 ? 0 : (data[i * nColumns + j]! - centre) / sd;
    }
  }
  return result;
}

/**
 * Choose rows that cover all rows, none of them in `taken`, and none where `taken` already lies.
 *
 * @param points - (nPoints, nFeatures); columns are standardised, distances Euclidean
 * @param taken - rows that are covered from the start; the first choice without any is row 0
 * @returns `count` row numbers in order of choice; equal distances go to the lower number
 * @throws InputError when there are not that many rows
 */
export function coveringRows(
  points: Matrix,
  count: number,
  taken: Iterable<number> = [],
): number[] {
  const { rows: nRows, columns: nColumns } = points;
  const values = standardised(points);
  const nearest = new Float64Array(nRows).fill(Number.POSITIVE_INFINITY);
  const cover = (row: number) => {
    for (let i = 0; i < nRows; i += 1) {
      let squared = 0;
      for (let j = 0; j < nColumns; j += 1) {
        squared += (values[i * nColumns + j]! - values[row * nColumns + j]!) ** 2;
      }
      if (squared < nearest[i]!) nearest[i] = squared;
    }
    nearest[row] = -1;
  };
  let nTaken = 0;
  for (const row of taken) {
    cover(row);
    nTaken += 1;
  }
  if (count > nRows - nTaken) {
    throw new InputError(`only ${nRows - nTaken} rows are left to choose from, asked for ${count}`);
  }
  const chosen: number[] = [];
  while (chosen.length < count) {
    let farthest = 0;
    for (let i = 1; i < nRows; i += 1) if (nearest[i]! > nearest[farthest]!) farthest = i;
    chosen.push(farthest);
    cover(farthest);
  }
  return chosen;
}
