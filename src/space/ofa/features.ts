/**
 * The feature table of once-for-all networks, put together from one analysis of each distinct block.
 */
import type { FeatureTable } from "../../graph/features.js";
import { featuresOfChains } from "../chain/features.js";
import type { ChainOptions } from "../chain/network.js";
import { encodingWidth, ofaFromNumbers, writeEncoding } from "./architecture.js";
import { ofaId, ofaParts } from "./network.js";

/**
 * Features of once-for-all networks, equal to `featuresOfGraphs` of `networkFromOfa`.
 *
 * @param architectures - 46 numbers each, as for `ofaFromNumbers`; rows come in the same order
 * @throws InputError on a number that is not a choice
 */
export function featuresOfOfa(
  architectures: readonly ArrayLike<number>[],
  { foldBatchNorm = true }: ChainOptions = {},
): FeatureTable {
  const values = new Float32Array(architectures.length * encodingWidth);
  const checked = architectures.map((numbers, row) => {
    const architecture = ofaFromNumbers(numbers, `OFA architecture ${row}`);
    writeEncoding(architecture, values, row * encodingWidth);
    return architecture;
  });
  return featuresOfChains({
    ids: checked.map(ofaId),
    parts: checked.map((architecture) => ofaParts(architecture).map(({ part }) => part)),
    encoding: { space: "ofa", width: encodingWidth, values },
    foldBatchNorm,
  });
}
