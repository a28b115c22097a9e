/**
 * The feature table of any list of operator graphs. A search space may fill the same table faster.
 */
import {
  livenessOf,
  longestChain,
  partsOfSemantics,
  sharedClasses,
  sourcesOf,
  viewOf,
} from "./analysis.js";
import { signatureOf } from "./cost.js";
import {
  type FeatureTable,
  type OperatorSignature,
  type RewriteSemantics,
  rewriteSemantics,
} from "./features.js";
import type { OperatorGraph } from "./graph.js";

/** A graph and the id its row gets. */
export interface NamedGraph {
  readonly id: string;
  readonly graph: OperatorGraph;
}

interface Row {
  /** For each semantics: signature key of every executed operator. */
  readonly executed: Readonly<Record<RewriteSemantics, readonly string[]>>;
  readonly longest: Readonly<Record<RewriteSemantics, number>>;
  readonly connected: boolean;
}

/** One value for each semantics. */
export function forEachSemantics<T>(
  make: (semantics: RewriteSemantics) => T,
): Record<RewriteSemantics, T> {
  return Object.fromEntries(
    rewriteSemantics.map((semantics) => [semantics, make(semantics)]),
  ) as Record<RewriteSemantics, T>;
}

function rowOf(graph: OperatorGraph, signatures: Map<string, OperatorSignature>): Row {
  const keys = graph.operators.map((operator) => {
    const signature = signatureOf(operator, graph);
    if (!signatures.has(signature.key)) signatures.set(signature.key, signature);
    return signature.key;
  });
  const liveness = livenessOf(graph);
  const sources = sourcesOf(graph);
  const { classes, nClasses, sources: classSources } = sharedClasses(graph);
  const executed = forEachSemantics((): string[] => []);
  const longest = forEachSemantics((semantics) => {
    const { view, shared } = partsOfSemantics(semantics);
    const mask = viewOf(liveness, view);
    if (!shared) {
      executed[semantics] = keys.filter((_, i) => mask[i]);
      return longestChain(mask, sources);
    }
    const classMask = new Uint8Array(nClasses);
    classes.forEach((id, i) => {
      if (id < 0 || !mask[i] || classMask[id]) return;
      classMask[id] = 1;
      executed[semantics].push(keys[i]!);
    });
    return longestChain(classMask, classSources);
  });
  return { executed, longest, connected: liveness.connected };
}

/** Encodings of all rows, when all have one of the same space and width. */
function encodingOf(graphs: readonly NamedGraph[]): FeatureTable["encoding"] {
  const [first, ...others] = graphs.map(({ graph }) => graph.encoding);
  if (!first) return undefined;
  const width = first.values.length;
  const values = new Float32Array(graphs.length * width);
  values.set(first.values);
  for (const [i, encoding] of others.entries()) {
    if (encoding?.space !== first.space || encoding.values.length !== width) return undefined;
    values.set(encoding.values, (i + 1) * width);
  }
  return { space: first.space, width, values };
}

/**
 * Features of networks: operators counted by signature under each rewrite semantics. Signatures are in the order of
 * their keys.
 */
export function featuresOfGraphs(graphs: readonly NamedGraph[]): FeatureTable {
  const known = new Map<string, OperatorSignature>();
  const rows = graphs.map(({ graph }) => rowOf(graph, known));
  const signatures = [...known.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  const column = new Map(signatures.map(({ key }, i) => [key, i]));
  const table = {
    ids: graphs.map(({ id }) => id),
    signatures,
    counts: forEachSemantics((semantics) => {
      const counts = new Float32Array(rows.length * signatures.length);
      rows.forEach(({ executed }, row) => {
        for (const key of executed[semantics])
          counts[row * signatures.length + column.get(key)!]!++;
      });
      return counts;
    }),
    longestPath: forEachSemantics((semantics) =>
      Float32Array.from(rows, ({ longest }) => longest[semantics]),
    ),
    connected: Uint8Array.from(rows, ({ connected }) => Number(connected)),
  };
  const encoding = encodingOf(graphs);
  return encoding ? { ...table, encoding } : table;
}
