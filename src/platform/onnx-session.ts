/**
 * What the ONNX runtimes share: one float32 input and output of a model, with fixed shapes.
 */
import { UnsupportedError } from "../errors.js";
import type { OperatorGraph, TensorInfo } from "../graph/graph.js";

interface TensorDescription {
  readonly name: string;
  readonly dataType: string;
  /** A dimension known by name only is a string. */
  readonly dims: readonly (number | string)[];
}

export interface FixedTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Number of values of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/**
 * The only float32 tensor among a model's inputs or outputs. A free first dimension is the batch and becomes 1.
 *
 * @param what - `input` or `output`, for messages
 * @throws UnsupportedError when there are several, another type, or other free dimensions
 */
export function theOnlyTensor(
  what: "input" | "output",
  tensors: readonly TensorDescription[],
): FixedTensor {
  const [tensor] = tensors;
  if (tensor === undefined || tensors.length !== 1) {
    throw new UnsupportedError(
      `a model must have one ${what} to be measured, this one has ${tensors.length}`,
      { hint: `cut the model to one ${what}, or run it in an application of your own` },
    );
  }
  if (tensor.dataType !== "float32") {
    throw new UnsupportedError(
      `${what} "${tensor.name}" must be float32 to be measured, got ${tensor.dataType}`,
    );
  }
  const shape = tensor.dims.map((dim, i) => {
    if (typeof dim === "number") return dim;
    if (i === 0) return 1;
    throw new UnsupportedError(
      `${what} "${tensor.name}" has a free dimension "${dim}": latency needs a fixed size`,
      { hint: "export the model with fixed dimensions" },
    );
  });
  return { name: tensor.name, shape };
}

/** The only input and output of a network that is to be measured; throws as `theOnlyTensor`. */
export function theOnlyTensors(graph: OperatorGraph): { input: FixedTensor; output: FixedTensor } {
  const dimsOf = ({ name, dataType, shape }: TensorInfo) => ({ name, dataType, dims: shape });
  const outputs = graph.outputs.map((name) => dimsOf(graph.tensors.get(name)!));
  return {
    input: theOnlyTensor("input", graph.inputs.map(dimsOf)),
    output: theOnlyTensor("output", outputs),
  };
}

/** Thread counts that variants are offered with: powers of two up to the cores, at most 8. */
export function threadCounts(nCores: number): number[] {
  return [1, 2, 4, 8].filter((threads) => threads <= nCores);
}

/** `1.30` of `1.30.0`: the part of a version that platform ids show. */
export function shortVersion(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}
