import { describe, expect, test } from "vitest";
import { type ScoredUnit, summariseTargets, summariseTasks } from "./transfer-summary.js";

const settings = { protocol: "all", samples: 10, select: "random" } as const;

function unit(target: string, trial: number, values: Partial<ScoredUnit> = {}): ScoredUnit {
  return {
    task: "ND",
    predictor: "p",
    target,
    trial,
    ...settings,
    isDesigned: false,
    spearman: 0.9,
    kendall: 0.8,
    withinFivePercent: 0.4,
    withinTenPercent: 0.6,
    mape: 0.1,
    coverage90: 0.9,
    intervalWidth: 0.3,
    intervalScore: 0.4,
    mapeConnected: 0.1,
    withinTenPercentConnected: 0.6,
    nUnconnected: 341,
    nTest: 15615,
    targetLatenciesRead: 10,
    trainS: 1,
    adaptMs: 10,
    predictPerS: 1e6,
    ...values,
  };
}

const units = [
  unit("a", 0, { spearman: 0.8, adaptMs: 100, withinTenPercent: 0.5 }),
  unit("a", 1, { spearman: 0.9, adaptMs: 10, withinTenPercent: 0.7 }),
  unit("a", 2, { spearman: 1, adaptMs: 12, withinTenPercent: 0.6 }),
  unit("b", 0, { spearman: 0.4, coverage90: 0.7 }),
  unit("b", 1, { spearman: 0.5, coverage90: 0.7 }),
  unit("b", 2, { spearman: 0.6, coverage90: 0.7 }),
];

describe("summariseTargets()", () => {
  test("gives means over trials and their spread, medians of times", () => {
    const [a, b] = summariseTargets(units);
    expect(a).toMatchObject({ task: "ND", predictor: "p", target: "a", trials: 3, ...settings });
    expect(a!.spearman).toBeCloseTo(0.9, 12);
    expect(a!.spearmanSd).toBeCloseTo(0.1, 12);
    expect(a!.withinTenPercentSd).toBeCloseTo(0.1, 12);
    expect(a!.adaptMs).toBe(12);
    expect(b!.spearman).toBeCloseTo(0.5, 12);
  });

  test("has no spread for one trial", () => {
    expect(summariseTargets(units.slice(0, 1))[0]!.spearmanSd).toBe(0);
  });
});

describe("summariseTasks()", () => {
  test("gives means over targets, however many trials each has", () => {
    const [summary] = summariseTasks(units.slice(0, 5));
    expect(summary).toMatchObject({ nTargets: 2, trials: 2, coverage90Lowest: 0.7 });
    expect(summary!.spearman).toBeCloseTo((0.9 + 0.45) / 2, 12);
    expect(summary!.spearmanSd).toBeCloseTo((0.1 + 0.1 / Math.SQRT2) / 2, 12);
    // Means over both targets: 0.6 and 0.7; the third trial is not complete.
    expect(summary!.meanSpearmanSd).toBeCloseTo(0.1 / Math.SQRT2, 12);
  });

  test("keeps tasks, predictors and settings apart", () => {
    const others = [
      unit("a", 0, { predictor: "q" }),
      unit("a", 0, { task: "N1" }),
      unit("a", 0, { samples: 20 }),
      unit("a", 0, { select: "designed" }),
    ];
    const summaries = summariseTasks([...units, ...others]);
    const named = summaries.map(({ task, predictor, samples, select }) =>
      [task, predictor, samples, select].join(" "),
    );
    expect(named).toEqual([
      "ND p 10 random",
      "ND q 10 random",
      "N1 p 10 random",
      "ND p 20 random",
      "ND p 10 designed",
    ]);
  });
});
