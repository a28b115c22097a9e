/**
 * The block that mobile search spaces choose variants of: 1x1 convolution to more channels, depthwise convolution,
 * 1x1 convolution back, and a sum where shapes agree (Sandler et al. 2018, arXiv 1801.04381).
 */
import { asSource, type Layers, type Signal } from "../layers.js";

/** What a block makes of its input. */
export interface BlockShape {
  readonly inChannels: number;
  readonly channels: number;
  readonly stride: 1 | 2;
}

/** What is chosen in a block or given by its stage. */
export interface InvertedResidual extends BlockShape {
  /** Of the depthwise convolution. */
  readonly kernel: number;
  /** Channels of the depthwise convolution; the first 1x1 convolution makes them. */
  readonly nMiddle: number;
  /** Default true; without the first 1x1 convolution `nMiddle` is `inChannels`. */
  readonly hasExpansion?: boolean;
  /** Groups of both 1x1 convolutions; with more than one, channels are shuffled after the first. Default 1. */
  readonly groups?: number;
  readonly activation: "relu" | "hardSwish";
  /** Hidden channels of a squeeze-and-excite after the depthwise convolution; default none. */
  readonly nSqueezed?: number;
}

/** Whether a block's input can be added to its result. */
export const keepsShape = ({ inChannels, channels, stride }: BlockShape): boolean =>
  stride === 1 && inChannels === channels;

/** Emit a block. No activation after the last convolution. */
export function addInvertedResidual(
  layers: Layers,
  name: string,
  input: Signal,
  block: InvertedResidual,
): Signal {
  const { channels, stride, kernel, nMiddle, hasExpansion = true, groups = 1 } = block;
  const source = asSource(input);
  const activate = (convolved: string, signal: Signal) =>
    layers[block.activation](`${convolved}.act`, signal);
  let wide = source;
  if (hasExpansion) {
    const options = { channels: nMiddle, kernel: 1, groups, afterRelu: false };
    wide = activate(`${name}.expand`, layers.conv(`${name}.expand`, source, options));
    if (groups > 1) wide = layers.shuffle(`${name}.shuffle`, wide, groups);
  }
  const options = { channels: nMiddle, kernel, stride, groups: nMiddle, afterRelu: hasExpansion };
  const filtered = layers.conv(`${name}.depthwise`, wide, options);
  let active = activate(`${name}.depthwise`, filtered);
  if (block.nSqueezed !== undefined) {
    active = layers.squeezeExcite(`${name}.squeeze`, active, block.nSqueezed);
  }
  const projected = layers.conv(`${name}.project`, active, { channels, kernel: 1, groups });
  return keepsShape(block) ? layers.add(`${name}.sum`, projected, source) : projected;
}
