/**
 * The feature table of any list of operator graphs. A search space may fill the same table faster.
 */
import { livenessOf, partsOfSemantics, type Sharing, viewOf } from "./analysis.js";
import { longestChain, sourcesOf } from "./chains.js";
import { signatureOf, signatureOfCopy, tapsOf } from "./cost.js";
import {
  type FeatureTable,
  type OperatorSignature,
  type RewriteSemantics,
  rewriteSemantics,
} from "./features.js";
import { createFusion } from "./fusion.js";
import { fusionGraphOf } from "./fusion-graph.js";
import type { OperatorGraph } from "./graph.js";
import { sharedClasses } from "./sharing.js";

/** A graph and the id its row gets. */
export interface NamedGraph {
  readonly id: string;
  readonly graph: OperatorGraph;
}

/** What one semantics executes of a graph. */
interface Execution {
  /** Signature key of every executed operator. */
  readonly keys: readonly string[];
  readonly longestPath: number;
  readonly heaviestPath: number;
}

interface Row {
  readonly executions: Readonly<Record<RewriteSemantics, Execution>>;
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
  const keyOf = (signature: OperatorSignature) => {
    if (!signatures.has(signature.key)) signatures.set(signature.key, signature);
    return signature.key;
  };
  const keys = graph.operators.map((operator) => keyOf(signatureOf(operator, graph)));
  const taps = graph.operators.map((operator) => tapsOf(operator, graph));
  const liveness = livenessOf(graph);
  const sources = sourcesOf(graph);
  const shared = sharedClasses(graph);
  const { classes, nClasses, launches, sources: classSources } = shared;
  const classTaps = new Float64Array(nClasses);
  classes.forEach((id, i) => {
    if (id >= 0) classTaps[id] = taps[i]!;
  });

  function launchedKeys(mask: Uint8Array, sharing: Sharing): string[] {
    const executed: string[] = [];
    const isLaunched = new Uint8Array(nClasses);
    classes.forEach((id, i) => {
      if (id < 0 || !mask[i]) return;
      const launch = sharing === "merged" ? launches[id]! : id;
      if (!isLaunched[launch]) executed.push(keys[i]!);
      isLaunched[launch] = 1;
    });
    return executed;
  }

  function fusedKeys(classMask: Uint8Array): string[] {
    const { graph: fusionGraph, operatorOfClass } = fusionGraphOf(graph, shared);
    const { isLaunched, nCopies } = createFusion(nClasses).fuse(fusionGraph, classMask);
    return Array.from(operatorOfClass).flatMap((operator, id) => [
      ...(isLaunched[id] === 1 ? [keys[operator]!] : []),
      ...Array.from({ length: nCopies[id]! }, () =>
        keyOf(signatureOfCopy(graph.operators[operator]!.outputs[0]!, graph)),
      ),
    ]);
  }

  function execute(mask: Uint8Array, sharing: Sharing): Execution {
    if (sharing === "none") {
      return {
        keys: keys.filter((_, i) => mask[i]),
        longestPath: longestChain(mask, sources),
        heaviestPath: longestChain(mask, sources, taps),
      };
    }
    const classMask = new Uint8Array(nClasses);
    classes.forEach((id, i) => {
      if (id >= 0 && mask[i]) classMask[id] = 1;
    });
    return {
      keys: sharing === "fused" ? fusedKeys(classMask) : launchedKeys(mask, sharing),
      longestPath: longestChain(classMask, classSources),
      heaviestPath: longestChain(classMask, classSources, classTaps),
    };
  }

  // Most networks have no dead operators: then views differ in name only.
  const known = new Map<string, Execution>();
  const executions = forEachSemantics((semantics) => {
    const { view, sharing } = partsOfSemantics(semantics);
    const mask = viewOf(liveness, view);
    const name = `${sharing} ${mask.join("")}`;
    const execution = known.get(name) ?? execute(mask, sharing);
    known.set(name, execution);
    return execution;
  });
  return { executions, connected: liveness.connected };
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
      rows.forEach(({ executions }, row) => {
        for (const key of executions[semantics].keys)
          counts[row * signatures.length + column.get(key)!]!++;
      });
      return counts;
    }),
    longestPath: distinctArrays((semantics) =>
      Float32Array.from(rows, ({ executions }) => executions[semantics].longestPath),
    ),
    heaviestPath: distinctArrays((semantics) =>
      Float32Array.from(rows, ({ executions }) => executions[semantics].heaviestPath),
    ),
    connected: Uint8Array.from(rows, ({ connected }) => Number(connected)),
  };
  const encoding = encodingOf(graphs);
  return encoding ? { ...table, encoding } : table;
}
