/**
 * Operator graphs as ncnn `.param` files: the text that names layers and shapes, without weights (`.bin`).
 *
 * `benchncnn` fills weights with zeros itself, so this is all that it needs; nothing can be computed with it.
 * Format: Tencent/ncnn, docs/developer-guide/param-and-model-file-structure.md and operators.md. Not verified with
 * ncnn itself.
 */
import { UnsupportedError } from "../errors.js";
import { livenessOf } from "../graph/analysis.js";
import { knownTensor } from "../graph/build.js";
import type { Operator, OperatorGraph, Shape } from "../graph/graph.js";
import { OperatorView } from "../graph/shape-view.js";
import { windowOfOperator } from "../graph/shape-window.js";
import { elementCount, equalShapes, formatShape } from "../graph/size.js";

/** First line of every text `.param` file. */
const magic = "7767517";

/** Values of a layer by parameter id; floats are texts, because ncnn tells integers from floats by their spelling. */
type Parameters = Readonly<Record<number, number | string>>;

interface Layer {
  readonly type: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly parameters: Parameters;
}

/** A float as ncnn must see it: with an exponent, or it would be an integer. */
const float = (value: number): string => value.toExponential(6);

function unsupported({ name, type }: Operator, why: string): never {
  throw new UnsupportedError(
    `operator "${name}" (${type}) has no ncnn form that Samara writes: ${why}`,
    {
      hint: "measure this network with a tool that reads ONNX",
    },
  );
}

/** Width, height and channels of a tensor without its batch, which ncnn does not know. */
function imageSize(shape: Shape): Parameters {
  const [channels, height, width] = shape.slice(1);
  if (shape.length === 4) return { 0: width!, 1: height!, 2: channels! };
  return { 0: elementCount(shape) };
}

/** Layers of one graph, built in order. */
class ParamWriter {
  readonly graph: OperatorGraph;
  readonly layers: Layer[] = [];
  /** The blob that holds a tensor: an Identity has none of its own. */
  private readonly blobs = new Map<string, string>();

  constructor(graph: OperatorGraph) {
    this.graph = graph;
  }

  shapeOf(tensor: string): Shape {
    return this.graph.tensors.get(tensor)!.shape;
  }

  /** The blob of a tensor; a constant becomes a layer when it is first read. */
  blob(tensor: string): string {
    const known = this.blobs.get(tensor);
    if (known !== undefined) return known;
    const parameters = imageSize(this.shapeOf(tensor));
    this.layers.push({
      type: "MemoryData",
      name: tensor,
      inputs: [],
      outputs: [tensor],
      parameters,
    });
    this.blobs.set(tensor, tensor);
    return tensor;
  }

  input(tensor: string): void {
    const parameters = imageSize(this.shapeOf(tensor));
    this.layers.push({ type: "Input", name: tensor, inputs: [], outputs: [tensor], parameters });
    this.blobs.set(tensor, tensor);
  }

  add(type: string, operator: Operator, tensors: readonly string[], parameters: Parameters): void {
    const inputs = tensors.map((tensor) => this.blob(tensor));
    const output = operator.outputs[0]!;
    this.layers.push({ type, name: operator.name, inputs, outputs: [output], parameters });
    this.blobs.set(output, output);
  }

  /** An operator that passes its input on, as ncnn's converter pnnx leaves it out. */
  alias(operator: Operator): void {
    this.blobs.set(operator.outputs[0]!, this.blob(operator.inputs[0]!));
  }
}

type Lowering = (writer: ParamWriter, operator: Operator, view: OperatorView) => void;

function windowParameters(operator: Operator, view: OperatorView) {
  if (view.shape(0).length !== 4) unsupported(operator, "only images (4 dimensions) can");
  const { kernel, strides, dilations, padsBegin, padsEnd } = windowOfOperator(view);
  const [kernelH, kernelW] = kernel as [number, number];
  const [strideH, strideW] = strides as [number, number];
  const [dilationH, dilationW] = dilations as [number, number];
  return {
    kernel: { 1: kernelW, 11: kernelH },
    stride: { w: strideW, h: strideH },
    dilation: { w: dilationW, h: dilationH },
    pads: { left: padsBegin[1]!, top: padsBegin[0]!, right: padsEnd[1]!, bottom: padsEnd[0]! },
  };
}

const conv: Lowering = (writer, operator, view) => {
  const [data, weights, bias = ""] = operator.inputs as [string, string, string?];
  if (!writer.graph.constants.has(weights)) unsupported(operator, "its weights are computed");
  const { kernel, stride, dilation, pads } = windowParameters(operator, view);
  const group = view.int("group", 1);
  const shape = writer.shapeOf(weights);
  const type = group === 1 ? "Convolution" : "ConvolutionDepthWise";
  writer.add(type, operator, [data], {
    0: shape[0]!,
    ...kernel,
    2: dilation.w,
    12: dilation.h,
    3: stride.w,
    13: stride.h,
    4: pads.left,
    14: pads.top,
    15: pads.right,
    16: pads.bottom,
    5: bias === "" ? 0 : 1,
    6: elementCount(shape),
    ...(group === 1 ? {} : { 7: group }),
  });
};

const pool: Lowering = (writer, operator, view) => {
  if (operator.outputs.length > 1) unsupported(operator, "the places of maxima");
  const { kernel, stride, dilation, pads } = windowParameters(operator, view);
  if (dilation.w !== 1 || dilation.h !== 1) unsupported(operator, "dilation");
  const isAverage = operator.type === "AveragePool";
  writer.add("Pooling", operator, [operator.inputs[0]!], {
    0: isAverage ? 1 : 0,
    ...kernel,
    2: stride.w,
    12: stride.h,
    3: pads.left,
    13: pads.top,
    14: pads.right,
    15: pads.bottom,
    // Mode 0 rounds sizes up, mode 1 down; both use the pads.
    5: view.int("ceil_mode", 0) === 1 ? 0 : 1,
    ...(isAverage ? { 6: view.int("count_include_pad", 0) } : {}),
  });
};

const globalAverage: Lowering = (writer, operator) => {
  writer.add("Pooling", operator, [operator.inputs[0]!], { 0: 1, 4: 1 });
};

const relu: Lowering = (writer, operator) => {
  writer.add("ReLU", operator, [operator.inputs[0]!], {});
};

const identity: Lowering = (writer, operator) => writer.alias(operator);

const flatten: Lowering = (writer, operator, view) => {
  if (view.int("axis", 1) !== 1) unsupported(operator, "an axis other than 1");
  writer.add("Flatten", operator, [operator.inputs[0]!], {});
};

/** The value of a constant that is one number, or undefined. */
function scalarOf({ graph }: ParamWriter, tensor: string): number | undefined {
  const constant = graph.constants.get(tensor);
  if (constant === undefined || elementCount(constant.shape) !== 1) return undefined;
  return Number(knownTensor(constant).values?.[0]);
}

/** Addition (0) and multiplication (2) of equal shapes, or by one number. */
const binary =
  (operation: 0 | 2): Lowering =>
  (writer, operator) => {
    const [a, b] = operator.inputs as [string, string];
    for (const [tensor, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const scalar = scalarOf(writer, other);
      if (scalar === undefined || Number.isNaN(scalar)) continue;
      writer.add("BinaryOp", operator, [tensor], { 0: operation, 1: 1, 2: float(scalar) });
      return;
    }
    const [shapeA, shapeB] = [writer.shapeOf(a), writer.shapeOf(b)];
    if (!equalShapes(shapeA, shapeB)) {
      unsupported(operator, `shapes ${formatShape(shapeA)} and ${formatShape(shapeB)}`);
    }
    writer.add("BinaryOp", operator, [a, b], { 0: operation });
  };

const batchNorm: Lowering = (writer, operator, view) => {
  const channels = view.shape(0)[1]!;
  const epsilon = float(Number(operator.attributes.epsilon ?? 1e-5));
  writer.add("BatchNorm", operator, [operator.inputs[0]!], { 0: channels, 1: epsilon });
};

const gemm: Lowering = (writer, operator, view) => {
  const [data, weights, bias = ""] = operator.inputs as [string, string, string?];
  if (!writer.graph.constants.has(weights)) unsupported(operator, "its weights are computed");
  if (bias !== "" && !writer.graph.constants.has(bias))
    unsupported(operator, "its bias is computed");
  if (view.int("transA", 0) !== 0) unsupported(operator, "a transposed input");
  const shape = writer.shapeOf(weights);
  writer.add("InnerProduct", operator, [data], {
    0: writer.shapeOf(operator.outputs[0]!)[1]!,
    1: bias === "" ? 0 : 1,
    2: elementCount(shape),
  });
};

const lowerings: Readonly<Record<string, Lowering>> = {
  Conv: conv,
  AveragePool: pool,
  MaxPool: pool,
  GlobalAveragePool: globalAverage,
  Relu: relu,
  Identity: identity,
  Flatten: flatten,
  Add: binary(0),
  Mul: binary(2),
  BatchNormalization: batchNorm,
  Gemm: gemm,
};

/**
 * Give every reader a blob of its own: ncnn reads a blob once, so one that is read several times goes through a Split
 * layer first. Names are those that ncnn's converters use.
 */
function withSplits(layers: readonly Layer[], outputs: readonly string[]): Layer[] {
  const nReaders = new Map<string, number>();
  for (const blob of [...layers.flatMap(({ inputs }) => inputs), ...outputs]) {
    nReaders.set(blob, (nReaders.get(blob) ?? 0) + 1);
  }
  const nTaken = new Map<string, number>();
  const result: Layer[] = [];
  let nSplits = 0;
  for (const layer of layers) {
    const inputs = layer.inputs.map((blob) => {
      if (nReaders.get(blob)! < 2) return blob;
      const copy = nTaken.get(blob) ?? 0;
      nTaken.set(blob, copy + 1);
      return `${blob}_splitncnn_${copy}`;
    });
    result.push({ ...layer, inputs });
    for (const blob of layer.outputs) {
      const n = nReaders.get(blob) ?? 0;
      if (n < 2) continue;
      const copies = Array.from({ length: n }, (_, i) => `${blob}_splitncnn_${i}`);
      const name = `splitncnn_${nSplits++}`;
      result.push({ type: "Split", name, inputs: [blob], outputs: copies, parameters: {} });
    }
  }
  return result;
}

/** Names are words in the file; those that differ stay different. */
function createWords(): (name: string) => string {
  const words = new Map<string, string>();
  const taken = new Set<string>();
  return (name) => {
    const known = words.get(name);
    if (known !== undefined) return known;
    const plain = name.replaceAll(/[^\w./-]/g, "_");
    let word = plain;
    for (let i = 2; taken.has(word); i++) word = `${plain}_${i}`;
    taken.add(word);
    words.set(name, word);
    return word;
  };
}

/**
 * The `.param` file of a graph with one input and batch 1.
 *
 * Operators whose result reaches no output are left out, as by ncnn's converters: benchncnn extracts every blob that
 * nobody reads, and would run what no application runs.
 *
 * @throws UnsupportedError naming the operator that has no form here
 */
export function writeNcnnParam(graph: OperatorGraph): string {
  const [input, ...others] = graph.inputs;
  if (input === undefined || others.length > 0) {
    throw new UnsupportedError(
      `ncnn files need a network with one input, "${graph.name}" has ${graph.inputs.length}`,
    );
  }
  if (input.shape.length !== 4 || input.shape[0] !== 1) {
    throw new UnsupportedError(
      `ncnn files need an image of batch 1 as input, "${graph.name}" has ${formatShape(input.shape)}`,
    );
  }
  const writer = new ParamWriter(graph);
  writer.input(input.name);
  const { live } = livenessOf(graph);
  graph.operators.forEach((operator, i) => {
    if (live[i] !== 1) return;
    const lowering = lowerings[operator.type];
    if (lowering === undefined) unsupported(operator, "unknown operator");
    const known = operator.inputs.map((tensor) =>
      tensor === ""
        ? undefined
        : knownTensor(graph.constants.get(tensor) ?? graph.tensors.get(tensor)!),
    );
    lowering(writer, operator, new OperatorView(operator, known));
  });
  const outputs = graph.outputs.map((tensor) => writer.blob(tensor));
  const layers = withSplits(writer.layers, outputs);
  const nBlobs = layers.reduce((sum, layer) => sum + layer.outputs.length, 0);
  const layerWord = createWords();
  const blobWord = createWords();
  const lines = layers.map(({ type, name, inputs, outputs: made, parameters }) => {
    const blobs = [...inputs, ...made].map(blobWord);
    const values = Object.entries(parameters).map(([id, value]) => `${id}=${value}`);
    return [type, layerWord(name), inputs.length, made.length, ...blobs, ...values].join(" ");
  });
  return [magic, `${layers.length} ${nBlobs}`, ...lines, ""].join("\n");
}
