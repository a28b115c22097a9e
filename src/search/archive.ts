/**
 * What a search keeps of the networks it has looked at: the front, the best of several kinds, and counts. It is given
 * networks in batches and holds few of them, so that a search may look at millions.
 *
 * Networks outside the predictor's known range are kept apart: they answer only where no known network was looked at.
 * Ranked by MACs, networks without a path from input to output are left out: they compute a constant.
 */
import { probabilityWithin } from "../predict/intervals.js";
import type { Predictions } from "../predict/predictor.js";
import type { Candidate, Merit, SearchResult } from "../record/search.js";
import { normalCdf } from "../tensor/distributions.js";
import { normalQuantile } from "../tensor/stats.js";
import { formatMs } from "../units.js";
import type { CandidateTable } from "./candidates.js";
import { paretoFront } from "./pareto.js";

/** What is asked of a search. */
export interface Budget {
  readonly budgetMs: number;
  /** Of the one-sided bound that must be within the budget: above 0.5 and below 1. */
  readonly confidence: number;
  /** Networks that were measured, by id: their bound is the measurement's, whatever is predicted. */
  readonly measured?: ReadonlyMap<string, MeasuredLatency> | undefined;
  /** Whether a measured winner is preferred to a better one that is only predicted. */
  readonly prefersMeasured?: boolean | undefined;
}

/** A measured latency and its doubt. */
export interface MeasuredLatency {
  readonly latencyMs: number;
  /** Standard deviation over the latency; measurements are log-normal. */
  readonly relativeSd: number;
}

/** What a budget is held against: the measurement's upper bound where there is one, else the prediction's. */
export const boundOf = ({ upperMs, measuredUpperMs }: Candidate): number =>
  measuredUpperMs ?? upperMs;

/** Networks of one standing: all within the known range, or all outside of it. */
interface Kept {
  n: number;
  nFeasible: number;
  nPossible: number;
  front: Candidate[];
  bestFeasible: Candidate | null;
  bestMeasured: Candidate | null;
  bestUncertain: Candidate | null;
  /** Of the smallest upper bound. */
  fastest: Candidate | null;
}

const nothingKept = (): Kept => ({
  n: 0,
  nFeasible: 0,
  nPossible: 0,
  front: [],
  bestFeasible: null,
  bestMeasured: null,
  bestUncertain: null,
  fastest: null,
});

const byMerit = (a: Candidate, b: Candidate) => b.merit - a.merit || boundOf(a) - boundOf(b);
const byBound = (a: Candidate, b: Candidate) => boundOf(a) - boundOf(b) || b.merit - a.merit;

/** The better of what is kept and another; what is kept stays when equal. */
function better(
  kept: Candidate | null,
  other: Candidate | null,
  order: (a: Candidate, b: Candidate) => number,
): Candidate | null {
  if (kept === null || other === null) return kept ?? other;
  return order(other, kept) < 0 ? other : kept;
}

/** Everything about an answer that follows from the networks looked at. */
export type Found = Pick<
  SearchResult,
  | "nEvaluated"
  | "nFeasible"
  | "nPossible"
  | "winner"
  | "bestUncertain"
  | "bestUnconstrained"
  | "bestOutside"
  | "front"
  | "reasons"
>;

export interface Archive {
  add(table: CandidateTable, predictions: Predictions): void;
  found(): Found;
}

const rounded = (merit: number): number => Number(merit.toPrecision(4));

const nNetworks = (n: number): string => `${n} ${n === 1 ? "network" : "networks"}`;

/** An archive with nothing in it. */
export function createArchive(
  { budgetMs, confidence, measured = new Map(), prefersMeasured = false }: Budget,
  { unit }: Pick<Merit, "unit">,
): Archive {
  const known = nothingKept();
  const unknown = nothingKept();
  let bestUnconstrained: Candidate | null = null;
  let nUnconnected = 0;

  const boundSds = normalQuantile(confidence);

  /** Latencies and bounds that the budget is held against, one entry a row. */
  function heldOf({ ids }: CandidateTable["features"], predictions: Predictions) {
    const { latencyMs, lowerMs, upperMs } = predictions;
    if (measured.size === 0) return { latencyMs, lowerMs, upperMs };
    const held = {
      latencyMs: latencyMs.slice(),
      lowerMs: lowerMs.slice(),
      upperMs: upperMs.slice(),
    };
    ids.forEach((id, row) => {
      const one = measured.get(id);
      if (one === undefined) return;
      const factor = Math.exp(boundSds * one.relativeSd);
      held.latencyMs[row] = one.latencyMs;
      held.lowerMs[row] = one.latencyMs / factor;
      held.upperMs[row] = one.latencyMs * factor;
    });
    return held;
  }

  /** Probability that a measured network is within the budget. */
  function measuredWithin({ latencyMs, relativeSd }: MeasuredLatency): number {
    if (relativeSd === 0) return latencyMs <= budgetMs ? 1 : 0;
    return normalCdf(Math.log(budgetMs / latencyMs) / relativeSd);
  }

  function keep(kept: Kept, table: CandidateTable, predictions: Predictions, rows: Int32Array) {
    const { features, merit } = table;
    const { latencyMs, lowerMs, upperMs } = heldOf(features, predictions);
    const candidateOf = (row: number): Candidate => {
      const id = features.ids[row]!;
      const one = measured.get(id);
      return {
        id,
        network: table.written(row),
        latencyMs: predictions.latencyMs[row]!,
        lowerMs: predictions.lowerMs[row]!,
        upperMs: predictions.upperMs[row]!,
        merit: merit[row]!,
        withinBudget: one ? measuredWithin(one) : probabilityWithin(predictions, row, budgetMs),
        withinKnownRange: predictions.withinKnownRange[row] === 1,
        ...(one === undefined
          ? {}
          : {
              measuredMs: one.latencyMs,
              measuredLowerMs: lowerMs[row]!,
              measuredUpperMs: upperMs[row]!,
            }),
      };
    };
    const best = { feasible: -1, measured: -1, uncertain: -1, unconstrained: -1, fastest: -1 };
    const isBetter = (row: number, than: number) =>
      than < 0 ||
      merit[row]! > merit[than]! ||
      (merit[row]! === merit[than]! && upperMs[row]! < upperMs[than]!);
    for (const row of rows) {
      if (isBetter(row, best.unconstrained)) best.unconstrained = row;
      if (best.fastest < 0 || upperMs[row]! < upperMs[best.fastest]!) best.fastest = row;
      if (lowerMs[row]! <= budgetMs) kept.nPossible++;
      if (upperMs[row]! <= budgetMs) {
        kept.nFeasible++;
        if (isBetter(row, best.feasible)) best.feasible = row;
        if (measured.has(features.ids[row]!) && isBetter(row, best.measured)) best.measured = row;
      } else if (latencyMs[row]! <= budgetMs && isBetter(row, best.uncertain)) best.uncertain = row;
    }
    kept.n += rows.length;
    const candidate = (row: number) => (row < 0 ? null : candidateOf(row));
    kept.bestFeasible = better(kept.bestFeasible, candidate(best.feasible), byMerit);
    kept.bestMeasured = better(kept.bestMeasured, candidate(best.measured), byMerit);
    kept.bestUncertain = better(kept.bestUncertain, candidate(best.uncertain), byMerit);
    kept.fastest = better(kept.fastest, candidate(best.fastest), byBound);
    bestUnconstrained = better(bestUnconstrained, candidate(best.unconstrained), byMerit);
    const before = kept.front;
    const news = paretoFront(upperMs, merit, rows);
    kept.front = paretoFront(
      [...before.map(boundOf), ...news.map((row) => upperMs[row]!)],
      [...before.map((one) => one.merit), ...news.map((row) => merit[row]!)],
    ).map((i) => before[i] ?? candidateOf(news[i - before.length]!));
  }

  const bestOutside = (kept: Kept): Candidate | null =>
    kept === known ? (unknown.bestFeasible ?? unknown.bestUncertain) : null;

  function reasonsOf(kept: Kept, winner: Candidate | null): string[] {
    const reasons: string[] = [];
    const sure = `${Number((confidence * 100).toFixed(2))} %`;
    if (known.n + unknown.n === 0) reasons.push("there was no network to choose from");
    else if (winner === null) {
      const { fastest } = kept;
      const bound = `the smallest one-sided bound is ${formatMs(boundOf(fastest!))}, of ${fastest!.id}`;
      if (kept.nPossible === 0) {
        reasons.push(
          `no network fits ${formatMs(budgetMs)}: even the lower bounds of all exceed it`,
        );
      } else if (kept.bestUncertain === null) {
        reasons.push(
          `no network is predicted to fit ${formatMs(budgetMs)}, though ${kept.nPossible} may: their lower bounds are within it`,
        );
      } else {
        reasons.push(
          `no network fits ${formatMs(budgetMs)} with ${sure} confidence, though some are predicted to`,
        );
      }
      reasons.push(bound);
    }
    const { bestFeasible } = kept;
    if (bestFeasible !== null && winner !== null && bestFeasible.id !== winner.id) {
      reasons.push(
        `${bestFeasible.id} is better (${rounded(bestFeasible.merit)} ${unit}) and within the budget with ${sure} confidence, but only predicted: measure it to know`,
      );
    }
    if (kept === unknown && unknown.n > 0) {
      reasons.push(
        "every network is outside the range that the predictor knows: these are extrapolations, measure before relying on them",
      );
    } else if (unknown.n > 0) {
      const other = bestOutside(kept);
      const isWanted = other !== null && (winner === null || byMerit(other, winner) < 0);
      reasons.push(
        `${nNetworks(unknown.n)} outside the range that the predictor knows: not chosen` +
          (isWanted
            ? `; ${other.id} might be the choice (${rounded(other.merit)} ${unit}): measure it to know`
            : ""),
      );
    }
    if (nUnconnected > 0) {
      reasons.push(
        `${nNetworks(nUnconnected)} without a path from input to output: left out, they answer the same whatever the input`,
      );
    }
    return reasons;
  }

  return {
    add(table, predictions) {
      const { ids, connected } = table.features;
      const rows: { known: number[]; unknown: number[] } = { known: [], unknown: [] };
      for (let row = 0; row < ids.length; row++) {
        if (connected[row] === 0) {
          nUnconnected++;
          continue;
        }
        // A measured network needs no prediction that can be relied on.
        const isKnown = predictions.withinKnownRange[row] === 1 || measured.has(ids[row]!);
        rows[isKnown ? "known" : "unknown"].push(row);
      }
      keep(known, table, predictions, Int32Array.from(rows.known));
      keep(unknown, table, predictions, Int32Array.from(rows.unknown));
    },
    found() {
      const kept = known.n > 0 || unknown.n === 0 ? known : unknown;
      const winner = (prefersMeasured ? kept.bestMeasured : null) ?? kept.bestFeasible;
      return {
        nEvaluated: known.n + unknown.n + nUnconnected,
        nFeasible: kept.nFeasible,
        nPossible: kept.nPossible,
        winner,
        bestUncertain: kept.bestUncertain,
        bestUnconstrained,
        bestOutside: bestOutside(kept),
        front: kept.front,
        reasons: reasonsOf(kept, winner),
      };
    },
  };
}
