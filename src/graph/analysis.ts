/**
 * What a runtime may execute of a graph: which operators reach the output, which are reached from an input, which
 * have weights and no reader. Operators that compute the same are in `sharing.ts`, chains in `chains.ts`, costs in
 * `cost.ts`.
 */
import { InputError } from "../errors.js";
import { weightsOf } from "./cost.js";
import type { RewriteSemantics } from "./features.js";
import type { Operator, OperatorGraph } from "./graph.js";

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
  const ready = new PlaceQueue();
  nMissing.forEach((missing, i) => {
    if (missing === 0) ready.push(i);
  });
  for (let i = ready.pop(); i !== undefined; i = ready.pop()) {
    order.push(operators[i]!);
    for (const reader of readers[i]!) {
      nMissing[reader]!--;
      if (nMissing[reader] === 0) ready.push(reader);
    }
  }
  if (order.length < operators.length) {
    const stuck = operators.find((_, i) => nMissing[i]! > 0)!;
    throw new InputError(`operators feed each other in a circle, among them "${stuck.name}"`);
  }
  return order;
}

/** Places, the least first: a binary heap, because a file may have a hundred thousand ready operators. */
class PlaceQueue {
  private readonly heap: number[] = [];

  push(place: number): void {
    const { heap } = this;
    let at = heap.push(place) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]! <= place) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = place;
  }

  pop(): number | undefined {
    const { heap } = this;
    const least = heap[0];
    const last = heap.pop();
    if (least === undefined || last === undefined || heap.length === 0) return least;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++;
      if (heap[child]! >= last) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return least;
  }
}

/** Which operators matter, one entry an operator, and whether the network's output depends on its input. */
export interface Liveness {
  /** Its result reaches an output of the network. */
  readonly live: Uint8Array;
  /** Live, or an operator with weights whose results nobody reads, or needed by one. */
  readonly wanted: Uint8Array;
  /** Some input of the network reaches it. */
  readonly reached: Uint8Array;
  /** Some path leads from an input to an output. */
  readonly connected: boolean;
}

/** Mask of the operators that are a root or that some root depends on. */
function ancestorsOf(
  operators: readonly Operator[],
  outputs: readonly string[],
  isRoot: (operator: Operator) => boolean,
): Uint8Array {
  const mask = new Uint8Array(operators.length);
  const needed = new Set(outputs);
  for (let i = operators.length - 1; i >= 0; i--) {
    const operator = operators[i]!;
    if (!isRoot(operator) && !operator.outputs.some((output) => needed.has(output))) continue;
    mask[i] = 1;
    for (const input of operator.inputs) if (input !== "") needed.add(input);
  }
  return mask;
}

/** Liveness of every operator, backward from the outputs and forward from the inputs. */
export function livenessOf(graph: OperatorGraph): Liveness {
  const { operators } = graph;
  const reached = new Uint8Array(operators.length);
  const fromInput = new Set(graph.inputs.map(({ name }) => name));
  operators.forEach(({ inputs, outputs }, i) => {
    if (!inputs.some((input) => fromInput.has(input))) return;
    reached[i] = 1;
    for (const output of outputs) fromInput.add(output);
  });
  const read = new Set(graph.outputs);
  for (const { inputs } of operators) for (const input of inputs) if (input !== "") read.add(input);
  // A filled constant carries nothing learned: it is no weight that a runtime could hold on to.
  const isUnread = (operator: Operator) =>
    !operator.outputs.some((output) => read.has(output)) &&
    weightsOf(operator, graph).some(({ source }) => source.kind !== "fill");
  return {
    live: ancestorsOf(operators, graph.outputs, () => false),
    wanted: ancestorsOf(operators, graph.outputs, isUnread),
    reached,
    connected: graph.outputs.some((output) => fromInput.has(output)),
  };
}

/** Which operators a semantics executes before any are shared. */
export type View = "all" | "backward" | "forward" | "both" | "unread";

/**
 * What of the executed operators runs once: none, equal ones, or siblings that differ in their weights only too.
 * `fused`: equal ones, and convolutions take along what follows them.
 */
export type Sharing = "none" | "shared" | "merged" | "fused";

/** A rewrite semantics as its view and what it shares. */
export function partsOfSemantics(semantics: RewriteSemantics): { view: View; sharing: Sharing } {
  const [view, sharing = "none"] = semantics.split("+") as [View, Sharing?];
  return { view, sharing };
}

/** Mask of the operators that a view executes. */
export function viewOf({ live, wanted, reached }: Liveness, view: View): Uint8Array {
  switch (view) {
    case "all":
      return new Uint8Array(live.length).fill(1);
    case "backward":
      return live;
    case "forward":
      return reached;
    case "both":
      return live.map((isLive, i) => isLive & reached[i]!);
    case "unread":
      return wanted;
    default:
      return view satisfies never;
  }
}
