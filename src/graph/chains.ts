/**
 * Chains of operators, each reading the one before: how long the longest is, in operators or in window taps.
 */
import type { OperatorGraph } from "./graph.js";

/**
 * Weight of the heaviest chain of executed operators, each reading the one before; with weights of 1 its length.
 *
 * @param executed - mask over operators or classes, in topological order
 * @param sources - for each, the places of those whose results it reads
 * @param weights - of each, at least 0; default 1
 */
export function longestChain(
  executed: Uint8Array,
  sources: readonly (readonly number[])[],
  weights?: ArrayLike<number>,
): number {
  const depth = new Float64Array(executed.length);
  let longest = 0;
  for (let i = 0; i < executed.length; i++) {
    if (!executed[i]) continue;
    let before = 0;
    for (const source of sources[i]!) before = Math.max(before, depth[source]!);
    depth[i] = before + (weights ? weights[i]! : 1);
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
