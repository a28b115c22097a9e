/**
 * The descriptor's operators as one-operator networks: 5 operations × 3 stages, what joins and surrounds them
 * (sums, activations, stem, reduction blocks, head), and a network as close to empty as runtimes allow.
 */
import { createGraphBuilder } from "../../graph/build.js";
import type { OperatorGraph } from "../../graph/graph.js";
import { operations } from "./cell.js";
import { Layers, metadataOf, type NetworkOptions, resolveOptions } from "./network.js";

export interface OperatorNetwork {
  /** e.g. `nor_conv_3x3@16x32x32` (channels × height × width), `stem`, `overhead`. */
  readonly operator: string;
  readonly graph: OperatorGraph;
}

/**
 * Row order of the descriptor. `none` is the traced form's multiplication by zero, `skip_connect` an identity.
 * `add` is x + x, since a one-input network has no second tensor. `overhead` is an activation of a single number.
 */
export function operatorNetworks(options: NetworkOptions = {}): OperatorNetwork[] {
  const resolved = resolveOptions({ ...options, variant: "traced" });
  const { channels, inputSize } = resolved;

  const network = (
    operator: string,
    shape: readonly number[],
    add: (layers: Layers, input: string) => string,
  ): OperatorNetwork => {
    const builder = createGraphBuilder(`operator_${operator.replaceAll(/[^A-Za-z0-9]/g, "_")}`);
    const layers = new Layers(builder, resolved);
    const result = add(layers, builder.input("input", [1, ...shape]));
    const graph = builder.finish([result], {
      metadata: { ...metadataOf(resolved), "samara.operator": operator },
    });
    return { operator, graph };
  };

  const stages = [1, 2, 4].map((factor) => [
    channels * factor,
    inputSize / factor,
    inputSize / factor,
  ]);
  const at = (name: string, shape: readonly number[]) => `${name}@${shape.join("x")}`;
  return [
    ...operations.flatMap((operation) =>
      stages.map((shape) =>
        network(at(operation, shape), shape, (layers, input) =>
          operation === "skip_connect"
            ? layers.identity("operation", input)
            : layers.operation(operation, "operation", input)!,
        ),
      ),
    ),
    ...stages.map((shape) =>
      network(at("relu", shape), shape, (layers, input) => layers.relu("operation", input)),
    ),
    ...stages.map((shape) =>
      network(at("add", shape), shape, (layers, input) => layers.add("operation", input, input)),
    ),
    network("stem", [3, inputSize, inputSize], (layers, input) => layers.stem(input)),
    network("reduction_1", stages[0]!, (layers, input) => layers.reduction("reduction_1", input)),
    network("reduction_2", stages[1]!, (layers, input) => layers.reduction("reduction_2", input)),
    network("head", stages[2]!, (layers, input) => layers.head(input)),
    network("overhead", [1, 1, 1], (layers, input) => layers.relu("operation", input)),
  ];
}
