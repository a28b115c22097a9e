// Feature tables for comparison: arrays that several semantics share are compared once, not fifteen times.
import type { FeatureTable } from "../src/graph/features.js";

const distinct = (values: Readonly<Record<string, Float32Array>>) => [
  ...new Set(Object.values(values)),
];

/** The table with its distinct arrays in the order of the semantics, in place of one for each semantics. */
export function withDistinctArrays(table: FeatureTable) {
  const { counts, longestPath, heaviestPath } = table;
  return {
    ...table,
    counts: distinct(counts),
    longestPath: distinct(longestPath),
    heaviestPath: distinct(heaviestPath),
  };
}
