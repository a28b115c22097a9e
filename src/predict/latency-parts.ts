/**
 * How a predicted latency adds up: what a run costs anyway, and what each operator of one network costs.
 *
 * Each view of what the runtime executes (`cost-views.ts`) gives shares; shares are averaged by the views' weights and
 * scaled to the predicted latency. An operator that a view leaves out costs 0 in it, one that its neighbour takes along
 * is part of the neighbour, and a copy to another layout belongs to the operator whose result is copied.
 */
import { signatureOf, signatureOfCopy } from "../graph/cost.js";
import { type Execution, executionsOf } from "../graph/executions.js";
import { featuresOfGraphs } from "../graph/feature-table.js";
import type { OperatorGraph } from "../graph/graph.js";
import type { CostView } from "./cost-views.js";
import type { AdaptedPredictor } from "./predictor.js";

/** Operators of one signature in a network. */
export interface OperatorPart {
  /** Signature, e.g. `Conv 3x3/1 16x32x32>16x32x32`. */
  readonly key: string;
  /** ONNX operator type. */
  readonly type: string;
  /** Nodes of the graph that have this signature, executed or not. */
  readonly count: number;
  /** Multiply-accumulates of all of them. */
  readonly macs: number;
  /** What all of them cost; null where the predictor does not add operators up. */
  readonly latencyMs: number | null;
  /** `latencyMs` as a share of the network's latency. */
  readonly share: number | null;
  /** Their names, in the order in which they run. */
  readonly nodes: readonly string[];
}

/** A network's predicted latency in parts. */
export interface LatencyParts {
  /** Predicted latency of the whole network; `overheadMs` and the operators add up to it. */
  readonly latencyMs: number;
  /** What a run costs before any operator; null where the predictor does not add operators up. */
  readonly overheadMs: number | null;
  /** For each operator of the graph, in its order, ms; null likewise. */
  readonly operatorMs: Float64Array | null;
  /** Operators by signature, in the order in which the first of each runs. */
  readonly operators: readonly OperatorPart[];
  /** Where the shares come from, in words. */
  readonly sharesFrom: string;
}

/** Shares of one view: of the overhead, and of each operator; undefined when it believes in no cost at all. */
function sharesOfView(
  view: CostView,
  { operators, copies }: Execution,
  costOf: { readonly operator: (i: number) => number; readonly copy: (i: number) => number },
  nOperators: number,
): { overhead: number; operators: Float64Array } | undefined {
  // Depth is paid by operators that wait for each other: evenly by all that are launched. The two columns trade off
  // against each other in fits, so they are added before anything is taken to be no less than nothing.
  const depthMs = operators.length === 0 ? 0 : view.depthMs / operators.length;
  const parts = new Float64Array(nOperators);
  for (const i of operators) parts[i]! += costOf.operator(i) + depthMs;
  for (const i of copies) parts[i]! += costOf.copy(i);
  let total = 0;
  for (let i = 0; i < nOperators; i++) {
    parts[i] = Math.max(0, parts[i]!);
    total += parts[i]!;
  }
  const overhead = Math.max(0, view.overheadMs + (operators.length === 0 ? view.depthMs : 0));
  total += overhead;
  if (!(total > 0)) return undefined;
  return { overhead: overhead / total, operators: parts.map((part) => part / total) };
}

function joinShares(
  graph: OperatorGraph,
  views: readonly CostView[],
  keys: readonly string[],
  column: ReadonlyMap<string, number>,
): { overhead: number; operators: Float64Array } {
  const executions = executionsOf(graph);
  const copyColumn = (i: number) =>
    column.get(signatureOfCopy(graph.operators[i]!.outputs[0]!, graph).key)!;
  const operators = new Float64Array(keys.length);
  let overhead = 0;
  let weights = 0;
  for (const view of views) {
    const costOf = {
      operator: (i: number) => view.operatorMs[column.get(keys[i]!)!]!,
      copy: (i: number) => view.operatorMs[copyColumn(i)]!,
    };
    const shares = sharesOfView(view, executions.of[view.semantics], costOf, keys.length);
    if (shares === undefined) continue;
    weights += view.weight;
    overhead += view.weight * shares.overhead;
    shares.operators.forEach((share, i) => {
      operators[i]! += view.weight * share;
    });
  }
  // A network of which every view believes that it costs nothing is all overhead.
  if (weights === 0) return { overhead: 1, operators };
  return { overhead: overhead / weights, operators: operators.map((share) => share / weights) };
}

/**
 * Predict a network, operator by operator.
 *
 * @throws what `predict` throws
 */
export async function latencyPartsOf(
  predictor: AdaptedPredictor,
  graph: OperatorGraph,
): Promise<LatencyParts> {
  const table = featuresOfGraphs([{ id: graph.name, graph }]);
  const latencyMs = (await predictor.predict(table, { coverage: 0.9 })).latencyMs[0]!;
  const column = new Map(table.signatures.map(({ key }, s) => [key, s]));
  const keys = graph.operators.map((operator) => signatureOf(operator, graph).key);
  const views = predictor.costViews?.(table, 0);
  const shares = views && joinShares(graph, views, keys, column);

  const placesOfKey = new Map<string, number[]>();
  keys.forEach((key, i) => {
    const places = placesOfKey.get(key);
    if (places === undefined) placesOfKey.set(key, [i]);
    else places.push(i);
  });
  const operators = [...placesOfKey].map(([key, places]): OperatorPart => {
    const share = shares ? places.reduce((sum, i) => sum + shares.operators[i]!, 0) : null;
    return {
      key,
      type: graph.operators[places[0]!]!.type,
      count: places.length,
      macs: places.length * table.signatures[column.get(key)!]!.macs,
      latencyMs: share === null ? null : share * latencyMs,
      share,
      nodes: places.map((i) => graph.operators[i]!.name),
    };
  });
  return {
    latencyMs,
    overheadMs: shares ? shares.overhead * latencyMs : null,
    operatorMs: shares ? shares.operators.map((share) => share * latencyMs) : null,
    operators,
    sharesFrom: shares
      ? "operator costs of the predictor, over the ways in which the runtime may execute the graph, scaled to add up to the prediction; operators that are left out cost nothing, fused ones are part of their neighbour"
      : `a ${predictor.name} predictor does not tell what single operators cost`,
  };
}
