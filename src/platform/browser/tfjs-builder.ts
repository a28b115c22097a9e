/**
 * A description of TensorFlow.js steps under construction: tensors of an ONNX-shaped graph become NHWC ones, constants
 * are laid out anew, steps are appended. Which steps: `tfjs-lowering.ts`.
 */
import { UnsupportedError } from "../../errors.js";
import type { Constant, Operator, OperatorGraph, Shape, TensorInfo } from "../../graph/graph.js";
import { type Order, permute, permuteValues } from "../../graph/order.js";
import { constantValues } from "../../graph/values.js";
import type { TfjsNetwork, TfjsOperation, TfjsStep } from "./tfjs-network.js";

/** NCHW to NHWC. */
export const nhwc: Order = [0, 2, 3, 1];
/** NHWC to NCHW. */
export const nchw: Order = [0, 3, 1, 2];

/** A tensor by number; constants are negative until all of them are known. */
type Slot = number;

interface UnfinishedStep {
  readonly operation: TfjsOperation;
  readonly inputs: readonly Slot[];
  readonly output: Slot;
}

export class TfjsBuilder {
  readonly graph: OperatorGraph;
  readonly #constants: { readonly shape: readonly number[]; readonly values: Float32Array }[] = [];
  readonly #steps: UnfinishedStep[] = [];
  /** Slots by name of a graph's tensor, or by a name of our own. */
  readonly #slots = new Map<string, Slot>();
  #nData = 0;

  constructor(graph: OperatorGraph) {
    this.graph = graph;
    for (const [what, { length }] of Object.entries({
      input: graph.inputs,
      output: graph.outputs,
    })) {
      if (length !== 1) {
        throw new UnsupportedError(
          `a model must have one ${what} to be measured, this one has ${length}`,
        );
      }
    }
    this.#slots.set(this.float(graph.inputs[0]!.name).name, this.#nData++);
  }

  unsupported({ name, type }: Operator, problem: string): never {
    throw new UnsupportedError(
      `operator "${name}" (${type}) cannot be run by TensorFlow.js: ${problem}`,
    );
  }

  /** A tensor of the graph that must be float32. */
  float(name: string): TensorInfo {
    const info = this.graph.tensors.get(name);
    if (info?.dataType === "float32") return info;
    throw new UnsupportedError(
      `tensor "${name}" must be float32 for TensorFlow.js, got ${info?.dataType ?? "none"}`,
    );
  }

  shape(name: string): Shape {
    return this.float(name).shape;
  }

  constant(name: string): Constant | undefined {
    return this.graph.constants.get(name);
  }

  /** Values of a float constant, in the graph's order; undefined where the tensor is computed. */
  floats(name: string): Float32Array | undefined {
    const constant = this.constant(name);
    if (constant === undefined) return undefined;
    this.float(name);
    return constantValues(constant) as Float32Array;
  }

  /** A constant under a name of its own; the same name gives the same tensor. */
  addConstant(name: string, shape: Shape, values: () => Float32Array): Slot {
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    const slot = -this.#constants.push({ shape, values: values() });
    this.#slots.set(name, slot);
    return slot;
  }

  /** A constant whose `shape` gets another order of dimensions. */
  addOrdered(name: string, shape: Shape, order: Order, values: () => Float32Array): Slot {
    return this.addConstant(`${name}:${shape}:${order}`, permute(shape, order), () =>
      permuteValues(values(), shape, order),
    );
  }

  /** A constant of the graph in another order of dimensions; `shape` is its own or one of as many values. */
  ordered(name: string, order: Order, shape: Shape = this.shape(name)): Slot {
    return this.addOrdered(name, shape, order, () => this.floats(name)!);
  }

  /** A tensor as data: constants too, in NHWC order where they have four dimensions. */
  data(name: string): Slot {
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    const shape = this.shape(name);
    if (this.constant(name) === undefined) {
      throw new UnsupportedError(`tensor "${name}" is not made by any operator that was read`);
    }
    if (shape.length === 4) return this.ordered(name, nhwc);
    return this.addConstant(name, shape, () => this.floats(name)!);
  }

  /** Append a step whose result is no tensor of the graph. */
  add(operation: TfjsOperation, inputs: readonly Slot[]): Slot {
    const output = this.#nData++;
    this.#steps.push({ operation, inputs, output });
    return output;
  }

  /** Say which tensor of the graph a step has made. */
  name(tensor: string, slot: Slot): void {
    this.float(tensor);
    this.#slots.set(tensor, slot);
  }

  /** The description, with tensors freed where they are read last. */
  finish(): TfjsNetwork {
    const name = this.graph.outputs[0]!;
    let output = this.data(name);
    // An output that no step makes is a copy: inputs and constants live longer than a run.
    if (output <= 0) output = this.add({ kind: "identity" }, [output]);
    const { length: nConstants } = this.#constants;
    const number = (slot: Slot) => (slot < 0 ? -slot - 1 : nConstants + slot);
    const lastReader = new Map<Slot, UnfinishedStep>();
    for (const step of this.#steps) {
      // A result that nobody reads is freed by the step that made it.
      for (const slot of [step.output, ...step.inputs]) {
        if (slot > 0 && slot !== output) lastReader.set(slot, step);
      }
    }
    const frees = new Map<UnfinishedStep, Slot[]>();
    for (const [slot, step] of lastReader) frees.set(step, [...(frees.get(step) ?? []), slot]);
    const steps = this.#steps.map(
      (step): TfjsStep => ({
        operation: step.operation,
        inputs: step.inputs.map(number),
        output: number(step.output),
        frees: (frees.get(step) ?? []).map(number),
      }),
    );
    const fileShape = (shape: Shape) => (shape.length === 4 ? permute(shape, nhwc) : shape);
    return {
      constants: this.#constants,
      inputShape: fileShape(this.graph.inputs[0]!.shape),
      output: number(output),
      outputShape: fileShape(this.shape(name)),
      steps,
    };
  }
}
