/**
 * Networks of the once-for-all MobileNetV3 space with width 1.0, as operator graphs.
 *
 * Structure of `OFAMobileNetV3` (Cai et al. 2020, arXiv 1908.09791, and its code): stages of 24, 40, 80, 112 and 160
 * channels; ReLU in the first two, h-swish in the others; squeeze and excite in the second, fourth and fifth.
 */
import type { OperatorGraph } from "../../graph/graph.js";
import { addInvertedResidual, type InvertedResidual } from "../chain/inverted-residual.js";
import { type ChainOptions, type NamedPart, networkFromChain } from "../chain/network.js";
import { type ChainPart, sizeAfter } from "../chain/part.js";
import { asSource } from "../layers.js";
import {
  checkOfa,
  encodingWidth,
  type OfaArchitecture,
  type OfaBlock,
  textOfOfa,
  writeEncoding,
} from "./architecture.js";

interface Stage {
  readonly channels: number;
  /** Of the first block. */
  readonly stride: 1 | 2;
  readonly activation: "relu" | "hardSwish";
  readonly hasSqueeze: boolean;
}

const stages: readonly Stage[] = [
  { channels: 24, stride: 2, activation: "relu", hasSqueeze: false },
  { channels: 40, stride: 2, activation: "relu", hasSqueeze: true },
  { channels: 80, stride: 2, activation: "hardSwish", hasSqueeze: false },
  { channels: 112, stride: 1, activation: "hardSwish", hasSqueeze: true },
  { channels: 160, stride: 2, activation: "hardSwish", hasSqueeze: true },
];
const stemChannels = 16;
const wideChannels = 960;
const mixedChannels = 1280;
const classes = 1000;

/** The id of a network, e.g. `ofa/204-7656-5456-5676-7473-367653`. */
export const ofaId = (architecture: OfaArchitecture): string => `ofa/${textOfOfa(architecture)}`;

/** Channels as the field rounds them: the nearest multiple of 8 that is not below nine tenths of the wish. */
function roundChannels(wish: number): number {
  const nearest = Math.max(8, Math.floor((wish + 4) / 8) * 8);
  return nearest < 0.9 * wish ? nearest + 8 : nearest;
}

/** Parts by all that decides them: equal parts are one object. */
const known = new Map<string, ChainPart>();

function partOf(key: string, make: () => ChainPart): ChainPart {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}

/** First layers: 3x3 convolution with stride 2, and a block that is not chosen. */
const stemOf = (inputSize: number): ChainPart =>
  partOf(`stem ${inputSize}`, () => ({
    inputShape: [1, 3, inputSize, inputSize],
    add(layers, name, input) {
      const options = { channels: stemChannels, kernel: 3, stride: 2, afterRelu: false } as const;
      const convolved = layers.conv(`${name}.conv`, input, options);
      return addInvertedResidual(
        layers,
        `${name}.block`,
        layers.hardSwish(`${name}.act`, convolved),
        {
          inChannels: stemChannels,
          channels: stemChannels,
          nMiddle: stemChannels,
          stride: 1,
          kernel: 3,
          hasExpansion: false,
          activation: "relu",
        },
      );
    },
  }));

function blockOf(
  { kernel, expansion }: OfaBlock,
  { stage, isFirst, size }: { stage: number; isFirst: boolean; size: number },
): ChainPart {
  return partOf(`block ${stage} ${isFirst} ${size} ${kernel} ${expansion}`, () => {
    const { channels, stride, activation, hasSqueeze } = stages[stage]!;
    const inChannels = isFirst ? (stages[stage - 1]?.channels ?? stemChannels) : channels;
    const nMiddle = roundChannels(inChannels * expansion);
    const block: InvertedResidual = {
      inChannels,
      channels,
      stride: isFirst ? stride : 1,
      kernel,
      nMiddle,
      activation,
      ...(hasSqueeze ? { nSqueezed: roundChannels(Math.floor(nMiddle / 4)) } : {}),
    };
    return {
      inputShape: [1, inChannels, size, size],
      add: (layers, name, input) => addInvertedResidual(layers, name, input, block),
    };
  });
}

const headOf = (size: number): ChainPart =>
  partOf(`head ${size}`, () => ({
    inputShape: [1, stages.at(-1)!.channels, size, size],
    add(layers, name, input) {
      const wide = layers.conv(`${name}.conv`, asSource(input), {
        channels: wideChannels,
        kernel: 1,
        afterRelu: false,
      });
      const pooled = layers.globalPool(`${name}.pool`, layers.hardSwish(`${name}.act`, wide));
      const mixed = layers.conv(`${name}.mix`, pooled, {
        channels: mixedChannels,
        kernel: 1,
        hasBatchNorm: false,
      });
      const flat = layers.flatten(`${name}.flatten`, layers.hardSwish(`${name}.mix.act`, mixed));
      return layers.linear(`${name}.linear`, flat, classes);
    },
  }));

/** The parts of a checked architecture, first to last; equal parts of all networks are one object. */
export function ofaParts({ inputSize, stages: chosen }: OfaArchitecture): NamedPart[] {
  const parts: NamedPart[] = [{ name: "stem", part: stemOf(inputSize) }];
  let size = sizeAfter(inputSize, 2);
  chosen.forEach((blocks, stage) => {
    blocks.forEach((block, i) => {
      const part = blockOf(block, { stage, isFirst: i === 0, size });
      parts.push({ name: `stage${stage + 1}.block${i + 1}`, part });
      if (i === 0) size = sizeAfter(size, stages[stage]!.stride);
    });
  });
  parts.push({ name: "head", part: headOf(size) });
  return parts;
}

/**
 * The network of an architecture. Input `input` (1, 3, inputSize, inputSize), output (1, 1000), random weights scaled
 * so that activations neither blow up nor vanish; `encoding` as by `writeEncoding`.
 *
 * @throws InputError on a choice that the space does not have
 */
export function networkFromOfa(
  architecture: OfaArchitecture,
  { foldBatchNorm = true, seed = 0 }: ChainOptions = {},
): OperatorGraph {
  checkOfa(architecture);
  const values = new Array<number>(encodingWidth).fill(0);
  writeEncoding(architecture, values);
  const text = textOfOfa(architecture);
  return networkFromChain(
    `ofa-${text}`,
    ofaParts(architecture),
    { foldBatchNorm, seed },
    {
      encoding: { space: "ofa", values },
      metadata: {
        space: "ofa",
        arch: text,
        inputSize: String(architecture.inputSize),
        classes: String(classes),
        batchNorm: foldBatchNorm ? "folded" : "kept",
        seed: String(seed),
      },
    },
  );
}
