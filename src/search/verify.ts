/**
 * Verifying a search: measure the networks that it turns on, learn from them, search again.
 *
 * In rounds, because every measurement changes what is worth measuring next. How to measure and to learn is up to the
 * caller.
 */
import type { Candidate, SearchResult } from "../record/search.js";
import { boundOf, type MeasuredLatency } from "./archive.js";

/** Latencies by network id. */
export type Measured = ReadonlyMap<string, MeasuredLatency>;

/** What a round consists of. */
export interface VerifySteps {
  /** Measure networks; those that could not be measured well enough are left out of the answer. */
  measure(candidates: readonly Candidate[]): Promise<Measured>;
  /**
   * Search with everything that is measured: adapted to it, and held against it.
   *
   * @param isLast - nothing further will be measured, so a measured winner is preferred
   */
  search(measured: Measured, isLast: boolean): Promise<SearchResult>;
}

/** A search whose deciding networks were measured. */
export interface Verified {
  readonly result: SearchResult;
  /** Every network that was to be measured, as it was predicted then. */
  readonly asked: readonly Candidate[];
  readonly measured: Measured;
}

/** A better network that fits less probably than this is not worth a measurement. */
const leastProbability = 0.02;

/**
 * What to measure next: the winner, then the networks that promise the most over it (probability of being within the
 * budget times what would be won), then the front's nearest to the budget.
 *
 * @param asked - ids that were to be measured before
 */
export function networksToVerify(
  { winner, bestUncertain, bestOutside, front, budgetMs }: SearchResult,
  count: number,
  asked: ReadonlySet<string> = new Set(),
): Candidate[] {
  const others = [...front, bestUncertain, bestOutside].filter((candidate) => candidate !== null);
  const least = winner?.merit ?? 0;
  const promise = ({ merit, withinBudget }: Candidate) => withinBudget * (merit - least);
  const distance = (candidate: Candidate) => Math.abs(Math.log(boundOf(candidate) / budgetMs));
  const promising = others
    .filter(({ merit, withinBudget }) => merit > least && withinBudget >= leastProbability)
    .sort((a, b) => promise(b) - promise(a));
  const near = others.toSorted((a, b) => distance(a) - distance(b));
  const ordered = [...(winner ? [winner] : []), ...promising, ...near];
  return [...new Map(ordered.map((candidate) => [candidate.id, candidate])).values()]
    .filter(({ id }) => !asked.has(id))
    .slice(0, count);
}

/**
 * Verify a search with at most `count` measurements. Ends with a winner that was measured, if any measured network fits.
 */
export async function verifySearch(
  first: SearchResult,
  count: number,
  { measure, search }: VerifySteps,
): Promise<Verified> {
  const asked = new Map<string, Candidate>();
  const measured = new Map<string, MeasuredLatency>();
  let result = first;
  let isLast = false;
  while (!isLast) {
    // Half of what is left in each round: what it teaches chooses the other half.
    const nRound = Math.ceil((count - asked.size) / 2);
    const round = networksToVerify(result, nRound, new Set(asked.keys()));
    for (const candidate of round) asked.set(candidate.id, candidate);
    isLast = round.length === 0 || asked.size >= count;
    const latencies =
      round.length === 0 ? new Map<string, MeasuredLatency>() : await measure(round);
    for (const [id, latency] of latencies) measured.set(id, latency);
    result = await search(measured, isLast);
  }
  return { result, asked: [...asked.values()], measured };
}
