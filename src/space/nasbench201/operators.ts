/**
 * The operators a NAS-Bench-201 descriptor is made of, each as a network of its own.
 *
 * Rows are named `operation@CxHxW` for the operations of each stage; the skeleton's layers and an almost empty
 * network (per-run overhead) follow. `none` is measured in the traced form, multiplication by zero: in the pruned
 * form it is no operator at all.
 */
import { createGraphBuilder } from "../../graph/build.js";
import type { OperatorGraph, Shape } from "../../graph/graph.js";
import { createLayers, type Layers, type Signal } from "../layers.js";
import { operations } from "./cell.js";
import {
  addHead,
  addOperation,
  addReduction,
  addStem,
  type NetworkOptions,
  nStages,
  resolveNetworkOptions,
} from "./network.js";

/** A row of the descriptor. */
export interface OperatorNetwork {
  /** e.g. `nor_conv_3x3@16x32x32`, `add@64x8x8`, `stem`, `overhead`. */
  readonly operator: string;
  readonly graph: OperatorGraph;
}

/**
 * Networks of one operator each, in the descriptor's row order: 15 operations, 3 `relu`, 3 `add`, `stem`,
 * `reduction_1`, `reduction_2`, `head`, `overhead`.
 *
 * `nor_conv` includes its ReLU, as in a cell. `add` adds its one input to itself: two reads, one write, no second input
 * to feed; no runtime in use rewrites it. `overhead` is an Identity on one number.
 *
 * @param options - as for `networkFromCell`; `variant` and `cellsPerStage` do not matter
 * @throws InputError on an option out of range
 */
export function operatorNetworks(options: NetworkOptions = {}): OperatorNetwork[] {
  const { inputSize, channels, classes, foldBatchNorm, seed } = resolveNetworkOptions(options);

  function network(
    operator: string,
    shape: Shape,
    add: (layers: Layers, input: Signal) => Signal,
  ): OperatorNetwork {
    const b = createGraphBuilder(operator);
    const input = { tensor: b.input("input", shape), carried: 1, fresh: 0 };
    const output = add(createLayers(b, { foldBatchNorm, seed }), input);
    const metadata = {
      space: "nasbench201",
      operator,
      inputSize: String(inputSize),
      channels: String(channels),
      batchNorm: foldBatchNorm ? "folded" : "kept",
      seed: String(seed),
    };
    return { operator, graph: b.finish([output.tensor], { metadata }) };
  }

  const stages = Array.from({ length: nStages }, (_, stage) => {
    const size = inputSize / 2 ** stage;
    const width = channels * 2 ** stage;
    return { shape: [1, width, size, size], label: `${width}x${size}x${size}`, width };
  });
  return [
    ...operations.flatMap((operation) =>
      stages.map(({ shape, label, width }) =>
        network(`${operation}@${label}`, shape, (layers, input) =>
          addOperation(layers, operation, "operator", input, width),
        ),
      ),
    ),
    ...stages.map(({ shape, label }) =>
      network(`relu@${label}`, shape, (layers, input) => layers.relu("operator", input)),
    ),
    ...stages.map(({ shape, label }) =>
      network(`add@${label}`, shape, (layers, input) => layers.add("operator", input, input)),
    ),
    network("stem", [1, 3, inputSize, inputSize], (layers, input) =>
      addStem(layers, input, channels),
    ),
    ...[1, 2].map((i) =>
      network(`reduction_${i}`, stages[i - 1]!.shape, (layers, input) =>
        addReduction(layers, "reduction", input, stages[i]!.width),
      ),
    ),
    network("head", stages[nStages - 1]!.shape, (layers, input) => addHead(layers, input, classes)),
    network("overhead", [1, 1, 1, 1], (layers, input) => layers.identity("operator", input)),
  ];
}
