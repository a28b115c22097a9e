/**
 * The best networks within a latency budget: predictions and merits of candidates into one answer.
 *
 * A list of candidates is looked at as a whole; a space too large for that by evolution (`evolution.ts`).
 */
import { InputError, InterruptedError } from "../errors.js";
import type { AdaptedPredictor, OnProgress } from "../predict/predictor.js";
import type { Merit, SearchResult } from "../record/search.js";
import { type Space, spaces } from "../space/registry.js";
import { type AccuracyTable, accuraciesOfSpace, candidatesWithAccuracies } from "./accuracy.js";
import { type Archive, type Budget, createArchive } from "./archive.js";
import {
  allByMacs,
  type Candidates,
  type CandidateTable,
  macsMerit,
  spaceNamed,
  tableByMacs,
} from "./candidates.js";
import { evolve } from "./evolution.js";

/** How to search. */
export interface SearchOptions extends Budget {
  readonly predictor: AdaptedPredictor;
  /** Seeds every draw; an exhaustive search draws nothing. */
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** Candidates that evolution looks at unless told otherwise. */
const defaultEvaluations = 20_000;
/** Share of them that is looked for without a budget, so that what the budget costs is known. */
const unconstrainedShare = 0.1;

/** The two-sided coverage whose upper end is the one-sided bound at a confidence. */
const coverageOfConfidence = (confidence: number): number => 2 * confidence - 1;

function check({ budgetMs, confidence, signal }: SearchOptions): void {
  if (!(budgetMs > 0 && Number.isFinite(budgetMs))) {
    throw new InputError(`a budget must be a finite number of ms greater than 0, got ${budgetMs}`);
  }
  if (!(confidence > 0.5 && confidence < 1)) {
    throw new InputError(`a confidence must be above 0.5 and below 1, got ${confidence}`);
  }
  stopWhenAborted(signal);
}

function stopWhenAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new InterruptedError("stopped while searching; nothing was changed");
}

function resultOf(
  { predictor, budgetMs, confidence, seed }: SearchOptions,
  archive: Archive,
  about: { space: string; merit: Merit; method: SearchResult["method"]; startedMs: number },
): SearchResult {
  const { startedMs, ...others } = about;
  return {
    platform: predictor.platformId,
    predictor: predictor.name,
    budgetMs,
    confidence,
    coverage: coverageOfConfidence(confidence),
    ...others,
    ...archive.found(),
    durationMs: performance.now() - startedMs,
    seed,
  };
}

/**
 * The best of a list of candidates: every one is predicted.
 *
 * @throws InputError on a budget that is not positive or a confidence outside 0.5…1; InterruptedError when aborted
 */
export async function searchCandidates(
  candidates: Candidates,
  options: SearchOptions,
): Promise<SearchResult> {
  check(options);
  const startedMs = performance.now();
  const { space, merit } = candidates;
  const archive = createArchive(options, merit);
  const coverage = coverageOfConfidence(options.confidence);
  for (const table of candidates.tables) {
    archive.add(table, await options.predictor.predict(table.features, { coverage }));
    stopWhenAborted(options.signal);
  }
  return resultOf(options, archive, { space, merit, method: "exhaustive", startedMs });
}

/**
 * The best of a space that is too large to list, found by evolution and ranked by MACs.
 *
 * @param options.evaluations - distinct networks to predict; fewer where the space has no more
 * @throws as `searchCandidates`
 */
export async function searchSpace(
  space: Space,
  options: SearchOptions & { readonly evaluations?: number },
): Promise<SearchResult> {
  check(options);
  const startedMs = performance.now();
  const { predictor, confidence, seed, signal, evaluations = defaultEvaluations } = options;
  const archive = createArchive(options, macsMerit);
  const coverage = coverageOfConfidence(confidence);
  let nDone = 0;
  const evaluate = async (texts: readonly string[]) => {
    stopWhenAborted(signal);
    nDone += texts.length;
    options.onProgress?.(nDone, evaluations, "networks");
    const table: CandidateTable = tableByMacs(space, texts);
    const predictions = await predictor.predict(table.features, { coverage });
    archive.add(table, predictions);
    return {
      merit: table.merit,
      upperMs: predictions.upperMs,
      isTrusted: predictions.withinKnownRange.map(
        (isKnown, row) => isKnown & (table.features.connected[row] ?? 0),
      ),
    };
  };
  const nUnconstrained = Math.round(evaluations * unconstrainedShare);
  await evolve(space, evaluate, {
    seed,
    budgets: [
      { budgetMs: Number.POSITIVE_INFINITY, evaluations: nUnconstrained },
      { budgetMs: options.budgetMs, evaluations: evaluations - nUnconstrained },
    ],
  });
  return resultOf(options, archive, {
    space: space.name,
    merit: macsMerit,
    method: "evolution",
    startedMs,
  });
}

/** Where to look: in the networks of an accuracy table, or by MACs in a whole space. */
export interface SearchPlace {
  /** Name of a space; default that of the table, else NAS-Bench-201. Of a table's networks only those of it. */
  readonly space?: string | undefined;
  readonly accuracies?: AccuracyTable | undefined;
  /** As for `searchSpace`. */
  readonly evaluations?: number | undefined;
}

/**
 * Networks of a place that is small enough to look at all of them; undefined where it is not.
 *
 * @throws InputError on an unknown space, or a table without networks of it
 */
export function listOfPlace({ space, accuracies }: SearchPlace): Candidates | undefined {
  const only = space === undefined ? undefined : spaceNamed(space);
  if (accuracies === undefined) return allByMacs(only ?? spaces[0]);
  const chosen = only === undefined ? accuracies : accuraciesOfSpace(accuracies, only);
  return candidatesWithAccuracies(chosen);
}

/**
 * The best networks of a place: all of a table or of a small space are looked at, others are evolved.
 *
 * @throws as `listOfPlace` and `searchCandidates`
 */
export async function searchPlace(
  place: SearchPlace,
  options: SearchOptions,
): Promise<SearchResult> {
  check(options);
  const list = listOfPlace(place);
  if (list !== undefined) return searchCandidates(list, options);
  const { space, evaluations } = place;
  return searchSpace(spaceNamed(space!), {
    ...options,
    ...(evaluations === undefined ? {} : { evaluations }),
  });
}
