import { describe, expect, test } from "vitest";
import { knownLatency, latencyOfRow } from "../../test/known-latency.js";
import { spaceNamed } from "./candidates.js";
import { type SearchOptions, searchCandidates } from "./search.js";
import { type Measured, networksToVerify, verifySearch } from "./verify.js";

const cells = spaceNamed("nasbench201");
const texts = Array.from({ length: 60 }, (_, i) => String(260 * i + 25));
const features = cells.features(texts);
const candidates = {
  space: "nasbench201",
  merit: { kind: "accuracy", source: "test", unit: "%" } as const,
  tables: [
    {
      features,
      // The slower, the better.
      merit: Float64Array.from(texts, (_, row) => 10 * Math.sqrt(latencyOfRow(features, row))),
      written: (row: number) => texts[row]!,
    },
  ],
};
const options: SearchOptions = {
  predictor: knownLatency({ deviation: 0.2 }),
  budgetMs: 2,
  confidence: 0.9,
  seed: 1,
};

/** What networks really take: a part of what is predicted. */
const truthOf = (factor: number) =>
  new Map(features.ids.map((id, row) => [id, factor * latencyOfRow(features, row)]));

async function verify(factor: number, count: number, failing: readonly string[] = []) {
  const truth = truthOf(factor);
  const rounds: string[][] = [];
  const first = await searchCandidates(candidates, options);
  const verified = await verifySearch(first, count, {
    async measure(asked) {
      rounds.push(asked.map(({ id }) => id));
      const usable = asked.filter(({ id }) => !failing.includes(id));
      return new Map(
        usable.map(({ id }) => [id, { latencyMs: truth.get(id)!, relativeSd: 0.005 }]),
      );
    },
    search: (measured: Measured, prefersMeasured) =>
      searchCandidates(candidates, { ...options, measured, prefersMeasured }),
  });
  return { first, rounds, truth, ...verified };
}

describe("networksToVerify()", () => {
  test("begins with the winner, then what promises most, none twice and none asked before", async () => {
    const first = await searchCandidates(candidates, options);
    const chosen = networksToVerify(first, 5);
    expect(chosen[0]).toEqual(first.winner);
    expect(new Set(chosen.map(({ id }) => id)).size).toBe(5);
    expect(chosen[1]!.merit).toBeGreaterThan(first.winner!.merit);
    const asked = new Set(chosen.slice(0, 2).map(({ id }) => id));
    expect(networksToVerify(first, 3, asked)).toEqual(networksToVerify(first, 5).slice(2));
  });
});

describe("verifySearch()", () => {
  test("measures in rounds, as many as asked for, and ends with a winner that was measured", async () => {
    const { rounds, result, truth, asked } = await verify(1, 5);
    expect(rounds.map(({ length }) => length)).toEqual([3, 1, 1]);
    expect(asked.map(({ id }) => id)).toEqual(rounds.flat());
    expect(result.winner!.measuredMs).toBe(truth.get(result.winner!.id));
    expect(result.winner!.measuredMs).toBeLessThanOrEqual(2);
  });

  test("finds a better network where all are faster than predicted", async () => {
    const { first, result } = await verify(0.8, 6);
    expect(result.winner!.merit).toBeGreaterThan(first.winner!.merit);
    expect(result.winner!.measuredMs).toBeLessThanOrEqual(2);
  });

  test("drops a winner that is slower than predicted", async () => {
    const { first, result, truth } = await verify(1.5, 8);
    expect(truth.get(first.winner!.id)).toBeGreaterThan(2);
    expect(result.winner?.id).not.toBe(first.winner!.id);
    if (result.winner?.measuredMs !== undefined) {
      expect(result.winner.measuredMs).toBeLessThanOrEqual(2);
    }
  });

  test("asks no network again that could not be measured", async () => {
    const { winner } = await searchCandidates(candidates, options);
    const { rounds, measured } = await verify(1, 5, [winner!.id]);
    expect(rounds.flat().filter((id) => id === winner!.id)).toHaveLength(1);
    expect(measured.size).toBe(4);
  });

  test("ends when there is nothing left to measure", async () => {
    const { asked, result } = await verify(1, 1000);
    expect(asked.length).toBeLessThan(texts.length + 1);
    expect(result.winner!.measuredMs).toBeDefined();
  });
});
