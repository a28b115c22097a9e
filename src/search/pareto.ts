/**
 * The Pareto front of networks by latency bound (lower is better) and merit (higher is better).
 */

/**
 * Those that no other equals or beats in both. Of equal ones the first stays.
 *
 * @param bounds - lower is better; one entry a network
 * @param merits - higher is better; NaN is never on the front
 * @param among - positions to consider; default all
 * @returns positions in ascending order of bound, and so of merit
 */
export function paretoFront(
  bounds: ArrayLike<number>,
  merits: ArrayLike<number>,
  among: Int32Array = Int32Array.from({ length: bounds.length }, (_, i) => i),
): number[] {
  const order = among
    .slice()
    .sort((a, b) => bounds[a]! - bounds[b]! || merits[b]! - merits[a]! || a - b);
  const front: number[] = [];
  let best = Number.NEGATIVE_INFINITY;
  for (const i of order) {
    if (!(merits[i]! > best)) continue;
    best = merits[i]!;
    front.push(i);
  }
  return front;
}
