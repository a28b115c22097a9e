/**
 * Where the operators of NAS-Bench-201 networks stand in a feature table, and how long chains through the skeleton
 * are: what `features.ts` puts the counts of stages together with.
 */
import { partsOfSemantics, type View } from "../../graph/analysis.js";
import { signatureOf } from "../../graph/cost.js";
import { type OperatorSignature, rewriteSemantics } from "../../graph/features.js";
import { cellFromArchString } from "./cell.js";
import { type NetworkOptions, networkFromCell, nStages } from "./network.js";
import { type CellChains, isLive, isReached, kinds, nKinds } from "./stage.js";

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
  /** Of both reductions, without their first ReLU. */
  readonly reductions: readonly number[];
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
    reductions: columnsOfNames((name) => /^reduction/.test(name) && !/\.a\.relu$/.test(name)),
    head: columnsOfNames((name) => name.startsWith("head")),
  };
}

/** Flags an operator must have to run in a view. */
export const requiredFlags: Readonly<Record<View, number>> = {
  all: 0,
  backward: isLive,
  forward: isReached,
  both: isLive | isReached,
};

/** For each semantics: how often the skeleton's own operators run, by column. */
export function skeletonRows(columns: Columns, connected: boolean): Float32Array[] {
  const through = connected ? isReached | isLive : 0;
  const groups = [
    { columns: columns.stem, flags: isReached | through },
    { columns: columns.reductions, flags: through },
    { columns: columns.head, flags: isLive | through },
  ];
  return rewriteSemantics.map((semantics) => {
    const required = requiredFlags[partsOfSemantics(semantics).view];
    const row = new Float32Array(columns.signatures.length);
    for (const group of groups) {
      if ((group.flags & required) !== required) continue;
      for (const column of group.columns) row[column]!++;
    }
    return row;
  });
}

/** Operators on the chains through the skeleton. */
export interface SkeletonChains {
  readonly stem: number;
  readonly reduction: number;
  readonly head: number;
}

/** Longest chain of executed operators of a network, from the chains of its cell. */
export function longestPathOf(
  cell: CellChains,
  skeleton: SkeletonChains,
  { view, connected, nCells }: { view: View; connected: boolean; nCells: number },
): number {
  const none = Number.NEGATIVE_INFINITY;
  const isForward = view === "forward" || view === "both";
  if (!connected) {
    if (view === "both") return 0;
    if (view === "forward") return skeleton.stem + Math.max(0, cell.fromInput);
    if (view === "backward") return Math.max(0, cell.toOutput) + skeleton.head;
  }
  let depth = skeleton.stem;
  let longest = depth;
  for (let stage = 0; stage < nStages; stage++) {
    if (stage > 0) depth += skeleton.reduction;
    longest = Math.max(longest, depth);
    for (let i = 0; i < nCells; i++) {
      // Dead ends count where they run.
      if (view === "all" || view === "forward") longest = Math.max(longest, depth + cell.fromInput);
      if (view === "all") longest = Math.max(longest, cell.inside);
      depth = Math.max(depth + cell.through, isForward ? none : cell.toOutput);
    }
  }
  return Math.max(longest, depth + skeleton.head);
}
