/**
 * A model file from a stranger: what it is, and its latency on every platform that knows its operators.
 */
import { costOfGraph, signatureOf } from "../../graph/cost.js";
import { featuresOfGraphs } from "../../graph/feature-table.js";
import type { OperatorGraph } from "../../graph/graph.js";
import { fileId } from "../../onnx/file-id.js";
import { uploadLimits } from "../../onnx/limits.js";
import { readOnnx } from "../../onnx/read.js";
import { megaMacsOf } from "../../search/candidates.js";
import type { ModelPredictions } from "../api/schemas.js";
import type { PredictorCache, ReadyPredictor } from "./predictors.js";

/** @throws FormatError, ShapeError, UnsupportedError, InputError naming what is wrong with the file */
export function readModel(bytes: Uint8Array): OperatorGraph {
  return readOnnx(bytes, { limits: uploadLimits });
}

/** Operators by signature, with the names of their nodes. */
function operatorsOf(graph: OperatorGraph) {
  const byKey = new Map<string, { type: string; nodes: string[] }>();
  for (const operator of graph.operators) {
    const { key } = signatureOf(operator, graph);
    const known = byKey.get(key);
    if (known) known.nodes.push(operator.name);
    else byKey.set(key, { type: operator.type, nodes: [operator.name] });
  }
  return byKey;
}

/**
 * Predict a model on platforms.
 *
 * @param ready - one predictor a platform
 */
export async function predictModel(
  bytes: Uint8Array,
  name: string,
  ready: readonly ReadyPredictor[],
  cache: PredictorCache,
): Promise<ModelPredictions> {
  const graph = readModel(bytes);
  const id = fileId(name, bytes);
  const table = featuresOfGraphs([{ id, graph }]);
  const results: ModelPredictions["results"] = [];
  for (const { predictor, id: platform } of ready) {
    const predictions = await predictor.predict(table, { coverage: 0.9 });
    const reason = predictions.outsideReasons.get(0);
    results.push({
      ...{ id, platform },
      latencyMs: predictions.latencyMs[0]!,
      lowerMs: predictions.lowerMs[0]!,
      upperMs: predictions.upperMs[0]!,
      coverage: predictions.coverage,
      withinKnownRange: predictions.withinKnownRange[0] === 1,
      ...(reason === undefined ? {} : { outsideReason: reason }),
    });
  }
  const cost = costOfGraph(graph);
  const isKnown = results.some(({ withinKnownRange }) => withinKnownRange);
  const known = new Set(cache.cells.signatures.map(({ key }) => key));
  return {
    ...{ id, name, results },
    nOperators: graph.operators.length,
    macs: megaMacsOf(table)[0]! * 1e6,
    params: cost.parameters,
    inputs: graph.inputs.map((input) => ({ name: input.name, shape: [...input.shape] })),
    unknownOperators: isKnown
      ? []
      : [...operatorsOf(graph)]
          .filter(([key]) => !known.has(key))
          .map(([key, { type, nodes }]) => ({
            ...{ key, type, nodes },
            count: nodes.length,
            reason: `no network that was measured has an operator ${key}`,
          })),
  };
}
