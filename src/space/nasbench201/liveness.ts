/**
 * Which parts of a NAS-Bench-201 network (pruned variant) are reached, live or wanted, without building its graph:
 * the definitions of `graph/analysis.ts`, applied to nodes of cells.
 */
import type { View } from "../../graph/analysis.js";
import { type Cell, edges } from "./cell.js";
import { nStages } from "./network.js";

/** Flags of an operator: an input of the network reaches it; its result reaches the output; `Liveness.wanted`. */
export const isReached = 1;
export const isLive = 2;
export const isWanted = 4;
/** Combinations of flags. */
export const nFlags = 8;

/** Flags an operator must have to run in a view. */
export const requiredFlags: Readonly<Record<View, number>> = {
  all: 0,
  backward: isLive,
  forward: isReached,
  both: isLive | isReached,
  unread: isWanted,
};

/** Nodes of a cell: input, two inner ones, output. */
export const nNodes = 4;

/**
 * What the operators of a network are needed for, by the node they lead to. A reduction's are as the input of the cell
 * after it.
 */
export interface NeededFor {
  /** `isLive` and `isWanted` of each node, (stages, cells, nodes). */
  readonly nodes: Uint8Array;
  /** The same of the stem. */
  readonly stem: number;
}

/**
 * Mark what the nodes of a network of equal cells are needed for.
 *
 * @param nodes - filled, (stages, cells, nodes)
 */
export function markNeeded(cell: Cell, nodes: Uint8Array): NeededFor {
  const nCells = nodes.length / nNodes;
  const perStage = nCells / nStages;
  const { isRead, isConvolution } = cellNodes(cell);
  // The head reads the last result.
  let output = isLive | isWanted;
  for (let at = nCells - 1; at >= 0; at--) {
    const first = at * nNodes;
    // A reduction or the head reads the output of a stage's last cell, another cell that of the others.
    const isOutputRead = at % perStage === perStage - 1 || isRead[0]!;
    nodes[first] = 0;
    for (let node = 1; node < nNodes; node++) {
      const hasReader = node === nNodes - 1 ? isOutputRead : isRead[node]!;
      nodes[first + node] = isConvolution[node] && !hasReader ? isWanted : 0;
    }
    nodes[first + nNodes - 1]! |= output;
    for (let i = edges.length - 1; i >= 0; i--) {
      const [from, to] = edges[i]!;
      if (cell[i] !== "none") nodes[first + from]! |= nodes[first + to]!;
    }
    output = nodes[first]!;
  }
  return { nodes, stem: isRead[0] ? output : output | isWanted };
}

/** Which nodes some operator of the cell reads, and which are the result of a convolution, not of an addition. */
function cellNodes(cell: Cell): { isRead: boolean[]; isConvolution: boolean[] } {
  const isRead = new Array<boolean>(nNodes).fill(false);
  const isConvolution = new Array<boolean>(nNodes).fill(false);
  const nTerms = new Array<number>(nNodes).fill(0);
  edges.forEach(([from, to], i) => {
    const operation = cell[i]!;
    if (operation === "none") return;
    isRead[from] = true;
    nTerms[to]!++;
    const isWeighted = operation === "nor_conv_1x1" || operation === "nor_conv_3x3";
    isConvolution[to] = isWeighted && nTerms[to] === 1;
  });
  return { isRead, isConvolution };
}
