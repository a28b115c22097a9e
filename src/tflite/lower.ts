/**
 * Which TensorFlow Lite operators an ONNX operator becomes.
 *
 * One for one where possible: activations are not fused into convolutions here, what a runtime fuses by itself is
 * part of what we measure. Padding: ONNX states it, TensorFlow Lite knows only SAME and VALID; where neither is the
 * same (PyTorch's padding at stride 2), an operator that pads comes first.
 */
import { knownTensor } from "../graph/build.js";
import type { Operator, Shape } from "../graph/graph.js";
import { isOrderFree } from "../graph/order.js";
import { OperatorView } from "../graph/shape-view.js";
import { usedPadEnd, type Window, windowOfOperator } from "../graph/shape-window.js";
import { equalShapes, formatShape } from "../graph/size.js";
import { type ModelBuilder, orders } from "./model-builder.js";
import { options, padding } from "./schema.js";

type Lowering = (m: ModelBuilder, operator: Operator, view: OperatorView) => void;

/** NCHW -> NHWC undone. */
const nchw = [0, 3, 1, 2];

interface Padded {
  readonly input: number;
  /** Enum Padding. */
  readonly padding: number;
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly kernel: readonly number[];
}

/** Which of the enum Padding gives the window's output from its input, if any does. */
function paddingOf(window: Window, spatial: Shape): number | undefined {
  const { strides, output, padsBegin } = window;
  const isValid = spatial.every((size, i) => {
    const end = usedPadEnd(window, size, i);
    return padsBegin[i] === 0 && end <= 0 && -end < strides[i]!;
  });
  if (isValid) return padding.VALID;
  const isSame = spatial.every((size, i) => {
    const total = Math.max(0, padsBegin[i]! + usedPadEnd(window, size, i));
    return output[i] === Math.ceil(size / strides[i]!) && padsBegin[i] === Math.floor(total / 2);
  });
  return isSame ? padding.SAME : undefined;
}

function windowFor(m: ModelBuilder, operator: Operator, view: OperatorView): Window {
  if (view.shape(0).length !== 4) m.unsupported(operator, "only images (4 dimensions) can");
  return windowOfOperator(view);
}

interface Padding {
  readonly window: Window;
  readonly spatial: Shape;
  /** What to pad with. */
  readonly value: number;
  /** Whether to pad before even where SAME would do. */
  readonly isAlways?: boolean;
}

/** The operator's data input, padded first where that is needed. */
function padInput(
  m: ModelBuilder,
  operator: Operator,
  { window, spatial, value, isAlways = false }: Padding,
): Padded {
  const { strides, dilations, kernel } = window;
  const input = m.data(operator.inputs[0]!);
  const direct = paddingOf(window, spatial);
  if (direct !== undefined && !isAlways)
    return { input, padding: direct, strides, dilations, kernel };
  const [n, height, width, channels] = m.fileShape(input) as [number, number, number, number];
  const begin = window.padsBegin;
  const end = spatial.map((size, i) => Math.max(0, usedPadEnd(window, size, i)));
  const padded = m.between(operator, "padded", [
    n,
    height + begin[0]! + end[0]!,
    width + begin[1]! + end[1]!,
    channels,
  ]);
  const pads = m.ints([4, 2], [0, 0, begin[0]!, end[0]!, begin[1]!, end[1]!, 0, 0]);
  if (value === 0) {
    m.add("PAD", [input, pads], padded);
  } else {
    const filler = m.floatConstant(`:pad ${value}`, [], Float32Array.of(value));
    m.add("PADV2", [input, pads, filler], padded);
  }
  return { input: padded, padding: padding.VALID, strides, dilations, kernel };
}

function conv(m: ModelBuilder, operator: Operator, view: OperatorView): void {
  const window = windowFor(m, operator, view);
  const weights = m.constant(operator.inputs[1]!);
  if (!weights) m.unsupported(operator, "its weights are computed");
  const [outChannels, channelsPerGroup] = weights.shape as [number, number];
  const groups = view.int("group", 1);
  const isDepthwise = groups > 1 && channelsPerGroup === 1;
  if (groups > 1 && !isDepthwise) {
    m.unsupported(operator, `${groups} groups of ${channelsPerGroup} channels`);
  }
  const biasName = operator.inputs[2] ?? "";
  // XNNPACK took convolutions without a bias only late; zeros cost nothing.
  const bias =
    biasName === ""
      ? m.floatConstant(`:zeros ${outChannels}`, [outChannels], new Float32Array(outChannels))
      : m.data(biasName);
  const padded = padInput(m, operator, { window, spatial: view.shape(0).slice(2), value: 0 });
  const output = m.data(operator.outputs[0]!);
  if (isDepthwise) {
    const inputs = [padded.input, m.weights(weights, orders.depthwise), bias];
    m.add("DEPTHWISE_CONV_2D", inputs, output, options.depthwise(padded, outChannels / groups));
  } else {
    const inputs = [padded.input, m.weights(weights, orders.ohwi), bias];
    m.add("CONV_2D", inputs, output, options.conv(padded));
  }
}

function pool(m: ModelBuilder, operator: Operator, view: OperatorView): void {
  const window = windowFor(m, operator, view);
  const isAverage = operator.type === "AveragePool";
  if (operator.outputs.length > 1) m.unsupported(operator, "the places of maxima");
  if (window.dilations.some((dilation) => dilation !== 1)) m.unsupported(operator, "dilation");
  const spatial = view.shape(0).slice(2);
  const direct = paddingOf(window, spatial);
  // Averages: padding that counts is zeros added before, padding that does not count is SAME's or impossible.
  const isCounted = isAverage && direct !== padding.VALID && view.int("count_include_pad", 0) === 1;
  if (isAverage && !isCounted && direct === undefined) {
    m.unsupported(operator, "padding that is neither SAME nor VALID nor counted");
  }
  if (isCounted && view.int("ceil_mode", 0) === 1) {
    m.unsupported(operator, "counted padding with ceil_mode");
  }
  const lowest = -3.4028234663852886e38; // of float32
  const padded = padInput(m, operator, {
    window,
    spatial,
    value: isAverage ? 0 : lowest,
    isAlways: isCounted,
  });
  const type = isAverage ? "AVERAGE_POOL_2D" : "MAX_POOL_2D";
  m.add(type, [padded.input], m.data(operator.outputs[0]!), options.pool(padded));
}

function globalAverage(m: ModelBuilder, operator: Operator, view: OperatorView): void {
  if (view.shape(0).length !== 4) m.unsupported(operator, "only images (4 dimensions) can");
  const inputs = [m.data(operator.inputs[0]!), m.ints([2], [1, 2])];
  m.add("MEAN", inputs, m.data(operator.outputs[0]!), options.reducer(true));
}

function activation(m: ModelBuilder, operator: Operator): void {
  m.add("RELU", [m.data(operator.inputs[0]!)], m.data(operator.outputs[0]!));
}

function clip(m: ModelBuilder, operator: Operator): void {
  const limit = (i: number, name: string, missing: number): number => {
    const input = operator.inputs[i] ?? "";
    const constant = m.constant(input);
    if (constant) return m.floats(constant)[0]!;
    if (input !== "") m.unsupported(operator, `its ${name} is computed`);
    const attribute = operator.attributes[name];
    return typeof attribute === "number" ? attribute : missing;
  };
  const min = limit(1, "min", Number.NEGATIVE_INFINITY);
  const max = limit(2, "max", Number.POSITIVE_INFINITY);
  if (min !== 0 || (max !== 6 && max !== Number.POSITIVE_INFINITY)) {
    m.unsupported(operator, `the range ${min}..${max} (0..6 and 0.. can)`);
  }
  const type = max === 6 ? "RELU6" : "RELU";
  m.add(type, [m.data(operator.inputs[0]!)], m.data(operator.outputs[0]!));
}

/** An operand of a sum or product: a constant of lower rank gets the output's, so that NHWC aligns as NCHW did. */
function operand(m: ModelBuilder, operator: Operator, name: string): number {
  const rank = m.info(operator.outputs[0]!).shape.length;
  const { shape } = m.info(name);
  if (rank !== 4 || shape.length === 4) return m.data(name);
  const constant = m.constant(name);
  if (constant) {
    const full = [...new Array<number>(rank - shape.length).fill(1), ...shape];
    return m.weights({ ...constant, shape: full }, orders.nhwc);
  }
  return m.unsupported(operator, `a computed operand of shape ${formatShape(shape)} beside images`);
}

const elementwise =
  (type: "ADD" | "MUL"): Lowering =>
  (m, operator) => {
    const inputs = operator.inputs.map((name) => operand(m, operator, name));
    m.add(type, inputs, m.data(operator.outputs[0]!), type === "ADD" ? options.add : options.mul);
  };

/** y = (x - mean) / sqrt(variance + epsilon) * scale + shift, as one product and one sum. */
function batchNorm(m: ModelBuilder, operator: Operator, view: OperatorView): void {
  const rank = view.shape(0, 2).length;
  if (rank !== 2 && rank !== 4) m.unsupported(operator, `${rank} dimensions`);
  const [scale, shift, mean, variance] = operator.inputs.slice(1, 5).map((name) => {
    const constant = m.constant(name);
    return constant ? m.floats(constant) : m.unsupported(operator, `"${name}" is computed`);
  });
  const epsilon = Number(operator.attributes.epsilon ?? 1e-5);
  const factor = scale!.map((value, i) => value / Math.sqrt(variance![i]! + epsilon));
  const offset = shift!.map((value, i) => value - mean![i]! * factor[i]!);
  const channels = [factor.length];
  const input = m.data(operator.inputs[0]!);
  const scaled = m.between(operator, "scaled", m.fileShape(input));
  const factorIndex = m.floatConstant(`${operator.name}:factor`, channels, factor);
  const offsetIndex = m.floatConstant(`${operator.name}:offset`, channels, offset);
  m.add("MUL", [input, factorIndex], scaled, options.mul);
  m.add("ADD", [scaled, offsetIndex], m.data(operator.outputs[0]!), options.add);
}

function gemm(m: ModelBuilder, operator: Operator, view: OperatorView): void {
  const weights = m.constant(operator.inputs[1]!);
  if (!weights) m.unsupported(operator, "its weights are computed");
  if (view.int("transA", 0) !== 0) m.unsupported(operator, "transA");
  const { alpha = 1, beta = 1 } = operator.attributes;
  if (alpha !== 1 || beta !== 1) m.unsupported(operator, "alpha or beta other than 1");
  const isTransposed = view.int("transB", 0) === 1;
  const biasName = operator.inputs[2] ?? "";
  const nOutputs = weights.shape[isTransposed ? 0 : 1]!;
  let bias: number;
  if (biasName === "") {
    bias = m.floatConstant(`:zeros ${nOutputs}`, [nOutputs], new Float32Array(nOutputs));
  } else {
    const constant = m.constant(biasName);
    if (!constant) m.unsupported(operator, "its bias is computed");
    const values = m.floats(constant);
    if (values.length !== nOutputs) m.unsupported(operator, "its bias is not one value an output");
    bias = m.floatConstant(`${biasName}:bias`, [nOutputs], values);
  }
  const weightsIndex = isTransposed ? m.data(weights.name) : m.weights(weights, orders.transposed);
  const inputs = [m.data(operator.inputs[0]!), weightsIndex, bias];
  m.add("FULLY_CONNECTED", inputs, m.data(operator.outputs[0]!), options.fullyConnected);
}

function reshape(m: ModelBuilder, operator: Operator): void {
  let input = m.data(operator.inputs[0]!);
  const from = m.info(operator.inputs[0]!).shape;
  const to = m.info(operator.outputs[0]!).shape;
  const output = m.data(operator.outputs[0]!);
  if (equalShapes(from, to)) {
    m.addReshape(input, output);
    return;
  }
  // The elements must be in ONNX's order while the shape changes; with one dimension above 1 they always are.
  if (from.length === 4 && !isOrderFree(from.slice(1))) {
    const turned = m.between(operator, "nchw", from);
    m.add("TRANSPOSE", [input, m.ints([4], nchw)], turned);
    input = turned;
  }
  if (to.length === 4 && !isOrderFree(to.slice(1))) {
    const turned = m.between(operator, "reshaped", to);
    m.addReshape(input, turned);
    m.add("TRANSPOSE", [turned, m.ints([4], orders.nhwc)], output);
    return;
  }
  m.addReshape(input, output);
}

/**
 * RESHAPE to the same shape: a copy in the builtin kernels, and among the few copying operators that every version
 * of XNNPACK takes (TensorFlow's own IDENTITY does not exist in the format).
 */
function identity(m: ModelBuilder, operator: Operator): void {
  m.addReshape(m.data(operator.inputs[0]!), m.data(operator.outputs[0]!));
}

const lowerings: ReadonlyMap<string, Lowering> = new Map<string, Lowering>([
  ["Add", elementwise("ADD")],
  ["AveragePool", pool],
  ["BatchNormalization", batchNorm],
  ["Clip", clip],
  ["Conv", conv],
  ["Flatten", reshape],
  ["Gemm", gemm],
  ["GlobalAveragePool", globalAverage],
  ["Identity", identity],
  ["MaxPool", pool],
  ["Mul", elementwise("MUL")],
  ["Relu", activation],
  ["Reshape", reshape],
]);

/**
 * Add what an operator becomes.
 *
 * @throws UnsupportedError when it has no form in TensorFlow Lite that we write; names it
 */
export function lowerOperator(m: ModelBuilder, operator: Operator): void {
  const lower = lowerings.get(operator.type);
  if (!lower) m.unsupported(operator, `known are ${[...lowerings.keys()].join(", ")}`);
  const inputs = operator.inputs.map((name) => {
    if (name === "") return undefined;
    return knownTensor(m.constant(name) ?? m.info(name));
  });
  lower(m, operator, new OperatorView(operator, inputs));
}
