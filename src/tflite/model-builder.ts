/**
 * A TensorFlow Lite model under construction: tensors of an ONNX-shaped graph become NHWC ones, constants are laid
 * out anew, operators are appended. Which operators: `lower.ts`.
 *
 * Tensors of rank 4 are NHWC in the file, all others keep their order; the network's inputs and outputs too.
 */
import { UnsupportedError } from "../errors.js";
import type { Constant, Operator, OperatorGraph, Shape, TensorInfo } from "../graph/graph.js";
import { type Order, permute, permuteValues } from "../graph/order.js";
import { formatShape } from "../graph/size.js";
import { constantValues } from "../graph/values.js";
import {
  type Builtin,
  type Options,
  options,
  type TfliteModel,
  type TfliteOperator,
  type TfliteTensor,
} from "./schema.js";

/** Orders in which constants are written. */
export const orders = {
  /** Data: NCHW to NHWC. */
  nhwc: [0, 2, 3, 1],
  /** Convolution weights: OIHW to OHWI. */
  ohwi: [0, 2, 3, 1],
  /** Depthwise weights: (C, 1, H, W) to (1, H, W, C). */
  depthwise: [1, 2, 3, 0],
  transposed: [1, 0],
} as const;

export class ModelBuilder {
  readonly graph: OperatorGraph;
  private readonly tensors: TfliteTensor[] = [];
  private readonly operators: TfliteOperator[] = [];
  /** Index by name of a graph's tensor, or by a name of our own. */
  private readonly indices = new Map<string, number>();

  constructor(graph: OperatorGraph) {
    this.graph = graph;
    for (const input of graph.inputs) this.data(input.name);
  }

  unsupported({ name, type }: Operator, problem: string): never {
    throw new UnsupportedError(
      `operator "${name}" (${type}) cannot be written for TensorFlow Lite: ${problem}`,
    );
  }

  info(name: string): TensorInfo {
    const info = this.graph.tensors.get(name);
    if (info) return info;
    throw new UnsupportedError(`tensor "${name}" has no known shape`);
  }

  private addTensor(tensor: TfliteTensor): number {
    const index = this.tensors.push(tensor) - 1;
    this.indices.set(tensor.name, index);
    return index;
  }

  /** Float constant of the graph, or undefined where the tensor is computed. */
  constant(name: string): Constant | undefined {
    return this.graph.constants.get(name);
  }

  /** Values of a float constant, in the graph's order. */
  floats(constant: Constant): Float32Array {
    const values = constantValues(constant);
    if (values instanceof Float32Array) return values;
    throw new UnsupportedError(
      `constant "${constant.name}" must be float32 for TensorFlow Lite, got ${constant.dataType}`,
    );
  }

  /** Index of a tensor as data; constants among them get NHWC order. */
  data(name: string): number {
    const known = this.indices.get(name);
    if (known !== undefined) return known;
    const { shape, dataType } = this.info(name);
    if (dataType !== "float32") {
      throw new UnsupportedError(
        `tensor "${name}" must be float32 for TensorFlow Lite, got ${dataType}`,
      );
    }
    const constant = this.constant(name);
    if (constant && shape.length === 4) return this.weights(constant, orders.nhwc, name);
    if (constant) return this.floatConstant(name, shape, this.floats(constant));
    const fileShape = shape.length === 4 ? permute(shape, orders.nhwc) : shape;
    return this.addTensor({ name, shape: fileShape, type: "float32" });
  }

  /** Index of a constant with its dimensions in another order. */
  weights(constant: Constant, order: Order, name = `${constant.name}:${order.join("")}`): number {
    const known = this.indices.get(name);
    if (known !== undefined) return known;
    const { shape, source } = constant;
    const values = this.floats(constant);
    // Equal values need no rearranging.
    const ordered = source.kind === "fill" ? values : permuteValues(values, shape, order);
    return this.floatConstant(name, permute(shape, order), ordered);
  }

  /** Index of a new constant; the same name gives the same tensor. */
  floatConstant(name: string, shape: Shape, values: Float32Array): number {
    const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return this.indices.get(name) ?? this.addTensor({ name, shape, type: "float32", data });
  }

  /** Index of a constant of integers: a new shape, axes, pads. Equal ones are one tensor. */
  ints(shape: Shape, values: readonly number[]): number {
    const name = `:int32 ${formatShape(shape)} ${values.join(" ")}`;
    const data = new Uint8Array(Int32Array.from(values).buffer);
    return this.indices.get(name) ?? this.addTensor({ name, shape, type: "int32", data });
  }

  /** Index of a new tensor between two operators that one ONNX operator becomes; `shape` as in the file. */
  between(operator: Operator, what: string, shape: Shape): number {
    return this.addTensor({ name: `${operator.name}:${what}`, shape, type: "float32" });
  }

  /** Shape of a tensor in the file. */
  fileShape(index: number): Shape {
    return this.tensors[index]!.shape;
  }

  add(type: Builtin, inputs: readonly number[], output: number, settings?: Options): void {
    const operator = { type, inputs, outputs: [output] };
    this.operators.push(settings ? { ...operator, options: settings } : operator);
  }

  /** Same elements in the same order in the file, another shape. */
  addReshape(input: number, output: number): void {
    const shape = this.fileShape(output);
    this.add("RESHAPE", [input, this.ints([shape.length], shape)], output, options.reshape(shape));
  }

  /** Index of an output; one that no operator makes (an input or a constant) is a copy. */
  private output(name: string): number {
    const index = this.data(name);
    if (this.operators.some(({ outputs }) => outputs.includes(index))) return index;
    const shape = this.fileShape(index);
    const copy = this.addTensor({ name: `${name}:copy`, shape, type: "float32" });
    this.addReshape(index, copy);
    return copy;
  }

  finish(metadata: ReadonlyMap<string, Uint8Array>): TfliteModel {
    const { name, inputs, outputs } = this.graph;
    const outputIndices = outputs.map((output) => this.output(output));
    return {
      name,
      tensors: this.tensors,
      inputs: inputs.map((input) => this.data(input.name)),
      outputs: outputIndices,
      operators: this.operators,
      metadata,
    };
  }
}
