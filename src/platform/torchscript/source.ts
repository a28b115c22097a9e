/**
 * A TorchScript function under construction: one statement for each operator, tensors renamed, constants as parameters
 * of the module. What operators become: `operators.ts`.
 */
import { UnsupportedError } from "../../errors.js";
import { knownTensor } from "../../graph/build.js";
import type { Constant, Operator, OperatorGraph, Shape, TensorInfo } from "../../graph/graph.js";
import { OperatorView } from "../../graph/shape-view.js";
import { constantValues } from "../../graph/values.js";
import { defaultOpset, opsetKey } from "../../onnx/write.js";

/** A parameter of the module. */
export interface TorchParameter {
  readonly name: string;
  readonly shape: Shape;
  readonly values: Float32Array;
}

/** A number as TorchScript's float literal. */
export function floatLiteral(value: number): string {
  if (Number.isNaN(value)) return 'float("nan")';
  if (!Number.isFinite(value)) return value > 0 ? 'float("inf")' : '-float("inf")';
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** A list of integers. */
export function intList(values: readonly number[]): string {
  return `[${values.join(", ")}]`;
}

/** The function's statements and the module's parameters so far. */
export class SourceBuilder {
  readonly graph: OperatorGraph;
  /** Of the file; rules of some operators depend on it. */
  readonly opset: number;
  /** Expressions of tensors, by name. */
  readonly #expressions = new Map<string, string>();
  readonly #statements: string[] = [];
  readonly #parameters: TorchParameter[] = [];

  constructor(graph: OperatorGraph) {
    this.graph = graph;
    this.opset = Number(graph.metadata[opsetKey] ?? defaultOpset);
    this.#expressions.set(graph.inputs[0]!.name, "x");
  }

  parameter(shape: Shape, values: Float32Array): string {
    const name = `p${this.#parameters.length}`;
    this.#parameters.push({ name, shape, values });
    return `self.${name}`;
  }

  /** Expression of a tensor that was made, or of a constant. */
  tensor(name: string, of: Operator): string {
    const known = this.#expressions.get(name);
    if (known !== undefined) return known;
    const constant = this.graph.constants.get(name);
    if (constant === undefined) return refuse(of, `nothing makes its input "${name}"`);
    const values = constantValues(constant);
    if (!(values instanceof Float32Array)) {
      return refuse(of, `"${name}" must be float32, got ${constant.dataType}`);
    }
    const expression = this.parameter(constant.shape, values);
    this.#expressions.set(name, expression);
    return expression;
  }

  /** The result of an operator is this expression; a plain name means that nothing is computed. */
  assign(output: string, expression: string): void {
    if (/^(?:self\.)?\w+$/.test(expression)) {
      this.#expressions.set(output, expression);
      return;
    }
    const name = `v${this.#statements.length}`;
    this.#statements.push(`${name} = ${expression}`);
    this.#expressions.set(output, name);
  }

  /** Source of the function, and the module's parameters. */
  finish(): { source: string; parameters: readonly TorchParameter[] } {
    const [output] = this.graph.outputs;
    const result = this.#expressions.get(output!);
    if (result === undefined)
      throw new UnsupportedError(`no operator makes the output "${output}"`);
    const lines = [...this.#statements, `return ${result}`].map((line) => `  ${line}\n`);
    return {
      source: `def forward(self, x: Tensor) -> Tensor:\n${lines.join("")}`,
      parameters: this.#parameters,
    };
  }
}

function refuse({ name, type }: Operator, problem: string): never {
  throw new UnsupportedError(
    `operator "${name}" (${type}) cannot be translated to TorchScript: ${problem}`,
  );
}

/** One operator with what its translation asks of it. */
export class Source {
  readonly operator: Operator;
  readonly view: OperatorView;
  readonly builder: SourceBuilder;

  constructor(operator: Operator, builder: SourceBuilder) {
    this.operator = operator;
    this.builder = builder;
    const known = (name: string) => knownTensor(this.constantOf(name) ?? this.info(name));
    this.view = new OperatorView(
      operator,
      operator.inputs.map((name) => (name === "" ? undefined : known(name))),
    );
  }

  refuse(problem: string): never {
    return refuse(this.operator, problem);
  }

  info(name: string): TensorInfo {
    return this.builder.graph.tensors.get(name) ?? this.refuse(`there is no tensor "${name}"`);
  }

  constantOf(name: string): Constant | undefined {
    return this.builder.graph.constants.get(name);
  }

  /** Expression of an input that must be there. */
  input(i: number): string {
    const name = this.operator.inputs[i] ?? "";
    return name === ""
      ? this.refuse(`input ${i} is missing`)
      : this.builder.tensor(name, this.operator);
  }

  /** Expression of an input that may be omitted. */
  optional(i: number): string {
    return (this.operator.inputs[i] ?? "") === "" ? "None" : this.input(i);
  }

  get shape(): Shape {
    return this.view.shape(0);
  }

  get outputShape(): Shape {
    return this.info(this.operator.outputs[0]!).shape;
  }

  /** A number given as a constant input or, in older opsets, as attribute. */
  number(i: number, name: string): number | undefined {
    const input = this.operator.inputs[i] ?? "";
    if (input !== "") {
      const constant = this.constantOf(input) ?? this.refuse(`its ${name} is computed`);
      return Number(constantValues(constant)[0]);
    }
    const attribute = this.operator.attributes[name];
    return typeof attribute === "number" ? attribute : undefined;
  }

  /** A float attribute. */
  float(name: string, missing: number): number {
    const value = this.operator.attributes[name] ?? missing;
    return typeof value === "number" ? value : this.refuse(`attribute ${name} is no number`);
  }
}
