/**
 * Networks as standardised amounts of work, under each rewrite semantics: per group of operators its
 * multiply-accumulates (bytes moved where there are none), their totals, operators, the longest chain, connectedness.
 *
 * Columns that say the same of all networks learned from, or the same as an earlier column, are left out. A *view* is
 * the columns that describe networks under one semantics; semantics that cannot be told apart share a view.
 */
import { z } from "zod";
import {
  type FeatureTable,
  type OperatorSignature,
  unfusedSemantics,
} from "../../graph/features.js";
import { type Matrix, matrix } from "../../tensor/linalg.js";
import { createRandom, drawWithoutReplacement } from "../../tensor/random.js";
import { mean } from "../../tensor/stats.js";

const amounts = [
  "group",
  "multiply-accumulates",
  "bytes moved",
  "operators",
  "longest path",
  "connected",
] as const;

const columnSchema = z.object({
  semantics: z.enum(unfusedSemantics),
  amount: z.enum(amounts),
  /** Whose amount; empty unless `amount` is `group`. */
  group: z.string(),
  /** Mean and standard deviation over the networks learned from. */
  centre: z.number(),
  spread: z.number().positive(),
});
type Column = z.infer<typeof columnSchema>;

/** Plain JSON, part of saved predictors. */
export const countFeaturesSchema = z.object({
  columns: z.array(columnSchema).min(1),
  /** Columns of each view, no two views alike. */
  views: z.array(z.array(z.number().int().nonnegative()).min(1)).min(1),
});
export type CountFeatures = z.infer<typeof countFeaturesSchema>;

/** Columns correlated more than this are taken for one. */
const sameCorrelation = 0.999;
/** Networks that columns are standardised on, at most. */
const maxRows = 1500;
/** Standardised amounts are cut here: log latency must not be extrapolated without bound. */
const limit = 5;

type Amount = Pick<Column, "semantics" | "amount" | "group">;

function amountsOf(networks: FeatureTable): Amount[] {
  const groups = [...new Set(networks.signatures.map(({ group }) => group))].sort();
  return unfusedSemantics.flatMap((semantics) =>
    amounts.flatMap((amount) =>
      (amount === "group" ? groups : [""]).map((group) => ({ semantics, amount, group })),
    ),
  );
}

const workOf = ({ macs, bytesMoved }: OperatorSignature) => (macs > 0 ? macs : bytesMoved);

/** How much of the amount each operator of a table adds; undefined where it is no sum over operators. */
function weightsOf({ amount, group }: Amount, { signatures }: FeatureTable) {
  switch (amount) {
    case "group":
      return Float64Array.from(signatures, (s) => (s.group === group ? workOf(s) : 0));
    case "multiply-accumulates":
      return Float64Array.from(signatures, ({ macs }) => macs);
    case "bytes moved":
      return Float64Array.from(signatures, ({ bytesMoved }) => bytesMoved);
    case "operators":
      return new Float64Array(signatures.length).fill(1);
    case "longest path":
    case "connected":
      return undefined;
    default:
      return amount satisfies never;
  }
}

/** An amount of some rows of a table. */
function valuesOf(amount: Amount, networks: FeatureTable, rows: ArrayLike<number>): Float64Array {
  const weights = weightsOf(amount, networks);
  if (weights === undefined) {
    const values =
      amount.amount === "connected" ? networks.connected : networks.longestPath[amount.semantics];
    return Float64Array.from(rows, (row) => values[row]!);
  }
  const counts = networks.counts[amount.semantics];
  const width = weights.length;
  const used = Array.from(weights.keys()).filter((s) => weights[s] !== 0);
  return Float64Array.from(rows, (row) => {
    let sum = 0;
    for (const s of used) sum += counts[row * width + s]! * weights[s]!;
    return sum;
  });
}

/**
 * Choose the columns of networks and how to standardise them. Reads no latency.
 *
 * @param rows - networks learned from
 */
export function countFeaturesOf(
  networks: FeatureTable,
  rows: readonly number[],
  seed: number,
): CountFeatures {
  const drawn = drawWithoutReplacement(
    createRandom(seed),
    rows.length,
    Math.min(maxRows, rows.length),
  );
  const chosen = Array.from(drawn, (place) => rows[place]!);
  const columns: Column[] = [];
  const standardised: Float64Array[] = [];
  const views = new Map<string, number[]>(unfusedSemantics.map((semantics) => [semantics, []]));
  for (const amount of amountsOf(networks)) {
    const values = valuesOf(amount, networks, chosen);
    const centre = mean(values);
    const spread = Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
    if (spread <= 1e-9 * Math.abs(centre)) continue;
    const column = values.map((value) => (value - centre) / spread);
    let place = standardised.findIndex((earlier) => isSame(earlier, column));
    if (place < 0) {
      place = columns.length;
      columns.push({ ...amount, centre, spread });
      standardised.push(column);
    }
    const view = views.get(amount.semantics)!;
    if (!view.includes(place)) view.push(place);
  }
  if (columns.length === 0) {
    // Networks that are all alike: one column, so that a predictor can still say their common latency.
    const { semantics, amount, group } = amountsOf(networks)[0]!;
    return { columns: [{ semantics, amount, group, centre: 0, spread: 1 }], views: [[0]] };
  }
  const distinct = new Map([...views.values()].map((view) => [String([...view].sort()), view]));
  return { columns, views: [...distinct.values()] };
}

function isSame(a: Float64Array, b: Float64Array): boolean {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return Math.abs(sum) > sameCorrelation * a.length;
}

/** Standardised amounts of some rows of a table, (rows, columns). */
export function countMatrix(
  { columns }: CountFeatures,
  networks: FeatureTable,
  rows: ArrayLike<number>,
): Matrix {
  const result = matrix(rows.length, columns.length);
  columns.forEach((column, j) => {
    valuesOf(column, networks, rows).forEach((value, i) => {
      const standard = (value - column.centre) / column.spread;
      result.values[i * columns.length + j] = Math.min(Math.max(standard, -limit), limit);
    });
  });
  return result;
}

/** The columns of one view. */
export function columnsOfView(all: Matrix, view: readonly number[]): Matrix {
  const result = matrix(all.rows, view.length);
  for (let i = 0; i < all.rows; i++) {
    view.forEach((column, j) => {
      result.values[i * view.length + j] = all.values[i * all.columns + column]!;
    });
  }
  return result;
}

/** The columns for readers of a saved predictor. */
export function describeCountFeatures({ columns }: CountFeatures) {
  return columns.map(({ semantics, amount, group }) => ({
    name: `${group || amount} (${semantics})`,
    unit: "standard deviations of the networks learned from",
  }));
}
