/**
 * Shape inference, one rule an ONNX operator type (opset 13 semantics). Only what is needed to know the cost of an
 * operator: the shape and data type of its first output.
 */
import { ShapeError, UnsupportedError } from "../errors.js";
import type { AttributeValue, Constant, DataType, Operator, Shape, TensorInfo } from "./graph.js";

export interface InferredTensor {
  readonly shape: Shape;
  readonly dataType: DataType;
}

interface Rule {
  readonly operator: Operator;
  readonly inputs: readonly (TensorInfo | undefined)[];
  readonly constantOf: (name: string) => Constant | undefined;
}

/** An integer attribute with its default. */
export function integerOf(operator: Operator, name: string, fallback: number): number {
  const value = operator.attributes[name];
  return typeof value === "number" ? value : fallback;
}

/** A list attribute with its default. */
export function integersOf(
  operator: Operator,
  name: string,
  fallback: readonly number[],
): readonly number[] {
  const value: AttributeValue | undefined = operator.attributes[name];
  return Array.isArray(value) ? (value as readonly number[]) : fallback;
}

const describe = (shape: Shape) => `[${shape.join(", ")}]`;

function wrong({ operator }: Rule, message: string): ShapeError {
  return new ShapeError(`operator "${operator.name}" (${operator.type}): ${message}`);
}

function inputAt(rule: Rule, index: number): TensorInfo {
  const input = rule.inputs[index];
  if (!input) throw wrong(rule, `input ${index} is missing`);
  return input;
}

/** Padding at [begin…, end…] of each spatial axis. */
export function paddingOf(
  operator: Operator,
  inputSizes: readonly number[],
  kernel: readonly number[],
): readonly number[] {
  const nAxes = kernel.length;
  const autoPad = operator.attributes["auto_pad"] ?? "NOTSET";
  if (autoPad === "NOTSET") {
    return integersOf(operator, "pads", new Array<number>(2 * nAxes).fill(0));
  }
  if (autoPad === "VALID") return new Array<number>(2 * nAxes).fill(0);
  const strides = integersOf(operator, "strides", new Array<number>(nAxes).fill(1));
  const dilations = integersOf(operator, "dilations", new Array<number>(nAxes).fill(1));
  const begin: number[] = [];
  const end: number[] = [];
  for (let i = 0; i < nAxes; i += 1) {
    const size = inputSizes[i]!;
    const window = (kernel[i]! - 1) * dilations[i]! + 1;
    const total = Math.max(0, (Math.ceil(size / strides[i]!) - 1) * strides[i]! + window - size);
    const small = Math.floor(total / 2);
    begin.push(autoPad === "SAME_LOWER" ? total - small : small);
    end.push(autoPad === "SAME_LOWER" ? small : total - small);
  }
  return [...begin, ...end];
}

function windowSizes(rule: Rule, spatial: readonly number[], kernel: readonly number[]): number[] {
  const { operator } = rule;
  const nAxes = spatial.length;
  if (kernel.length !== nAxes) {
    throw wrong(rule, `a kernel of ${kernel.length} axes does not fit ${nAxes} spatial axes`);
  }
  const ones = new Array<number>(nAxes).fill(1);
  const strides = integersOf(operator, "strides", ones);
  const dilations = integersOf(operator, "dilations", ones);
  const pads = paddingOf(operator, spatial, kernel);
  const round = integerOf(operator, "ceil_mode", 0) === 1 ? Math.ceil : Math.floor;
  return spatial.map((size, i) => {
    const window = (kernel[i]! - 1) * (dilations[i] ?? 1) + 1;
    const padded = size + (pads[i] ?? 0) + (pads[i + nAxes] ?? 0);
    const result = round((padded - window) / (strides[i] ?? 1)) + 1;
    if (!(result >= 1)) throw wrong(rule, `the window ${window} does not fit the size ${padded}`);
    return result;
  });
}

function conv(rule: Rule): InferredTensor {
  const x = inputAt(rule, 0);
  const w = inputAt(rule, 1);
  if (x.shape.length < 3 || w.shape.length !== x.shape.length) {
    throw wrong(rule, `weights ${describe(w.shape)} do not fit the input ${describe(x.shape)}`);
  }
  const groups = integerOf(rule.operator, "group", 1);
  const [n = 0, channels = 0, ...spatial] = x.shape;
  const [outChannels = 0, inChannels = 0, ...kernel] = w.shape;
  if (channels !== inChannels * groups) {
    throw wrong(
      rule,
      `the input has ${channels} channels, the weights need ${inChannels * groups}`,
    );
  }
  if (outChannels % groups !== 0) {
    throw wrong(rule, `${outChannels} output channels do not divide into ${groups} groups`);
  }
  const bias = rule.inputs[2];
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== outChannels)) {
    throw wrong(rule, `the bias ${describe(bias.shape)} does not fit ${outChannels} output channels`);
  }
  return { shape: [n, outChannels, ...windowSizes(rule, spatial, kernel)], dataType: x.dataType };
}

function pool(rule: Rule): InferredTensor {
  const x = inputAt(rule, 0);
  const [n = 0, channels = 0, ...spatial] = x.shape;
  const kernel = integersOf(rule.operator, "kernel_shape", []);
  return { shape: [n, channels, ...windowSizes(rule, spatial, kernel)], dataType: x.dataType };
}

function globalPool(rule: Rule): InferredTensor {
  const x = inputAt(rule, 0);
  return { shape: x.shape.map((size, i) => (i < 2 ? size : 1)), dataType: x.dataType };
}

function broadcast(rule: Rule): InferredTensor {
  const present = rule.inputs.map((_, i) => inputAt(rule, i));
  let shape: number[] = [];
  for (const input of present) {
    const rank = Math.max(shape.length, input.shape.length);
    const at = (dims: Shape, i: number) => dims[i - (rank - dims.length)] ?? 1;
    const merged: number[] = [];
    for (let i = 0; i < rank; i += 1) {
      const a = at(shape, i);
      const b = at(input.shape, i);
      if (a !== b && a !== 1 && b !== 1) {
        throw wrong(rule, `shapes ${present.map((p) => describe(p.shape)).join(" and ")} do not fit`);
      }
      merged.push(a === 1 ? b : a);
    }
    shape = merged;
  }
  return { shape, dataType: inputAt(rule, 0).dataType };
}

function same(rule: Rule): InferredTensor {
  const { shape, dataType } = inputAt(rule, 0);
  return { shape, dataType };
}

function batchNormalization(rule: Rule): InferredTensor {
  const x = inputAt(rule, 0);
  for (let i = 1; i < 5; i += 1) {
    const parameter = inputAt(rule, i);
    if (parameter.shape.length !== 1 || parameter.shape[0] !== x.shape[1]) {
      throw wrong(rule, `parameter ${describe(parameter.shape)} does not fit ${x.shape[1]} channels`);
    }
  }
  return same(rule);
}

function gemm(rule: Rule): InferredTensor {
  const a = inputAt(rule, 0);
  const b = inputAt(rule, 1);
  if (a.shape.length !== 2 || b.shape.length !== 2) throw wrong(rule, "both inputs must be matrices");
  const transA = integerOf(rule.operator, "transA", 0) === 1;
  const transB = integerOf(rule.operator, "transB", 0) === 1;
  const [m, kA] = transA ? [a.shape[1], a.shape[0]] : [a.shape[0], a.shape[1]];
  const [kB, n] = transB ? [b.shape[1], b.shape[0]] : [b.shape[0], b.shape[1]];
  if (kA !== kB) throw wrong(rule, `${describe(a.shape)} times ${describe(b.shape)}: inner sizes differ`);
  return { shape: [m!, n!], dataType: a.dataType };
}

function matMul(rule: Rule): InferredTensor {
  const a = inputAt(rule, 0);
  const b = inputAt(rule, 1);
  if (a.shape.length < 2 || b.shape.length < 2 || a.shape.at(-1) !== b.shape.at(-2)) {
    throw wrong(rule, `${describe(a.shape)} times ${describe(b.shape)} do not fit`);
  }
  const longer = a.shape.length >= b.shape.length ? a.shape : b.shape;
  return { shape: [...longer.slice(0, -2), a.shape.at(-2)!, b.shape.at(-1)!], dataType: a.dataType };
}

function flatten(rule: Rule): InferredTensor {
  const x = inputAt(rule, 0);
  const axis = integerOf(rule.operator, "axis", 1);
  const product = (dims: Shape) => dims.reduce((a, b) => a * b, 1);
  const at = axis < 0 ? axis + x.shape.length : axis;
  return {
    shape: [product(x.shape.slice(0, at)), product(x.shape.slice(at))],
    dataType: x.dataType,
  };
}

/** The integers of a constant input, e.g. the target shape of Reshape. */
function constantIntegers(rule: Rule, index: number): number[] {
  const name = rule.operator.inputs[index];
  const source = name ? rule.constantOf(name)?.source : undefined;
  if (source?.kind !== "values") {
    throw new UnsupportedError(
      `operator "${rule.operator.name}" (${rule.operator.type}): input ${index} must be a constant`,
    );
  }
  return Array.from(source.values as ArrayLike<number | bigint>, Number);
}

function reshape(rule: Rule): InferredTensor {
  const x = inputAt(rule, 0);
  const total = x.shape.reduce((a, b) => a * b, 1);
  const wanted = constantIntegers(rule, 1).map((size, i) => (size === 0 ? (x.shape[i] ?? 0) : size));
  const known = wanted.filter((size) => size !== -1).reduce((a, b) => a * b, 1);
  const shape = wanted.map((size) => (size === -1 ? total / known : size));
  if (shape.reduce((a, b) => a * b, 1) !== total || shape.some((size) => !Number.isInteger(size))) {
    throw wrong(rule, `${describe(x.shape)} cannot become ${describe(wanted)}`);
  }
  return { shape, dataType: x.dataType };
}

function concat(rule: Rule): InferredTensor {
  const first = inputAt(rule, 0);
  const rank = first.shape.length;
  const axis = (integerOf(rule.operator, "axis", 0) + rank) % rank;
  let size = 0;
  for (let i = 0; i < rule.inputs.length; i += 1) {
    const { shape } = inputAt(rule, i);
    if (shape.length !== rank || shape.some((dim, j) => j !== axis && dim !== first.shape[j])) {
      throw wrong(rule, `${describe(shape)} does not fit ${describe(first.shape)} along axis ${axis}`);
    }
    size += shape[axis]!;
  }
  return { shape: first.shape.map((dim, j) => (j === axis ? size : dim)), dataType: first.dataType };
}

function pad(rule: Rule): InferredTensor {
  const x = inputAt(rule, 0);
  const pads = rule.operator.inputs[1]
    ? constantIntegers(rule, 1)
    : integersOf(rule.operator, "pads", []);
  const rank = x.shape.length;
  if (pads.length !== 2 * rank) throw wrong(rule, `${pads.length} pads do not fit ${rank} axes`);
  return { shape: x.shape.map((size, i) => size + pads[i]! + pads[i + rank]!), dataType: x.dataType };
}

function reduce(rule: Rule): InferredTensor {
  const x = inputAt(rule, 0);
  const rank = x.shape.length;
  const all = x.shape.map((_, i) => i);
  const given = rule.operator.inputs[1]
    ? constantIntegers(rule, 1)
    : integersOf(rule.operator, "axes", all);
  const axes = new Set(given.map((axis) => (axis + rank) % rank));
  const keep = integerOf(rule.operator, "keepdims", 1) === 1;
  const shape = x.shape.flatMap((size, i) => (axes.has(i) ? (keep ? [1] : []) : [size]));
  return { shape, dataType: x.dataType };
}

function transpose(rule: Rule): InferredTensor {
  const x = inputAt(rule, 0);
  const reversed = x.shape.map((_, i) => x.shape.length - 1 - i);
  const order = integersOf(rule.operator, "perm", reversed);
  return { shape: order.map((axis) => x.shape[axis]!), dataType: x.dataType };
}

function axesChange(change: "squeeze" | "unsqueeze") {
  return (rule: Rule): InferredTensor => {
    const x = inputAt(rule, 0);
    const given = rule.operator.inputs[1]
      ? constantIntegers(rule, 1)
      : integersOf(rule.operator, "axes", []);
    const rank = x.shape.length + (change === "unsqueeze" ? given.length : 0);
    const axes = new Set(given.map((axis) => (axis + rank) % rank));
    if (change === "squeeze") {
      const drop = (size: number, i: number) => (axes.size === 0 ? size === 1 : axes.has(i));
      return { shape: x.shape.filter((size, i) => !drop(size, i)), dataType: x.dataType };
    }
    const rest = [...x.shape];
    const shape = Array.from({ length: rank }, (_, i) => (axes.has(i) ? 1 : rest.shift()!));
    return { shape, dataType: x.dataType };
  };
}

function rules(types: readonly string[], rule: (r: Rule) => InferredTensor) {
  return types.map((type) => [type, rule] as const);
}

const ruleOf = new Map<string, (rule: Rule) => InferredTensor>([
  ["Conv", conv],
  ...rules(["AveragePool", "MaxPool"], pool),
  ...rules(["GlobalAveragePool", "GlobalMaxPool"], globalPool),
  ...rules(["Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Sum", "PRelu"], broadcast),
  ...rules(
    [
      "Abs",
      "Ceil",
      "Clip",
      "Dropout",
      "Elu",
      "Erf",
      "Exp",
      "Floor",
      "Gelu",
      "HardSigmoid",
      "HardSwish",
      "Identity",
      "InstanceNormalization",
      "LayerNormalization",
      "LeakyRelu",
      "Log",
      "LogSoftmax",
      "LRN",
      "Mish",
      "Neg",
      "Reciprocal",
      "Relu",
      "Selu",
      "Sigmoid",
      "Softmax",
      "Softplus",
      "Sqrt",
      "Tanh",
    ],
    same,
  ),
  ["BatchNormalization", batchNormalization],
  ["Gemm", gemm],
  ["MatMul", matMul],
  ["Flatten", flatten],
  ["Reshape", reshape],
  ["Concat", concat],
  ["Pad", pad],
  ...rules(["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"], reduce),
  ["Transpose", transpose],
  ["Squeeze", axesChange("squeeze")],
  ["Unsqueeze", axesChange("unsqueeze")],
]);

/** Whether the operator's output shape can be inferred here. */
export function hasShapeRule(type: string): boolean {
  return ruleOf.has(type);
}

/**
 * Shape and data type of an operator's first output.
 *
 * @param inputs - in the operator's order; undefined where an optional input is omitted
 * @param constantOf - constants by name, for operators whose shape depends on values (Reshape, Pad)
 * @throws ShapeError when the inputs do not fit; UnsupportedError when the type has no rule or needs an unread constant
 */
export function inferOutput(
  operator: Operator,
  inputs: readonly (TensorInfo | undefined)[],
  constantOf: (name: string) => Constant | undefined,
): InferredTensor {
  const rule = ruleOf.get(operator.type);
  if (!rule) {
    throw new UnsupportedError(
      `operator "${operator.name}" has type ${operator.type}, whose output shape is not known here`,
      { hint: "run the exporter's shape inference so that the file states this shape" },
    );
  }
  return rule({ operator, inputs, constantOf });
}
