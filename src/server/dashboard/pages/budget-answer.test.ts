import { describe, expect, test } from "vitest";
import type { Networks } from "../parts/use-networks.js";
import { answerBudget, recommendable } from "./budget-answer.js";

const networks = {
  columns: {
    latencyMs: [1, 2, 3, 4, 0.1],
    lowerMs: [0.9, 1.8, 2.7, 3.6, 0.09],
    upperMs: [1.1, 2.2, 3.3, 4.4, 0.11],
    connected: [1, 1, 1, 1, 0],
  },
  merit: Float64Array.of(60, 70, 65, 80, 99),
} as unknown as Networks;

describe("answerBudget()", () => {
  const among = recommendable(networks);

  test("never recommends what has no path or no merit", () => {
    expect(Array.from(among)).toEqual([0, 1, 2, 3]);
    const merit = Float64Array.of(60, Number.NaN, 65, 80, 99);
    expect(Array.from(recommendable({ ...networks, merit }))).toEqual([0, 2, 3]);
  });

  test("holds the budget against the upper bound", () => {
    expect(answerBudget(networks, among, 2.1)).toEqual({
      winner: 0,
      bestUncertain: 1,
      bestUnconstrained: 3,
      fastest: 0,
      nFeasible: 1,
    });
    expect(answerBudget(networks, among, 3.5)).toMatchObject({ winner: 1, nFeasible: 3 });
  });

  test("has no winner below the fastest network's bound", () => {
    expect(answerBudget(networks, among, 1.05)).toMatchObject({
      winner: null,
      bestUncertain: 0,
      fastest: 0,
      nFeasible: 0,
    });
  });

  test("prefers the smaller bound of equally good ones", () => {
    const merit = Float64Array.of(70, 70, 70, 60, 0);
    expect(answerBudget({ ...networks, merit }, among, 10)).toMatchObject({ winner: 0 });
  });
});
