/**
 * Build an operator graph step by step; shapes are inferred as operators are added, so a graph that does not fit
 * together fails at the operator that is wrong.
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
import { inferOutput } from "./shape.js";

export class GraphBuilder {
  private readonly inputs: TensorInfo[] = [];
  private readonly operators: Operator[] = [];
  private readonly constants = new Map<string, Constant>();
  private readonly tensors = new Map<string, TensorInfo>();

  private addTensor(tensor: TensorInfo): void {
    if (this.tensors.has(tensor.name)) {
      throw new InputError(`tensor "${tensor.name}" has two producers`);
    }
    this.tensors.set(tensor.name, tensor);
  }

  /** Add a network input; returns its name. */
  input(name: string, shape: Shape, dataType: DataType = "float32"): string {
    const tensor = { name, shape, dataType };
    this.addTensor(tensor);
    this.inputs.push(tensor);
    return name;
  }

  /** Add a weight or other fixed tensor; returns its name. */
  constant(
    name: string,
    shape: Shape,
    source: ConstantSource,
    dataType: DataType = "float32",
  ): string {
    const constant = { name, shape, dataType, source };
    this.addTensor(constant);
    this.constants.set(name, constant);
    return name;
  }

  /**
   * Add an operator with one output; returns the output's name, which is the operator's.
   *
   * @throws ShapeError when the inputs' shapes do not fit; UnsupportedError when the operator's shape rule is unknown
   */
  operator(
    type: string,
    name: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string {
    const operator: Operator = { name, type, inputs, outputs: [name], attributes };
    const output = inferOutput(
      operator,
      inputs.map((input) => this.find(input, name)),
      (input) => this.constants.get(input),
    );
    this.addTensor({ name, ...output });
    this.operators.push(operator);
    return name;
  }

  private find(tensor: string, operator: string): TensorInfo | undefined {
    if (tensor === "") return undefined;
    const info = this.tensors.get(tensor);
    if (!info) throw new InputError(`operator "${operator}" reads tensor "${tensor}", which nobody makes`);
    return info;
  }

  /** Shape of a tensor added before. */
  shapeOf(tensor: string): Shape {
    return this.find(tensor, "shapeOf")!.shape;
  }

  finish(
    name: string,
    outputs: readonly string[],
    { metadata = {}, encoding }: { metadata?: Record<string, string>; encoding?: Encoding } = {},
  ): OperatorGraph {
    for (const output of outputs) this.find(output, "the network's output");
    return {
      name,
      inputs: this.inputs,
      outputs,
      operators: this.operators,
      constants: this.constants,
      tensors: this.tensors,
      metadata,
      ...(encoding ? { encoding } : {}),
    };
  }
}
