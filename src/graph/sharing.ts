/**
 * Operators that compute the same, which optimisers run once, and operators that differ in the values of their
 * weights only, which some merge to one launch.
 */
import { weightsOf } from "./cost.js";
import type { Constant, Operator, OperatorGraph } from "./graph.js";

/** Operators that compute the same have the same class; -1 for one that only passes its input on. */
export interface SharedClasses {
  readonly classes: Int32Array;
  readonly nClasses: number;
  /** For each class, the first class that it is launched with when siblings are merged; its own number if none. */
  readonly launches: Int32Array;
  /** For each class, the classes its inputs come from. */
  readonly sources: readonly (readonly number[])[];
}

function constantKey({ name, source, shape, dataType }: Constant): string {
  return source.kind === "fill" ? `${source.value} ${dataType} ${shape.join("x")}` : `=${name}`;
}

function keyOf({ type, attributes }: Operator, inputs: readonly string[]): string {
  const sorted = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([type, sorted, inputs]);
}

/**
 * Common subexpressions as optimisers find them: same type, same attributes, same inputs. An Identity is seen
 * through and does not run, unless it makes an output of the network. Constants are equal when both are filled with
 * the same value; weights are never compared.
 *
 * Classes are launched together when they have the same type and attributes, weights of the same shapes and the same
 * other inputs, not all of them constant. What they compute differs, so their readers stay apart.
 */
export function sharedClasses(graph: OperatorGraph): SharedClasses {
  const { operators, constants } = graph;
  const outputs = new Set(graph.outputs);
  const classOfKey = new Map<string, number>();
  const classes = new Int32Array(operators.length);
  const launchOfKey = new Map<string, number>();
  const launches: number[] = [];
  const sources: number[][] = [];
  /** What a tensor is, and the class that makes it. */
  const known = new Map<string, { key: string; source: number; isConstant: boolean }>();
  const siblingKeys = (operator: Operator, inputs: readonly { key: string }[]) => {
    const weights = new Map(weightsOf(operator, graph).map((weight) => [weight.name, weight]));
    return operator.inputs.map((name, j) => {
      const weight = weights.get(name);
      return weight ? `${weight.dataType} ${weight.shape.join("x")}` : inputs[j]!.key;
    });
  };
  const look = (name: string) => {
    const found = known.get(name);
    if (found) return found;
    const constant = constants.get(name);
    const key = constant ? constantKey(constant) : `=${name}`;
    // An omitted input counts as a constant.
    const fresh = { key, source: -1, isConstant: constant !== undefined || name === "" };
    known.set(name, fresh);
    return fresh;
  };
  operators.forEach((operator, i) => {
    const inputs = operator.inputs.map(look);
    if (operator.type === "Identity" && !outputs.has(operator.outputs[0]!)) {
      known.set(operator.outputs[0]!, inputs[0]!);
      classes[i] = -1;
      return;
    }
    const key = keyOf(
      operator,
      inputs.map((input) => input.key),
    );
    let id = classOfKey.get(key);
    if (id === undefined) {
      id = classOfKey.size;
      classOfKey.set(key, id);
      sources.push(inputs.flatMap(({ source }) => (source < 0 ? [] : [source])));
      const launchKey = inputs.every(({ isConstant }) => isConstant)
        ? key
        : keyOf(operator, siblingKeys(operator, inputs));
      if (!launchOfKey.has(launchKey)) launchOfKey.set(launchKey, id);
      launches.push(launchOfKey.get(launchKey)!);
    }
    classes[i] = id;
    operator.outputs.forEach((output, j) => {
      known.set(output, { key: `#${id}.${j}`, source: id!, isConstant: false });
    });
  });
  return { classes, nClasses: classOfKey.size, launches: Int32Array.from(launches), sources };
}
