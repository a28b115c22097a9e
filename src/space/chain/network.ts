/**
 * The operator graph of a chain of parts.
 */
import { createGraphBuilder, type FinishOptions } from "../../graph/build.js";
import type { OperatorGraph } from "../../graph/graph.js";
import { createLayers } from "../layers.js";
import type { ChainPart } from "./part.js";

/** How the layers of a chain are written. */
export interface ChainOptions {
  /** Whether batch norms become biases of the convolutions before them; default true. */
  readonly foldBatchNorm?: boolean;
  /** Seed of the random weights; default 0. */
  readonly seed?: number;
}

/** A part and what the names of its operators begin with. */
export interface NamedPart {
  readonly name: string;
  readonly part: ChainPart;
}

/**
 * The graph of parts, one reading the other. Input `input` has the shape that the first part reads.
 *
 * @param name - of the graph
 * @param parts - at least one; names differ
 * @param finish - what the graph says of itself
 */
export function networkFromChain(
  name: string,
  parts: readonly NamedPart[],
  { foldBatchNorm = true, seed = 0 }: ChainOptions = {},
  finish: FinishOptions = {},
): OperatorGraph {
  const b = createGraphBuilder(name);
  const layers = createLayers(b, { foldBatchNorm, seed });
  let signal = {
    tensor: b.input("input", parts[0]!.part.inputShape),
    carried: 1,
    fresh: 0,
  };
  for (const { name: prefix, part } of parts) signal = part.add(layers, prefix, signal);
  return b.finish([signal.tensor], finish);
}
