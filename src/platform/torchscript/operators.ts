/**
 * What operators become in TorchScript: what a PyTorch module that exports to them runs, one for one.
 */
import type { Operator } from "../../graph/graph.js";
import { floatLiteral, intList, Source, type SourceBuilder } from "./source.js";
import { averagePool, conv, globalAverage, globalMaximum, maxPool } from "./windows.js";

/** Expression of the operator's result. */
type Translation = (source: Source) => string;

const call =
  (name: string): Translation =>
  (source) =>
    `torch.${name}(${source.input(0)})`;

/** nn.Identity and its like return their input. */
const nothing: Translation = (source) => source.input(0);

/** Constants without dimensions are numbers in PyTorch's own code. */
function operand(source: Source, i: number): string {
  const constant = source.constantOf(source.operator.inputs[i]!);
  const isNumber = constant?.shape.length === 0 && constant.dataType === "float32";
  return isNumber && i > 0 ? floatLiteral(source.number(i, "operand")!) : source.input(i);
}

const binary =
  (name: string): Translation =>
  (source) =>
    `torch.${name}(${operand(source, 0)}, ${operand(source, 1)})`;

const commutative =
  (name: string): Translation =>
  (source) => {
    const { operator } = source;
    const first = source.constantOf(operator.inputs[0]!);
    if (first?.shape.length !== 0) return binary(name)(source);
    const [a, b] = operator.inputs as [string, string];
    return binary(name)(new Source({ ...operator, inputs: [b, a] }, source.builder));
  };

function clip(source: Source): string {
  const min = source.number(1, "min");
  const max = source.number(2, "max");
  if (min === 0 && max === 6) return `torch.hardtanh(${source.input(0)}, 0.0, 6.0)`;
  const limit = (value: number | undefined) => (value === undefined ? "None" : floatLiteral(value));
  return `torch.clamp(${source.input(0)}, ${limit(min)}, ${limit(max)})`;
}

function hardSigmoid(source: Source): string {
  const alpha = source.float("alpha", 0.2);
  const beta = source.float("beta", 0.5);
  const isPyTorchs = Math.abs(alpha - 1 / 6) < 1e-6 && beta === 0.5;
  if (isPyTorchs) return call("hardsigmoid")(source);
  const line = `torch.add(torch.mul(${source.input(0)}, ${floatLiteral(alpha)}), ${floatLiteral(beta)})`;
  return `torch.clamp(${line}, 0.0, 1.0)`;
}

function batchNorm(source: Source): string {
  const [scale, shift, mean, variance] = [1, 2, 3, 4].map((i) => source.input(i));
  const epsilon = floatLiteral(source.float("epsilon", 1e-5));
  const statistics = `${mean}, ${variance}, False, 0.1, ${epsilon}, True`;
  return `torch.batch_norm(${source.input(0)}, ${scale}, ${shift}, ${statistics})`;
}

/** nn.Linear where it is one. */
function gemm(source: Source): string {
  const { view } = source;
  if (view.int("transA", 0) !== 0) source.refuse("transA");
  const alpha = source.float("alpha", 1);
  const beta = source.float("beta", 1);
  const isTransposed = view.int("transB", 0) === 1;
  const bias = view.optional(2);
  const isLinear = alpha === 1 && beta === 1 && isTransposed;
  if (isLinear && (bias === undefined || bias.shape.length === 1)) {
    return `torch.linear(${source.input(0)}, ${source.input(1)}, ${source.optional(2)})`;
  }
  const weights = isTransposed ? `torch.t(${source.input(1)})` : source.input(1);
  const matrices = `${source.input(0)}, ${weights}`;
  if (bias === undefined) {
    const product = `torch.mm(${matrices})`;
    return alpha === 1 ? product : `torch.mul(${product}, ${floatLiteral(alpha)})`;
  }
  const factors = `beta=${floatLiteral(beta)}, alpha=${floatLiteral(alpha)}`;
  return `torch.addmm(${source.input(2)}, ${matrices}, ${factors})`;
}

const reshape: Translation = (source) =>
  `torch.reshape(${source.input(0)}, ${intList(source.outputShape)})`;

function transpose(source: Source): string {
  const rank = source.shape.length;
  const order = source.view.ints("perm") ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  return `torch.permute(${source.input(0)}, ${intList(order)})`;
}

function concat(source: Source): string {
  const parts = source.operator.inputs.map((_, i) => source.input(i));
  const axis = source.view.axis(source.view.int("axis", 0), source.shape.length);
  return `torch.cat([${parts.join(", ")}], ${axis})`;
}

/** Before opset 13, all dimensions from the axis on are one. */
function softmax(source: Source): string {
  const { view, shape, builder } = source;
  const isOld = builder.opset < 13;
  const axis = view.axis(view.int("axis", isOld ? 1 : -1), shape.length);
  if (isOld && axis !== shape.length - 1)
    source.refuse("several axes at once (opset 12 and before)");
  return `torch.softmax(${source.input(0)}, ${axis})`;
}

function mean(source: Source): string {
  const { view, shape } = source;
  const axes = view.axes(1, shape.length);
  if (axes === undefined || axes.length === 0) return source.refuse("without axes");
  const keeps = view.int("keepdims", 1) === 1 ? "True" : "False";
  return `torch.mean(${source.input(0)}, ${intList(axes)}, ${keeps})`;
}

function pad(source: Source): string {
  const { view, shape } = source;
  if (view.text("mode", "constant") !== "constant") source.refuse("a mode other than constant");
  if ((source.operator.inputs[3] ?? "") !== "") source.refuse("axes");
  const pads = view.ints("pads") ?? view.values(1, "pads");
  const rank = shape.length;
  // PyTorch begins with the last dimension.
  const reversed = shape.flatMap((_, i) => [pads[rank - 1 - i]!, pads[2 * rank - 1 - i]!]);
  const value = source.number(2, "value") ?? 0;
  return `torch.constant_pad_nd(${source.input(0)}, ${intList(reversed)}, ${floatLiteral(value)})`;
}

const withNumber =
  (name: string, attribute: string, missing: number): Translation =>
  (source) =>
    `torch.${name}(${source.input(0)}, ${floatLiteral(source.float(attribute, missing))})`;

const translations: ReadonlyMap<string, Translation> = new Map<string, Translation>([
  ["Add", commutative("add")],
  ["AveragePool", averagePool],
  ["BatchNormalization", batchNorm],
  ["Clip", clip],
  ["Concat", concat],
  ["Conv", conv],
  ["Div", binary("div")],
  ["Dropout", nothing],
  ["Elu", withNumber("elu", "alpha", 1)],
  ["Flatten", reshape],
  ["Gemm", gemm],
  ["GlobalAveragePool", globalAverage],
  ["GlobalMaxPool", globalMaximum],
  ["HardSigmoid", hardSigmoid],
  ["HardSwish", call("hardswish")],
  ["Identity", nothing],
  ["LeakyRelu", withNumber("leaky_relu", "alpha", 0.01)],
  ["MatMul", (source) => `torch.matmul(${source.input(0)}, ${source.input(1)})`],
  ["MaxPool", maxPool],
  ["Mul", commutative("mul")],
  ["Pad", pad],
  ["ReduceMean", mean],
  ["Relu", call("relu")],
  ["Reshape", reshape],
  ["Sigmoid", call("sigmoid")],
  ["Softmax", softmax],
  ["Squeeze", reshape],
  ["Sub", binary("sub")],
  ["Tanh", call("tanh")],
  ["Transpose", transpose],
  ["Unsqueeze", reshape],
]);

/**
 * Add what an operator becomes.
 *
 * @throws UnsupportedError naming the operator when it has no translation
 */
export function translateOperator(operator: Operator, builder: SourceBuilder): void {
  const source: Source = new Source(operator, builder);
  const translate = translations.get(operator.type);
  if (translate === undefined) source.refuse(`known are ${[...translations.keys()].join(", ")}`);
  const output = operator.outputs[0]!;
  const { dataType } = source.info(output);
  if (dataType !== "float32") source.refuse(`its output must be float32, got ${dataType}`);
  builder.assign(output, translate(source));
}
