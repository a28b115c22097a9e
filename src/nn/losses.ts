/**
 * Losses: scalars on the tape, averaged over the batch; optional weights (rows, 1) scale each row's share.
 */
import type { Tape, Value } from "./tape.js";

function weightedMean(tape: Tape, perRow: Value, weight: Value | undefined): Value {
  return tape.mean(weight === undefined ? perRow : tape.multiply(perRow, weight));
}

/** Mean squared error. */
export function squaredError(tape: Tape, predicted: Value, target: Value, weight?: Value): Value {
  return weightedMean(tape, tape.square(tape.subtract(predicted, target)), weight);
}

/** Smooth absolute error δ²(√(1 + (r/δ)²) − 1): square near 0, linear far off, so outliers count less. */
export function smoothAbsoluteError(
  tape: Tape,
  predicted: Value,
  target: Value,
  options: { readonly delta: number; readonly weight?: Value },
): Value {
  const { delta, weight } = options;
  const scaled = tape.multiply(tape.subtract(predicted, target), tape.scalar(1 / delta));
  const root = tape.squareRoot(tape.add(tape.square(scaled), tape.scalar(1)));
  const perRow = tape.multiply(tape.subtract(root, tape.scalar(1)), tape.scalar(delta * delta));
  return weightedMean(tape, perRow, weight);
}

/**
 * Pairwise hinge loss: rows should come in the order of their targets, `margin` apart. The mean over all pairs of rows
 * with different targets.
 */
export function pairwiseHinge(tape: Tape, predicted: Value, target: Value, margin: number): Value {
  const against = (column: Value) => tape.subtract(column, tape.transpose(column));
  const order = tape.sign(against(target));
  const missing = tape.subtract(tape.scalar(margin), tape.multiply(order, against(predicted)));
  const counted = tape.absolute(order);
  const total = tape.sum(tape.multiply(tape.relu(missing), counted));
  return tape.divide(total, tape.add(tape.sum(counted), tape.scalar(1e-6)));
}
