/**
 * The feature table of NAS-Bench-201 networks, put together from one analysis of each cell: the same numbers as
 * `featuresOfGraphs` of the full networks, a thousand times faster.
 */
import { InputError } from "../../errors.js";
import { partsOfSemantics, type View } from "../../graph/analysis.js";
import {
  type FeatureTable,
  forEachSemantics,
  fusedSemantics,
  type RewriteSemantics,
  rewriteSemantics,
  unfusedSemantics,
} from "../../graph/features.js";
import {
  type Cell,
  cellFromIndex,
  edges,
  encodingWidth,
  nCells,
  networkId,
  operations,
} from "./cell.js";
import { chainsOfCell, chainWeights, heaviestChain } from "./chains.js";
import { createFusedCounter } from "./fused.js";
import {
  isLive,
  isReached,
  isWanted,
  markNeeded,
  nFlags,
  nNodes,
  requiredFlags,
} from "./liveness.js";
import { type NetworkOptions, nStages, resolveNetworkOptions } from "./network.js";
import { columnsOf, skeletonRows } from "./skeleton.js";
import { createStageCounter, createStageCounts, kinds, nKinds } from "./stage.js";

/** Whether a path of operations other than `none` leads from the cell's input to its output. */
export function isConnected(cell: Cell): boolean {
  const reached = [true, false, false, false];
  edges.forEach(([from, to], i) => {
    if (cell[i] !== "none" && reached[from]) reached[to] = true;
  });
  return reached[3]!;
}

/**
 * Features of NAS-Bench-201 networks in the pruned variant, equal to `featuresOfGraphs` of
 * `networkFromCell(cell, options)`.
 *
 * @param indices - cells by index; default all 15,625 in order
 * @param options - as for `networkFromCell`
 * @throws InputError on an index or option out of range, or the variant `traced`
 */
export function featuresOfCells(
  indices: ArrayLike<number> = Array.from({ length: nCells }, (_, i) => i),
  options: NetworkOptions = {},
): FeatureTable {
  const { cellsPerStage, foldBatchNorm, variant } = resolveNetworkOptions(options);
  if (variant !== "pruned") {
    throw new InputError(`features of cells are those of the variant pruned, got ${variant}`, {
      hint: "use featuresOfGraphs for networks in the traced form",
    });
  }
  const columns = columnsOf(options);
  const { signatures, ofKind } = columns;
  const everyFlag = isReached | isLive | isWanted;
  const connectedRows = skeletonRows(columns, {
    stem: everyFlag,
    reductions: columns.reductions.map(() => everyFlag),
    head: everyFlag,
  });
  const nRows = indices.length;
  const width = signatures.length;
  const parts = unfusedSemantics.map(partsOfSemantics);
  const counts = forEachSemantics(() => new Float32Array(nRows * width));
  const longestPath = forEachSemantics(() => new Float32Array(nRows));
  const heaviestPath = forEachSemantics(() => new Float32Array(nRows));
  const connected = new Uint8Array(nRows);
  const encoding = new Float32Array(nRows * encodingWidth);
  const required = parts.map(({ view }) => requiredFlags[view]);
  const matrices = unfusedSemantics.map((semantics) => counts[semantics]);
  // What both leave out stands between the two that leave out one of it: most networks execute the same in all.
  const fused = (["backward", "both", "forward"] as const).map((view) => ({
    view,
    matrix: counts[`${view}+fused`],
  }));
  const fusedCounter = createFusedCounter(columns, options);

  const hasBatchNorm = !foldBatchNorm;
  const counter = createStageCounter(cellsPerStage);
  const stageCounts = createStageCounts();
  const sourceCounts = parts.map(
    ({ sharing }) => stageCounts.counts[sharing as keyof typeof stageCounts.counts],
  );
  const nodes = new Uint8Array(nStages * cellsPerStage * nNodes);
  const nodesPerStage = cellsPerStage * nNodes;
  const neededByStage = Array.from({ length: nStages }, (_, stage) =>
    nodes.subarray(stage * nodesPerStage, (stage + 1) * nodesPerStage),
  );
  const paths = [
    { measure: "operators", into: longestPath } as const,
    { measure: "taps", into: heaviestPath } as const,
  ].flatMap(({ measure, into }) =>
    [true, false].map((identityRuns) => ({
      weights: chainWeights(measure, { identityRuns, hasBatchNorm }),
      of: rewriteSemantics.flatMap((semantics) => {
        const { view, sharing } = partsOfSemantics(semantics);
        return (sharing === "none") === identityRuns ? [{ view, into: into[semantics] }] : [];
      }),
    })),
  );

  function addStage(row: number, stage: number): void {
    const { none, shared, merged } = stageCounts.counts;
    for (let kind = 0; kind < nKinds; kind++) {
      const place = row * width + ofKind[stage * nKinds + kind]!;
      const [first, end] = [kind * nFlags, (kind + 1) * nFlags];
      for (let from = first; from < end; from++) {
        if (none[from] === 0 && shared[from] === 0 && merged[from] === 0) continue;
        for (let i = 0; i < matrices.length; i++) {
          if ((from & required[i]!) !== required[i]) continue;
          matrices[i]![place]! += sourceCounts[i]![from]!;
        }
      }
    }
  }

  /** A reduction begins with a ReLU of the stage's result, which may exist in the stage already. */
  function addReductionRelu(flags: number): void {
    const { counts, reluOfOutput } = stageCounts;
    const relu = kinds.relu * nFlags;
    counts.none[relu + flags]!++;
    for (const sharing of ["shared", "merged"] as const) {
      if (reluOfOutput >= 0) counts[sharing][relu + reluOfOutput]!--;
      counts[sharing][relu + (reluOfOutput < 0 ? flags : reluOfOutput | flags)]!++;
    }
  }

  for (let row = 0; row < nRows; row++) {
    const cell = cellFromIndex(indices[row]!);
    const leadsThrough = isConnected(cell);
    connected[row] = Number(leadsThrough);
    const needed = markNeeded(cell, nodes);
    /** Flags of the reduction before a stage. */
    const reductionFlags = (stage: number) =>
      neededByStage[stage]![0]! | (leadsThrough ? isReached : 0);
    const skeletonRow = leadsThrough
      ? connectedRows
      : skeletonRows(columns, {
          stem: isReached | needed.stem,
          reductions: columns.reductions.map((_, i) => reductionFlags(i + 1)),
          head: isLive | isWanted,
        });
    skeletonRow.forEach((counted, i) => {
      matrices[i]!.set(counted, row * width);
    });
    // From the last stage, which no reduction follows. Stages of a connected network have equal counts.
    for (let stage = nStages - 1; stage >= 0; stage--) {
      const isLast = stage === nStages - 1;
      if (isLast || !leadsThrough) {
        const context = {
          nCells: cellsPerStage,
          hasBatchNorm,
          inputReached: leadsThrough || stage === 0,
          needed: neededByStage[stage]!,
        };
        counter.countStage(cell, leadsThrough, context, stageCounts);
      }
      if (stage === nStages - 2 || (!isLast && !leadsThrough)) {
        addReductionRelu(reductionFlags(stage + 1));
      }
      addStage(row, stage);
    }
    fusedCounter.count(cell, fused, row * width);
    for (const { weights, of } of paths) {
      const chains = chainsOfCell(cell, weights);
      // Views come once for each way of sharing that executes the same chains.
      const known = new Map<View, number>();
      for (const { view, into } of of) {
        const longest =
          known.get(view) ??
          heaviestChain(chains, weights, needed, { view, connected: leadsThrough });
        known.set(view, longest);
        into[row] = longest;
      }
    }
    cell.forEach((operation, i) => {
      const choice = operations.indexOf(operation);
      if (choice > 0) encoding[row * encodingWidth + i * (operations.length - 1) + choice - 1] = 1;
    });
  }
  const table = {
    ids: Array.from(indices, networkId),
    signatures,
    counts,
    longestPath,
    heaviestPath,
    connected,
    encoding: { space: "nasbench201", width: encodingWidth, values: encoding },
  };
  return withoutUnused(table, nRows);
}

/** The table without signatures that no network has. */
function withoutUnused(table: FeatureTable, nRows: number): FeatureTable {
  const width = table.signatures.length;
  const isUsed = new Uint8Array(width);
  // What runs in any semantics runs in that of all, save for copies, which fused ones add.
  for (const semantics of ["all", ...fusedSemantics] as const) {
    const counts = table.counts[semantics];
    for (let i = 0; i < counts.length; i++) if (counts[i] !== 0) isUsed[i % width] = 1;
  }
  const kept = table.signatures.flatMap((_, i) => (isUsed[i] ? [i] : []));
  if (kept.length === width) return table;
  const narrowed = (semantics: RewriteSemantics) => {
    const from = table.counts[semantics];
    const to = new Float32Array(nRows * kept.length);
    for (let row = 0; row < nRows; row++) {
      kept.forEach((column, i) => {
        to[row * kept.length + i] = from[row * width + column]!;
      });
    }
    return to;
  };
  return {
    ...table,
    signatures: kept.map((i) => table.signatures[i]!),
    counts: forEachSemantics(narrowed),
  };
}
