/**
 * What operators cost on paper: multiply-accumulates, parameters, bytes moved; and the signature that names an
 * operator with everything that determines these.
 *
 * Counted as the field counts them: a multiply-accumulate for every weight applied; none for biases, normalisation,
 * activations, additions and pools. Batch norm has two parameters a channel (scale and shift, not its statistics).
 */
import type { OperatorSignature } from "./features.js";
import type { Constant, Operator, OperatorGraph, Shape, TensorInfo } from "./graph.js";
import { bytesPerElement, elementCount, formatShape } from "./size.js";

/** What an operator or a network takes, whatever runs it. */
export interface Cost {
  /** Multiply-accumulates. */
  readonly macs: number;
  /** Learnable numbers. */
  readonly parameters: number;
  /** Bytes of operands (biases left out), each once, and outputs. */
  readonly bytesMoved: number;
}

/** Operators whose inputs from the second on are weights, named by the kernel rather than by their shapes. */
const weighted = new Set(["Conv", "ConvTranspose", "Gemm", "BatchNormalization"]);

/** Operators whose constant inputs are settings, not parameters. */
const withSettings = new Set(["Clip", "Resize", "Upsample", "Pad", "Range", "Pow"]);

function tensorOf(graph: OperatorGraph, name: string): TensorInfo | undefined {
  return name === "" ? undefined : graph.tensors.get(name);
}

const isConstantIndex = (graph: OperatorGraph, { name, dataType }: TensorInfo): boolean =>
  graph.constants.has(name) && (dataType === "int64" || dataType === "int32");

/** Operands that are read as data: no biases, no constant indices or shapes. */
function operandsOf(operator: Operator, graph: OperatorGraph): TensorInfo[] {
  const hasBias = operator.type !== "BatchNormalization" && weighted.has(operator.type);
  return operator.inputs.flatMap((name, i) => {
    const tensor = tensorOf(graph, name);
    if (!tensor || (i > 0 && isConstantIndex(graph, tensor))) return [];
    return hasBias && i === 2 && graph.constants.has(name) ? [] : [tensor];
  });
}

const sizeBytes = ({ shape, dataType }: TensorInfo): number =>
  elementCount(shape) * bytesPerElement[dataType];

function outputsOf(operator: Operator, graph: OperatorGraph): TensorInfo[] {
  return operator.outputs.flatMap((name) => tensorOf(graph, name) ?? []);
}

/** Multiply-accumulates of one operator; 0 for types without products of weights. */
function macsOf(operator: Operator, graph: OperatorGraph): number {
  const [input, weights] = operator.inputs.map((name) => tensorOf(graph, name)?.shape);
  const output = tensorOf(graph, operator.outputs[0] ?? "")?.shape;
  if (!input || !weights || !output) return 0;
  switch (operator.type) {
    case "Conv":
      return elementCount(output) * elementCount(weights.slice(1));
    case "ConvTranspose":
      return elementCount(input) * elementCount(weights.slice(1));
    case "Gemm":
      return elementCount(output) * input[operator.attributes.transA === 1 ? 0 : 1]!;
    case "MatMul":
      return elementCount(output) * input.at(-1)!;
    default:
      return 0;
  }
}

const isZero = (source: Constant["source"]): boolean =>
  source.kind === "fill"
    ? source.value === 0
    : source.kind === "values" && source.values.every((value) => Number(value) === 0);

/** Constants of an operator that training made: what is learned, and batch norm's statistics. */
export function weightsOf(operator: Operator, graph: OperatorGraph): Constant[] {
  if (withSettings.has(operator.type)) return [];
  return operator.inputs.flatMap((name) => {
    const constant = graph.constants.get(name);
    if (!constant || constant.shape.length === 0) return [];
    const { dataType, source } = constant;
    if (dataType === "int64" || dataType === "int32" || dataType === "bool") return [];
    // Zeros stand for absent edges; they carry nothing learned.
    return isZero(source) ? [] : [constant];
  });
}

/** Constants of an operator that are learnable. */
function parametersOf(operator: Operator, graph: OperatorGraph): Constant[] {
  const weights = weightsOf(operator, graph);
  if (operator.type !== "BatchNormalization") return weights;
  const [, scale, shift] = operator.inputs;
  return weights.filter(({ name }) => name === scale || name === shift);
}

/** Cost of one operator. */
export function costOf(operator: Operator, graph: OperatorGraph): Cost {
  return {
    macs: macsOf(operator, graph),
    parameters: parametersOf(operator, graph).reduce((n, { shape }) => n + elementCount(shape), 0),
    bytesMoved: [...operandsOf(operator, graph), ...outputsOf(operator, graph)].reduce(
      (bytes, tensor) => bytes + sizeBytes(tensor),
      0,
    ),
  };
}

/**
 * Cost of a network: every operator, or those of a mask; a parameter tensor used twice counts once.
 *
 * @param mask - one entry an operator, e.g. of `viewOf`; default all
 */
export function costOfGraph(graph: OperatorGraph, mask?: Uint8Array): Cost {
  const parameters = new Map<string, number>();
  let macs = 0;
  let bytesMoved = 0;
  graph.operators.forEach((operator, i) => {
    if (mask && !mask[i]) return;
    const cost = costOf(operator, graph);
    macs += cost.macs;
    bytesMoved += cost.bytesMoved;
    for (const { name, shape } of parametersOf(operator, graph)) {
      parameters.set(name, elementCount(shape));
    }
  });
  return { macs, parameters: [...parameters.values()].reduce((sum, n) => sum + n, 0), bytesMoved };
}

function sameNumber(values: readonly number[]): string {
  return values.every((value) => value === values[0]) ? String(values[0]) : values.join("x");
}

/** Spatial shape of the window of a convolution or pooling. */
function kernelOf({ attributes, inputs }: Operator, graph: OperatorGraph): Shape {
  const weights = tensorOf(graph, inputs[1] ?? "")?.shape;
  return (attributes.kernel_shape as Shape | undefined) ?? weights?.slice(2) ?? [];
}

/** `3x3/1`, with dilation and groups where there are any. */
function describeWindow(operator: Operator, graph: OperatorGraph): string {
  const { strides, dilations, group } = operator.attributes;
  const input = tensorOf(graph, operator.inputs[0]!)?.shape ?? [];
  const isConv = operator.type === "Conv" || operator.type === "ConvTranspose";
  const kernel = kernelOf(operator, graph);
  let text = `${kernel.join("x")}/${sameNumber((strides as Shape | undefined) ?? [1])}`;
  if (Array.isArray(dilations) && dilations.some((value) => value !== 1)) {
    text += ` dilated ${sameNumber(dilations as number[])}`;
  }
  if (isConv && typeof group === "number" && group > 1) {
    text += group === input[1] ? " depthwise" : ` groups ${group}`;
  }
  return text;
}

const windowed = new Set(["Conv", "ConvTranspose", "AveragePool", "MaxPool", "LpPool"]);

/** Taps of an operator: elements of the window that a convolution or pooling slides over its input, else 1. */
export function tapsOf(operator: Operator, graph: OperatorGraph): number {
  return windowed.has(operator.type) ? elementCount(kernelOf(operator, graph)) : 1;
}

function groupOf(operator: Operator, graph: OperatorGraph, dataType: string): string {
  let group = operator.type;
  if (windowed.has(operator.type)) group += ` ${describeWindow(operator, graph)}`;
  const { perm } = operator.attributes;
  if (operator.type === "Transpose" && Array.isArray(perm)) group += ` ${perm.join("")}`;
  return dataType === "float32" ? group : `${group} ${dataType}`;
}

/** A shape in a signature: a leading batch of 1 is left out. */
const keyShape = (shape: Shape): string =>
  formatShape(shape.length > 1 && shape[0] === 1 ? shape.slice(1) : shape);

/** The signature of an operator: equal signatures cost the same on a platform. */
export function signatureOf(operator: Operator, graph: OperatorGraph): OperatorSignature {
  const operands = operandsOf(operator, graph);
  const outputs = outputsOf(operator, graph);
  const named = weighted.has(operator.type)
    ? operands.filter(({ name }, i) => i === 0 || !graph.constants.has(name))
    : operands;
  const group = groupOf(operator, graph, outputs[0]?.dataType ?? "float32");
  const shapes = (tensors: readonly TensorInfo[]) =>
    tensors.map(({ shape }) => keyShape(shape)).join(",");
  const { macs, bytesMoved } = costOf(operator, graph);
  return {
    key: `${group} ${shapes(named)}>${shapes(outputs)}`,
    group,
    macs,
    bytesMoved,
    outputElements: outputs.reduce((n, { shape }) => n + elementCount(shape), 0),
  };
}

/** The signature of a copy of a tensor to another layout: that of an Identity on it. */
export function signatureOfCopy(tensor: string, graph: OperatorGraph): OperatorSignature {
  const copy = {
    name: "copy",
    type: "Identity",
    inputs: [tensor],
    outputs: [tensor],
    attributes: {},
  };
  return signatureOf(copy, graph);
}
