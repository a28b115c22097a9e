/**
 * `samara predict --layers`: the latency of every node of one network, in a file that Netron shows beside the model.
 */
import { InputError } from "../errors.js";
import type { OperatorGraph } from "../graph/graph.js";
import { decodeModel } from "../onnx/proto.js";
import { readOnnx } from "../onnx/read.js";
import { latencyPartsOf } from "../predict/latency-parts.js";
import { netronAttachment } from "../predict/netron.js";
import type { AdaptedPredictor } from "../predict/predictor.js";
import type { Architecture } from "../space/registry.js";
import { readBytes, writeFileAtomic } from "../store/files.js";
import type { Warn } from "./predicting.js";

/** The one network whose layers are asked for: its graph, and how many of its nodes have no name of their own. */
export interface LayeredNetwork {
  readonly graph: OperatorGraph;
  readonly nUnnamed: number;
}

/** Nodes of a model file that Netron cannot tell apart by name. */
function countUnnamed(path: string): number {
  const { graph } = decodeModel(readBytes(path, "model file"), path);
  const names = (graph?.node ?? []).map(({ name = "" }) => name);
  return names.length - new Set(names.filter((name) => name !== "")).size;
}

/**
 * The network that `--layers` is about.
 *
 * @throws InputError unless it is exactly one
 */
export function layeredNetwork(
  architectures: readonly Architecture[],
  files: readonly string[],
  all: boolean,
): LayeredNetwork {
  const n = architectures.length + files.length;
  if (all || n !== 1) {
    throw new InputError(
      `--layers writes the file of exactly one network, got ${all ? "--all" : n}`,
      {
        hint: "name one --arch or one ONNX file",
      },
    );
  }
  const [architecture] = architectures;
  if (architecture) {
    return { graph: architecture.space.network(architecture.text), nUnnamed: 0 };
  }
  return { graph: readOnnx(files[0]!), nUnnamed: countUnnamed(files[0]!) };
}

/** Write the file; say where it tells less than one would expect. */
export async function writeLayers(
  path: string,
  { graph, nUnnamed }: LayeredNetwork,
  predictor: AdaptedPredictor,
  warn: Warn,
): Promise<void> {
  const parts = await latencyPartsOf(predictor, graph);
  if (parts.operatorMs === null) {
    warn("no-layers", `${path} holds the whole network's latency only: ${parts.sharesFrom}`);
  } else if (nUnnamed > 0) {
    warn(
      "unnamed-nodes",
      `${nUnnamed} nodes of the model file have no name of their own; Netron cannot show their latency`,
    );
  }
  writeFileAtomic(path, `${JSON.stringify(netronAttachment(graph, parts), null, 1)}\n`);
}
