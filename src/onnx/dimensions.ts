/**
 * Shapes as an ONNX file states them: numbers, names and unknowns, made numbers by what the reader is told.
 */
import { InputError, ShapeError } from "../errors.js";
import type { DataType, Shape } from "../graph/graph.js";
import type { TypeProto, ValueInfoProto } from "./proto.js";
import { dataTypeOf, maxRank } from "./tensors.js";

/** A stated type: an undefined dimension is not known. */
export interface StatedTensor {
  readonly dataType: DataType;
  /** Undefined when not even the number of dimensions is stated. */
  readonly shape: readonly (number | undefined)[] | undefined;
}

type Dimension = NonNullable<NonNullable<TypeProto["tensorType"]>["shape"]>["dim"];

/** The batch is 1 where nothing else is said: latency is of one inference. */
const defaultBatch = 1;

/** Sizes of named dimensions: those given by the user, and what inputs add. */
export class Dimensions {
  private readonly sizes: Map<string, number>;
  private readonly used = new Set<string>();
  private readonly missing = new Set<string>();
  private readonly known = new Set<string>();

  /** @throws InputError when a size is no integer >= 1 */
  constructor(given: Readonly<Record<string, number>>) {
    this.sizes = new Map(Object.entries(given));
    for (const [name, size] of this.sizes) {
      if (!Number.isSafeInteger(size) || size < 1) {
        throw new InputError(`dimension "${name}" must be an integer >= 1, got ${size}`);
      }
    }
  }

  /** Shape of a network's input; what is missing is collected for `check`. */
  inputShape(name: string, dims: Dimension): Shape {
    return (dims ?? []).map(({ dimValue, dimParam = "" }, i) => {
      if (dimValue !== undefined && dimValue > 0) return dimValue;
      // Some exporters say -1 or 0 for a free dimension; it is then called by its place, like `input.2`.
      const key = dimParam === "" ? `${name}.${i}` : dimParam;
      this.known.add(key);
      this.used.add(key);
      const size = this.sizes.get(key) ?? (i === 0 ? defaultBatch : undefined);
      if (size === undefined) {
        this.missing.add(key);
        return 1;
      }
      this.sizes.set(key, size);
      return size;
    });
  }

  /** @throws InputError naming the dimensions without a size, or sizes of dimensions the inputs do not have */
  check(file: string): void {
    // A name may be the batch in one input and stand elsewhere in another.
    const missing = [...this.missing].filter((key) => !this.sizes.has(key));
    if (missing.length > 0) {
      throw new InputError(`${file} has inputs of free size: ${missing.join(", ")}`, {
        hint: `give a size for each, e.g. ${missing[0]}=224`,
      });
    }
    const surplus = [...this.sizes.keys()].filter((key) => !this.used.has(key));
    if (surplus.length > 0) {
      const known = this.known.size === 0 ? "none" : [...this.known].join(", ");
      throw new InputError(
        `${file} has no free dimension ${surplus.map((key) => `"${key}"`).join(", ")}; free are: ${known}`,
      );
    }
  }

  /** What a file says of a tensor; undefined when it says nothing of use. */
  stated({ type }: ValueInfoProto, what: string): StatedTensor | undefined {
    const tensor = type?.tensorType;
    if (!tensor?.elemType) return undefined;
    const dataType = dataTypeOf(tensor.elemType, what);
    if (tensor.shape === undefined) return { dataType, shape: undefined };
    const dims = tensor.shape.dim ?? [];
    if (dims.length > maxRank) throw new ShapeError(`${what} has more than ${maxRank} dimensions`);
    const shape = dims.map(({ dimValue, dimParam = "" }) => {
      if (dimValue !== undefined && dimValue > 0) return dimValue;
      return this.sizes.get(dimParam);
    });
    return { dataType, shape };
  }
}
