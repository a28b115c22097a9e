/**
 * What is measured: a network or an operator, with a way to build its model file when a sampler needs it.
 */
import type { OperatorGraph } from "../graph/graph.js";
import { writeNcnnParam } from "../ncnn/write.js";
import { writeOnnx } from "../onnx/write.js";
import type { ModelFormat } from "../platform/runtime.js";
import { cellFromIndex } from "../space/nasbench201/cell.js";
import { type NetworkOptions, networkFromCell } from "../space/nasbench201/network.js";
import { writeTflite } from "../tflite/write.js";

/** Something with a latency on every platform. */
export interface Subject {
  /** `nasbench201/1462`, `operator/add@16x32x32`, `file/my.onnx#<hash>`. */
  readonly id: string;
  readonly kind: "network" | "operator";
  /**
   * The model file in the format a runtime reads.
   *
   * @throws UnsupportedError when the format cannot hold the network; the message names the operator
   */
  modelFile(format: ModelFormat): Uint8Array;
}

/**
 * A graph as a model file.
 *
 * @throws UnsupportedError when the format cannot hold it; the message names the operator
 */
export function modelFileOf(graph: OperatorGraph, format: ModelFormat): Uint8Array {
  switch (format) {
    case "onnx":
      return writeOnnx(graph);
    case "tflite":
      return writeTflite(graph);
    case "ncnn":
      return new TextEncoder().encode(writeNcnnParam(graph));
    default:
      return format satisfies never;
  }
}

/** A subject whose model files are written from an operator graph. */
export function subjectFromGraph(
  id: string,
  kind: Subject["kind"],
  graphOf: () => OperatorGraph,
): Subject {
  return { id, kind, modelFile: (format) => modelFileOf(graphOf(), format) };
}

/** The subject of a NAS-Bench-201 architecture, by Samara's index. */
export function subjectFromIndex(index: number, options: NetworkOptions = {}): Subject {
  return subjectFromGraph(`nasbench201/${index}`, "network", () =>
    networkFromCell(cellFromIndex(index), options),
  );
}

/**
 * The reference network, one for all platforms: convolutions, pools (in its reductions), additions, 47 million MACs,
 * 1 to 10 ms on the runtimes measured so far (docs/measuring.md).
 */
export function referenceSubject(): Subject {
  return { ...subjectFromIndex(referenceIndex), id: "reference" };
}

/** |nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|nor_conv_1x1~1|none~2| */
const referenceIndex = 9410;
