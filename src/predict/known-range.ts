/**
 * What a predictor has seen: operators by signature, and how much of each group one network ran.
 *
 * Outside of it a prediction is an extrapolation and is marked so, with the operators or shapes that are new.
 */
import { z } from "zod";
import type { FeatureTable } from "../graph/features.js";

/** Plain JSON, part of every saved predictor. */
export const knownRangeSchema = z.object({
  /** Signature keys that some network learned from runs. */
  signatures: z.array(z.string()),
  /** The most operators of a group that one network learned from runs. */
  maxCountByGroup: z.record(z.string(), z.number()),
});
export type KnownRange = z.infer<typeof knownRangeSchema>;

/** Nothing seen yet. */
export const emptyRange: KnownRange = { signatures: [], maxCountByGroup: {} };

/** Latency adds up over operators, so a network with somewhat more of the known ones is still known. */
const countTolerance = 1.5;
const maxNamed = 3;

/** The range widened by networks of a table. */
export function widenRange(
  range: KnownRange,
  networks: FeatureTable,
  rows: Iterable<number>,
): KnownRange {
  const nSignatures = networks.signatures.length;
  const counts = networks.counts.all;
  const seen = new Uint8Array(nSignatures);
  const maxCountByGroup = { ...range.maxCountByGroup };
  for (const row of rows) {
    const totals: Record<string, number> = {};
    for (let s = 0; s < nSignatures; s++) {
      const count = counts[row * nSignatures + s]!;
      if (count === 0) continue;
      seen[s] = 1;
      const { group } = networks.signatures[s]!;
      totals[group] = (totals[group] ?? 0) + count;
    }
    for (const [group, total] of Object.entries(totals)) {
      maxCountByGroup[group] = Math.max(maxCountByGroup[group] ?? 0, total);
    }
  }
  const signatures = new Set(range.signatures);
  networks.signatures.forEach(({ key }, s) => {
    if (seen[s] === 1) signatures.add(key);
  });
  return { signatures: [...signatures].sort(), maxCountByGroup };
}

function listed(names: readonly string[]): string {
  const more = names.length - maxNamed;
  return names.slice(0, maxNamed).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** Judges rows of one table; what is outside is marked in `withinKnownRange` and explained in `outsideReasons`. */
export interface RangeJudge {
  readonly withinKnownRange: Uint8Array;
  readonly outsideReasons: Map<number, string>;
  judge(fromRow: number, toRow: number): void;
}

/** Prepare to judge the networks of a table, in as many steps as the caller likes. */
export function createRangeJudge(range: KnownRange, networks: FeatureTable): RangeJudge {
  const { signatures } = networks;
  const counts = networks.counts.all;
  const known = new Set(range.signatures);
  const unknown = Uint8Array.from(signatures, ({ key }) => (known.has(key) ? 0 : 1));
  const groups = [...new Set(signatures.map(({ group }) => group))];
  const groupOf = Int32Array.from(signatures, ({ group }) => groups.indexOf(group));
  const limits = Float64Array.from(
    groups,
    (group) => countTolerance * (range.maxCountByGroup[group] ?? 0),
  );
  const withinKnownRange = new Uint8Array(networks.ids.length).fill(1);
  const outsideReasons = new Map<number, string>();
  const totals = new Float64Array(groups.length);

  function reasonOf(row: number): string {
    const offset = row * signatures.length;
    const isNew = (_: unknown, s: number) => unknown[s] === 1 && counts[offset + s]! > 0;
    const newOperators = signatures.filter(isNew).map(({ key }) => key);
    if (newOperators.length > 0) return `operators never learned from: ${listed(newOperators)}`;
    const excessive = groups.filter((_, g) => totals[g]! > limits[g]!);
    return `more than ${countTolerance} times as many as in any network learned from: ${listed(excessive)}`;
  }

  return {
    withinKnownRange,
    outsideReasons,
    judge(fromRow, toRow) {
      for (let row = fromRow; row < toRow; row++) {
        const offset = row * signatures.length;
        let isOutside = false;
        totals.fill(0);
        for (let s = 0; s < signatures.length; s++) {
          const count = counts[offset + s]!;
          if (count === 0) continue;
          totals[groupOf[s]!]! += count;
          if (unknown[s] === 1) isOutside = true;
        }
        for (let g = 0; g < totals.length; g++) {
          if (totals[g]! > limits[g]!) isOutside = true;
        }
        if (!isOutside) continue;
        withinKnownRange[row] = 0;
        outsideReasons.set(row, reasonOf(row));
      }
    },
  };
}
