/**
 * Constant folding for runtimes that take constants only as weights: what no input of the network reaches is computed
 * once, by ONNX Runtime, and becomes a constant.
 */
import { UnsupportedError } from "../errors.js";
import { livenessOf } from "../graph/analysis.js";
import type { Constant, OperatorGraph } from "../graph/graph.js";
import { writeOnnx } from "../onnx/write.js";
import { createOrtSession } from "../ort/session.js";

function constantsReadBy(
  graph: OperatorGraph,
  operators: OperatorGraph["operators"],
): Map<string, Constant> {
  const read = new Set(operators.flatMap(({ inputs }) => inputs));
  return new Map([...graph.constants].filter(([name]) => read.has(name)));
}

/** Values of float32 tensors that depend on constants only. */
async function computeConstants(
  graph: OperatorGraph,
  operators: OperatorGraph["operators"],
  outputs: readonly string[],
): Promise<Constant[]> {
  const { name, tensors, metadata } = graph;
  const constants = constantsReadBy(graph, operators);
  const part = { name, inputs: [], outputs, operators, constants, tensors, metadata };
  const session = await createOrtSession(writeOnnx(part), { optimisation: "disabled" });
  try {
    const values = await session.run({});
    return outputs.map((output) => {
      const info = tensors.get(output)!;
      const { data } = values[output]!;
      if (!(data instanceof Float32Array)) {
        throw new UnsupportedError(
          `tensor "${output}" is constant and must be float32, got ${info.dataType}`,
        );
      }
      return { ...info, source: { kind: "values", values: data } };
    });
  } finally {
    await session.dispose();
  }
}

/**
 * The same network without operators on constants alone; the graph itself when it has none. Weights must be in memory.
 *
 * @throws UnsupportedError when the network's output does not depend on its input, so that nothing is left to run
 */
export async function foldConstants(graph: OperatorGraph): Promise<OperatorGraph> {
  const { reached, connected } = livenessOf(graph);
  if (!connected) {
    throw new UnsupportedError("the network's output does not depend on its input: nothing to run");
  }
  const operators = graph.operators.filter((_, i) => reached[i] === 1);
  if (operators.length === graph.operators.length) return graph;
  const folded = graph.operators.filter((_, i) => reached[i] === 0);
  const read = new Set(operators.flatMap(({ inputs }) => inputs));
  const wanted = folded.flatMap(({ outputs }) => outputs.filter((output) => read.has(output)));
  const constants = constantsReadBy(graph, operators);
  if (wanted.length > 0) {
    for (const constant of await computeConstants(graph, folded, wanted)) {
      constants.set(constant.name, constant);
    }
  }
  return { ...graph, operators, constants };
}
