/**
 * From operators in order to a graph with all shapes: inference, computations of shapes folded into constants, and
 * what the file states checked against it.
 */
import { FormatError, type SamaraError, ShapeError, UnsupportedError } from "../errors.js";
import { knownTensor } from "../graph/build.js";
import type {
  Constant,
  ConstantSource,
  DataType,
  Operator,
  OperatorGraph,
  Shape,
  TensorInfo,
} from "../graph/graph.js";
import { hasShapeRule, inferOutputs } from "../graph/shape.js";
import type { KnownTensor, OutputType } from "../graph/shape-view.js";
import { elementCount, formatShape } from "../graph/size.js";
import type { Dimensions, StatedTensor } from "./dimensions.js";
import { foldedValues, shapeReaders } from "./fold.js";
import type { ReadOperator } from "./nodes.js";
import type { GraphProto } from "./proto.js";
import { constantOfTensor, maxRank, type TensorContext } from "./tensors.js";

export interface InferContext extends TensorContext {
  readonly dimensions: Dimensions;
}

type Inferred = Pick<OperatorGraph, "outputs" | "operators" | "constants" | "tensors">;

/**
 * Operators whose shapes may depend on values that a file does not have: these are what the file says they are. Others
 * are never excused from their rule.
 */
const dataDependent: ReadonlySet<string> = new Set(
  (
    "Reshape Expand Tile Slice Pad Resize Upsample Squeeze Unsqueeze TopK Range ConstantOfShape Split ReduceMean " +
    "ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare"
  ).split(" "),
);

function sourceOf(values: readonly number[], dataType: DataType): ConstantSource {
  if (dataType.startsWith("float")) return { kind: "values", values: Float32Array.from(values) };
  if (dataType !== "int64") return { kind: "values", values: Int32Array.from(values) };
  const clamped = values.map((value) => BigInt(Math.max(-(2 ** 62), Math.min(2 ** 62, value))));
  return { kind: "values", values: BigInt64Array.from(clamped) };
}

class Inference {
  private readonly context: InferContext;
  private readonly file: string;
  private readonly stated = new Map<string, StatedTensor>();
  private readonly tensors = new Map<string, TensorInfo>();
  private readonly constants = new Map<string, Constant>();
  /** Constants that nodes made; kept only where an operator reads them. */
  private readonly folded = new Map<string, Constant>();
  /** Those of them computed from shapes. */
  private readonly computed = new Set<string>();
  private readonly operators: Operator[] = [];
  private readonly knownTensors = new WeakMap<TensorInfo, KnownTensor>();

  constructor(context: InferContext) {
    this.context = context;
    this.file = context.path ?? "the model";
  }

  run(
    proto: GraphProto,
    inputs: readonly TensorInfo[],
    operators: readonly ReadOperator[],
  ): Inferred {
    for (const info of [...(proto.valueInfo ?? []), ...(proto.output ?? [])]) {
      const { name = "" } = info;
      const stated = this.context.dimensions.stated(info, `${this.file}: tensor "${name}"`);
      if (stated) this.stated.set(name, stated);
    }
    for (const input of inputs) {
      const n = this.guard(() => elementCount(input.shape), `input "${input.name}"`);
      this.context.budget.check("tensorElements", n, `elements of input "${input.name}"`);
      this.tensors.set(input.name, input);
    }
    for (const tensor of proto.initializer ?? []) {
      const { name = "" } = tensor;
      const constant = constantOfTensor(tensor, name, this.context);
      this.constants.set(name, constant);
      this.tensors.set(name, constant);
    }
    for (const operator of operators) this.add(operator);
    const outputs = (proto.output ?? []).map(({ name = "" }) => {
      this.use(name);
      if (!this.tensors.has(name)) {
        const path = this.context.path;
        throw new FormatError(`${this.file}: nobody makes the network's output "${name}"`, {
          ...(path === undefined ? {} : { path }),
          field: "graph.output",
        });
      }
      return name;
    });
    const { constants, tensors } = this;
    return { outputs, operators: this.operators, constants, tensors };
  }

  /** Errors of shapes say which file. */
  private guard<T>(compute: () => T, where: string): T {
    try {
      return compute();
    } catch (cause) {
      if (cause instanceof ShapeError) {
        throw new ShapeError(`${this.file}: ${where}: ${cause.message}`, { cause });
      }
      throw cause;
    }
  }

  private unsupported({ name, type }: Operator, problem: string, hint?: string): never {
    throw new UnsupportedError(`${this.file}: node "${name}" (${type}) ${problem}`, {
      ...(hint === undefined ? {} : { hint }),
    });
  }

  /** A tensor is read: a folded constant among the graph's from now on. */
  private use(name: string): void {
    const constant = this.folded.get(name);
    if (!constant || this.constants.has(name)) return;
    this.constants.set(name, constant);
    this.tensors.set(name, constant);
  }

  private known(name: string): KnownTensor | undefined {
    if (name === "") return undefined;
    const tensor = this.folded.get(name) ?? this.constants.get(name) ?? this.tensors.get(name)!;
    // A constant that a thousand operators read is copied once.
    const before = this.knownTensors.get(tensor);
    if (before) return before;
    const known = knownTensor(tensor);
    this.knownTensors.set(tensor, known);
    if (known.values) {
      this.context.budget.spend("foldedValues", known.values.length, "values that decide shapes");
    }
    return known;
  }

  private fold(name: string, constant: Omit<Constant, "name">, isComputed: boolean): void {
    this.folded.set(name, { name, ...constant });
    if (isComputed) this.computed.add(name);
  }

  private add(operator: ReadOperator): void {
    if (this.addConstant(operator)) return;
    const inputs = operator.inputs.map((input) => this.known(input));
    const outputs = this.outputsOf(operator, inputs);
    outputs.forEach(({ shape }, i) => {
      const what = `output "${operator.outputs[i]}" of node "${operator.name}"`;
      if (shape.length > maxRank) {
        throw new ShapeError(
          `${this.file}: ${what} has ${shape.length} dimensions, more than ${maxRank}`,
        );
      }
      this.context.budget.check("tensorElements", elementCount(shape), what);
    });
    if (this.addFolded(operator, inputs, outputs)) return;
    const [tensorAttribute] = operator.tensors.keys();
    if (tensorAttribute !== undefined && operator.type !== "ConstantOfShape") {
      this.unsupported(operator, `has a tensor as attribute "${tensorAttribute}"`);
    }
    for (const input of operator.inputs) this.use(input);
    operator.outputs.forEach((name, i) => {
      if (name !== "") this.tensors.set(name, { name, ...outputs[i]! });
    });
    const { name, type, inputs: names, outputs: results, attributes } = operator;
    this.operators.push({ name, type, inputs: names, outputs: results, attributes });
  }

  /** `Constant` nodes are constants. */
  private addConstant(operator: ReadOperator): boolean {
    if (operator.type !== "Constant") return false;
    const output = operator.outputs[0]!;
    const tensor = operator.tensors.get("value");
    if (tensor) {
      const { shape, dataType, source } = constantOfTensor(tensor, output, this.context);
      this.fold(output, { shape, dataType, source }, false);
      return true;
    }
    const [entry] = Object.entries(operator.attributes);
    const [key, value] = entry ?? ["", undefined];
    const isKnown = /^value_(int|float)s?$/.test(key);
    if (!isKnown || value === undefined) return this.unsupported(operator, "has no numbers");
    const dataType = key.startsWith("value_int") ? "int64" : "float32";
    const values = (Array.isArray(value) ? value : [value]).map(Number);
    if (dataType === "int64" && !values.every(Number.isInteger)) {
      return this.unsupported(operator, "has no numbers");
    }
    const shape = Array.isArray(value) ? [values.length] : [];
    this.fold(output, { shape, dataType, source: sourceOf(values, dataType) }, false);
    return true;
  }

  /** Operators that compute shapes are constants: those that read shapes, and what is computed from integers. */
  private addFolded(
    operator: ReadOperator,
    inputs: readonly (KnownTensor | undefined)[],
    outputs: readonly OutputType[],
  ): boolean {
    const [name] = operator.outputs;
    const [output] = outputs;
    if (name === undefined || output === undefined) return false;
    if (operator.type === "ConstantOfShape") {
      const tensor = operator.tensors.get("value");
      const filler = tensor && constantOfTensor(tensor, `${name}.value`, this.context);
      const value = filler ? Number(knownTensor(filler).values?.[0] ?? 0) : 0;
      const dataType = filler?.dataType ?? "float32";
      this.fold(name, { ...output, dataType, source: { kind: "fill", value } }, true);
      return true;
    }
    const isOfShapes =
      shapeReaders.has(operator.type) ||
      (operator.inputs.some((input) => this.computed.has(input)) &&
        inputs.every((input) => input === undefined || input.values !== undefined)) ||
      inputs.every((input) => input?.values !== undefined && !input.dataType.startsWith("float"));
    const values = isOfShapes ? foldedValues(operator, inputs, output) : undefined;
    if (values === undefined) return false;
    this.context.budget.spend("foldedValues", values.length, "values of computed shapes");
    this.fold(name, { ...output, source: sourceOf(values, output.dataType) }, true);
    return true;
  }

  /** Shapes and types of an operator's outputs: inferred, checked against what the file states. */
  private outputsOf(
    operator: ReadOperator,
    inputs: readonly (KnownTensor | undefined)[],
  ): readonly OutputType[] {
    const stated = this.statedOutputs(operator);
    if (!hasShapeRule(operator.type)) {
      if (stated) return stated;
      return this.unsupported(
        operator,
        "is of a type without shape rule, and the file does not state its output's shape",
        "run onnx.shape_inference on the file, or use another operator",
      );
    }
    let outputs: readonly OutputType[];
    try {
      outputs = inferOutputs(operator, inputs);
    } catch (cause) {
      // Shapes that depend on data are what the file says they are.
      const isComputed =
        dataDependent.has(operator.type) &&
        inputs
          .slice(1)
          .some((input) => input && /^u?int/.test(input.dataType) && input.values === undefined);
      if (isComputed && stated && cause instanceof ShapeError) return stated;
      const message = `${this.file}: ${(cause as Error).message}`;
      if (cause instanceof ShapeError) throw new ShapeError(message, { cause });
      if (cause instanceof UnsupportedError) {
        const { hint } = cause as SamaraError;
        throw new UnsupportedError(message, hint === undefined ? { cause } : { cause, hint });
      }
      throw cause;
    }
    operator.outputs.forEach((name, i) => {
      this.checkStated(operator, name, outputs[i]!);
    });
    return outputs;
  }

  /** What the file states of an operator's outputs, if it states all of it. */
  private statedOutputs({ outputs }: Operator): OutputType[] | undefined {
    const result: OutputType[] = [];
    for (const name of outputs) {
      if (name === "") {
        result.push({ shape: [], dataType: "float32" });
        continue;
      }
      const stated = this.stated.get(name);
      if (!stated?.shape?.every((dim) => dim !== undefined)) return undefined;
      const shape = stated.shape as Shape;
      this.guard(() => elementCount(shape), `tensor "${name}"`);
      result.push({ shape, dataType: stated.dataType });
    }
    return result;
  }

  private checkStated({ name, type }: Operator, tensor: string, { shape }: OutputType): void {
    const stated = this.stated.get(tensor)?.shape;
    if (!stated) return;
    const fits =
      stated.length === shape.length &&
      stated.every((dim, i) => dim === undefined || dim === shape[i]);
    if (fits) return;
    const text = stated.length === 0 ? "scalar" : stated.map((dim) => dim ?? "?").join("x");
    throw new ShapeError(
      `${this.file}: node "${name}" (${type}): output "${tensor}" is ${formatShape(shape)}, the file states ${text}`,
    );
  }
}

/**
 * The rest of a graph whose inputs and operators are known.
 *
 * @throws as `readOnnx`
 */
export function inferGraph(
  proto: GraphProto,
  inputs: readonly TensorInfo[],
  operators: readonly ReadOperator[],
  context: InferContext,
): Inferred {
  return new Inference(context).run(proto, inputs, operators);
}
