import { describe, expect, test } from "vitest";
import {
  additiveSemantics,
  learnPrior,
  type SourceFit,
  semanticsOfTarget,
} from "./additive-prior.js";

type Semantics = (typeof additiveSemantics)[number];

/** A source that follows one semantics. */
const source = (family: string, semantics: Semantics, removesDeadOperators = false): SourceFit => ({
  family,
  removesDeadOperators,
  coefficients: Float64Array.of(1, 0.5),
  coefficientSd: new Float64Array(2),
  semanticsWeight: Float64Array.from(additiveSemantics, (other) => Number(other === semantics)),
  noiseSd: 0.02,
  columnShare: Float64Array.of(1, 0.5),
});
const shareOf = (shares: readonly number[], semantics: Semantics) =>
  shares[additiveSemantics.indexOf(semantics)]!;
const sum = (shares: readonly number[]) => shares.reduce((total, share) => total + share, 0);

describe("semantics of a target", () => {
  const running = [source("a", "all"), source("b", "forward+fused")];
  const pruned = [source("c", "backward", true), source("d", "backward", true)];

  test("are not told by sources whose files hold no dead operators", () => {
    const { semantics } = learnPrior([...running, ...pruned]);
    expect(semantics).toEqual(learnPrior(running).semantics);
    expect(sum(semantics)).toBeCloseTo(1, 10);
    expect(shareOf(semantics, "backward")).toBeLessThan(0.1);
  });

  test("are told by them where nothing else is known", () => {
    const { semantics } = learnPrior(pruned);
    expect(shareOf(semantics, "backward")).toBeGreaterThan(0.3);
  });

  test("whose files hold none, is like those of the same kind", () => {
    const shares = semanticsOfTarget(learnPrior([...running, ...pruned]), true);
    expect(sum(shares)).toBeCloseTo(1, 10);
    expect(shareOf(shares, "backward")).toBeGreaterThan(0.5);
    expect(shareOf(shares, "all")).toBe(0);
    expect(shareOf(shares, "forward+fused")).toBe(0);
  });

  test("without any of its kind, is like the others without dead operators", () => {
    const shares = semanticsOfTarget(learnPrior(running), true);
    expect(shareOf(shares, "backward")).toBeCloseTo(shareOf(shares, "both+fused"), 10);
    expect(shareOf(shares, "backward")).toBeGreaterThan(3 * shareOf(shares, "both"));
  });

  test("of a predictor saved before that was known, are those that it may have", () => {
    const { prunedSemantics: _, ...older } = learnPrior([...running, ...pruned]);
    const shares = semanticsOfTarget(older, true);
    expect(shareOf(shares, "all")).toBe(0);
    expect(shareOf(shares, "backward")).toBe(shareOf(older.semantics, "backward"));
  });
});
