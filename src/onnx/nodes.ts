/**
 * Nodes of an ONNX file as operators: names made unique, attributes as plain values, order checked.
 */
import { FormatError, messageOf, UnsupportedError } from "../errors.js";
import { topologicalOrder } from "../graph/analysis.js";
import type { AttributeValue, Operator } from "../graph/graph.js";
import { Budget } from "./limits.js";
import { type AttributeProto, attributeType, type NodeProto, type TensorProto } from "./proto.js";

/** An operator with what a graph's attributes cannot hold. */
export interface ReadOperator extends Operator {
  /** Tensor attributes: `value` of Constant and ConstantOfShape. */
  readonly tensors: ReadonlyMap<string, TensorProto>;
}

const decoder = new TextDecoder();

/** The shortest decimal that is this float32: 0.00001 rather than 0.000009999999747378752. */
function shortestDecimal(value: number): number {
  if (!Number.isFinite(value) || Number.isInteger(value)) return value;
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return Number(value.toPrecision(9));
}

/** Files before IR version 2 do not say which kind of value an attribute has. */
function kindOf(attribute: AttributeProto): number {
  const { type, f, i, s, t, g, floats, ints, strings } = attribute;
  if (type) return type;
  if (f !== undefined) return attributeType.float;
  if (i !== undefined) return attributeType.int;
  if (s !== undefined) return attributeType.string;
  if (t !== undefined) return attributeType.tensor;
  if (g !== undefined) return attributeType.graph;
  if (floats !== undefined) return attributeType.floats;
  if (strings !== undefined) return attributeType.strings;
  return ints === undefined ? 0 : attributeType.ints;
}

function plainValue(attribute: AttributeProto): AttributeValue | undefined {
  switch (kindOf(attribute)) {
    case attributeType.float:
      return shortestDecimal(attribute.f ?? 0);
    case attributeType.int:
      return attribute.i ?? 0;
    case attributeType.string:
      return decoder.decode(attribute.s ?? new Uint8Array(0));
    case attributeType.floats:
      return Array.from(attribute.floats ?? [], shortestDecimal);
    case attributeType.ints:
      return attribute.ints ?? [];
    case attributeType.strings:
      return (attribute.strings ?? []).map((text) => decoder.decode(text));
    default:
      return undefined;
  }
}

/** Gives every operator a name of its own: the file's where it is unique, a numbered one otherwise. */
function createNamer(): (wanted: string) => string {
  const uses = new Map<string, number>();
  const taken = new Set<string>();
  return (wanted) => {
    let name = wanted;
    while (taken.has(name)) {
      const n = (uses.get(wanted) ?? 1) + 1;
      uses.set(wanted, n);
      name = `${wanted}_${n}`;
    }
    taken.add(name);
    return name;
  };
}

function operatorOfNode(node: NodeProto, name: string, file: string): ReadOperator {
  const { opType = "", domain = "" } = node;
  const isStandard = domain === "" || domain === "ai.onnx";
  const type = isStandard ? opType : `${domain}.${opType}`;
  const where = `${file}: node "${name}" (${type})`;
  const attributes: [string, AttributeValue][] = [];
  const tensors = new Map<string, TensorProto>();
  for (const attribute of node.attribute ?? []) {
    const { name: key = "" } = attribute;
    const kind = kindOf(attribute);
    const value = plainValue(attribute);
    if (value !== undefined) {
      attributes.push([key, value]);
    } else if (kind === attributeType.tensor && attribute.t) {
      tensors.set(key, attribute.t);
    } else if (kind === attributeType.graph) {
      throw new UnsupportedError(
        `${where} has a graph of its own (control flow), which is not supported`,
        {
          hint: "export the network without loops and branches",
        },
      );
    } else {
      throw new UnsupportedError(`${where}: attribute "${key}" is of a kind that is not supported`);
    }
  }
  return {
    name,
    type,
    inputs: node.input ?? [],
    outputs: node.output ?? [],
    attributes: Object.fromEntries(attributes),
    tensors,
  };
}

/** Whether every operator follows the producers of its inputs. */
function isSorted(operators: readonly Operator[], given: ReadonlySet<string>): boolean {
  const made = new Set(given);
  return operators.every(({ inputs, outputs }) => {
    if (!inputs.every((input) => input === "" || made.has(input))) return false;
    for (const output of outputs) made.add(output);
    return true;
  });
}

/**
 * Operators in topological order; a file in another order is sorted.
 *
 * @param given - names of inputs and initializers
 * @throws FormatError when a tensor has no producer or two, or operators feed each other in a circle
 */
export function operatorsOfNodes(
  nodes: readonly NodeProto[],
  given: ReadonlySet<string>,
  path: string | undefined,
  budget: Budget = new Budget({}, path),
): ReadOperator[] {
  budget.spend("nodes", nodes.length, `${nodes.length} operators`);
  const file = path ?? "the model";
  const fail = (problem: string, field: string, cause?: unknown): never => {
    throw new FormatError(`${file}: ${problem}`, {
      ...(path === undefined ? {} : { path }),
      field,
      ...(cause === undefined ? {} : { cause }),
    });
  };
  const nameFor = createNamer();
  const made = new Set(given);
  const operators = nodes.map((node, i) => {
    const { opType = "" } = node;
    if (opType === "") fail(`node ${i} has no operator type`, `graph.node[${i}]`);
    const name = nameFor(node.name || `${opType}_${i}`);
    budget.check("operands", node.input?.length ?? 0, `inputs of node "${name}"`);
    budget.check("operands", node.output?.length ?? 0, `outputs of node "${name}"`);
    for (const { floats, ints, strings } of node.attribute ?? []) {
      const n = 1 + (floats?.length ?? 0) + (ints?.length ?? 0) + (strings?.length ?? 0);
      budget.spend("attributeValues", n, "values of attributes");
    }
    const operator = operatorOfNode(node, name, file);
    const outputs = operator.outputs.filter((output) => output !== "");
    if (outputs.length === 0) fail(`node "${name}" (${opType}) has no output`, name);
    for (const output of outputs) {
      if (made.has(output))
        fail(`tensor "${output}" has two producers, one is node "${name}"`, name);
      made.add(output);
    }
    return operator;
  });
  for (const { name, type, inputs } of operators) {
    const orphan = inputs.find((input) => input !== "" && !made.has(input));
    if (orphan !== undefined) {
      fail(`node "${name}" (${type}) reads tensor "${orphan}", which nobody makes`, name);
    }
  }
  if (isSorted(operators, given)) return operators;
  try {
    return topologicalOrder(operators) as ReadOperator[];
  } catch (cause) {
    return fail(messageOf(cause), "graph.node", cause);
  }
}
