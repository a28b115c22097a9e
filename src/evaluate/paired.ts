/**
 * Whether one way is better than another: scores of the same trials on the same targets, compared in pairs.
 *
 * Trials of a target are not independent tests, and siblings are alike: the runtime family is what was drawn. So
 * differences are averaged to one number a family, and Student's interval is taken over families.
 */
import { ShapeError } from "../errors.js";
import { mean, standardDeviation, studentTQuantile } from "../tensor/stats.js";

/** Scores of a target's trials, in the order of the trials. */
export interface TrialScores {
  readonly platformId: string;
  readonly family: string;
  readonly values: readonly number[];
}

/** Mean over families of a score's difference. */
export interface PairedDifference {
  readonly mean: number;
  /** 95 % interval; infinite with fewer than two families. */
  readonly lower: number;
  readonly upper: number;
  readonly nFamilies: number;
  readonly nTargets: number;
  readonly nPairs: number;
}

const intervalCoverage = 0.95;

/**
 * How much higher scores of `a` are than those of `b` on the targets that both have.
 *
 * @throws ShapeError when a target has not the same trials in both
 */
export function pairedDifference(
  a: readonly TrialScores[],
  b: readonly TrialScores[],
): PairedDifference {
  const byFamily = new Map<string, number[]>();
  let nPairs = 0;
  let nTargets = 0;
  for (const { platformId, family, values } of a) {
    const other = b.find((candidate) => candidate.platformId === platformId);
    if (other === undefined) continue;
    if (other.values.length !== values.length) {
      throw new ShapeError(
        `${platformId} has ${values.length} trials on one side and ${other.values.length} on the other`,
      );
    }
    const differences = values.map((value, trial) => value - other.values[trial]!);
    byFamily.set(family, [...(byFamily.get(family) ?? []), mean(differences)]);
    nPairs += values.length;
    nTargets++;
  }
  const families = [...byFamily.values()].map(mean);
  const counts = { nFamilies: families.length, nTargets, nPairs };
  if (families.length === 0) {
    return { mean: Number.NaN, lower: -Infinity, upper: Infinity, ...counts };
  }
  const centre = mean(families);
  const half =
    families.length < 2
      ? Infinity
      : (studentTQuantile((1 + intervalCoverage) / 2, families.length - 1) *
          standardDeviation(families)) /
        Math.sqrt(families.length);
  return { mean: centre, lower: centre - half, upper: centre + half, ...counts };
}

/** What a difference says of the claim that it is greater than 0. */
export type Verdict = "holds" | "the opposite holds" | "does not hold" | "undecided" | "untested";

/** With fewer families an interval over them says next to nothing. */
const leastFamilies = 3;

/**
 * Decide a claim by its difference's interval.
 *
 * @param leastGain - a difference that is worth claiming, greater than 0: an interval that lies below it, around 0, says
 *   that there is no such gain
 */
export function verdictOf(
  { lower, upper, nFamilies }: PairedDifference,
  leastGain: number,
): Verdict {
  if (nFamilies < leastFamilies) return "untested";
  if (lower > 0) return "holds";
  if (upper < 0) return "the opposite holds";
  return upper < leastGain ? "does not hold" : "undecided";
}
