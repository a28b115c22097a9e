import { describe, expect, test } from "vitest";
import { ShapeError } from "../errors.js";
import { pairedDifference, type TrialScores, verdictOf } from "./paired.js";

const scores = (platformId: string, family: string, ...values: number[]): TrialScores => ({
  platformId,
  family,
  values,
});

describe("pairedDifference()", () => {
  test("averages trials to targets, targets to families, families to one number", () => {
    const a = [
      scores("a1", "a", 0.5, 0.7),
      scores("a2", "a", 0.9, 0.9),
      scores("b1", "b", 0.4, 0.4),
      scores("c1", "c", 0.3, 0.3),
    ];
    const b = a.map(({ platformId, family, values }) => ({
      platformId,
      family,
      // Differences of 0.2, 0.4 (one family: 0.3), 0.1 and 0.2.
      values: values.map((value) => value - { a1: 0.2, a2: 0.4, b1: 0.1, c1: 0.2 }[platformId]!),
    }));
    const difference = pairedDifference(a, b);
    expect(difference).toMatchObject({ nFamilies: 3, nTargets: 4, nPairs: 8 });
    expect(difference.mean).toBeCloseTo(0.2);
    // Student's t with 2 degrees of freedom is 4.303; sd of 0.3, 0.1, 0.2 is 0.1.
    expect(difference.upper - difference.mean).toBeCloseTo((4.3027 * 0.1) / Math.sqrt(3), 4);
  });

  test("takes targets that both have, and knows nothing of one family's spread", () => {
    const a = [scores("a1", "a", 1), scores("b1", "b", 1)];
    const difference = pairedDifference(a, [scores("a1", "a", 0.5)]);
    expect(difference).toMatchObject({ mean: 0.5, nTargets: 1, lower: -Infinity, upper: Infinity });
    expect(pairedDifference(a, []).mean).toBeNaN();
  });

  test("refuses targets with other trials", () => {
    expect(() => pairedDifference([scores("a", "a", 1, 2)], [scores("a", "a", 1)])).toThrow(
      ShapeError,
    );
  });
});

describe("verdictOf()", () => {
  const difference = (lower: number, upper: number, nFamilies = 5) => ({
    mean: (lower + upper) / 2,
    lower,
    upper,
    nFamilies,
    nTargets: nFamilies,
    nPairs: 10,
  });
  test.each([
    [0.001, 0.02, "holds"],
    [-0.02, -0.001, "the opposite holds"],
    [-0.004, 0.009, "does not hold"],
    [-0.004, 0.02, "undecided"],
  ])("an interval from %s to %s: %s", (lower, upper, verdict) => {
    expect(verdictOf(difference(lower, upper), 0.01)).toBe(verdict);
  });

  test("too few families decide nothing", () => {
    expect(verdictOf(difference(0.1, 0.2, 2), 0.01)).toBe("untested");
  });
});
