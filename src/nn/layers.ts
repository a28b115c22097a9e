/**
 * Layers and networks composed of the tape's operations.
 */
import type { Tape, Value } from "./tape.js";

/** Inputs by name, each (rows, width). */
export type Inputs = Readonly<Record<string, Value>>;

/** A network: declares its parameters on the tape it is given and returns its output (rows, outputs). */
export type Network = (tape: Tape, inputs: Inputs) => Value;

/** Fully connected layer with its own weights `<name>.weight` and `<name>.bias`. */
export function denseLayer(tape: Tape, x: Value, name: string, outputs: number): Value {
  const width = x.shape[1]!;
  const weight = tape.parameter(`${name}.weight`, [width, outputs], {
    kind: "uniform",
    fan: width,
  });
  const bias = tape.parameter(`${name}.bias`, [outputs], { kind: "fill", value: 0 });
  return tape.linear(x, weight, bias);
}

/** Each row to mean 0 and variance 1, then scaled and shifted per column (Ba et al. 2016). */
export function layerNorm(tape: Tape, x: Value, name: string): Value {
  const width = x.shape[1]!;
  const centred = tape.subtract(x, tape.mean(x, 1));
  const variance = tape.add(tape.mean(tape.square(centred), 1), tape.scalar(1e-5));
  const scale = tape.parameter(`${name}.scale`, [width], { kind: "fill", value: 1 });
  const shift = tape.parameter(`${name}.shift`, [width], { kind: "fill", value: 0 });
  const normal = tape.divide(centred, tape.squareRoot(variance));
  return tape.add(tape.multiply(normal, scale), shift);
}

/**
 * A multilayer perceptron on the inputs side by side.
 *
 * @param widths - of the layers, the last one being the output; ReLU between
 */
export function perceptron(inputNames: readonly string[], widths: readonly number[]): Network {
  return (tape, inputs) => {
    const parts = inputNames.map((name) => inputs[name]!);
    let x = parts.length === 1 ? parts[0]! : tape.concat(parts);
    widths.forEach((width, i) => {
      x = denseLayer(tape, x, `layer${i}`, width);
      if (i + 1 < widths.length) x = tape.relu(x);
    });
    return x;
  };
}
