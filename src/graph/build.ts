/**
 * Building operator graphs: tensors are named, shapes inferred as operators are added.
 *
 * Not here: what a network looks like (`space/`) and files (`onnx/`).
 */
import { InputError } from "../errors.js";
import type {
  AttributeValue,
  Constant,
  ConstantSource,
  DataType,
  Encoding,
  Operator,
  OperatorGraph,
  Shape,
  TensorInfo,
} from "./graph.js";
import { inferOutputs } from "./shape.js";
import type { KnownTensor } from "./shape-view.js";
import { elementCount } from "./size.js";

/** Names of an operator and its outputs. */
export interface OperatorOptions {
  /** Default: the type and a number. */
  readonly name?: string;
  /** Names of the outputs; default one output, named like the operator. */
  readonly outputs?: readonly string[];
}

/** What a finished graph says of itself. */
export interface FinishOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly encoding?: Encoding;
}

/** Adds tensors and operators one after the other; every method returns the name to use as an input. */
export interface GraphBuilder {
  /** Add an input of the network; float32 unless told otherwise. */
  input(name: string, shape: Shape, dataType?: DataType): string;
  /** Add weights or another fixed tensor; float32 unless told otherwise. */
  constant(name: string, shape: Shape, source: ConstantSource, dataType?: DataType): string;
  /**
   * Add an operator whose inputs exist already.
   *
   * @returns name of its first output
   * @throws ShapeError when shapes do not fit; UnsupportedError when the type has no shape rule
   */
  operator(
    type: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, AttributeValue>>,
    options?: OperatorOptions,
  ): string;
  /** @throws InputError when no tensor has this name */
  shapeOf(tensor: string): Shape;
  /** Whether a tensor of this name was added. */
  has(tensor: string): boolean;
  /** The graph with these tensors as its outputs. */
  finish(outputs: readonly string[], options?: FinishOptions): OperatorGraph;
}

/** Constants up to this size may decide shapes (new shapes, pads, axes, scales). */
const maxShapeValues = 1024;

/** What shape inference may know of a tensor: constants' small values are read, larger ones are weights. */
export function knownTensor(tensor: TensorInfo | Constant): KnownTensor {
  if (!("source" in tensor)) return tensor;
  const { shape, dataType, source } = tensor;
  const n = elementCount(shape);
  if (n > maxShapeValues) return { shape, dataType };
  if (source.kind === "fill") return { shape, dataType, values: new Array(n).fill(source.value) };
  if (source.kind !== "values") return { shape, dataType };
  return { shape, dataType, values: Array.from(source.values, Number) };
}

/** An empty graph to add to. */
export function createGraphBuilder(name: string): GraphBuilder {
  const inputs: TensorInfo[] = [];
  const operators: Operator[] = [];
  const operatorNames = new Set<string>();
  const constants = new Map<string, Constant>();
  const tensors = new Map<string, TensorInfo>();

  function add<T extends TensorInfo>(tensor: T): T {
    if (tensor.name === "") throw new InputError("a tensor's name must not be empty");
    if (tensors.has(tensor.name)) {
      throw new InputError(`the graph already has a tensor "${tensor.name}"`);
    }
    elementCount(tensor.shape);
    tensors.set(tensor.name, tensor);
    return tensor;
  }

  function tensorOf(tensor: string): TensorInfo {
    const found = tensors.get(tensor);
    if (!found) throw new InputError(`the graph has no tensor "${tensor}"`);
    return found;
  }

  return {
    input(tensor, shape, dataType = "float32") {
      inputs.push(add({ name: tensor, shape, dataType }));
      return tensor;
    },

    constant(tensor, shape, source, dataType = "float32") {
      constants.set(tensor, add({ name: tensor, shape, dataType, source }));
      return tensor;
    },

    operator(type, operands, attributes = {}, options = {}) {
      const operatorName = options.name ?? `${type}_${operators.length}`;
      if (operatorNames.has(operatorName)) {
        throw new InputError(`the graph already has an operator "${operatorName}"`);
      }
      const outputs = options.outputs ?? [operatorName];
      const operator: Operator = {
        name: operatorName,
        type,
        inputs: operands,
        outputs,
        attributes,
      };
      const types = inferOutputs(
        operator,
        operands.map((operand) => (operand === "" ? undefined : knownTensor(tensorOf(operand)))),
      );
      outputs.forEach((output, i) => {
        add({ name: output, ...types[i]! });
      });
      operatorNames.add(operatorName);
      operators.push(operator);
      return outputs[0]!;
    },

    shapeOf: (tensor) => tensorOf(tensor).shape,
    has: (tensor) => tensors.has(tensor),

    finish(outputs, { metadata = {}, encoding } = {}) {
      if (outputs.length === 0) throw new InputError("a graph must have at least one output");
      for (const output of outputs) tensorOf(output);
      const graph = { name, inputs, outputs, operators, constants, tensors, metadata };
      return encoding ? { ...graph, encoding } : graph;
    },
  };
}
