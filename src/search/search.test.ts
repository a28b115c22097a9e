import { describe, expect, test } from "vitest";
import { knownLatency, latencyOfRow } from "../../test/known-latency.js";
import { InputError, InterruptedError } from "../errors.js";
import { probabilityWithin } from "../predict/intervals.js";
import { searchResultSchema } from "../record/search.js";
import { createRandom } from "../tensor/random.js";
import { accuraciesFromCsv } from "./accuracy.js";
import { boundOf } from "./archive.js";
import { allByMacs, type Candidates, megaMacsOf, spaceNamed } from "./candidates.js";
import { type SearchOptions, searchCandidates, searchPlace, searchSpace } from "./search.js";

const cells = spaceNamed("nasbench201");
const fbnet = spaceNamed("fbnet");
const predictor = knownLatency();
const options: SearchOptions = { predictor, budgetMs: 3, confidence: 0.9, seed: 1 };
const everything = allByMacs(cells)!;

/** Some cells with merits of one's own. */
function listed(texts: readonly string[], merits: readonly number[]): Candidates {
  const features = cells.features(texts);
  return {
    space: "nasbench201",
    merit: { kind: "accuracy", source: "test", unit: "%" },
    tables: [
      { features, merit: Float64Array.from(merits), written: (row) => cells.written(texts[row]!) },
    ],
  };
}

// From fast to slow.
const three = ["25", "1462", "11718"] as const;
const latenciesMs = three.map((_, row) => latencyOfRow(cells.features(three), row));

describe("searchCandidates()", () => {
  test("finds the best merit whose upper bound is within the budget, as comparing all does", async () => {
    const result = await searchCandidates(everything, options);
    const { features, merit } = everything.tables[0]!;
    const { upperMs } = await predictor.predict(features, { coverage: 0.8 });
    let best = -1;
    features.ids.forEach((_, row) => {
      if (features.connected[row] === 0 || upperMs[row]! > 3) return;
      if (best < 0 || merit[row]! > merit[best]!) best = row;
      else if (merit[row] === merit[best] && upperMs[row]! < upperMs[best]!) best = row;
    });
    expect(result.winner).toMatchObject({ id: features.ids[best], merit: merit[best] });
    expect(result.winner!.upperMs).toBeLessThanOrEqual(3);
    expect(searchResultSchema.parse(JSON.parse(JSON.stringify(result)))).toEqual(result);
    expect(result).toMatchObject({ method: "exhaustive", nEvaluated: 15_625, coverage: 0.8 });
    expect(result.front).toContainEqual(result.winner);
    expect(result.reasons).toEqual([expect.stringMatching(/^341 networks without a path/)]);
  });

  test("the front rises in bound and in merit", async () => {
    const { front } = await searchCandidates(everything, options);
    expect(front.length).toBeGreaterThan(10);
    for (let i = 1; i < front.length; i++) {
      expect(front[i]!.upperMs).toBeGreaterThan(front[i - 1]!.upperMs);
      expect(front[i]!.merit).toBeGreaterThan(front[i - 1]!.merit);
    }
  });

  test("how sure is the confidence at which the bound is the budget", async () => {
    const table = cells.features(three);
    for (const confidence of [0.6, 0.9, 0.99]) {
      const predictions = await predictor.predict(table, { coverage: 2 * confidence - 1 });
      expect(probabilityWithin(predictions, 1, predictions.upperMs[1]!)).toBeCloseTo(confidence, 9);
      expect(probabilityWithin(predictions, 1, predictions.lowerMs[1]!)).toBeCloseTo(
        1 - confidence,
        9,
      );
      expect(probabilityWithin(predictions, 1, predictions.latencyMs[1]!)).toBeCloseTo(0.5, 9);
    }
  });

  test("says what certainty costs and what the budget costs", async () => {
    // The second is predicted to fit but not for sure, the third is too slow.
    const budgetMs = latenciesMs[1]! * 1.01;
    const result = await searchCandidates(listed(three, [50, 60, 70]), { ...options, budgetMs });
    expect(result.winner).toMatchObject({ id: "nasbench201/25", merit: 50 });
    expect(result.bestUncertain).toMatchObject({ id: "nasbench201/1462", merit: 60 });
    expect(result.bestUncertain!.withinBudget).toBeGreaterThan(0.5);
    expect(result.bestUncertain!.withinBudget).toBeLessThan(0.9);
    expect(result.bestUnconstrained).toMatchObject({ id: "nasbench201/11718", merit: 70 });
    expect(result).toMatchObject({ nFeasible: 1, nPossible: 2 });
  });

  test.each([
    ["some are predicted to fit", 1.02, { nPossible: 1 }, /though some are predicted to$/],
    ["some lower bounds fit", 0.95, { nPossible: 1 }, /though 1 may: their lower bounds/],
    ["nothing can fit", 0.5, { nPossible: 0 }, /even the lower bounds of all exceed it$/],
  ])("has no winner where %s, and says so", async (_, factor, counts, reason) => {
    const budgetMs = latenciesMs[0]! * factor;
    const result = await searchCandidates(listed(three, [50, 60, 70]), { ...options, budgetMs });
    expect(result).toMatchObject({ winner: null, nFeasible: 0, ...counts });
    expect(result.reasons[0]).toMatch(reason);
    expect(result.reasons[1]).toMatch(/^the smallest one-sided bound is .*, of nasbench201\/25$/);
    expect(result.bestUncertain === null).toBe(factor < 1);
  });

  test("of equal merit the smaller bound wins", async () => {
    const { winner, front } = await searchCandidates(listed(three.toReversed(), [60, 60, 60]), {
      ...options,
      budgetMs: 100,
    });
    expect(winner!.id).toBe("nasbench201/25");
    expect(front).toHaveLength(1);
  });

  test("networks that were measured are held against their measurement", async () => {
    const budgetMs = latenciesMs[1]! * 1.01;
    const candidates = listed(three, [50, 60, 70]);
    const measured = new Map([
      ["nasbench201/1462", { latencyMs: budgetMs * 0.99, relativeSd: 0.001 }],
    ]);
    const { winner } = await searchCandidates(candidates, { ...options, budgetMs, measured });
    expect(winner).toMatchObject({ id: "nasbench201/1462", measuredMs: budgetMs * 0.99 });
    expect(winner!.upperMs).toBeGreaterThan(budgetMs);
    expect(boundOf(winner!)).toBeLessThan(budgetMs);
    expect(winner!.withinBudget).toBeGreaterThan(0.999);
    const tooSlow = new Map([["nasbench201/25", { latencyMs: budgetMs * 1.1, relativeSd: 0 }]]);
    const without = await searchCandidates(candidates, { ...options, budgetMs, measured: tooSlow });
    expect(without.winner).toBeNull();
  });

  test("a measured winner is preferred where that is asked for, and the better one named", async () => {
    const measured = new Map([["nasbench201/25", { latencyMs: 0.2, relativeSd: 0.01 }]]);
    const held = { ...options, budgetMs: 100, measured, prefersMeasured: true };
    const { winner, reasons } = await searchCandidates(listed(three, [50, 60, 70]), held);
    expect(winner!.id).toBe("nasbench201/25");
    expect(reasons).toEqual([
      expect.stringMatching(/^nasbench201\/11718 is better \(70 %\) .* but only predicted/),
    ]);
  });

  test("networks outside the known range answer only where there are no others", async () => {
    const stranger = knownLatency({ isKnown: false });
    const alone = await searchCandidates(everything, { ...options, predictor: stranger });
    expect(alone.winner).toMatchObject({ withinKnownRange: false });
    expect(alone.reasons[0]).toMatch(/^every network is outside the range/);
    const mixed = { ...knownLatency() };
    const { predict } = mixed;
    const last = three.length - 1;
    mixed.predict = async (networks, asked) => {
      const predictions = await predict(networks, asked);
      predictions.withinKnownRange[last] = 0;
      return predictions;
    };
    const held = { ...options, predictor: mixed, budgetMs: 100 };
    const result = await searchCandidates(listed(three, [50, 60, 70]), held);
    expect(result.winner!.id).toBe("nasbench201/1462");
    expect(result.bestOutside!.id).toBe("nasbench201/11718");
    expect(result.front.map(({ id }) => id)).not.toContain("nasbench201/11718");
    expect(result.reasons).toEqual([
      "1 network outside the range that the predictor knows: not chosen; nasbench201/11718 might be the choice (70 %): measure it to know",
    ]);
  });

  test("without a path from input to output a network is no candidate, by MACs or by an accuracy", async () => {
    const unconnected = everything.tables[0]!.features.connected.indexOf(0);
    const text = String(unconnected);
    const features = cells.features([text]);
    const byMacs = {
      ...everything,
      tables: [{ features, merit: megaMacsOf(features), written: () => text }],
    };
    for (const candidates of [byMacs, listed([text], [99])]) {
      const result = await searchCandidates(candidates, options);
      expect(result).toMatchObject({ winner: null, front: [], nEvaluated: 1 });
      expect(result.reasons).toEqual([
        "there was no network to choose from",
        expect.stringMatching(/^1 network without a path/),
      ]);
    }
  });

  test.each([
    [{ budgetMs: 0 }, "a budget must be"],
    [{ budgetMs: Number.NaN }, "a budget must be"],
    [{ budgetMs: Number.POSITIVE_INFINITY }, "a budget must be"],
    [{ confidence: 0.5 }, "a confidence must be above 0.5"],
    [{ confidence: 1 }, "a confidence must be above 0.5"],
  ])("refuses %j", async (wrong, message) => {
    const asked = searchCandidates(everything, { ...options, ...wrong });
    await expect(asked).rejects.toThrow(InputError);
    await expect(asked).rejects.toThrow(message);
  });
});

describe("searchSpace()", () => {
  const small = { ...options, evaluations: 4000 };

  test("finds by evolution what looking at all of a small space finds", async () => {
    const all = await searchCandidates(everything, options);
    const evolved = await searchSpace(cells, small);
    // Some cells run the very same operators: which of these it comes upon is chance.
    expect(evolved.winner).toEqual({
      ...all.winner,
      id: evolved.winner!.id,
      network: evolved.winner!.network,
    });
    expect(evolved.bestUnconstrained!.merit).toBe(all.bestUnconstrained!.merit);
    expect(evolved).toMatchObject({ method: "evolution", nEvaluated: 4000 });
  });

  test("the same seed gives the same answer", async () => {
    const budget = { ...small, budgetMs: 2.5, evaluations: 2000 };
    const [first, again] = [await searchSpace(fbnet, budget), await searchSpace(fbnet, budget)];
    expect({ ...again, durationMs: 0 }).toEqual({ ...first, durationMs: 0 });
    expect(first.winner!.upperMs).toBeLessThanOrEqual(2.5);
    expect(first.nEvaluated).toBe(2000);
  });

  test("finds far more MACs within a budget than as many draws", async () => {
    const budget = { ...small, budgetMs: 2.5, evaluations: 3000 };
    const { winner } = await searchSpace(fbnet, budget);
    const dice = createRandom(1);
    const texts = Array.from({ length: 3000 }, () => fbnet.draw(dice));
    const features = fbnet.features(texts);
    const { upperMs } = await predictor.predict(features, { coverage: 0.8 });
    const merits = megaMacsOf(features).filter((_, row) => upperMs[row]! <= 2.5);
    expect(winner!.merit).toBeGreaterThan(Math.max(0, ...merits) * 1.05);
  });

  test("stops when it is aborted", async () => {
    const controller = new AbortController();
    const asked = searchSpace(fbnet, {
      ...small,
      signal: controller.signal,
      onProgress: (done) => {
        if (done > 1000) controller.abort();
      },
    });
    await expect(asked).rejects.toThrow(InterruptedError);
  });
});

describe("searchPlace()", () => {
  const accuracies = accuraciesFromCsv(`id,acc\n25,50\n1462,60\nfbnet/${"0".repeat(22)},70\n`, {
    source: "a.csv",
  });

  test("looks at the networks of a table, of all spaces or of one", async () => {
    const budget = { ...options, budgetMs: 1000 };
    const all = await searchPlace({ accuracies }, budget);
    expect(all).toMatchObject({ space: "nasbench201+fbnet", nEvaluated: 3, winner: { merit: 70 } });
    const ofOne = await searchPlace({ accuracies, space: "nasbench201" }, budget);
    expect(ofOne).toMatchObject({ space: "nasbench201", nEvaluated: 2, winner: { merit: 60 } });
  });

  test("without a table ranks a space by MACs: a small one whole, a large one by evolution", async () => {
    expect(await searchPlace({}, options)).toMatchObject({
      ...{ space: "nasbench201", method: "exhaustive" },
      merit: { kind: "macs", source: null, unit: "MMAC" },
    });
    expect(await searchPlace({ space: "ofa", evaluations: 300 }, options)).toMatchObject({
      ...{ space: "ofa", method: "evolution", nEvaluated: 300 },
    });
    await expect(searchPlace({ space: "resnet" }, options)).rejects.toThrow(
      'unknown search space "resnet"; known: nasbench201, fbnet, fbnet-imagenet, ofa',
    );
  });
});
