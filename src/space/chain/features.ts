/**
 * Feature tables of chains: the same numbers as `featuresOfGraphs` of the full networks, from one analysis of each
 * distinct part.
 *
 * That holds where a part has neither dead operators nor two that compute the same or are launched together, which is
 * checked: then every rewrite semantics executes all of its operators, or all that are left when it fuses, and since all
 * paths go through the tensors between parts, the longest and the heaviest path are the sums of those of the parts.
 * Nothing is fused or copied between parts, because each ends with a convolution or what it takes along, and none begins
 * with an activation.
 */
import { InternalError } from "../../errors.js";
import { partsOfSemantics } from "../../graph/analysis.js";
import { featuresOfGraphs } from "../../graph/feature-table.js";
import {
  type FeatureTable,
  forEachSemantics,
  fusedSemantics,
  type OperatorSignature,
  type RewriteSemantics,
  rewriteSemantics,
  unfusedSemantics,
} from "../../graph/features.js";
import { networkFromChain } from "./network.js";
import type { ChainPart } from "./part.js";

/** What a part adds to a row. */
interface Contribution {
  readonly signatures: readonly OperatorSignature[];
  /** How often each signature runs. */
  readonly counts: Float32Array;
  /** The same where operators are fused. */
  readonly fusedCounts: Float32Array;
  readonly longestPath: number;
  readonly heaviestPath: number;
}

type PartFeatures = Pick<FeatureTable, "counts" | "longestPath" | "heaviestPath">;

function isEqualUnderAll({ counts, longestPath, heaviestPath }: PartFeatures): boolean {
  const areEqual = (
    values: PartFeatures["counts"],
    [first, ...others]: readonly RewriteSemantics[],
  ) =>
    others.every((semantics) => values[semantics].every((value, i) => value === values[first!][i]));
  return (
    areEqual(counts, unfusedSemantics) &&
    areEqual(counts, fusedSemantics) &&
    areEqual(longestPath, rewriteSemantics) &&
    areEqual(heaviestPath, rewriteSemantics)
  );
}

function analyse(part: ChainPart, foldBatchNorm: boolean): Contribution {
  const graph = networkFromChain("part", [{ name: "part", part }], { foldBatchNorm });
  const table = featuresOfGraphs([{ id: "part", graph }]);
  const { signatures, counts, longestPath, heaviestPath, connected } = table;
  if (!isEqualUnderAll(table) || connected[0] !== 1) {
    throw new InternalError("a part of a chain has operators that some runtimes do not execute");
  }
  return {
    signatures,
    counts: counts.all,
    fusedCounts: counts["both+fused"],
    longestPath: longestPath.all[0]!,
    heaviestPath: heaviestPath.all[0]!,
  };
}

/** Contributions of parts analysed so far, with batch norms folded and kept. */
const analysed = {
  folded: new WeakMap<ChainPart, Contribution>(),
  kept: new WeakMap<ChainPart, Contribution>(),
};

function contributionOf(part: ChainPart, foldBatchNorm: boolean): Contribution {
  const known = foldBatchNorm ? analysed.folded : analysed.kept;
  const contribution = known.get(part) ?? analyse(part, foldBatchNorm);
  known.set(part, contribution);
  return contribution;
}

/** Rows of a table of chains. */
export interface ChainRows {
  readonly ids: readonly string[];
  /** For each row its parts; a part that occurs often is the same object. */
  readonly parts: readonly (readonly ChainPart[])[];
  readonly encoding: NonNullable<FeatureTable["encoding"]>;
  /** As for `networkFromChain`. */
  readonly foldBatchNorm: boolean;
}

/**
 * Features of chains, equal to `featuresOfGraphs` of their graphs. All semantics have the same paths and, save for those
 * that fuse, the same matrix of counts, as the same arrays.
 */
export function featuresOfChains({ ids, parts, encoding, foldBatchNorm }: ChainRows): FeatureTable {
  const contributions = new Map<ChainPart, Contribution>();
  for (const row of parts) {
    for (const part of row) {
      if (!contributions.has(part)) contributions.set(part, contributionOf(part, foldBatchNorm));
    }
  }
  const known = new Map<string, OperatorSignature>();
  for (const contribution of contributions.values()) {
    for (const signature of contribution.signatures) known.set(signature.key, signature);
  }
  const signatures = [...known.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  const column = new Map(signatures.map(({ key }, i) => [key, i]));
  const columns = new Map(
    Array.from(contributions, ([part, contribution]) => [
      part,
      Int32Array.from(contribution.signatures, ({ key }) => column.get(key)!),
    ]),
  );
  const width = signatures.length;
  const counts = new Float32Array(parts.length * width);
  const fusedCounts = new Float32Array(parts.length * width);
  const longestPath = new Float32Array(parts.length);
  const heaviestPath = new Float32Array(parts.length);
  parts.forEach((row, i) => {
    for (const part of row) {
      const contribution = contributions.get(part)!;
      const places = columns.get(part)!;
      for (let j = 0; j < places.length; j++) {
        counts[i * width + places[j]!]! += contribution.counts[j]!;
        fusedCounts[i * width + places[j]!]! += contribution.fusedCounts[j]!;
      }
      longestPath[i]! += contribution.longestPath;
      heaviestPath[i]! += contribution.heaviestPath;
    }
  });
  return {
    ids,
    signatures,
    counts: forEachSemantics((semantics) =>
      partsOfSemantics(semantics).sharing === "fused" ? fusedCounts : counts,
    ),
    longestPath: forEachSemantics(() => longestPath),
    heaviestPath: forEachSemantics(() => heaviestPath),
    connected: new Uint8Array(parts.length).fill(1),
    encoding,
  };
}
