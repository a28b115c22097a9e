/**
 * One operator with what is known of its inputs, as the shape rules read it: typed attributes with ONNX's
 * defaults, and errors that name the operator.
 */
import { ShapeError } from "../errors.js";
import type { DataType, Operator, Shape } from "./graph.js";
import { formatShape } from "./size.js";

/** What is known of a tensor while shapes are inferred. */
export interface KnownTensor {
  readonly shape: Shape;
  readonly dataType: DataType;
  /** Values where they are known and decide shapes (small constants), in row-major order. */
  readonly values?: ArrayLike<number>;
}

/** Shape and type of one output. */
export interface OutputType {
  readonly shape: Shape;
  readonly dataType: DataType;
}

/** Longer lists in messages help nobody. */
const maxProblemLength = 400;

/** An operator and its inputs; every reader throws a ShapeError that names the operator. */
export class OperatorView {
  readonly operator: Operator;
  private readonly inputs: readonly (KnownTensor | undefined)[];

  constructor(operator: Operator, inputs: readonly (KnownTensor | undefined)[]) {
    this.operator = operator;
    this.inputs = inputs;
  }

  get nInputs(): number {
    return this.inputs.length;
  }

  fail(problem: string): never {
    const { name, type } = this.operator;
    const shown =
      problem.length > maxProblemLength ? `${problem.slice(0, maxProblemLength)}…` : problem;
    throw new ShapeError(`operator "${name}" (${type}): ${shown}`);
  }

  /** An input that must be there. */
  input(i: number): KnownTensor {
    return this.inputs[i] ?? this.fail(`input ${i} is missing`);
  }

  /** An input that may be omitted. */
  optional(i: number): KnownTensor | undefined {
    return this.inputs[i];
  }

  /** Integer values of an input that decides shapes. */
  values(i: number, what: string): number[] {
    const { values } = this.input(i);
    if (values === undefined) {
      this.fail(`the ${what} (input ${i}) must be constant for shapes to be known`);
    }
    return Array.from(values, Number);
  }

  /** Dimensions of an input that must have a rank of at least `minRank`. */
  shape(i: number, minRank = 0): Shape {
    const { shape } = this.input(i);
    if (shape.length < minRank) {
      this.fail(`input ${i} must have at least ${minRank} dimensions, got ${formatShape(shape)}`);
    }
    return shape;
  }

  int(name: string, missing: number): number {
    const value = this.operator.attributes[name] ?? missing;
    if (typeof value !== "number" || !Number.isInteger(value)) {
      this.fail(`attribute ${name} must be an integer, got ${JSON.stringify(value)}`);
    }
    return value;
  }

  ints(name: string): readonly number[] | undefined {
    const value = this.operator.attributes[name];
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every((item) => Number.isInteger(item))) {
      this.fail(`attribute ${name} must be a list of integers, got ${JSON.stringify(value)}`);
    }
    return value as readonly number[];
  }

  text(name: string, missing: string): string {
    const value = this.operator.attributes[name] ?? missing;
    if (typeof value !== "string") this.fail(`attribute ${name} must be text`);
    return value;
  }

  /** An axis as 0..rank-1; negative ones count from the end. */
  axis(axis: number, rank: number): number {
    const resolved = axis < 0 ? axis + rank : axis;
    if (!Number.isInteger(resolved) || resolved < 0 || resolved >= rank) {
      this.fail(`axis ${axis} is outside a tensor of ${rank} dimensions`);
    }
    return resolved;
  }

  /** Axes given as an attribute (older opsets) or an input (newer); undefined when neither is there. */
  axes(inputIndex: number, rank: number): number[] | undefined {
    const given =
      this.ints("axes") ??
      (this.optional(inputIndex) ? this.values(inputIndex, "axes") : undefined);
    return given?.map((axis) => this.axis(axis, rank));
  }
}
