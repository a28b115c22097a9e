/**
 * The feature table of FBNet networks, put together from one analysis of each block.
 */
import type { FeatureTable } from "../../graph/features.js";
import { featuresOfChains } from "../chain/features.js";
import {
  blocks,
  checkFbnet,
  encodingWidth,
  type FbnetArchitecture,
  nPlaces,
} from "./architecture.js";
import { type FbnetOptions, fbnetId, fbnetParts, fbnetSpace } from "./network.js";

/**
 * Features of FBNet networks, equal to `featuresOfGraphs` of `networkFromFbnet(architecture, options)`.
 *
 * @param architectures - 22 numbers of `blocks` each; rows come in the same order
 * @param options - as for `networkFromFbnet`
 * @throws InputError on a number out of range or an unknown form
 */
export function featuresOfFbnet(
  architectures: readonly FbnetArchitecture[],
  { form = "cifar", foldBatchNorm = true }: FbnetOptions = {},
): FeatureTable {
  const { stem, blocks: places, head } = fbnetParts(form);
  const values = new Float32Array(architectures.length * encodingWidth);
  const parts = architectures.map((architecture, row) => {
    checkFbnet(architecture, `FBNet architecture ${row}`);
    const chain = [stem];
    for (let place = 0; place < nPlaces; place++) {
      const choice = architecture[place]!;
      chain.push(places[place]![choice]!);
      values[row * encodingWidth + place * blocks.length + choice] = 1;
    }
    chain.push(head);
    return chain;
  });
  return featuresOfChains({
    ids: architectures.map((architecture) => fbnetId(architecture, form)),
    parts,
    encoding: { space: fbnetSpace(form), width: encodingWidth, values },
    foldBatchNorm,
  });
}
