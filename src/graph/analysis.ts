/**
 * What a runtime may execute of a graph: which operators reach the output, which are reached from an input, which
 * compute the same; and how long chains of them are. Costs are in `cost.ts`.
 */
import { InputError } from "../errors.js";
import type { RewriteSemantics } from "./features.js";
import type { Constant, Operator, OperatorGraph } from "./graph.js";

export { costOfGraph } from "./cost.js";

/**
 * Operators so that each follows the producers of its inputs; the given order is kept where it can be.
 *
 * @throws InputError when operators feed each other in a circle
 */
export function topologicalOrder(operators: readonly Operator[]): Operator[] {
  const producer = new Map<string, number>();
  operators.forEach(({ outputs }, i) => {
    for (const output of outputs) if (output !== "") producer.set(output, i);
  });
  const nMissing = new Int32Array(operators.length);
  const readers = operators.map((): number[] => []);
  operators.forEach(({ inputs }, i) => {
    for (const input of inputs) {
      const from = producer.get(input);
      if (from === undefined) continue;
      nMissing[i]!++;
      readers[from]!.push(i);
    }
  });
  const order: Operator[] = [];
  // Ready operators wait by their given place: a sorted graph comes back as it is.
  const ready = operators.flatMap((_, i) => (nMissing[i] === 0 ? [i] : [])).reverse();
  while (ready.length > 0) {
    const i = ready.pop()!;
    order.push(operators[i]!);
    for (const reader of readers[i]!) {
      nMissing[reader]!--;
      if (nMissing[reader] === 0) insertDescending(ready, reader);
    }
  }
  if (order.length < operators.length) {
    const stuck = operators.find((_, i) => nMissing[i]! > 0)!;
    throw new InputError(`operators feed each other in a circle, among them "${stuck.name}"`);
  }
  return order;
}

function insertDescending(list: number[], value: number): void {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]! > value) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, value);
}

/** Which operators matter, one entry an operator, and whether the network's output depends on its input. */
export interface Liveness {
  /** Its result reaches an output of the network. */
  readonly live: Uint8Array;
  /** Some input of the network reaches it. */
  readonly reached: Uint8Array;
  /** Some path leads from an input to an output. */
  readonly connected: boolean;
}

/** Backward and forward liveness of every operator. */
export function livenessOf(graph: OperatorGraph): Liveness {
  const { operators } = graph;
  const reached = new Uint8Array(operators.length);
  const live = new Uint8Array(operators.length);
  const fromInput = new Set(graph.inputs.map(({ name }) => name));
  operators.forEach(({ inputs, outputs }, i) => {
    if (!inputs.some((input) => fromInput.has(input))) return;
    reached[i] = 1;
    for (const output of outputs) fromInput.add(output);
  });
  const wanted = new Set(graph.outputs);
  for (let i = operators.length - 1; i >= 0; i--) {
    const { inputs, outputs } = operators[i]!;
    if (!outputs.some((output) => wanted.has(output))) continue;
    live[i] = 1;
    for (const input of inputs) wanted.add(input);
  }
  return { live, reached, connected: graph.outputs.some((output) => fromInput.has(output)) };
}

/** The views without sharing. */
export type View = "all" | "backward" | "forward" | "both";

/** A rewrite semantics as its view and whether equal operators are shared. */
export function partsOfSemantics(semantics: RewriteSemantics): { view: View; shared: boolean } {
  const [view, sharing] = semantics.split("+") as [View, string | undefined];
  return { view, shared: sharing === "shared" };
}

/** Mask of the operators that a view executes. */
export function viewOf({ live, reached }: Liveness, view: View): Uint8Array {
  switch (view) {
    case "all":
      return new Uint8Array(live.length).fill(1);
    case "backward":
      return live;
    case "forward":
      return reached;
    case "both":
      return live.map((isLive, i) => isLive & reached[i]!);
    default:
      return view satisfies never;
  }
}

/** Operators that compute the same have the same class; -1 for one that only passes its input on. */
export interface SharedClasses {
  readonly classes: Int32Array;
  readonly nClasses: number;
  /** For each class, the classes its inputs come from. */
  readonly sources: readonly (readonly number[])[];
}

function constantKey({ name, source, shape, dataType }: Constant): string {
  return source.kind === "fill" ? `${source.value} ${dataType} ${shape.join("x")}` : `=${name}`;
}

/**
 * Common subexpressions as optimisers find them: same type, same attributes, same inputs. An Identity is seen
 * through and does not run, unless it makes an output of the network. Constants are equal when both are filled with
 * the same value; weights are never compared.
 */
export function sharedClasses(graph: OperatorGraph): SharedClasses {
  const { operators, constants } = graph;
  const outputs = new Set(graph.outputs);
  const classOfKey = new Map<string, number>();
  const classes = new Int32Array(operators.length);
  const sources: number[][] = [];
  /** What a tensor is, and the class that makes it. */
  const known = new Map<string, { key: string; source: number }>();
  const look = (name: string) => {
    const found = known.get(name);
    if (found) return found;
    const constant = constants.get(name);
    const fresh = { key: constant ? constantKey(constant) : `=${name}`, source: -1 };
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
    const attributes = Object.entries(operator.attributes).sort(([a], [b]) => (a < b ? -1 : 1));
    const key = JSON.stringify([operator.type, attributes, inputs.map((input) => input.key)]);
    let id = classOfKey.get(key);
    if (id === undefined) {
      id = classOfKey.size;
      classOfKey.set(key, id);
      sources.push(inputs.flatMap(({ source }) => (source < 0 ? [] : [source])));
    }
    classes[i] = id;
    operator.outputs.forEach((output, j) => {
      known.set(output, { key: `#${id}.${j}`, source: id! });
    });
  });
  return { classes, nClasses: classOfKey.size, sources };
}

/**
 * Length of the longest chain of executed operators, each reading the one before.
 *
 * @param executed - mask over operators or classes, in topological order
 * @param sources - for each, the places of those whose results it reads
 */
export function longestChain(
  executed: Uint8Array,
  sources: readonly (readonly number[])[],
): number {
  const depth = new Int32Array(executed.length);
  let longest = 0;
  for (let i = 0; i < executed.length; i++) {
    if (!executed[i]) continue;
    let before = 0;
    for (const source of sources[i]!) before = Math.max(before, depth[source]!);
    depth[i] = before + 1;
    longest = Math.max(longest, depth[i]!);
  }
  return longest;
}

/** For each operator, the places of the operators whose results it reads. */
export function sourcesOf(graph: OperatorGraph): number[][] {
  const producer = new Map<string, number>();
  return graph.operators.map(({ inputs, outputs }, i) => {
    const sources = inputs.flatMap((input) => producer.get(input) ?? []);
    for (const output of outputs) producer.set(output, i);
    return sources;
  });
}
