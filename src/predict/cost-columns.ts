/**
 * From operators to the columns of an additive latency model: one per group of signatures, plus what every run
 * costs, the operators launched and the longest path.
 *
 * Groups that every network learned from runs alike (a search space's skeleton) share one column, because nothing
 * could tell them apart. Two forms give a signature its weight: `counts` (multiply-accumulates, or bytes where there
 * are none; the platform's speed is unknown) and `descriptor` (the platform's own isolated operator latency, ms).
 */
import { z } from "zod";
import type { FeatureTable, OperatorSignature, RewriteSemantics } from "../graph/features.js";
import { type Matrix, matrix } from "../tensor/linalg.js";
import type { OperatorCosts } from "./operator-costs.js";

/** Plain JSON, part of a saved predictor. */
export const costColumnsSchema = z.object({
  /** Column names in order: `overhead`, `skeleton`, groups, `operators`, `longest path`. */
  names: z.array(z.string()).min(4),
  /** Column of each group known. */
  columnOfGroup: z.record(z.string(), z.number().int().nonnegative()),
  /** Column that takes an unknown group's multiply-accumulates, and one for groups without. */
  fallback: z.object({
    macs: z.number().int().nonnegative(),
    bytes: z.number().int().nonnegative(),
  }),
  /** Root mean square of each column over the networks learned from, in the `counts` form. */
  scale: z.array(z.number().positive()),
});
export type CostColumns = z.infer<typeof costColumnsSchema>;

const overheadColumn = 0;
const skeletonColumn = 1;
/** Weight of the `overhead` column in the `counts` form: an empty run is taken to be cheap beside a network. */
const overheadWeight = 0.1;

const amountOf = ({ macs, bytesMoved }: OperatorSignature) => (macs > 0 ? macs : bytesMoved);

function amountsPerGroup(
  networks: FeatureTable,
  rows: ArrayLike<number>,
): Map<string, Float64Array> {
  const { signatures } = networks;
  const totals = new Map<string, Float64Array>();
  for (const { group } of signatures) totals.set(group, new Float64Array(rows.length));
  signatures.forEach((signature, s) => {
    const total = totals.get(signature.group)!;
    const amount = amountOf(signature);
    for (let i = 0; i < rows.length; i++) {
      total[i]! += amount * networks.counts.all[rows[i]! * signatures.length + s]!;
    }
  });
  return totals;
}

function rootMeanSquare(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum / Math.max(1, values.length));
}

/**
 * The columns that networks span.
 *
 * @param rows - networks learned from; unconnected ones are ignored
 */
export function columnsOfNetworks(networks: FeatureTable, rows: ArrayLike<number>): CostColumns {
  const connected = Int32Array.from(
    Array.from(rows).filter((row) => networks.connected[row] === 1),
  );
  const amounts = amountsPerGroup(networks, connected);
  const names = ["overhead", "skeleton"];
  const scale = [1, 1];
  const columnOfGroup: Record<string, number> = {};
  const groupScale: Record<string, number> = {};
  for (const [group, values] of [...amounts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const size = rootMeanSquare(values);
    if (size === 0) continue;
    groupScale[group] = size;
    const varies = values.some((value) => Math.abs(value - values[0]!) > 1e-6 * size);
    columnOfGroup[group] = varies ? names.length : skeletonColumn;
    if (varies) {
      names.push(group);
      scale.push(size);
    }
  }
  names.push("operators", "longest path");
  const columns: CostColumns = {
    names,
    columnOfGroup,
    fallback: fallbackColumns(networks, columnOfGroup, groupScale),
    scale: [...scale, 1, 1],
  };
  // The mixed columns get their scale from the design itself.
  const design = createDesign(columns, networks, "counts").of("all", connected);
  for (const column of [skeletonColumn, names.length - 2, names.length - 1]) {
    const values = Float64Array.from(
      { length: design.rows },
      (_, i) => design.values[i * design.columns + column]!,
    );
    columns.scale[column] = rootMeanSquare(values) || 1;
  }
  return columns;
}

function fallbackColumns(
  networks: FeatureTable,
  columnOfGroup: Readonly<Record<string, number>>,
  groupScale: Readonly<Record<string, number>>,
): CostColumns["fallback"] {
  const largest = (withMacs: boolean) => {
    let best: string | undefined;
    for (const { group, macs } of networks.signatures) {
      if (groupScale[group] === undefined || macs > 0 !== withMacs) continue;
      if (best === undefined || groupScale[group] > groupScale[best]!) best = group;
    }
    return best === undefined ? skeletonColumn : columnOfGroup[best]!;
  };
  return { macs: largest(true), bytes: largest(false) };
}

/** Column that an operator's cost goes to. */
function columnOfSignature(columns: CostColumns, { group, macs }: OperatorSignature): number {
  const { columnOfGroup, fallback } = columns;
  return columnOfGroup[group] ?? (macs > 0 ? fallback.macs : fallback.bytes);
}

/** Design matrices of one table in one form. */
export interface Design {
  /** Features of networks under a semantics, (rows.length, columns). */
  of(semantics: RewriteSemantics, rows: ArrayLike<number>): Matrix;
  /** As `of` for one network, into `target`. */
  fill(semantics: RewriteSemantics, row: number, target: Float64Array, offset: number): void;
}

/**
 * Prepare the design matrices of a table.
 *
 * @param costs - `counts` for the platform-free form, else the platform's own operator costs
 */
export function createDesign(
  columns: CostColumns,
  networks: FeatureTable,
  costs: "counts" | OperatorCosts,
): Design {
  const { signatures } = networks;
  const nSignatures = signatures.length;
  const nColumns = columns.names.length;
  const operatorsColumn = nColumns - 2;
  const pathColumn = nColumns - 1;
  const columnOf = new Int32Array(nSignatures);
  const weight = new Float64Array(nSignatures);
  signatures.forEach((signature, s) => {
    const column = columnOfSignature(columns, signature);
    columnOf[s] = column;
    weight[s] =
      costs === "counts" ? amountOf(signature) / columns.scale[column]! : costs.costMs(signature);
  });
  const operatorWeight = costs === "counts" ? 1 / columns.scale[operatorsColumn]! : costs.unitMs;
  const pathWeight = costs === "counts" ? 1 / columns.scale[pathColumn]! : costs.unitMs;
  const overhead = costs === "counts" ? overheadWeight : costs.overheadMs;

  function fill(semantics: RewriteSemantics, row: number, target: Float64Array, offset: number) {
    const counts = networks.counts[semantics];
    for (let j = 0; j < nColumns; j++) target[offset + j] = 0;
    let operators = 0;
    const start = row * nSignatures;
    for (let s = 0; s < nSignatures; s++) {
      const count = counts[start + s]!;
      if (count === 0) continue;
      operators += count;
      target[offset + columnOf[s]!]! += count * weight[s]!;
    }
    target[offset + overheadColumn] = overhead;
    target[offset + operatorsColumn] = operators * operatorWeight;
    target[offset + pathColumn] = networks.longestPath[semantics][row]! * pathWeight;
  }

  return {
    fill,
    of(semantics, rows) {
      const values = new Float64Array(rows.length * nColumns);
      for (let i = 0; i < rows.length; i++) fill(semantics, rows[i]!, values, i * nColumns);
      return matrix(rows.length, nColumns, values);
    },
  };
}

/**
 * How well each column is known in the `descriptor` form, relative: an operator's error is the same in every network,
 * so errors within a column add up instead of averaging out.
 */
export function columnUncertainty(
  columns: CostColumns,
  networks: FeatureTable,
  rows: ArrayLike<number>,
  costs: OperatorCosts,
): Float64Array {
  const { signatures, counts } = networks;
  const total = new Float64Array(columns.names.length);
  const uncertain = new Float64Array(columns.names.length);
  signatures.forEach((signature, s) => {
    const column = columnOfSignature(columns, signature);
    let count = 0;
    for (let i = 0; i < rows.length; i++) count += counts.all[rows[i]! * signatures.length + s]!;
    const cost = count * costs.costMs(signature);
    total[column]! += cost;
    uncertain[column]! += cost * costs.relativeSd(signature);
  });
  return uncertain.map((value, column) => (total[column]! > 0 ? value / total[column]! : 0));
}

/** The columns for readers of a saved predictor, in the platform-free form. */
export function featuresOfColumns({ names, scale }: CostColumns): { name: string; unit: string }[] {
  return names.map((name, column) => {
    if (column === overheadColumn) return { name, unit: "1 per run" };
    const counts = column >= names.length - 2;
    const amount = counts ? "operators" : "MACs, or bytes moved where there are none";
    return { name, unit: column === skeletonColumn ? "share" : `${scale[column]} ${amount}` };
  });
}
