/**
 * What a compiler that fuses operators and chooses layouts makes of the operators that it executes.
 *
 * Convolutions take along the sum and the activation after them when nobody else reads what lies between. Convolutions
 * and pools work on a layout in blocks of channels; element by element operators work on whichever layout all their
 * operands have, and on the plain one otherwise; all others work on the plain one. A tensor is copied, once for each
 * layout, where it is read in another layout than it was made in. So does ONNX Runtime's NCHWc transformation
 * (onnxruntime/core/optimizer/nchwc_transformer.cc): held against the graphs that it saves, see `fusion.test.ts`.
 */

/** What an operator is to a compiler that fuses. */
export const roles = {
  /** Takes along a sum and an activation; works on blocks of channels. */
  convolution: 0,
  /** Works on blocks of channels. */
  pool: 1,
  /** Of two operands of equal shape. */
  sum: 2,
  /** Element by element, of one operand. */
  activation: 3,
  /** Element by element. */
  elementwise: 4,
  /** Works on the plain layout. */
  other: 5,
} as const;
/** One of `roles`. */
export type Role = (typeof roles)[keyof typeof roles];

/** An operand that no operator makes: a constant, or an input of the network, which may have any layout. */
export const constantOperand = -1;
export const inputOperand = -2;

/** Operators that compute something, each after those it reads. */
export interface FusionGraph {
  readonly n: number;
  readonly role: Uint8Array;
  /** Data that operator i reads (no weights): `operands` from `operandStart[i]` to `operandStart[i + 1]`. */
  readonly operandStart: Int32Array;
  /** Number of the operator that makes it, or `constantOperand` or `inputOperand`. */
  readonly operands: Int32Array;
  /** Makes an output of the network. */
  readonly isOutput: Uint8Array;
  /** Its result is the same in all layouts: it has one pixel. */
  readonly isPixel: Uint8Array;
}

/** Working memory for graphs of up to so many operators. */
export interface FusionResult {
  /** 1 for operators that are launched: executed and not taken along. */
  readonly isLaunched: Uint8Array;
  /** How often the result of each operator is copied to another layout. */
  readonly nCopies: Uint8Array;
}

const plain = 1;
const blocked = 2;

/** Fuse graphs of up to `room` operators; keeps its working memory, and overwrites its result, between calls. */
export function createFusion(room: number) {
  const isLaunched = new Uint8Array(room);
  const nCopies = new Uint8Array(room);
  const nReaders = new Int32Array(room);
  const layout = new Uint8Array(room);
  /** Layouts that a result has been copied to: bits `plain` and `blocked`. */
  const copied = new Uint8Array(room);
  /** What a convolution that ends here may still take along: 0 nothing, 1 an activation, 2 also a sum. */
  const mayTake = new Uint8Array(room);
  const result: FusionResult = { isLaunched, nCopies };

  function countReaders(
    { n, operandStart, operands, isOutput }: FusionGraph,
    executed: Uint8Array,
  ) {
    nReaders.fill(0, 0, n);
    for (let i = 0; i < n; i++) {
      if (executed[i] === 0) continue;
      if (isOutput[i] === 1) nReaders[i]!++;
      const [first, end] = [operandStart[i]!, operandStart[i + 1]!];
      for (let k = first; k < end; k++) {
        const operand = operands[k]!;
        const isRepeated = k > first && operands[k - 1] === operand;
        if (operand >= 0 && !isRepeated) nReaders[operand]!++;
      }
    }
  }

  /** The convolution's end among the operands that may take the sum along: the one made last; -1 for none. */
  function takerOfSum({ operandStart, operands }: FusionGraph, i: number, executed: Uint8Array) {
    const first = operandStart[i]!;
    const [a, b] = [operands[first]!, operands[first + 1]!];
    if (a === b) return -1;
    // The other operand must be there: a sum with a constant is left as it is.
    const isThere = (operand: number) =>
      operand === inputOperand || (operand >= 0 && executed[operand] === 1);
    if (!isThere(a) || !isThere(b)) return -1;
    const takes = (operand: number) =>
      operand >= 0 && mayTake[operand] === 2 && nReaders[operand] === 1;
    const [late, early] = a > b ? [a, b] : [b, a];
    if (takes(late)) return late;
    return takes(early) ? early : -1;
  }

  function layoutOf(graph: FusionGraph, i: number, executed: Uint8Array): number {
    const role = graph.role[i]!;
    if (role === roles.convolution || role === roles.pool) return blocked;
    if (role === roles.other) return plain;
    let isBlocked = false;
    for (let k = graph.operandStart[i]!; k < graph.operandStart[i + 1]!; k++) {
      const operand = graph.operands[k]!;
      if (operand === inputOperand) continue;
      if (operand < 0 || executed[operand] === 0) return plain;
      if (layout[operand] !== blocked) return plain;
      isBlocked = true;
    }
    return isBlocked ? blocked : plain;
  }

  return {
    /**
     * Fuse what is executed of a graph.
     *
     * @param executed - mask over the operators; what is not executed is known beforehand, as constants are
     */
    fuse(graph: FusionGraph, executed: Uint8Array): FusionResult {
      const { n, role, operandStart, operands, isPixel } = graph;
      countReaders(graph, executed);
      for (let i = 0; i < n; i++) {
        isLaunched[i] = executed[i]!;
        nCopies[i] = 0;
        copied[i] = 0;
        mayTake[i] = 0;
        if (executed[i] === 0) continue;
        let taker = -1;
        if (role[i] === roles.convolution) mayTake[i] = 2;
        else if (role[i] === roles.activation) {
          const operand = operands[operandStart[i]!]!;
          if (operand >= 0 && executed[operand] === 1 && mayTake[operand]! > 0) {
            if (nReaders[operand] === 1) taker = operand;
          }
        } else if (role[i] === roles.sum) {
          taker = takerOfSum(graph, i, executed);
          if (taker >= 0) mayTake[i] = 1;
        }
        if (taker >= 0) {
          isLaunched[i] = 0;
          mayTake[taker] = 0;
        }
        layout[i] = taker >= 0 ? blocked : layoutOf(graph, i, executed);
        for (let k = operandStart[i]!; k < operandStart[i + 1]!; k++) {
          const operand = operands[k]!;
          if (operand < 0 || executed[operand] === 0 || isPixel[operand] === 1) continue;
          if (layout[operand] === layout[i] || (copied[operand]! & layout[i]!) !== 0) continue;
          copied[operand]! |= layout[i]!;
          nCopies[operand]!++;
        }
      }
      return result;
    },
  };
}
