/**
 * Operator graphs as TensorFlow Lite files: float32, NHWC, the same weights as in the ONNX file of the same graph.
 */
import { livenessOf } from "../graph/analysis.js";
import type { OperatorGraph } from "../graph/graph.js";
import { lowerOperator } from "./lower.js";
import { ModelBuilder } from "./model-builder.js";
import { encodeTflite } from "./schema.js";

/** Name of the file's metadata entry: JSON of the graph's metadata and, where there is one, its encoding. */
const metadataName = "samara";

/**
 * A TensorFlow Lite file of a graph. Inputs and outputs of rank 4 are NHWC in it; batch norms become a product and a
 * sum, Identity a RESHAPE that copies; nothing is fused.
 *
 * Operators whose result reaches no output are left out, as by TensorFlow's converter: no file in use has them, and
 * XNNPACK (as of TensorFlow Lite 2.9) crashes on them.
 *
 * @throws UnsupportedError when an operator has no form in TensorFlow Lite that we write, or weights are not in
 *   memory; names the operator or the weights
 */
export function writeTflite(graph: OperatorGraph): Uint8Array {
  const builder = new ModelBuilder(graph);
  const { live } = livenessOf(graph);
  graph.operators.forEach((operator, i) => {
    if (live[i] === 1) lowerOperator(builder, operator);
  });
  const { metadata, encoding } = graph;
  const text = JSON.stringify({ metadata, ...(encoding ? { encoding } : {}) });
  return encodeTflite(builder.finish(new Map([[metadataName, new TextEncoder().encode(text)]])));
}
