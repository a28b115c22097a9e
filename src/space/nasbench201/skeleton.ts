/**
 * Where the operators of NAS-Bench-201 networks stand in a feature table, and what its skeleton counts: what
 * `features.ts` puts the counts of stages together with.
 */
import { partsOfSemantics } from "../../graph/analysis.js";
import { signatureOf } from "../../graph/cost.js";
import { type OperatorSignature, unfusedSemantics } from "../../graph/features.js";
import { cellFromArchString } from "./cell.js";
import { requiredFlags } from "./liveness.js";
import { type NetworkOptions, networkFromCell, nStages } from "./network.js";
import { kinds, nKinds } from "./stage.js";

/** A cell that has every kind of operator. */
const everyKind = cellFromArchString(
  "|nor_conv_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|skip_connect~0|none~1|none~2|",
);

/** Names of `everyKind`'s operators in a stage's first cell, by kind. */
const nameOfKind: Readonly<Record<keyof typeof kinds, string>> = {
  identity: "edge03",
  relu: "edge01.relu",
  conv1x1: "edge02.conv",
  conv3x3: "edge01.conv",
  batchNorm: "edge01.conv.bn",
  averagePool: "edge12",
  add: "edge12.sum",
};

/** Columns of a table that has every operator of the space. */
export interface Columns {
  readonly signatures: readonly OperatorSignature[];
  /** Column of a kind in each stage, stage * nKinds + kind; -1 where the network has none. */
  readonly ofKind: Int32Array;
  readonly stem: readonly number[];
  /** Of each reduction, without its first ReLU. */
  readonly reductions: readonly (readonly number[])[];
  readonly head: readonly number[];
}

/** Signatures in the order of their keys, and the columns of each part of the network. */
export function columnsOf(options: NetworkOptions): Columns {
  const graph = networkFromCell(everyKind, { ...options, cellsPerStage: 1 });
  const signatureByName = new Map(
    graph.operators.map((operator) => [operator.name, signatureOf(operator, graph)]),
  );
  const known = new Map(
    [...signatureByName.values()].map((signature) => [signature.key, signature]),
  );
  const signatures = [...known.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  const columnOfKey = new Map(signatures.map(({ key }, i) => [key, i]));
  const columnOf = (name: string) => columnOfKey.get(signatureByName.get(name)?.key ?? "") ?? -1;
  const columnsOfNames = (isWanted: (name: string) => boolean) =>
    [...signatureByName.keys()].filter(isWanted).map(columnOf);
  const ofKind = new Int32Array(nStages * nKinds);
  for (let stage = 0; stage < nStages; stage++) {
    for (const [kind, i] of Object.entries(kinds)) {
      const name = nameOfKind[kind as keyof typeof kinds];
      ofKind[stage * nKinds + i] = columnOf(`stage${stage + 1}.cell1.${name}`);
    }
  }
  return {
    signatures,
    ofKind,
    stem: columnsOfNames((name) => name.startsWith("stem")),
    reductions: Array.from({ length: nStages - 1 }, (_, i) => {
      const prefix = `reduction${i + 1}.`;
      return columnsOfNames((name) => name.startsWith(prefix) && name !== `${prefix}a.relu`);
    }),
    head: columnsOfNames((name) => name.startsWith("head")),
  };
}

/** Flags of the operators of each part of the skeleton. */
export interface SkeletonFlags {
  readonly stem: number;
  readonly reductions: readonly number[];
  readonly head: number;
}

/** For each of `unfusedSemantics`: how often the skeleton's own operators run, by column. */
export function skeletonRows(columns: Columns, flags: SkeletonFlags): Float32Array[] {
  const groups = [
    { columns: columns.stem, flags: flags.stem },
    ...columns.reductions.map((reduction, i) => ({
      columns: reduction,
      flags: flags.reductions[i]!,
    })),
    { columns: columns.head, flags: flags.head },
  ];
  return unfusedSemantics.map((semantics) => {
    const required = requiredFlags[partsOfSemantics(semantics).view];
    const row = new Float32Array(columns.signatures.length);
    for (const group of groups) {
      if ((group.flags & required) !== required) continue;
      for (const column of group.columns) row[column]!++;
    }
    return row;
  });
}
