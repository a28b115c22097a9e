/**
 * Writes the nodes, constants and parameters of one graph: names, shapes, and nothing about gradients (`tape.ts`).
 */
import { ShapeError } from "../errors.js";
import type { NodeProto, TensorProto } from "../onnx/proto.js";
import { castNode, constant, type ElementType, node, type Precision, randomNode } from "./emit.js";

/** A tensor of the graph. */
export interface Value {
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether some parameter leads to it; backward nodes are emitted only then. */
  readonly isLearned: boolean;
}

/** Where a parameter starts: uniform in ± sqrt(6 / fan) (He), normal with a deviation, or all of one value. */
export type Initial =
  | { readonly kind: "uniform"; readonly fan: number }
  | { readonly kind: "normal"; readonly deviation: number }
  | { readonly kind: "fill"; readonly value: number };

/** Uniform in ± `limit`. */
export const uniformWithin = (limit: number): Initial => ({ kind: "uniform", fan: 6 / limit ** 2 });

/** A learned tensor, in the order of declaration. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly size: number;
  readonly initial: Initial;
}

/** Number of elements. */
export const sizeOf = (shape: readonly number[]) =>
  shape.reduce((product, dim) => product * dim, 1);

/** Shape of two tensors combined element by element, as numpy and ONNX broadcast. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const da = a[i - rank + a.length] ?? 1;
    const db = b[i - rank + b.length] ?? 1;
    if (da !== db && da !== 1 && db !== 1) {
      throw new ShapeError(`shapes [${a}] and [${b}] do not broadcast`);
    }
    return Math.max(da, db);
  });
}

/** Collects one graph. */
export class GraphWriter {
  readonly precision: Precision;
  /** Whether the graph learns; layers that only regularise leave themselves out otherwise. */
  readonly isTraining: boolean;
  readonly nodes: NodeProto[] = [];
  readonly constants: TensorProto[] = [];
  readonly parameters: Parameter[] = [];
  private readonly prefix: string;
  private readonly shared = new Map<string, Value>();
  private nNames = 0;
  private nStreams = 0;

  /** @param prefix - first part of every name, so that graphs can be nested */
  constructor(options: { precision?: Precision; prefix?: string; isTraining?: boolean } = {}) {
    this.precision = options.precision ?? "float32";
    this.prefix = options.prefix ?? "t";
    this.isTraining = options.isTraining ?? false;
  }

  /** A name that nothing else has. */
  fresh(what = ""): string {
    return `${this.prefix}${this.nNames++}${what === "" ? "" : `_${what}`}`;
  }

  /** A tensor that comes from outside. */
  input(name: string, shape: readonly number[]): Value {
    return { name, shape, isLearned: false };
  }

  /**
   * Declare a learned tensor. Its name must be new; whoever runs the graph provides a tensor of that name.
   */
  parameter(name: string, shape: readonly number[], initial: Initial): Value {
    if (this.parameters.some((parameter) => parameter.name === name)) {
      throw new ShapeError(`parameter "${name}" is declared twice`);
    }
    this.parameters.push({ name, shape, size: sizeOf(shape), initial });
    return { name, shape, isLearned: true };
  }

  /** A fixed tensor; equal ones are written once. */
  fixed(shape: readonly number[], values: ArrayLike<number>): Value {
    return this.shareOnce(`${shape.join()}:${Array.from(values).join()}`, "c", () => ({
      shape,
      type: this.precision,
      values,
    }));
  }

  scalar(value: number): Value {
    return this.fixed([], [value]);
  }

  /**
   * Random numbers, new ones in every step: standard normal, or uniform in 0…1. The same seed gives the same numbers
   * with the same build of ONNX Runtime; each call has a stream of its own.
   */
  random(kind: "normal" | "uniform", shape: readonly number[], seed: number): Value {
    const value = { name: this.fresh(), shape, isLearned: false };
    // ONNX keeps the seed as a float: integers below 2^24 are exact.
    const stream = (seed + 7919 * this.nStreams++) % 2 ** 24;
    this.nodes.push(randomNode(kind, value.name, { shape, seed: stream, type: this.precision }));
    return value;
  }

  /** Name of a fixed list of integers: axes, shapes, sizes. */
  protected integers(values: readonly number[]): string {
    const make = () => ({ shape: [values.length], type: "int64" as const, values });
    return this.shareOnce(`i${values.join()}`, "i", make).name;
  }

  private shareOnce(
    key: string,
    what: string,
    make: () => { shape: readonly number[]; type: ElementType; values: ArrayLike<number> },
  ): Value {
    const known = this.shared.get(key);
    if (known !== undefined) return known;
    const { shape, type, values } = make();
    const value = { name: this.fresh(what), shape, isLearned: false };
    this.constants.push(constant(value.name, type, shape, values));
    this.shared.set(key, value);
    return value;
  }

  protected emit(
    opType: string,
    inputs: readonly string[],
    shape: readonly number[],
    isLearned: boolean,
    attributes: Parameters<typeof node>[3] = {},
  ): Value {
    const value = { name: this.fresh(), shape, isLearned };
    this.nodes.push(node(opType, inputs, [value.name], attributes));
    return value;
  }

  /** 1 where a > b, else 0; no gradient. */
  protected greater(a: Value, b: Value): Value {
    const shape = broadcastShape(a.shape, b.shape);
    const comparison = this.emit("Greater", [a.name, b.name], shape, false);
    const value = { name: this.fresh(), shape, isLearned: false };
    this.nodes.push(castNode(comparison.name, value.name, this.precision));
    return value;
  }
}
