/**
 * Longest and heaviest chains of operators of NAS-Bench-201 networks, put together from the chains of one cell.
 * Tested to be equal to those of `featuresOfGraphs`.
 */
import type { View } from "../../graph/analysis.js";
import { type Cell, edges, type Operation } from "./cell.js";
import { isLive, isReached, isWanted, type NeededFor, nNodes, requiredFlags } from "./liveness.js";
import { nStages } from "./network.js";

/** What the operators on a chain weigh, summed over those of an operation or of a part of the skeleton. */
export interface ChainWeights {
  /** Of an edge's operation; an addition weighs 1. */
  readonly operation: Readonly<Record<Operation, number>>;
  readonly stem: number;
  readonly reduction: number;
  readonly head: number;
}

/**
 * What operators weigh on a chain.
 *
 * @param measure - `operators`: each 1; `taps`: a convolution or pooling the area of its window, others 1
 */
export function chainWeights(
  measure: "operators" | "taps",
  { identityRuns, hasBatchNorm }: { identityRuns: boolean; hasBatchNorm: boolean },
): ChainWeights {
  const area = (kernel: number) => (measure === "taps" ? kernel ** 2 : 1);
  const batchNorm = hasBatchNorm ? 1 : 0;
  const reluConv = (kernel: number) => 1 + area(kernel) + batchNorm;
  return {
    operation: {
      none: 0,
      skip_connect: identityRuns ? 1 : 0,
      nor_conv_1x1: reluConv(1),
      nor_conv_3x3: reluConv(3),
      avg_pool_3x3: area(3),
    },
    stem: area(3) + batchNorm,
    // Two convolutions and the sum; the shortcut is lighter.
    reduction: 2 * reluConv(3) + 1,
    // Batch norm, ReLU, global pooling, Flatten, Gemm.
    head: 5,
  };
}

/** Heaviest chains to each node of a cell; -Infinity where there is none. */
export interface CellChains {
  readonly fromInput: readonly number[];
  /** From zeros inside the cell; 0 for a node that is zeros itself. */
  readonly fromZeros: readonly number[];
}

/** Chains of one cell. */
export function chainsOfCell(cell: Cell, { operation: weightOf }: ChainWeights): CellChains {
  const none = Number.NEGATIVE_INFINITY;
  const fromInput = [0, none, none, none];
  const fromZeros = [none, 0, 0, 0];
  for (let node = 1, i = 0; node < nNodes; node++) {
    let nTerms = 0;
    let a = none;
    let b = none;
    for (; i < edges.length && edges[i]![1] === node; i++) {
      const operation = cell[i]!;
      if (operation === "none") continue;
      const from = edges[i]![0];
      const weight = weightOf[operation];
      const joined = nTerms++ > 0 ? 1 : 0;
      a = Math.max(a, fromInput[from]! + weight) + joined;
      b = Math.max(b, fromZeros[from]! + weight) + joined;
    }
    if (nTerms > 0) {
      fromInput[node] = a;
      fromZeros[node] = b;
    }
  }
  return { fromInput, fromZeros };
}

/** Heaviest chain of executed operators of a network, from the chains of its cell. */
export function heaviestChain(
  { fromInput, fromZeros }: CellChains,
  { stem, reduction, head }: ChainWeights,
  { nodes, stem: stemFlags }: NeededFor,
  { view, connected }: { view: View; connected: boolean },
): number {
  const none = Number.NEGATIVE_INFINITY;
  const required = requiredFlags[view] & (isLive | isWanted);
  const needsInput = (requiredFlags[view] & isReached) !== 0;
  const cellsPerStage = nodes.length / (nNodes * nStages);
  let depth = stem;
  let heaviest = (stemFlags & required) === required ? depth : 0;
  for (let stage = 0, first = 0; stage < nStages; stage++) {
    if (stage > 0) {
      depth += reduction;
      if ((nodes[first]! & required) === required) heaviest = Math.max(heaviest, depth);
    }
    for (let i = 0; i < cellsPerStage; i++, first += nNodes) {
      let nodeDepth = none;
      for (let node = 1; node < nNodes; node++) {
        nodeDepth = Math.max(depth + fromInput[node]!, needsInput ? none : fromZeros[node]!);
        // What a view executes contains what it needs: chains to an executed operator are executed.
        if ((nodes[first + node]! & required) === required) {
          heaviest = Math.max(heaviest, nodeDepth);
        }
      }
      depth = nodeDepth;
    }
  }
  return connected || !needsInput ? Math.max(heaviest, depth + head) : heaviest;
}
