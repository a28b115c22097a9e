/**
 * Operator graphs for native runtimes: a small binary of steps with resolved shapes, explicit pads and float
 * constants, so that C++ needs no ONNX. `native/flat_network.h` describes the bytes and reads them.
 *
 * One operator becomes one step; nothing is folded or fused. Operators without a form here are refused by name;
 * what a runtime cannot do with a form, it refuses itself.
 */
import { UnsupportedError } from "../errors.js";
import { livenessOf } from "../graph/analysis.js";
import { knownTensor } from "../graph/build.js";
import type { Constant, Operator, OperatorGraph, Shape, TensorInfo } from "../graph/graph.js";
import { OperatorView } from "../graph/shape-view.js";
import { windowOfOperator } from "../graph/shape-window.js";
import { formatShape } from "../graph/size.js";
import { constantValues } from "../graph/values.js";
import { theOnlyTensor } from "./onnx-session.js";
import { WordWriter } from "./word-writer.js";

const magic = 0x31_4e_46_53; // "SFN1"
const kinds = { computed: 0, input: 1, constant: 2 } as const;

interface FlatTensor {
  readonly kind: keyof typeof kinds;
  readonly shape: Shape;
  readonly values?: Float32Array;
}

/** What an operator becomes; an input is a tensor's name or a constant made for the step. */
interface Form {
  readonly type: string;
  readonly inputs: readonly (string | FlatTensor)[];
  readonly integers?: readonly number[];
  readonly floats?: readonly number[];
}

/** The graph without operators whose results never reach its output. */
export function withoutDeadOperators(graph: OperatorGraph): OperatorGraph {
  const { live } = livenessOf(graph);
  return { ...graph, operators: graph.operators.filter((_, i) => live[i] === 1) };
}

/** One operator with what forms ask of it. */
class Source {
  readonly operator: Operator;
  readonly graph: OperatorGraph;
  readonly view: OperatorView;

  constructor(operator: Operator, graph: OperatorGraph) {
    this.operator = operator;
    this.graph = graph;
    const known = (name: string) => knownTensor(graph.constants.get(name) ?? this.info(name));
    this.view = new OperatorView(
      operator,
      operator.inputs.map((name) => (name === "" ? undefined : known(name))),
    );
  }

  unsupported(problem: string): never {
    const { name, type } = this.operator;
    throw new UnsupportedError(`operator "${name}" (${type}) cannot run natively: ${problem}`);
  }

  info(name: string): TensorInfo {
    return this.graph.tensors.get(name) ?? this.unsupported(`there is no tensor "${name}"`);
  }

  get output(): TensorInfo {
    return this.info(this.operator.outputs[0]!);
  }

  /** A float constant, or undefined where the input is omitted or computed. */
  constant(i: number): Constant | undefined {
    return this.graph.constants.get(this.operator.inputs[i] ?? "");
  }

  /** A float constant that must be there and, where `shape` is given, have this shape. */
  weights(i: number, shape?: Shape): FlatTensor {
    const constant = this.constant(i) ?? this.unsupported(`its input ${i} is computed`);
    if (shape !== undefined && formatShape(shape) !== formatShape(constant.shape)) {
      this.unsupported(`input ${i} has shape ${formatShape(constant.shape)}`);
    }
    return this.flat(constant);
  }

  /** `weights` where an input is given, nothing where it is omitted. */
  optionalWeights(i: number, shape?: Shape): FlatTensor[] {
    return (this.operator.inputs[i] ?? "") === "" ? [] : [this.weights(i, shape)];
  }

  flat(constant: Constant, shape = constant.shape): FlatTensor {
    const values = constantValues(constant);
    if (!(values instanceof Float32Array)) {
      this.unsupported(`"${constant.name}" is ${constant.dataType}, not float32`);
    }
    return { kind: "constant", shape, values };
  }

  float(name: string, missing: number): number {
    const value = this.operator.attributes[name] ?? missing;
    return typeof value === "number" ? value : this.unsupported(`attribute ${name} is no number`);
  }

  get data(): string {
    return this.operator.inputs[0]!;
  }
}

type Rule = (source: Source) => Omit<Form, "type">;

/** Kernel, strides, dilations, pads before and after; height and width of each. */
function windowIntegers(source: Source): number[] {
  const spatial = source.view.shape(0).slice(2);
  if (spatial.length !== 2) source.unsupported("only images (4 dimensions) can");
  const { kernel, strides, dilations, padsBegin, padsEnd, output } = windowOfOperator(source.view);
  // ceil_mode lets the last window reach beyond the stated padding.
  const reached = padsEnd.map((pad, i) => {
    const extent = (kernel[i]! - 1) * dilations[i]! + 1;
    const end = (output[i]! - 1) * strides[i]! + extent - spatial[i]! - padsBegin[i]!;
    return Math.max(pad, end);
  });
  return [...kernel, ...strides, ...dilations, ...padsBegin, ...reached];
}

function pool(source: Source): Omit<Form, "type"> {
  const { view, operator } = source;
  if (operator.outputs.length > 1) source.unsupported("the places of maxima");
  const integers = windowIntegers(source);
  if (operator.type === "MaxPool") return { inputs: [source.data], integers };
  const isCounted = view.int("count_include_pad", 0);
  if (isCounted === 1 && view.int("ceil_mode", 0) === 1) {
    source.unsupported("counted padding with ceil_mode");
  }
  return { inputs: [source.data], integers: [...integers, isCounted] };
}

function gemm(source: Source): Omit<Form, "type"> {
  const { view } = source;
  if (view.int("transA", 0) !== 0) source.unsupported("transA");
  if (source.float("alpha", 1) !== 1 || source.float("beta", 1) !== 1) {
    source.unsupported("alpha or beta other than 1");
  }
  const nOutputs = source.output.shape[1]!;
  const given = source.weights(1);
  const weights = view.int("transB", 0) === 1 ? given : transposed(given);
  const bias = source.optionalWeights(2);
  if (bias[0] && bias[0].values!.length !== nOutputs) {
    source.unsupported("its bias is not one value an output");
  }
  return { inputs: [source.data, weights, ...bias.map((b) => ({ ...b, shape: [nOutputs] }))] };
}

function transposed({ shape, values }: FlatTensor): FlatTensor {
  const [rows, columns] = shape as [number, number];
  const turned = new Float32Array(values!.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = values![row * columns + column]!;
    }
  }
  return { kind: "constant", shape: [columns, rows], values: turned };
}

function clip(source: Source): Omit<Form, "type"> {
  const limit = (i: number, name: string, missing: number): number => {
    const [value] = source.optionalWeights(i);
    return value ? value.values![0]! : source.float(name, missing);
  };
  const floats = [
    limit(1, "min", Number.NEGATIVE_INFINITY),
    limit(2, "max", Number.POSITIVE_INFINITY),
  ];
  return { inputs: [source.data], floats };
}

/** Operands get the output's rank, with dimensions of 1 in front. */
function elementwise(source: Source): Omit<Form, "type"> {
  const rank = source.output.shape.length;
  const inputs = source.operator.inputs.map((name, i) => {
    const { shape } = source.info(name);
    if (shape.length === rank) return name;
    const constant =
      source.constant(i) ??
      source.unsupported(`a computed operand of shape ${formatShape(shape)} beside ${rank} others`);
    return source.flat(constant, [...new Array<number>(rank - shape.length).fill(1), ...shape]);
  });
  return { inputs };
}

function batchNorm(source: Source): Omit<Form, "type"> {
  const channels = [source.output.shape[1]!];
  const parameters = [1, 2, 3, 4].map((i) => source.weights(i, channels));
  return { inputs: [source.data, ...parameters], floats: [source.float("epsilon", 1e-5)] };
}

const unary: Rule = (source) => ({ inputs: [source.data] });

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ["Add", elementwise],
  ["AveragePool", pool],
  ["BatchNormalization", batchNorm],
  ["Clip", clip],
  [
    "Conv",
    (source) => ({
      inputs: [source.data, source.weights(1), ...source.optionalWeights(2)],
      integers: [...windowIntegers(source), source.view.int("group", 1)],
    }),
  ],
  ["Flatten", unary],
  ["Gemm", gemm],
  ["GlobalAveragePool", unary],
  [
    "HardSigmoid",
    (source) => ({
      inputs: [source.data],
      floats: [source.float("alpha", 0.2), source.float("beta", 0.5)],
    }),
  ],
  ["Identity", unary],
  ["MaxPool", pool],
  ["Mul", elementwise],
  ["Relu", unary],
  ["Reshape", unary],
  [
    "Transpose",
    (source) => {
      const rank = source.output.shape.length;
      const reversed = Array.from({ length: rank }, (_, i) => rank - 1 - i);
      return { inputs: [source.data], integers: source.view.ints("perm") ?? reversed };
    },
  ],
]);

function formOf(operator: Operator, graph: OperatorGraph): Form {
  const source = new Source(operator, graph);
  const rule = rules.get(operator.type);
  if (!rule) return source.unsupported(`known are ${[...rules.keys()].join(", ")}`);
  const { dataType } = source.output;
  if (dataType !== "float32") source.unsupported(`its output is ${dataType}, not float32`);
  const type = operator.type === "Flatten" ? "Reshape" : operator.type;
  return { type, ...rule(source) };
}

/**
 * The bytes of a graph for native runtimes; the same graph always gives the same bytes.
 *
 * @throws UnsupportedError naming an operator without a form, or when the graph has not one float32 input and output
 */
export function flattenGraph(graph: OperatorGraph): Uint8Array {
  const dimsOf = ({ name, dataType, shape }: TensorInfo) => ({ name, dataType, dims: shape });
  const input = theOnlyTensor("input", graph.inputs.map(dimsOf));
  const output = theOnlyTensor(
    "output",
    graph.outputs.map((name) => dimsOf(graph.tensors.get(name)!)),
  );
  const tensors: FlatTensor[] = [];
  const numbers = new Map<string, number>();

  function add(tensor: FlatTensor): number {
    tensors.push(tensor);
    return tensors.length - 1;
  }
  /** Number of a tensor that is there: the input, a constant, or computed by an earlier step. */
  function read(name: string, source: Operator): number {
    const found = numbers.get(name);
    if (found !== undefined) return found;
    const constant = graph.constants.get(name);
    if (!constant) {
      throw new UnsupportedError(
        `operator "${source.name}" reads "${name}", which nothing computes`,
      );
    }
    const number = add(new Source(source, graph).flat(constant));
    numbers.set(name, number);
    return number;
  }

  numbers.set(input.name, add({ kind: "input", shape: input.shape }));
  const steps = graph.operators.map((operator) => {
    const form = formOf(operator, graph);
    const inputs = form.inputs.map((of) => (typeof of === "string" ? read(of, operator) : add(of)));
    const name = operator.outputs[0]!;
    const result = add({ kind: "computed", shape: graph.tensors.get(name)!.shape });
    numbers.set(name, result);
    return { form, name: operator.name, inputs, result };
  });
  const outputNumber = numbers.get(output.name);
  if (outputNumber === undefined || tensors[outputNumber]!.kind !== "computed") {
    throw new UnsupportedError(`no operator computes the output "${output.name}"`);
  }

  const writer = new WordWriter();
  writer.integers([magic, tensors.length]);
  for (const { kind, shape, values } of tensors) {
    writer.integers([kinds[kind], shape.length, ...shape]);
    if (values) writer.floats(values);
  }
  writer.integers([steps.length]);
  for (const { form, name, inputs, result } of steps) {
    const { integers = [], floats = [] } = form;
    writer.text(form.type);
    writer.text(name);
    writer.integers([inputs.length, ...inputs, result, integers.length, ...integers]);
    writer.integers([floats.length]);
    writer.floats(floats);
  }
  writer.integers([numbers.get(input.name)!, outputNumber]);
  return writer.bytes();
}
