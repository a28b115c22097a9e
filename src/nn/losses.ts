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
