/**
 * A network as a graph of operators with shapes: the one form in which everything above sees a network.
 *
 * Operator types, attributes and layouts are ONNX's (NCHW, weights OIHW), because any ONNX file must fit.
 * Weights need not be in memory: a constant says where its values come from. Not here: reading or writing
 * files (`onnx/`, `tflite/`) and generating networks (`space/`).
 */

export type DataType =
  | "float32"
  | "float16"
  | "float64"
  | "int8"
  | "uint8"
  | "int32"
  | "int64"
  | "bool";

/** Dimensions, outermost first. */
export type Shape = readonly number[];

/** A tensor that flows between operators, or in or out of the network. */
export interface TensorInfo {
  readonly name: string;
  readonly shape: Shape;
  readonly dataType: DataType;
}

/** Where a constant's values come from. Latency depends on shapes, so generators use seeded random weights. */
export type ConstantSource =
  | { readonly kind: "values"; readonly values: Float32Array | Int32Array | BigInt64Array }
  | { readonly kind: "random"; readonly seed: number; readonly scale: number }
  | { readonly kind: "fill"; readonly value: number }
  /** Values kept in the file that was read, not in memory (only shapes matter to a predictor). */
  | { readonly kind: "unread" };

/** A weight or other fixed tensor. */
export interface Constant extends TensorInfo {
  readonly source: ConstantSource;
}

/** Value of an ONNX attribute. */
export type AttributeValue = number | string | readonly number[] | readonly string[];

/** One operator (ONNX node). `inputs` may hold "" for an omitted optional input. */
export interface Operator {
  readonly name: string;
  /** ONNX operator type, e.g. `Conv`; an operator of another domain is `domain.Type`. */
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Integers, floats, strings and lists of them, by ONNX attribute name. */
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

/** How a search space writes this network in a few numbers; optional, for predictors that use it. */
export interface Encoding {
  /** e.g. `nasbench201`. */
  readonly space: string;
  /** e.g. the 24 one-hot numbers of MAPLE-Edge. */
  readonly values: readonly number[];
}

/** A network. Operators are in topological order; every tensor has one producer. */
export interface OperatorGraph {
  readonly name: string;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly string[];
  readonly operators: readonly Operator[];
  readonly constants: ReadonlyMap<string, Constant>;
  /** Every tensor by name: inputs, constants and all operator outputs, with their shapes. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Choices that made the graph (space, input size, variant, folding); goes into the file. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly encoding?: Encoding;
}
