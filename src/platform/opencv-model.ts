/**
 * ONNX files as OpenCV's importer reads them rightly. It takes constants only as weights, knows some attributes only
 * in the form of older opsets, and ignores others: those are rewritten or refused here, because what it ignores it
 * computes wrongly without a word. Written for OpenCV 4.6.
 */
import { UnsupportedError } from "../errors.js";
import { knownTensor } from "../graph/build.js";
import type { Constant, Operator, OperatorGraph } from "../graph/graph.js";
import { OperatorView } from "../graph/shape-view.js";
import { windowOfOperator } from "../graph/shape-window.js";
import { constantValues } from "../graph/values.js";
import { readOnnx } from "../onnx/read.js";
import { defaultOpset, opsetKey, writeOnnx } from "../onnx/write.js";
import { foldConstants } from "./fold-constants.js";
import { theOnlyTensors } from "./onnx-session.js";
import { WordWriter } from "./word-writer.js";

const magic = 0x56_43_4f_53; // "SOCV"
const version = 1;

/** The graph as it is rewritten: operators one by one, constants added. */
class Rewriting {
  readonly graph: OperatorGraph;
  readonly constants: Map<string, Constant>;
  readonly #producers = new Map<string, Operator>();

  constructor(graph: OperatorGraph) {
    this.graph = graph;
    this.constants = new Map(graph.constants);
    for (const operator of graph.operators) {
      for (const output of operator.outputs) this.#producers.set(output, operator);
    }
  }

  producerOf(tensor: string | undefined): Operator | undefined {
    return this.#producers.get(tensor ?? "");
  }

  operatorsRewritten(): Operator[] {
    return this.graph.operators.flatMap((operator) => {
      const source = new Source(operator, this);
      const rule = rules.get(operator.type);
      if (rule === undefined) return source.refuse(`known are ${[...rules.keys()].join(", ")}`);
      return rule(source);
    });
  }
}

/** One operator with what rules ask of it. */
class Source {
  readonly operator: Operator;
  readonly rewriting: Rewriting;
  readonly view: OperatorView;

  constructor(operator: Operator, rewriting: Rewriting) {
    this.operator = operator;
    this.rewriting = rewriting;
    const { constants, tensors } = rewriting.graph;
    const known = (name: string) => knownTensor(constants.get(name) ?? tensors.get(name)!);
    this.view = new OperatorView(
      operator,
      operator.inputs.map((name) => (name === "" ? undefined : known(name))),
    );
  }

  refuse(problem: string): never {
    const { name, type } = this.operator;
    throw new UnsupportedError(`OpenCV cannot run operator "${name}" (${type}): ${problem}`);
  }

  /** Constant of an input; undefined where it is omitted or computed. */
  constant(i: number): Constant | undefined {
    return this.rewriting.graph.constants.get(this.operator.inputs[i] ?? "");
  }

  /** A number given as input or, in older opsets, as attribute. */
  number(i: number, name: string): number | undefined {
    if ((this.operator.inputs[i] ?? "") !== "") {
      const constant = this.constant(i) ?? this.refuse(`its ${name} is computed`);
      return Number(constantValues(constant)[0]);
    }
    const attribute = this.operator.attributes[name];
    return typeof attribute === "number" ? attribute : undefined;
  }

  with(changes: Operator["attributes"]): Operator {
    return { ...this.operator, attributes: { ...this.operator.attributes, ...changes } };
  }
}

/** What an operator becomes. */
type Rule = (source: Source) => Operator | readonly Operator[];

const asItIs: Rule = ({ operator }) => operator;

/** Kernel and pads are stated: the kernel must be, and SAME_LOWER is taken for SAME_UPPER. */
function windowStated(source: Source): Operator {
  const { kernel, padsBegin, padsEnd } = windowOfOperator(source.view);
  const { auto_pad: _, ...attributes } = source.operator.attributes;
  const stated = { kernel_shape: kernel, pads: [...padsBegin, ...padsEnd] };
  return { ...source.operator, attributes: { ...attributes, ...stated } };
}

/** Zeros around images as an operator of its own. */
function padding(source: Source, pads: readonly number[]): Operator {
  const { operator, rewriting } = source;
  const name = `${operator.name}:pad`;
  const n = pads.length / 2;
  const ofAll = [0, 0, ...pads.slice(0, n), 0, 0, ...pads.slice(n)];
  rewriting.constants.set(`${name}:sizes`, {
    name: `${name}:sizes`,
    shape: [ofAll.length],
    dataType: "int64",
    source: { kind: "values", values: BigInt64Array.from(ofAll, BigInt) },
  });
  const inputs = [operator.inputs[0]!, `${name}:sizes`];
  return { name, type: "Pad", inputs, outputs: [name], attributes: { mode: "constant" } };
}

/** count_include_pad is not read: padding counts in files of PyTorch and in no other, so it is added before. */
function pool(source: Source): Operator | readonly Operator[] {
  const { view, operator } = source;
  if (operator.outputs.length > 1) source.refuse("the places of maxima");
  const { dilations, padsBegin, padsEnd } = windowOfOperator(view);
  if (dilations.some((dilation) => dilation !== 1)) source.refuse("dilation");
  const stated = windowStated(source);
  if (operator.type === "MaxPool" || view.int("count_include_pad", 0) === 0) return stated;
  if (view.int("ceil_mode", 0) === 1) source.refuse("counted padding with ceil_mode");
  const pads = [...padsBegin, ...padsEnd];
  if (pads.every((pad) => pad === 0)) return stated;
  const padded = padding(source, pads);
  const attributes = { ...stated.attributes, pads: pads.map(() => 0) };
  return [padded, { ...stated, inputs: [padded.outputs[0]!], attributes }];
}

/** Limits are inputs since opset 11; here they are read as attributes only. */
function clip(source: Source): Operator {
  const min = source.number(1, "min");
  const max = source.number(2, "max");
  const { operator } = source;
  const limits = { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
  return { ...operator, inputs: operator.inputs.slice(0, 1), attributes: limits };
}

function transposed(constant: Constant): Constant {
  const [rows, columns] = constant.shape as [number, number];
  const values = constantValues(constant);
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = Number(values[row * columns + column]);
    }
  }
  return { ...constant, shape: [columns, rows], source: { kind: "values", values: turned } };
}

/** Weights are read rightly only as (outputs, inputs); alpha, beta and transA are not read. */
function gemm(source: Source): Operator {
  const { view, operator, rewriting } = source;
  const { alpha = 1, beta = 1 } = operator.attributes;
  if (alpha !== 1 || beta !== 1) source.refuse("alpha or beta other than 1");
  if (view.int("transA", 0) !== 0) source.refuse("transA");
  const weights = source.constant(1) ?? source.refuse("its weights are computed");
  if (view.int("transB", 0) === 1) return operator;
  const name = `${weights.name}:transposed`;
  rewriting.constants.set(name, { ...transposed(weights), name });
  const inputs = operator.inputs.map((input, i) => (i === 1 ? name : input));
  return { ...source.with({ transB: 1 }), inputs };
}

/**
 * A product of x and the hard sigmoid of another tensor is taken for that tensor's hard swish, x forgotten; with its
 * operands the other way round it is not.
 */
function product(source: Source): Operator {
  const { operator, rewriting } = source;
  const [a, b] = operator.inputs;
  const gate = rewriting.producerOf(b);
  if (gate?.type !== "HardSigmoid" || gate.inputs[0] === a) return operator;
  if (rewriting.producerOf(a)?.type === "HardSigmoid") source.refuse("both operands are gates");
  return { ...operator, inputs: [b!, a!] };
}

/** A constant among what is joined is lost. */
function concat(source: Source): Operator {
  const { operator } = source;
  if (operator.inputs.some((_, i) => source.constant(i))) source.refuse("an input is constant");
  return operator;
}

function matMul(source: Source): Operator {
  return source.constant(1) ? source.operator : source.refuse("both operands are computed");
}

function reduceMean(source: Source): Operator {
  return source.operator.inputs.length === 1
    ? source.operator
    : source.refuse("axes given as an input");
}

/** The default axis is the last one since opset 13, and before, all from the axis on are one. */
function softmax(source: Source): Operator {
  const { view, rewriting } = source;
  const isOld = Number(rewriting.graph.metadata[opsetKey] ?? defaultOpset) < 13;
  const rank = view.shape(0).length;
  const axis = view.axis(view.int("axis", isOld ? 1 : -1), rank);
  if (isOld && axis !== rank - 1) source.refuse("several axes at once (opset 12 and before)");
  return source.with({ axis });
}

/** Only these: each was compared with ONNX Runtime. */
const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ["Add", asItIs],
  ["AveragePool", pool],
  ["BatchNormalization", asItIs],
  ["Clip", clip],
  ["Concat", concat],
  ["Conv", windowStated],
  ["Div", asItIs],
  ["Dropout", asItIs],
  ["Elu", asItIs],
  ["Flatten", asItIs],
  ["Gemm", gemm],
  ["GlobalAveragePool", asItIs],
  ["GlobalMaxPool", asItIs],
  ["HardSigmoid", asItIs],
  ["HardSwish", asItIs],
  ["Identity", asItIs],
  ["LeakyRelu", asItIs],
  ["MatMul", matMul],
  ["MaxPool", pool],
  ["Mul", product],
  ["ReduceMean", reduceMean],
  ["Relu", asItIs],
  ["Reshape", asItIs],
  ["Sigmoid", asItIs],
  ["Softmax", softmax],
  ["Sub", asItIs],
  ["Tanh", asItIs],
  ["Transpose", asItIs],
]);

/**
 * A model file for OpenCV, in the container that `native/opencv.cc` reads (described there).
 *
 * @throws FormatError when the bytes are no ONNX file; UnsupportedError naming the operator that OpenCV cannot run
 */
export async function opencvModel(model: Uint8Array): Promise<Uint8Array> {
  const graph = readOnnx(model, { values: true });
  const { input, output } = theOnlyTensors(graph);
  const folded = await foldConstants(graph);
  const rewriting = new Rewriting(folded);
  const operators = rewriting.operatorsRewritten();
  const { constants } = rewriting;
  const writer = new WordWriter();
  writer.integers([magic, version]);
  for (const { shape } of [input, output]) writer.integers([shape.length, ...shape]);
  const file = writeOnnx({ ...folded, operators, constants });
  const head = writer.bytes();
  const bytes = new Uint8Array(head.length + file.length);
  bytes.set(head);
  bytes.set(file, head.length);
  return bytes;
}
