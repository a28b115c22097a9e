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

/** Which networks of a table are within the known range, and why the others are not. */
export function judgeRange(
  range: KnownRange,
  networks: FeatureTable,
): { withinKnownRange: Uint8Array; outsideReasons: Map<number, string> } {
  const n = networks.ids.length;
  const { signatures } = networks;
  const counts = networks.counts.all;
  const known = new Set(range.signatures);
  const unknown = Uint8Array.from(signatures, ({ key }) => (known.has(key) ? 0 : 1));
  const anyUnknown = unknown.includes(1);
  const groups = [...new Set(signatures.map(({ group }) => group))];
  const groupOf = Int32Array.from(signatures, ({ group }) => groups.indexOf(group));
  const limits = Float64Array.from(
    groups,
    (group) => countTolerance * (range.maxCountByGroup[group] ?? 0),
  );
  const withinKnownRange = new Uint8Array(n).fill(1);
  const outsideReasons = new Map<number, string>();
  const totals = new Float64Array(groups.length);
  for (let row = 0; row < n; row++) {
    const offset = row * signatures.length;
    const newOperators: string[] = [];
    totals.fill(0);
    for (let s = 0; s < signatures.length; s++) {
      const count = counts[offset + s]!;
      if (count === 0) continue;
      totals[groupOf[s]!]! += count;
      if (anyUnknown && unknown[s] === 1) newOperators.push(signatures[s]!.key);
    }
    if (newOperators.length > 0) {
      withinKnownRange[row] = 0;
      outsideReasons.set(row, `operators never learned from: ${listed(newOperators)}`);
      continue;
    }
    const excessive = groups.filter((_, g) => totals[g]! > limits[g]!);
    if (excessive.length > 0) {
      withinKnownRange[row] = 0;
      outsideReasons.set(
        row,
        `more than ${countTolerance} times as many as in any network learned from: ${listed(excessive)}`,
      );
    }
  }
  return { withinKnownRange, outsideReasons };
}
