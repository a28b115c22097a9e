/**
 * The file that Netron, a viewer of model files, shows beside a network: predicted latency of every node.
 *
 * Netron reads it when it is opened after the model: entries are matched by kind and by the name of the target up to
 * its first line break; of two with the same target and name the later one is shown.
 */
import type { OperatorGraph } from "../graph/graph.js";
import type { LatencyParts } from "./latency-parts.js";

/** One number shown at a node or at the graph. */
export interface NetronMetric {
  readonly kind: "graph" | "node";
  readonly target: string;
  readonly name: string;
  readonly value: number;
}

/** What the file holds, as JSON. */
export interface NetronAttachment {
  readonly signature: "netron:attachment";
  readonly metrics: readonly NetronMetric[];
}

const targetOf = (name: string) => name.split("\n")[0]!;
/** Six digits: more would look like knowledge. */
const rounded = (value: number) => Number(value.toPrecision(6));

/**
 * Latencies of nodes as Netron's attachment; only the whole network's where the predictor tells no more.
 *
 * @param parts - of this graph
 */
export function netronAttachment(graph: OperatorGraph, parts: LatencyParts): NetronAttachment {
  const { latencyMs, overheadMs, operatorMs } = parts;
  const ofGraph = (name: string, value: number): NetronMetric => ({
    kind: "graph",
    target: targetOf(graph.name),
    name,
    value: rounded(value),
  });
  return {
    signature: "netron:attachment",
    metrics: [
      ofGraph("latencyMs", latencyMs),
      ...(overheadMs === null ? [] : [ofGraph("overheadMs", overheadMs)]),
      ...graph.operators.flatMap(({ name }, i): NetronMetric[] => {
        if (operatorMs === null) return [];
        const node = { kind: "node", target: targetOf(name) } as const;
        return [
          { ...node, name: "latencyMs", value: rounded(operatorMs[i]!) },
          { ...node, name: "share", value: rounded(operatorMs[i]! / latencyMs) },
        ];
      }),
    ],
  };
}
