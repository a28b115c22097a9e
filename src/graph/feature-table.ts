/**
 * The feature table of any list of operator graphs. A search space may fill the same table faster.
 */
import { signatureOf, signatureOfCopy } from "./cost.js";
import { type Executions, executionsOf } from "./executions.js";
import {
  type FeatureTable,
  forEachSemantics,
  type OperatorSignature,
  type RewriteSemantics,
} from "./features.js";
import type { OperatorGraph } from "./graph.js";

/** A graph and the id its row gets. */
export interface NamedGraph {
  readonly id: string;
  readonly graph: OperatorGraph;
}

/** A graph's executions, with operators and copies named by their signature keys. */
interface Row {
  readonly keys: readonly string[];
  readonly copyKeyOf: (operator: number) => string;
  readonly executions: Executions;
}

function rowOf(graph: OperatorGraph, signatures: Map<string, OperatorSignature>): Row {
  const keyOf = (signature: OperatorSignature) => {
    if (!signatures.has(signature.key)) signatures.set(signature.key, signature);
    return signature.key;
  };
  const keys = graph.operators.map((operator) => keyOf(signatureOf(operator, graph)));
  const executions = executionsOf(graph);
  const copyKeys = new Map<number, string>();
  for (const { copies } of Object.values(executions.of)) {
    for (const i of copies) {
      if (copyKeys.has(i)) continue;
      copyKeys.set(i, keyOf(signatureOfCopy(graph.operators[i]!.outputs[0]!, graph)));
    }
  }
  return { keys, copyKeyOf: (i) => copyKeys.get(i)!, executions };
}

/** One array for each semantics; semantics of equal numbers have the same one. */
function distinctArrays(
  make: (semantics: RewriteSemantics) => Float32Array,
): Record<RewriteSemantics, Float32Array> {
  const distinct: Float32Array[] = [];
  return forEachSemantics((semantics) => {
    const values = make(semantics);
    const equal = distinct.find((known) => known.every((value, i) => value === values[i]));
    if (equal === undefined) distinct.push(values);
    return equal ?? values;
  });
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
 * their keys. Semantics that no network tells apart have the same arrays.
 */
export function featuresOfGraphs(graphs: readonly NamedGraph[]): FeatureTable {
  const known = new Map<string, OperatorSignature>();
  const rows = graphs.map(({ graph }) => rowOf(graph, known));
  const signatures = [...known.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  const column = new Map(signatures.map(({ key }, i) => [key, i]));
  const table = {
    ids: graphs.map(({ id }) => id),
    signatures,
    counts: distinctArrays((semantics) => {
      const counts = new Float32Array(rows.length * signatures.length);
      rows.forEach(({ keys, copyKeyOf, executions }, row) => {
        const { operators, copies } = executions.of[semantics];
        const count = (key: string) => {
          counts[row * signatures.length + column.get(key)!]!++;
        };
        for (const i of operators) count(keys[i]!);
        for (const i of copies) count(copyKeyOf(i));
      });
      return counts;
    }),
    longestPath: distinctArrays((semantics) =>
      Float32Array.from(rows, ({ executions }) => executions.of[semantics].longestPath),
    ),
    heaviestPath: distinctArrays((semantics) =>
      Float32Array.from(rows, ({ executions }) => executions.of[semantics].heaviestPath),
    ),
    connected: Uint8Array.from(rows, ({ executions }) => Number(executions.connected)),
  };
  const encoding = encodingOf(graphs);
  return encoding ? { ...table, encoding } : table;
}
