/**
 * The plain sum of a descriptor's operator latencies: what a prediction from the descriptor alone must beat. Learns
 * nothing, so it takes every operator to run and to cost in a network what it costs alone.
 */
import { InputError } from "../errors.js";
import type { FeatureTable } from "../graph/features.js";
import { createOperatorCosts, operatorCostsOf } from "../predict/operator-costs.js";
import type { PlatformSamples } from "../predict/predictor.js";

/** Name in the plan of experiments; it is no method of the registry. */
export const latencySumName = "latency-sum";

/**
 * Latency of each network of a table, ms.
 *
 * @throws InputError without a descriptor
 */
export function latencySums(
  { descriptor, platformId }: Pick<PlatformSamples, "descriptor" | "platformId">,
  { signatures, counts, ids }: FeatureTable,
): Float64Array {
  if (descriptor === undefined) {
    throw new InputError(`${platformId} has no descriptor whose latencies could be summed`);
  }
  const costs = createOperatorCosts(operatorCostsOf(descriptor, signatures));
  const costMs = signatures.map((signature) => costs.costMs(signature));
  return Float64Array.from(ids, (_, row) => {
    let sum = costs.overheadMs;
    for (let s = 0; s < costMs.length; s++) {
      sum += counts.all[row * costMs.length + s]! * costMs[s]!;
    }
    return sum;
  });
}
