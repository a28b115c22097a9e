/**
 * What each rewrite semantics executes of a graph, operator by operator: which are launched, whose results are copied
 * to another layout, how long the chains are. Counting them by signature is `feature-table.ts`.
 */
import { livenessOf, partsOfSemantics, type Sharing, viewOf } from "./analysis.js";
import { longestChain, sourcesOf } from "./chains.js";
import { tapsOf } from "./cost.js";
import { forEachSemantics, type RewriteSemantics } from "./features.js";
import { createFusion } from "./fusion.js";
import { fusionGraphOf } from "./fusion-graph.js";
import type { OperatorGraph } from "./graph.js";
import { sharedClasses } from "./sharing.js";

/** What one semantics executes of a graph. */
export interface Execution {
  /** Places of the launched operators, ascending or by class; an operator that another takes along is not there. */
  readonly operators: readonly number[];
  /** Places of the operators whose results are copied to another layout, once for each copy. */
  readonly copies: readonly number[];
  readonly longestPath: number;
  readonly heaviestPath: number;
}

/** What all semantics execute of a graph. */
export interface Executions {
  /** Semantics that execute the same have the same one. */
  readonly of: Readonly<Record<RewriteSemantics, Execution>>;
  /** Some path leads from an input to an output. */
  readonly connected: boolean;
}

const none: readonly number[] = [];

/** What all semantics execute of a graph. */
export function executionsOf(graph: OperatorGraph): Executions {
  const taps = graph.operators.map((operator) => tapsOf(operator, graph));
  const liveness = livenessOf(graph);
  const sources = sourcesOf(graph);
  const shared = sharedClasses(graph);
  const { classes, nClasses, launches, sources: classSources } = shared;
  const classTaps = new Float64Array(nClasses);
  classes.forEach((id, i) => {
    if (id >= 0) classTaps[id] = taps[i]!;
  });

  function launched(mask: Uint8Array, sharing: Sharing): number[] {
    const operators: number[] = [];
    const isLaunched = new Uint8Array(nClasses);
    classes.forEach((id, i) => {
      if (id < 0 || !mask[i]) return;
      const launch = sharing === "merged" ? launches[id]! : id;
      if (!isLaunched[launch]) operators.push(i);
      isLaunched[launch] = 1;
    });
    return operators;
  }

  function fused(classMask: Uint8Array): Pick<Execution, "operators" | "copies"> {
    const { graph: fusionGraph, operatorOfClass } = fusionGraphOf(graph, shared);
    const { isLaunched, nCopies } = createFusion(nClasses).fuse(fusionGraph, classMask);
    const operators: number[] = [];
    const copies: number[] = [];
    operatorOfClass.forEach((operator, id) => {
      if (isLaunched[id] === 1) operators.push(operator);
      for (let n = 0; n < nCopies[id]!; n++) copies.push(operator);
    });
    return { operators, copies };
  }

  function execute(mask: Uint8Array, sharing: Sharing): Execution {
    if (sharing === "none") {
      return {
        operators: graph.operators.flatMap((_, i) => (mask[i] ? [i] : [])),
        copies: none,
        longestPath: longestChain(mask, sources),
        heaviestPath: longestChain(mask, sources, taps),
      };
    }
    const classMask = new Uint8Array(nClasses);
    classes.forEach((id, i) => {
      if (id >= 0 && mask[i]) classMask[id] = 1;
    });
    return {
      ...(sharing === "fused"
        ? fused(classMask)
        : { operators: launched(mask, sharing), copies: none }),
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
  return { of: executions, connected: liveness.connected };
}
