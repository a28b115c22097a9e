/**
 * What a linear view believes of single operators: its coefficients read column by column, for one network.
 *
 * Columns are linear in how often operators run, so what one operator adds is what the columns of a table with that
 * operator alone add. Adding up the parts and giving them to nodes is `latency-parts.ts`.
 */
import {
  type FeatureTable,
  forEachSemantics,
  type OperatorSignature,
  type RewriteSemantics,
} from "../graph/features.js";
import type { LinearView } from "./linear-views.js";

/** Costs of one network's operators on a platform, as one view of what the runtime executes has them. */
export interface CostView {
  readonly semantics: RewriteSemantics;
  /** How likely the view is; those of a predictor add up to 1. */
  readonly weight: number;
  /** What a run costs before any operator, ms. */
  readonly overheadMs: number;
  /** What the network's longest chains cost beyond that, ms. */
  readonly depthMs: number;
  /** For each signature of the table, what one launch of it costs, ms. May be negative where samples were few. */
  readonly operatorMs: Float64Array;
}

/** Writes the columns of a row of a table as a view sees them. */
export type FillOf<View> = (
  networks: FeatureTable,
) => (view: View) => (row: number, target: Float64Array) => void;

const none = forEachSemantics(() => new Float32Array(0));
const zero = forEachSemantics(() => Float32Array.of(0));
const one = forEachSemantics(() => Float32Array.of(1));

/** A table of one network: one operator or none, chains of no length or those of a row. */
function tableOf(
  signature: OperatorSignature | undefined,
  paths?: { readonly of: FeatureTable; readonly row: number },
): FeatureTable {
  const lengthOf = (column: "longestPath" | "heaviestPath") =>
    paths === undefined
      ? zero
      : forEachSemantics((semantics) => Float32Array.of(paths.of[column][semantics][paths.row]!));
  return {
    ids: ["parts"],
    signatures: signature === undefined ? [] : [signature],
    counts: signature === undefined ? none : one,
    longestPath: lengthOf("longestPath"),
    heaviestPath: lengthOf("heaviestPath"),
    connected: Uint8Array.of(1),
  };
}

/**
 * Costs of the operators of one network under each view. Overhead, depth and the launched operators add up to the
 * view's latency.
 *
 * @param fillOf - prepares the columns of a table
 */
export function costsOfViews<View extends LinearView & { readonly semantics: RewriteSemantics }>(
  views: readonly View[],
  fillOf: FillOf<View>,
  networks: FeatureTable,
  row: number,
): CostView[] {
  const { signatures } = networks;
  const nColumns = views[0]!.mean.length;
  const features = new Float64Array(nColumns);
  const centreOf = (view: View, fill: (row: number, target: Float64Array) => void) => {
    fill(0, features);
    return features.reduce((sum, value, j) => sum + view.mean[j]! * value, 0);
  };
  const empty = fillOf(tableOf(undefined));
  const chains = fillOf(tableOf(undefined, { of: networks, row }));
  const single = signatures.map((signature) => fillOf(tableOf(signature)));
  return views.map((view) => {
    const overheadMs = centreOf(view, empty(view));
    return {
      semantics: view.semantics,
      weight: view.weight,
      overheadMs,
      depthMs: centreOf(view, chains(view)) - overheadMs,
      operatorMs: Float64Array.from(single, (fill) => centreOf(view, fill(view)) - overheadMs),
    };
  });
}
