/**
 * Which TensorFlow.js operations an ONNX operator becomes: one where there is one, and nothing is fused or left out,
 * because TensorFlow.js runs operations as they are called. Paddings are explicit. Runs in Node, without TensorFlow.js.
 */

import { knownTensor } from "../../graph/build.js";
import type { Operator, OperatorGraph } from "../../graph/graph.js";
import { isOrderFree } from "../../graph/order.js";
import { OperatorView } from "../../graph/shape-view.js";
import { usedPadEnd, windowOfOperator } from "../../graph/shape-window.js";
import { equalShapes, formatShape } from "../../graph/size.js";
import { nchw, nhwc, TfjsBuilder } from "./tfjs-builder.js";
import type { Paddings, TfjsNetwork, TfjsOperation } from "./tfjs-network.js";

/** Convolution weights: OIHW to HWIO. */
const hwio = [2, 3, 1, 0];

/** Adds the steps of an operator; returns the number of its result. */
type Lowering = (b: TfjsBuilder, operator: Operator, view: OperatorView) => number;

/** Window of a convolution or pool, with the padding that is really read. */
function windowFor(b: TfjsBuilder, operator: Operator, view: OperatorView) {
  const shape = view.shape(0);
  if (shape.length !== 4) b.unsupported(operator, "only images (4 dimensions) can");
  const window = windowOfOperator(view);
  const { strides, dilations, padsBegin, kernel } = window;
  const isStrided = strides.some((stride) => stride > 1);
  if (isStrided && dilations.some((dilation) => dilation > 1)) {
    b.unsupported(operator, "dilation beside strides");
  }
  const [top, left] = padsBegin as [number, number];
  const [bottom, right] = shape
    .slice(2)
    .map((size, i) => Math.max(0, usedPadEnd(window, size, i))) as [number, number];
  const pads: Paddings = [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
  return { kernel, strides, dilations, pads };
}

function conv(b: TfjsBuilder, operator: Operator, view: OperatorView): number {
  const { strides, dilations, pads } = windowFor(b, operator, view);
  const [data, weights, bias = ""] = operator.inputs as [string, string, string?];
  if (b.constant(weights) === undefined) b.unsupported(operator, "its weights are computed");
  if (bias !== "" && b.constant(bias) === undefined)
    b.unsupported(operator, "its bias is computed");
  const [outChannels, channelsPerGroup, ...kernel] = b.shape(weights) as [number, number];
  const groups = view.int("group", 1);
  const settings = { strides, dilations, pads };
  const biases = bias === "" ? [] : [b.data(bias)];
  if (groups === 1) {
    const inputs = [b.data(data), b.ordered(weights, hwio), ...biases];
    return b.add({ kind: "conv2d", ...settings }, inputs);
  }
  if (channelsPerGroup === 1) {
    // (C × m, 1, H, W) is (C, m, H, W) in memory, and shall be (H, W, C, m).
    const shape = [groups, outChannels / groups, ...kernel];
    const inputs = [b.data(data), b.ordered(weights, [2, 3, 0, 1], shape), ...biases];
    return b.add({ kind: "depthwiseConv2d", ...settings }, inputs);
  }
  return groupedConv(b, operator, view, { kind: "conv2d", ...settings });
}

/** TensorFlow.js has no groups: one convolution for each, on slices that are put together again. */
function groupedConv(
  b: TfjsBuilder,
  operator: Operator,
  view: OperatorView,
  operation: TfjsOperation,
): number {
  const [data, weights, bias = ""] = operator.inputs as [string, string, string?];
  const groups = view.int("group", 1);
  const [n, , height, width] = view.shape(0) as [number, number, number, number];
  const [outChannels, channels, ...kernel] = b.shape(weights) as [number, number];
  const nOutputs = outChannels / groups;
  const results = Array.from({ length: groups }, (_, group) => {
    const partOf = (name: string) => () => {
      const values = b.floats(name)!;
      const size = values.length / groups;
      return values.subarray(group * size, (group + 1) * size);
    };
    const name = `:group ${group}/${groups} of `;
    const shape = [nOutputs, channels, ...kernel];
    const begin = [0, 0, 0, group * channels];
    const size = [n, height, width, channels];
    const inputs = [
      b.add({ kind: "slice", begin, size }, [b.data(data)]),
      b.addOrdered(name + weights, shape, hwio, partOf(weights)),
    ];
    if (bias !== "") inputs.push(b.addConstant(name + bias, [nOutputs], partOf(bias)));
    return b.add(operation, inputs);
  });
  return b.add({ kind: "concat", axis: 3 }, results);
}

function pool(b: TfjsBuilder, operator: Operator, view: OperatorView): number {
  const { kernel: window, strides, dilations, pads } = windowFor(b, operator, view);
  if (operator.outputs.length > 1) b.unsupported(operator, "the places of maxima");
  if (dilations.some((dilation) => dilation > 1)) b.unsupported(operator, "dilation");
  const kind = operator.type === "AveragePool" ? "avgPool" : "maxPool";
  let input = b.data(operator.inputs[0]!);
  // TensorFlow's averages leave padding out: where it counts, zeros are added before.
  const isPadded = pads.some(([before, after]) => before + after > 0);
  if (kind === "maxPool" || !isPadded || view.int("count_include_pad", 0) === 0) {
    return b.add({ kind, window, strides, pads }, [input]);
  }
  if (view.int("ceil_mode", 0) === 1) b.unsupported(operator, "counted padding with ceil_mode");
  input = b.add({ kind: "pad", paddings: pads, value: 0 }, [input]);
  const none = pads.map((): [number, number] => [0, 0]);
  return b.add({ kind, window, strides, pads: none }, [input]);
}

function globalAverage(b: TfjsBuilder, operator: Operator, view: OperatorView): number {
  if (view.shape(0).length !== 4) b.unsupported(operator, "only images (4 dimensions) can");
  return b.add({ kind: "mean", axes: [1, 2] }, [b.data(operator.inputs[0]!)]);
}

const unary =
  (kind: "relu" | "identity"): Lowering =>
  (b, operator) =>
    b.add({ kind }, [b.data(operator.inputs[0]!)]);

function clip(b: TfjsBuilder, operator: Operator): number {
  const limit = (i: number, name: string, missing: number): number => {
    const input = operator.inputs[i] ?? "";
    if (input !== "") return b.floats(input)?.[0] ?? b.unsupported(operator, `computed ${name}`);
    const attribute = operator.attributes[name];
    return typeof attribute === "number" ? attribute : missing;
  };
  const largest = 3.4028234663852886e38; // of float32
  const min = limit(1, "min", -largest);
  const max = limit(2, "max", largest);
  const input = [b.data(operator.inputs[0]!)];
  return b.add(
    min === 0 && max === 6 ? { kind: "relu6" } : { kind: "clipByValue", min, max },
    input,
  );
}

/** An operand of a sum or product: a constant of lower rank gets the output's, so that NHWC aligns as NCHW did. */
function operand(b: TfjsBuilder, operator: Operator, name: string): number {
  const { length: rank } = b.shape(operator.outputs[0]!);
  const shape = b.shape(name);
  if (rank !== 4 || shape.length === 4) return b.data(name);
  if (b.constant(name) === undefined) {
    b.unsupported(operator, `a computed operand of shape ${formatShape(shape)} beside images`);
  }
  const full = [...new Array<number>(rank - shape.length).fill(1), ...shape];
  return b.ordered(name, nhwc, full);
}

const binary =
  (kind: "add" | "mul"): Lowering =>
  (b, operator) =>
    b.add(
      { kind },
      operator.inputs.map((name) => operand(b, operator, name)),
    );

/** TensorFlow.js has no hard sigmoid: clip(alpha * x + beta, 0, 1). */
function hardSigmoid(b: TfjsBuilder, operator: Operator): number {
  const number = (name: string, missing: number): number => {
    const value = Number(operator.attributes[name] ?? missing);
    return b.addConstant(`:${value}`, [], () => Float32Array.of(value));
  };
  const scaled = b.add({ kind: "mul" }, [b.data(operator.inputs[0]!), number("alpha", 0.2)]);
  const shifted = b.add({ kind: "add" }, [scaled, number("beta", 0.5)]);
  return b.add({ kind: "clipByValue", min: 0, max: 1 }, [shifted]);
}

function batchNorm(b: TfjsBuilder, operator: Operator, view: OperatorView): number {
  const { length: rank } = view.shape(0, 2);
  if (rank !== 2 && rank !== 4) b.unsupported(operator, `${rank} dimensions`);
  const computed = operator.inputs.slice(1).find((name) => b.constant(name) === undefined);
  if (computed !== undefined) b.unsupported(operator, `"${computed}" is computed`);
  const epsilon = Number(operator.attributes.epsilon ?? 1e-5);
  const inputs = operator.inputs.slice(0, 5).map((name) => b.data(name));
  return b.add({ kind: "batchNorm", epsilon }, inputs);
}

function gemm(b: TfjsBuilder, operator: Operator, view: OperatorView): number {
  const { alpha = 1, beta = 1 } = operator.attributes;
  if (alpha !== 1 || beta !== 1) b.unsupported(operator, "alpha or beta other than 1");
  const [data, weights, bias = ""] = operator.inputs as [string, string, string?];
  const transposeA = view.int("transA", 0) === 1;
  const isTurned = view.int("transB", 0) === 1;
  // Weights are kept as TensorFlow does, (inputs, outputs), which spares every run the slow path of transposing.
  const turnsNow = isTurned && b.constant(weights) !== undefined;
  const transposeB = isTurned && !turnsNow;
  const inputs = [b.data(data), turnsNow ? b.ordered(weights, [1, 0]) : b.data(weights)];
  const operation = { kind: "matMul", transposeA, transposeB } as const;
  if (bias === "") return b.add(operation, inputs);
  const nOutputs = b.shape(operator.outputs[0]!)[1]!;
  const values = b.floats(bias) ?? b.unsupported(operator, "its bias is computed");
  if (values.length !== nOutputs) b.unsupported(operator, "its bias is not one value an output");
  const biases = b.addConstant(`${bias}:bias`, [nOutputs], () => values);
  // That path also adds the bias once for every 48 inputs (seen in version 4.22).
  if (!transposeA && !transposeB) return b.add(operation, [...inputs, biases]);
  return b.add({ kind: "add" }, [b.add(operation, inputs), biases]);
}

function reshape(b: TfjsBuilder, operator: Operator): number {
  const from = b.shape(operator.inputs[0]!);
  const to = b.shape(operator.outputs[0]!);
  let slot = b.data(operator.inputs[0]!);
  const isTurned = (shape: readonly number[]) =>
    shape.length === 4 && !isOrderFree(shape.slice(1)) && !equalShapes(from, to);
  const turnedTo = to.length === 4 ? nhwc.map((i) => to[i]!) : to;
  // The elements must be in ONNX's order while the shape changes; with one dimension above 1 they always are.
  if (isTurned(from)) slot = b.add({ kind: "transpose", order: nchw }, [slot]);
  if (!isTurned(to)) return b.add({ kind: "reshape", shape: turnedTo }, [slot]);
  slot = b.add({ kind: "reshape", shape: to }, [slot]);
  return b.add({ kind: "transpose", order: nhwc }, [slot]);
}

function transpose(b: TfjsBuilder, operator: Operator, view: OperatorView): number {
  const { length: rank } = view.shape(0);
  const perm = view.ints("perm") ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  const order = rank === 4 ? nhwc.map((i) => nhwc.indexOf(perm[i]!)) : perm;
  return b.add({ kind: "transpose", order }, [b.data(operator.inputs[0]!)]);
}

const lowerings: ReadonlyMap<string, Lowering> = new Map<string, Lowering>([
  ["Add", binary("add")],
  ["AveragePool", pool],
  ["BatchNormalization", batchNorm],
  ["Clip", clip],
  ["Conv", conv],
  ["Flatten", reshape],
  ["Gemm", gemm],
  ["GlobalAveragePool", globalAverage],
  ["HardSigmoid", hardSigmoid],
  ["Identity", unary("identity")],
  ["MaxPool", pool],
  ["Mul", binary("mul")],
  ["Relu", unary("relu")],
  ["Reshape", reshape],
  ["Transpose", transpose],
]);

function lowerOperator(b: TfjsBuilder, operator: Operator): void {
  const lower = lowerings.get(operator.type);
  if (!lower) b.unsupported(operator, `known are ${[...lowerings.keys()].join(", ")}`);
  const inputs = operator.inputs.map((name) => {
    if (name === "") return undefined;
    const tensor = b.constant(name) ?? b.graph.tensors.get(name);
    return tensor === undefined ? undefined : knownTensor(tensor);
  });
  b.name(operator.outputs[0]!, lower(b, operator, new OperatorView(operator, inputs)));
}

/**
 * A network as steps of TensorFlow.js. All operators are among them, those whose result nobody reads too.
 *
 * @throws UnsupportedError for an operator that has no form there, or a model of several inputs or outputs
 */
export function lowerForTfjs(graph: OperatorGraph): TfjsNetwork {
  const b = new TfjsBuilder(graph);
  for (const operator of graph.operators) lowerOperator(b, operator);
  return b.finish();
}
