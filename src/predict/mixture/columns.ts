/**
 * From executed operators to the columns of a linear latency model: what every network has, totals over all
 * operators, and what each group of operators adds.
 *
 * Totals (multiply-accumulates, bytes, operators, launches) let a handful of samples speak for all groups at once;
 * group columns let a group be dearer or cheaper than its share of the totals. Columns are scaled to a root mean
 * square of 1 over the networks learned from, so that a coefficient is a share of a typical latency.
 */
import { z } from "zod";
import type { FeatureTable, OperatorSignature, RewriteSemantics } from "../../graph/features.js";
import { type Matrix, matrix } from "../../tensor/linalg.js";
import { pearson } from "../../tensor/stats.js";

/**
 * What a column counts. `skeleton`: operators that every network runs alike. `group`: MACs of a group, or bytes where
 * there are none; `elementwise`: the same for a group that works element by element; `count`: operators of a group
 * whose shapes vary.
 */
export const columnKinds = [
  "overhead",
  "skeleton",
  "macs",
  "bytes",
  "operators",
  "launches",
  "group",
  "elementwise",
  "count",
  "longest path",
  "heaviest path",
] as const;
export type ColumnKind = (typeof columnKinds)[number];

const skeleton = -1;
const columnOfGroupSchema = z.object({
  /** Column of the group's amount; -1: it belongs to the skeleton. */
  amount: z.number().int().min(skeleton),
  /** Column of the group's number of operators, where that is another thing. */
  count: z.number().int().nonnegative().optional(),
});

/** Plain JSON, part of a saved predictor. */
export const mixtureColumnsSchema = z.object({
  names: z.array(z.string()).min(1),
  kinds: z.array(z.enum(columnKinds)).min(1),
  /** Root mean square of each column over the networks learned from, before scaling. */
  scale: z.array(z.number().positive()),
  columnOfGroup: z.record(z.string(), columnOfGroupSchema),
});
/** The columns that a pool's networks span. */
export type MixtureColumns = z.infer<typeof mixtureColumnsSchema>;

const fixedKinds = ["overhead", "skeleton", "macs", "bytes", "operators", "launches"] as const;
const skeletonColumn = 1;
const [macsColumn, bytesColumn, operatorsColumn, launchesColumn] = [2, 3, 4, 5];
/** An empty run is taken to be cheap beside a network. */
const overheadWeight = 0.1;

/** MACs of an operator, or bytes where it has none. */
const amountOf = ({ macs, bytesMoved }: OperatorSignature) => (macs > 0 ? macs : bytesMoved);

const movesData = /^(Transpose|Concat|Split|Slice|Gather|Pad|Resize|DepthToSpace|SpaceToDepth)\b/;
/**
 * Kernels that a framework launches for an operator, in units of a convolution with its normalisation and activation.
 * A copy to another layout is one kernel against two or three. Elementwise operators are fused or come with those.
 */
function launchesOf({ macs, group }: OperatorSignature): number {
  if (macs > 0) return 1;
  return movesData.test(group) ? 0.5 : 0;
}

/** Works element by element: no window, no weights. */
const isElementwise = ({ macs, group }: OperatorSignature) =>
  macs === 0 && !/\d+x\d+\//.test(group) && !movesData.test(group);

function rootMeanSquare(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum / Math.max(1, values.length));
}

const varies = (values: Float64Array, size: number) =>
  values.some((value) => Math.abs(value - values[0]!) > 1e-6 * size);

/** Whether one column is the other, scaled and shifted: what is constant belongs to the skeleton. */
function isAffine(a: Float64Array, b: Float64Array): boolean {
  return Math.abs(pearson(a, b)) > 1 - 1e-6;
}

/** Amounts and counts of each group that some of the rows run, (rows.length) each. */
function groupTotals(networks: FeatureTable, rows: ArrayLike<number>) {
  const { signatures } = networks;
  const totals = new Map<
    string,
    { amount: Float64Array; count: Float64Array; isElementwise: boolean }
  >();
  signatures.forEach((signature, s) => {
    let total = totals.get(signature.group);
    if (total === undefined) {
      const zeros = () => new Float64Array(rows.length);
      total = { amount: zeros(), count: zeros(), isElementwise: isElementwise(signature) };
      totals.set(signature.group, total);
    }
    const amount = amountOf(signature);
    for (let i = 0; i < rows.length; i++) {
      const count = networks.counts.all[rows[i]! * signatures.length + s]!;
      total.amount[i]! += amount * count;
      total.count[i]! += count;
    }
  });
  return [...totals].sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * The columns that networks span.
 *
 * @param rows - networks learned from; unconnected ones are ignored
 */
export function columnsOfNetworks(networks: FeatureTable, rows: ArrayLike<number>): MixtureColumns {
  const connected = Int32Array.from(
    Array.from(rows).filter((row) => networks.connected[row] === 1),
  );
  const names: string[] = [...fixedKinds];
  const kinds: ColumnKind[] = [...fixedKinds];
  const columnOfGroup: MixtureColumns["columnOfGroup"] = {};
  const counted: string[] = [];
  for (const [group, { amount, count, isElementwise }] of groupTotals(networks, connected)) {
    const size = rootMeanSquare(amount);
    if (size === 0) continue;
    if (!varies(amount, size)) {
      columnOfGroup[group] = { amount: skeleton };
      continue;
    }
    columnOfGroup[group] = { amount: names.length };
    names.push(group);
    kinds.push(isElementwise ? "elementwise" : "group");
    if (varies(count, rootMeanSquare(count)) && !isAffine(amount, count)) {
      counted.push(group);
    }
  }
  for (const group of counted) {
    columnOfGroup[group]!.count = names.length;
    names.push(`number of ${group}`);
    kinds.push("count");
  }
  for (const path of ["longest path", "heaviest path"] as const) {
    names.push(path);
    kinds.push(path);
  }
  const unscaled = { names, kinds, scale: names.map(() => 1), columnOfGroup };
  const design = createMixtureDesign(unscaled, networks).of("all", connected);
  const scale = names.map((_, j) => {
    if (j === 0) return 1;
    const size = rootMeanSquare(
      Float64Array.from({ length: design.rows }, (_, i) => design.values[i * names.length + j]!),
    );
    return size || 1;
  });
  return { ...unscaled, scale };
}

/** Design matrices of one table. */
export interface MixtureDesign {
  /** Columns of networks under a semantics, (rows.length, columns). */
  of(semantics: RewriteSemantics, rows: ArrayLike<number>): Matrix;
  /** As `of` for one network, into `target`. */
  fill(semantics: RewriteSemantics, row: number, target: Float64Array): void;
}

/**
 * Prepare the design matrices of a table. Operators of groups that nobody learned from count in the totals only.
 */
export function createMixtureDesign(
  columns: MixtureColumns,
  networks: FeatureTable,
): MixtureDesign {
  const { signatures } = networks;
  const nSignatures = signatures.length;
  const { scale, columnOfGroup } = columns;
  const nColumns = scale.length;
  const longestColumn = nColumns - 2;
  const heaviestColumn = nColumns - 1;
  const amountColumn = new Int32Array(nSignatures);
  const countColumn = new Int32Array(nSignatures).fill(-1);
  const totals = new Float64Array(nSignatures * 4);
  const amount = new Float64Array(nSignatures);
  const count = new Float64Array(nSignatures);
  signatures.forEach((signature, s) => {
    const known = columnOfGroup[signature.group];
    const column =
      known === undefined ? -1 : known.amount === skeleton ? skeletonColumn : known.amount;
    amountColumn[s] = column;
    if (column >= 0) amount[s] = amountOf(signature) / scale[column]!;
    if (known?.count !== undefined) {
      countColumn[s] = known.count;
      count[s] = 1 / scale[known.count]!;
    }
    totals.set(
      [
        signature.macs / scale[macsColumn]!,
        signature.bytesMoved / scale[bytesColumn]!,
        1 / scale[operatorsColumn]!,
        launchesOf(signature) / scale[launchesColumn]!,
      ],
      s * 4,
    );
  });

  function fill(semantics: RewriteSemantics, row: number, target: Float64Array) {
    const counts = networks.counts[semantics];
    const start = row * nSignatures;
    target.fill(0);
    target[0] = overheadWeight;
    for (let s = 0; s < nSignatures; s++) {
      const n = counts[start + s]!;
      if (n === 0) continue;
      const at = 4 * s;
      target[macsColumn]! += n * totals[at]!;
      target[bytesColumn]! += n * totals[at + 1]!;
      target[operatorsColumn]! += n * totals[at + 2]!;
      target[launchesColumn]! += n * totals[at + 3]!;
      if (amountColumn[s]! >= 0) target[amountColumn[s]!]! += n * amount[s]!;
      if (countColumn[s]! >= 0) target[countColumn[s]!]! += n * count[s]!;
    }
    target[longestColumn] = networks.longestPath[semantics][row]! / scale[longestColumn]!;
    target[heaviestColumn] = networks.heaviestPath[semantics][row]! / scale[heaviestColumn]!;
  }

  return {
    fill,
    of(semantics, rows) {
      const values = new Float64Array(rows.length * nColumns);
      for (let i = 0; i < rows.length; i++) {
        fill(semantics, rows[i]!, values.subarray(i * nColumns, (i + 1) * nColumns));
      }
      return matrix(rows.length, nColumns, values);
    },
  };
}

/** The columns for readers of a saved predictor. */
export function featuresOfMixtureColumns({ names, kinds, scale }: MixtureColumns) {
  const unitOf = (kind: ColumnKind, size: number) => {
    switch (kind) {
      case "overhead":
        return "1 per run";
      case "macs":
        return `${size} multiply-accumulates`;
      case "bytes":
        return `${size} bytes`;
      case "skeleton":
      case "group":
      case "elementwise":
        return `${size} multiply-accumulates, or bytes where there are none`;
      case "launches":
        return `${size} operators with weights, and half as much for data movement`;
      case "operators":
      case "count":
      case "longest path":
        return `${size} operators`;
      case "heaviest path":
        return `${size} window taps`;
      default:
        return kind satisfies never;
    }
  };
  return names.map((name, j) => ({ name, unit: unitOf(kinds[j]!, scale[j]!) }));
}
