/**
 * The best network within a budget, from columns that are in the page: what a slider asks for many times a second. The
 * same rule as `src/search/`, which also knows how probable it is that a network fits.
 */
import type { Networks } from "../parts/use-networks.js";

/** Positions of networks; null where there is none. */
export interface BudgetAnswer {
  /** Best among those whose upper bound is within the budget. */
  readonly winner: number | null;
  /** Best among those whose predicted latency is within it. */
  readonly bestUncertain: number | null;
  /** Best at any latency. */
  readonly bestUnconstrained: number | null;
  /** With the least upper bound: what to say when nothing fits. */
  readonly fastest: number | null;
  readonly nFeasible: number;
}

/** Networks that may be recommended: with a path from input to output and a known merit. */
export function recommendable({ columns, merit }: Networks): Int32Array {
  return Int32Array.from(columns.latencyMs.keys()).filter(
    (i) => columns.connected[i] === 1 && Number.isFinite(merit[i]!),
  );
}

/**
 * Decide.
 *
 * @param among - from `recommendable`
 */
export function answerBudget(
  { columns, merit }: Networks,
  among: Int32Array,
  budgetMs: number,
): BudgetAnswer {
  const { latencyMs, upperMs } = columns;
  let nFeasible = 0;
  let winner: number | null = null;
  let bestUncertain: number | null = null;
  let bestUnconstrained: number | null = null;
  let fastest: number | null = null;
  // Of equally good ones the one with the smaller bound.
  const better = (i: number, best: number | null) =>
    best === null ||
    merit[i]! > merit[best]! ||
    (merit[i]! === merit[best]! && upperMs[i]! < upperMs[best]!)
      ? i
      : best;
  for (const i of among) {
    if (fastest === null || upperMs[i]! < upperMs[fastest]!) fastest = i;
    bestUnconstrained = better(i, bestUnconstrained);
    if (latencyMs[i]! <= budgetMs) bestUncertain = better(i, bestUncertain);
    if (upperMs[i]! > budgetMs) continue;
    nFeasible += 1;
    winner = better(i, winner);
  }
  return { winner, bestUncertain, bestUnconstrained, fastest, nFeasible };
}
