/**
 * What one stage of equal NAS-Bench-201 cells executes, by kind of operator, without building its graph.
 *
 * Follows `networkFromCell` (pruned variant) operator by operator and applies the definitions of `graph/sharing.ts`:
 * equal operators shared, Identity seen through when shared, sibling convolutions merged. Tested to be equal to
 * `featuresOfGraphs`.
 */
import type { Sharing } from "../../graph/analysis.js";
import { type Cell, edges } from "./cell.js";
import { nFlags, nNodes } from "./liveness.js";

/** Kinds of operators inside a stage. */
export const kinds = {
  identity: 0,
  relu: 1,
  conv1x1: 2,
  conv3x3: 3,
  batchNorm: 4,
  averagePool: 5,
  add: 6,
} as const;
export type Kind = (typeof kinds)[keyof typeof kinds];
export const nKinds = 7;

/** How many operators of each kind (rows) have each combination of flags (8 columns). */
export type FlagCounts = Int32Array;

export interface StageContext {
  readonly nCells: number;
  readonly hasBatchNorm: boolean;
  /** Whether the network's input reaches the stage. */
  readonly inputReached: boolean;
  /** What the nodes of the stage's cells are needed for, (cells, nodes): a part of `NeededFor.nodes`. */
  readonly needed: Uint8Array;
}

/** Filled by `countStage`. */
export interface StageCounts {
  readonly counts: Readonly<Record<Exclude<Sharing, "fused">, FlagCounts>>;
  /** Flags of a ReLU of the stage's result that exists inside the stage already, or -1: a reduction's may join it. */
  reluOfOutput: number;
}

export function createStageCounts(): StageCounts {
  const create = () => new Int32Array(nKinds * nFlags);
  return { counts: { none: create(), shared: create(), merged: create() }, reluOfOutput: -1 };
}

/** A tensor is a number: 0 the constant of zeros, 1 the stage's input, then results in order. */
const zeros = 0;
const stageInput = 1;

/** Room for the results of a stage's operators. */
const maxPerCell = edges.length * 3 + 3;

/** Counts stages; keeps its working memory between calls. */
export function createStageCounter(maxCells: number) {
  const room = 2 + maxCells * maxPerCell;
  /** Class that makes ReLU or pool of a tensor, -1 when none does yet. */
  const reluOf = new Int32Array(room);
  const poolOf = new Int32Array(room);
  /** First convolution of a kind that reads a tensor, -1 when none does yet. */
  const conv1x1Of = new Int32Array(room);
  const conv3x3Of = new Int32Array(room);
  const perTensor = [reluOf, poolOf, conv1x1Of, conv3x3Of];
  const classKind = new Uint8Array(room);
  const classFlags = new Uint8Array(room);
  /** The first class that a class is launched with when siblings are merged, and the flags of all of them. */
  const launchOf = new Int32Array(room);
  const launchFlags = new Uint8Array(room);
  /** Additions: their classes and operands. */
  const addClass = new Int32Array(maxCells * 3);
  const addLeft = new Int32Array(maxCells * 3);
  const addRight = new Int32Array(maxCells * 3);
  let nAdditions = 0;
  let nClasses = 0;

  // A class makes the tensor numbered class + 2.
  function newClass(kind: Kind, flags: number): number {
    classKind[nClasses] = kind;
    classFlags[nClasses] = flags;
    launchOf[nClasses] = nClasses;
    for (const known of perTensor) known[nClasses + 2] = -1;
    return nClasses++;
  }

  function unary(known: Int32Array, kind: Kind, input: number, flags: number): number {
    const found = known[input]!;
    if (found < 0) {
      const made = newClass(kind, flags);
      known[input] = made;
      return made + 2;
    }
    classFlags[found]! |= flags;
    return found + 2;
  }

  function addition(left: number, right: number, flags: number): number {
    for (let i = 0; i < nAdditions; i++) {
      if (addLeft[i] === left && addRight[i] === right) {
        classFlags[addClass[i]!]! |= flags;
        return addClass[i]! + 2;
      }
    }
    const made = newClass(kinds.add, flags);
    addClass[nAdditions] = made;
    addLeft[nAdditions] = left;
    addRight[nAdditions++] = right;
    return made + 2;
  }

  /** A convolution of its own weights, launched with its siblings; gives its result. */
  function convolution(kind: Kind, input: number, flags: number): number {
    const known = kind === kinds.conv1x1 ? conv1x1Of : conv3x3Of;
    const made = newClass(kind, flags);
    if (known[input]! < 0) known[input] = made;
    launchOf[made] = known[input]!;
    return made + 2;
  }

  const nodeTensor = new Int32Array(nNodes);
  const nodeReached = new Uint8Array(nNodes);

  /** Count the cell whose nodes begin at `first` in `needed`. */
  function countCell(
    cell: Cell,
    input: number,
    { hasBatchNorm, needed }: StageContext,
    first: number,
    plain: FlagCounts,
  ): number {
    nodeTensor[0] = input;
    for (let node = 1, i = 0; node <= 3; node++) {
      let sum = -1;
      let reached = 0;
      const neededFor = needed[first + node]!;
      for (; i < edges.length && edges[i]![1] === node; i++) {
        const operation = cell[i]!;
        if (operation === "none") continue;
        const from = edges[i]![0];
        const flags = nodeReached[from]! | neededFor;
        reached |= nodeReached[from]!;
        let term = nodeTensor[from]!;
        switch (operation) {
          case "skip_connect":
            plain[kinds.identity * nFlags + flags]!++;
            break;
          case "avg_pool_3x3":
            plain[kinds.averagePool * nFlags + flags]!++;
            term = unary(poolOf, kinds.averagePool, term, flags);
            break;
          case "nor_conv_1x1":
          case "nor_conv_3x3": {
            const kind = operation === "nor_conv_1x1" ? kinds.conv1x1 : kinds.conv3x3;
            plain[kinds.relu * nFlags + flags]!++;
            plain[kind * nFlags + flags]!++;
            term = convolution(kind, unary(reluOf, kinds.relu, term, flags), flags);
            if (hasBatchNorm) {
              plain[kinds.batchNorm * nFlags + flags]!++;
              term = newClass(kinds.batchNorm, flags) + 2;
            }
            break;
          }
          default:
            operation satisfies never;
        }
        if (sum < 0) sum = term;
        else {
          plain[kinds.add * nFlags + (reached | neededFor)]!++;
          sum = addition(sum, term, reached | neededFor);
        }
      }
      nodeTensor[node] = sum < 0 ? zeros : sum;
      nodeReached[node] = reached;
    }
    return nodeTensor[3]!;
  }

  return {
    /**
     * Count a stage.
     *
     * @param connected - whether the cell leads from its input to its output
     * @param into - overwritten
     */
    countStage(cell: Cell, connected: boolean, context: StageContext, into: StageCounts): void {
      const { nCells, inputReached } = context;
      const { none, shared, merged } = into.counts;
      for (const counts of [none, shared, merged]) counts.fill(0);
      nClasses = 0;
      nAdditions = 0;
      for (const known of perTensor) known[zeros] = known[stageInput] = -1;
      let tensor = stageInput;
      for (let i = 0; i < nCells; i++) {
        nodeReached[0] = Number(inputReached && (i === 0 || connected));
        tensor = countCell(cell, tensor, context, i * nNodes, none);
      }
      launchFlags.fill(0, 0, nClasses);
      for (let i = 0; i < nClasses; i++) {
        shared[classKind[i]! * nFlags + classFlags[i]!]!++;
        launchFlags[launchOf[i]!]! |= classFlags[i]!;
      }
      for (let i = 0; i < nClasses; i++) {
        if (launchOf[i] === i) merged[classKind[i]! * nFlags + launchFlags[i]!]!++;
      }
      const relu = reluOf[tensor]!;
      into.reluOfOutput = relu < 0 ? -1 : classFlags[relu]!;
    },
  };
}
