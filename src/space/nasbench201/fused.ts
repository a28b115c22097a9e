/**
 * What compilers that fuse execute of a NAS-Bench-201 network (pruned variant), without building its graph: its
 * operators that differ, as `graph/fusion.ts` wants them. Follows `networkFromCell` and the definitions of
 * `graph/sharing.ts`; tested to be equal to `featuresOfGraphs`.
 */
import {
  constantOperand,
  createFusion,
  type FusionGraph,
  type FusionResult,
  inputOperand,
  type Role,
  roles,
} from "../../graph/fusion.js";
import { type Cell, edges } from "./cell.js";
import { nNodes } from "./liveness.js";
import { type NetworkOptions, nStages, resolveNetworkOptions } from "./network.js";
import type { Columns } from "./skeleton.js";
import { kinds, nKinds } from "./stage.js";

/** Views in which operators may be fused. */
type FusedView = "backward" | "forward" | "both";

/** Room for the operators of a cell, and for those of the skeleton. */
const maxPerCell = edges.length * 3 + 3;
const maxSkeleton = 40;

/** Counts networks; keeps its working memory between calls. */
export function createFusedCounter(columns: Columns, options: NetworkOptions) {
  const { cellsPerStage, foldBatchNorm, inputSize } = resolveNetworkOptions(options);
  const hasBatchNorm = !foldBatchNorm;
  const room = nStages * cellsPerStage * maxPerCell + maxSkeleton;
  const role = new Uint8Array(room);
  const operandStart = new Int32Array(room + 1);
  const operands = new Int32Array(2 * room);
  const isOutput = new Uint8Array(room);
  const isPixel = new Uint8Array(room);
  /** Column of an operator, and of a copy of its result (-1: nothing copies it). */
  const columnOf = new Int32Array(room);
  const copyColumnOf = new Int32Array(room);
  const isReached = new Uint8Array(room);
  const isLive = new Uint8Array(room);
  const executed = new Uint8Array(room);
  // By operand: ReLU and pool of it, once made. Shifted, because constants and the input are operands, too.
  const reluOf = new Int32Array(room + 2);
  const poolOf = new Int32Array(room + 2);
  const fusion = createFusion(room);
  const graph = { n: 0, role, operandStart, operands, isOutput, isPixel };
  let firstSum = 0;

  const shifted = (operand: number) => operand - inputOperand;

  function add(of: Role, column: number, stage: number, a: number, b?: number): number {
    const i = graph.n++;
    role[i] = of;
    columnOf[i] = column;
    copyColumnOf[i] = columns.ofKind[stage * nKinds + kinds.identity]!;
    isPixel[i] = Number(inputSize === 2 ** stage);
    const start = operandStart[i]!;
    operands[start] = a;
    if (b !== undefined) operands[start + 1] = b;
    operandStart[i + 1] = start + (b === undefined ? 1 : 2);
    reluOf[shifted(i)] = -1;
    poolOf[shifted(i)] = -1;
    return i;
  }

  const columnOfKind = (stage: number, kind: number) => columns.ofKind[stage * nKinds + kind]!;

  function relu(stage: number, operand: number): number {
    const known = reluOf[shifted(operand)]!;
    if (known >= 0) return known;
    const made = add(roles.activation, columnOfKind(stage, kinds.relu), stage, operand);
    reluOf[shifted(operand)] = made;
    return made;
  }

  function pool(stage: number, operand: number): number {
    const known = poolOf[shifted(operand)]!;
    if (known >= 0) return known;
    const made = add(roles.pool, columnOfKind(stage, kinds.averagePool), stage, operand);
    poolOf[shifted(operand)] = made;
    return made;
  }

  /** Sums of a stage are looked through: there are few. */
  function sum(stage: number, a: number, b: number): number {
    const column = columnOfKind(stage, kinds.add);
    for (let i = firstSum; i < graph.n; i++) {
      const start = operandStart[i]!;
      const isSame = operands[start] === a && operands[start + 1] === b;
      if (isSame && role[i] === roles.sum && columnOf[i] === column) return i;
    }
    return add(roles.sum, column, stage, a, b);
  }

  function convolution(stage: number, kind: number, operand: number): number {
    const made = add(roles.convolution, columnOfKind(stage, kind), stage, relu(stage, operand));
    if (!hasBatchNorm) return made;
    return add(roles.elementwise, columnOfKind(stage, kinds.batchNorm), stage, made);
  }

  const nodes = new Int32Array(nNodes);

  function addCell(cell: Cell, stage: number, input: number): number {
    nodes[0] = input;
    for (let node = 1, i = 0; node < nNodes; node++) {
      let total: number | undefined;
      for (; i < edges.length && edges[i]![1] === node; i++) {
        const operation = cell[i]!;
        if (operation === "none") continue;
        let term = nodes[edges[i]![0]]!;
        if (operation === "avg_pool_3x3") term = pool(stage, term);
        else if (operation !== "skip_connect") {
          const kind = operation === "nor_conv_1x1" ? kinds.conv1x1 : kinds.conv3x3;
          term = convolution(stage, kind, term);
        }
        total = total === undefined ? term : sum(stage, total, term);
      }
      nodes[node] = total ?? constantOperand;
    }
    return nodes[nNodes - 1]!;
  }

  /** Emits parts of the skeleton, whose columns come in the order of their operators. */
  function skeleton(part: readonly number[], stage: number) {
    let next = 0;
    return (of: Role, operand: number, other?: number) =>
      add(of, part[next++]!, stage, operand, other);
  }

  function addReduction(stage: number, source: number): number {
    const emit = skeleton(columns.reductions[stage - 1]!, stage);
    const normalised = (made: number) => (hasBatchNorm ? emit(roles.elementwise, made) : made);
    const first = normalised(emit(roles.convolution, relu(stage - 1, source)));
    const second = normalised(emit(roles.convolution, emit(roles.activation, first)));
    const pooled = emit(roles.pool, source);
    return emit(roles.sum, emit(roles.convolution, pooled), second);
  }

  function addHead(source: number): void {
    const emit = skeleton(columns.head, nStages - 1);
    const active = emit(roles.activation, emit(roles.elementwise, source));
    const pooled = emit(roles.pool, active);
    const flat = emit(roles.other, pooled);
    isPixel[pooled] = 1;
    isPixel[flat] = 1;
    isOutput[emit(roles.other, flat)] = 1;
  }

  function build(cell: Cell): FusionGraph {
    graph.n = 0;
    isOutput.fill(0);
    const emit = skeleton(columns.stem, 0);
    let tensor = emit(roles.convolution, inputOperand);
    if (hasBatchNorm) tensor = emit(roles.elementwise, tensor);
    for (let stage = 0; stage < nStages; stage++) {
      if (stage > 0) tensor = addReduction(stage, tensor);
      // Zeros of another size are another constant.
      reluOf[shifted(constantOperand)] = -1;
      poolOf[shifted(constantOperand)] = -1;
      firstSum = graph.n;
      for (let i = 0; i < cellsPerStage; i++) tensor = addCell(cell, stage, tensor);
    }
    addHead(tensor);
    return graph;
  }

  function markFlags({ n }: FusionGraph): void {
    for (let i = 0; i < n; i++) {
      isReached[i] = 0;
      isLive[i] = isOutput[i]!;
      for (let k = operandStart[i]!; k < operandStart[i + 1]!; k++) {
        const operand = operands[k]!;
        if (operand === inputOperand || (operand >= 0 && isReached[operand] === 1))
          isReached[i] = 1;
      }
    }
    for (let i = n - 1; i >= 0; i--) {
      if (isLive[i] === 0) continue;
      for (let k = operandStart[i]!; k < operandStart[i + 1]!; k++) {
        if (operands[k]! >= 0) isLive[operands[k]!] = 1;
      }
    }
  }

  return {
    /**
     * Count what is launched and copied of a cell's network in each view, into the row of `matrix` at `offset`. Views that
     * execute the same are fused once when they come one after the other.
     */
    count(
      cell: Cell,
      into: readonly { readonly view: FusedView; readonly matrix: Float32Array }[],
      offset: number,
    ): void {
      const built = build(cell);
      markFlags(built);
      let fused: FusionResult | undefined;
      for (const { view, matrix } of into) {
        let isAsBefore = fused !== undefined;
        for (let i = 0; i < built.n; i++) {
          const isExecuted =
            (view === "forward" ? 1 : isLive[i]!) & (view === "backward" ? 1 : isReached[i]!);
          if (executed[i] === isExecuted) continue;
          executed[i] = isExecuted;
          isAsBefore = false;
        }
        if (!isAsBefore || fused === undefined) fused = fusion.fuse(built, executed);
        const { isLaunched, nCopies } = fused;
        for (let i = 0; i < built.n; i++) {
          if (isLaunched[i] === 1) matrix[offset + columnOf[i]!]!++;
          if (nCopies[i]! > 0) matrix[offset + copyColumnOf[i]!]! += nCopies[i]!;
        }
      }
    },
  };
}
