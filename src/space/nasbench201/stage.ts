/**
 * What one stage of equal NAS-Bench-201 cells executes, by kind of operator, without building its graph.
 *
 * Follows `networkFromCell` (pruned variant) operator by operator and applies the definitions of
 * `graph/analysis.ts`: liveness both ways, equal operators shared, Identity seen through when shared. Tested to be
 * equal to `featuresOfGraphs`.
 */
import { type Cell, edges } from "./cell.js";

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

/** Flags of an operator: an input of the network reaches it; its result reaches the output. */
export const isReached = 1;
export const isLive = 2;

/** How many operators of each kind (rows) have each combination of flags (4 columns). */
export type FlagCounts = Int32Array;

export interface StageContext {
  readonly nCells: number;
  readonly hasBatchNorm: boolean;
  /** Whether the network's input reaches the stage. */
  readonly inputReached: boolean;
  /** Whether the stage's result reaches the network's output. */
  readonly outputLive: boolean;
}

/** Filled by `countStage`. */
export interface StageCounts {
  readonly plain: FlagCounts;
  readonly shared: FlagCounts;
  /** Flags of a ReLU of the stage's result that exists inside the stage already, or -1: a reduction's may join it. */
  reluOfOutput: number;
}

export function createStageCounts(): StageCounts {
  return {
    plain: new Int32Array(nKinds * 4),
    shared: new Int32Array(nKinds * 4),
    reluOfOutput: -1,
  };
}

/** Longest chains through a cell; -Infinity where there is none. */
export interface CellChains {
  /** From the cell's input to its output. */
  readonly through: number;
  /** From zeros inside the cell to its output; 0 when the output itself is zeros. */
  readonly toOutput: number;
  /** From the cell's input to any operator. */
  readonly fromInput: number;
  /** From zeros to any operator. */
  readonly inside: number;
}

/**
 * Chains of one cell.
 *
 * @param identityLength - 1 when an Identity runs, 0 when it is seen through
 */
export function chainsOfCell(
  cell: Cell,
  { identityLength, hasBatchNorm }: { identityLength: 0 | 1; hasBatchNorm: boolean },
): CellChains {
  const none = Number.NEGATIVE_INFINITY;
  /** Longest chain to each node from the cell's input, and from zeros. */
  const fromInput = [0, none, none, none];
  const fromZeros = [none, 0, 0, 0];
  let longestFromInput = none;
  let longestFromZeros = none;
  for (let node = 1, i = 0; node <= 3; node++) {
    let nTerms = 0;
    let a = none;
    let b = none;
    for (; i < edges.length && edges[i]![1] === node; i++) {
      const operation = cell[i]!;
      if (operation === "none") continue;
      const from = edges[i]![0];
      const isConv = operation === "nor_conv_1x1" || operation === "nor_conv_3x3";
      const convLength = hasBatchNorm ? 3 : 2;
      const length = isConv ? convLength : operation === "skip_connect" ? identityLength : 1;
      const joined = nTerms++ > 0 ? 1 : 0;
      a = Math.max(a, fromInput[from]! + length) + joined;
      b = Math.max(b, fromZeros[from]! + length) + joined;
      longestFromInput = Math.max(longestFromInput, a);
      longestFromZeros = Math.max(longestFromZeros, b);
    }
    if (nTerms > 0) {
      fromInput[node] = a;
      fromZeros[node] = b;
    }
  }
  return {
    through: fromInput[3]!,
    toOutput: fromZeros[3]!,
    fromInput: longestFromInput,
    inside: longestFromZeros,
  };
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
  const classKind = new Uint8Array(room);
  const classFlags = new Uint8Array(room);
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
    reluOf[nClasses + 2] = -1;
    poolOf[nClasses + 2] = -1;
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

  const nodeTensor = new Int32Array(4);
  const nodeReached = new Uint8Array(4);
  const nodeLive = new Uint8Array(4);

  function countCell(cell: Cell, input: number, hasBatchNorm: boolean, plain: FlagCounts): number {
    nodeTensor[0] = input;
    for (let node = 1, i = 0; node <= 3; node++) {
      let sum = -1;
      let reached = 0;
      const live = nodeLive[node]! * isLive;
      for (; i < edges.length && edges[i]![1] === node; i++) {
        const operation = cell[i]!;
        if (operation === "none") continue;
        const from = edges[i]![0];
        const flags = nodeReached[from]! | live;
        reached |= nodeReached[from]!;
        let term = nodeTensor[from]!;
        switch (operation) {
          case "skip_connect":
            plain[kinds.identity * 4 + flags]!++;
            break;
          case "avg_pool_3x3":
            plain[kinds.averagePool * 4 + flags]!++;
            term = unary(poolOf, kinds.averagePool, term, flags);
            break;
          case "nor_conv_1x1":
          case "nor_conv_3x3": {
            const kind = operation === "nor_conv_1x1" ? kinds.conv1x1 : kinds.conv3x3;
            plain[kinds.relu * 4 + flags]!++;
            plain[kind * 4 + flags]!++;
            unary(reluOf, kinds.relu, term, flags);
            term = newClass(kind, flags) + 2;
            if (hasBatchNorm) {
              plain[kinds.batchNorm * 4 + flags]!++;
              term = newClass(kinds.batchNorm, flags) + 2;
            }
            break;
          }
          default:
            operation satisfies never;
        }
        if (sum < 0) sum = term;
        else {
          plain[kinds.add * 4 + (reached | live)]!++;
          sum = addition(sum, term, reached | live);
        }
      }
      nodeTensor[node] = sum < 0 ? zeros : sum;
      nodeReached[node] = reached;
    }
    return nodeTensor[3]!;
  }

  function markLive(cell: Cell, outputLive: boolean): void {
    nodeLive.fill(0);
    nodeLive[3] = Number(outputLive);
    for (let i = edges.length - 1; i >= 0; i--) {
      const [from, to] = edges[i]!;
      if (cell[i] !== "none" && nodeLive[to]) nodeLive[from] = 1;
    }
  }

  return {
    /**
     * Count a stage.
     *
     * @param connected - whether the cell leads from its input to its output
     * @param into - overwritten
     */
    countStage(cell: Cell, connected: boolean, context: StageContext, into: StageCounts): void {
      const { nCells, hasBatchNorm, inputReached, outputLive } = context;
      into.plain.fill(0);
      into.shared.fill(0);
      nClasses = 0;
      nAdditions = 0;
      for (const tensor of [zeros, stageInput]) {
        reluOf[tensor] = -1;
        poolOf[tensor] = -1;
      }
      let tensor = stageInput;
      for (let i = 0; i < nCells; i++) {
        nodeReached[0] = Number(inputReached && (i === 0 || connected));
        markLive(cell, outputLive && (i === nCells - 1 || connected));
        tensor = countCell(cell, tensor, hasBatchNorm, into.plain);
      }
      for (let i = 0; i < nClasses; i++) into.shared[classKind[i]! * 4 + classFlags[i]!]!++;
      const relu = reluOf[tensor]!;
      into.reluOfOutput = relu < 0 ? -1 : classFlags[relu]!;
    },
  };
}
