/**
 * FBNet networks: 22 chosen blocks between a stem and a head, as an operator graph.
 *
 * Macro structure of Wu et al. 2019 (arXiv 1812.03443, table 1) for 224 x 224 pixels, and in the form for 32 x 32
 * that HW-NAS-Bench measured (Li et al. 2021, its `FBNet_Infer`): no stride in the stem and in the second stage.
 */
import { InputError } from "../../errors.js";
import type { OperatorGraph } from "../../graph/graph.js";
import { addInvertedResidual, type BlockShape, keepsShape } from "../chain/inverted-residual.js";
import { type ChainOptions, networkFromChain } from "../chain/network.js";
import { type ChainPart, sizeAfter } from "../chain/part.js";
import { asSource, type Layers, type Signal } from "../layers.js";
import {
  blocks,
  checkFbnet,
  digitsOfFbnet,
  encodingOfFbnet,
  type FbnetArchitecture,
} from "./architecture.js";

/** Channels and blocks of each stage; the first block of a stage changes the shape. */
const stages = [
  { channels: 16, nBlocks: 1 },
  { channels: 24, nBlocks: 4 },
  { channels: 32, nBlocks: 4 },
  { channels: 64, nBlocks: 4 },
  { channels: 112, nBlocks: 4 },
  { channels: 184, nBlocks: 4 },
  { channels: 352, nBlocks: 1 },
] as const;
const stemChannels = 16;

/** What differs between the forms for small and large images. */
interface Macro {
  /** Id of networks of this form, before the digits; also the name of the encoding's space. */
  readonly space: string;
  readonly inputSize: number;
  readonly classes: number;
  readonly stemStride: 1 | 2;
  /** Of each stage's first block. */
  readonly strides: readonly (1 | 2)[];
  readonly headChannels: number;
}

/** `cifar`: 32 x 32 pixels, 100 classes, as in HW-NAS-Bench and HELP; `imagenet`: 224 x 224, as published. */
export type FbnetForm = "cifar" | "imagenet";

const macros: Readonly<Record<FbnetForm, Macro>> = {
  cifar: {
    space: "fbnet",
    inputSize: 32,
    classes: 100,
    stemStride: 1,
    strides: [1, 1, 2, 2, 1, 2, 1],
    headChannels: 1504,
  },
  imagenet: {
    space: "fbnet-imagenet",
    inputSize: 224,
    classes: 1000,
    stemStride: 2,
    strides: [1, 2, 2, 2, 1, 2, 1],
    headChannels: 1984,
  },
};

/** Everything that makes a network of an architecture. */
export interface FbnetOptions extends ChainOptions {
  /** Default `cifar`. */
  readonly form?: FbnetForm;
}

function macroOf(form: FbnetForm): Macro {
  if (!Object.hasOwn(macros, form)) {
    throw new InputError(
      `form must be one of ${Object.keys(macros).join(", ")}, got "${String(form)}"`,
    );
  }
  return macros[form];
}

/** The id of a network, e.g. `fbnet/7818488874147327324245`. */
export const fbnetId = (architecture: FbnetArchitecture, form: FbnetForm = "cifar"): string =>
  `${macroOf(form).space}/${digitsOfFbnet(architecture)}`;

/** HW-NAS-Bench's `Skip`: nothing where shapes agree, else a 1x1 convolution with batch norm and ReLU. */
function addSkip(layers: Layers, name: string, input: Signal, shape: BlockShape): Signal {
  if (keepsShape(shape)) return input;
  const { channels, stride } = shape;
  const options = { channels, kernel: 1, stride, afterRelu: false };
  return layers.relu(`${name}.relu`, layers.conv(`${name}.conv`, asSource(input), options));
}

/** The parts that networks of one form are made of. */
export interface FbnetParts {
  readonly stem: ChainPart;
  /** For each of 22 places, the part of each choice. */
  readonly blocks: readonly (readonly ChainPart[])[];
  readonly head: ChainPart;
}

function makeParts({ inputSize, classes, stemStride, strides, headChannels }: Macro): FbnetParts {
  const stem: ChainPart = {
    inputShape: [1, 3, inputSize, inputSize],
    add: (layers, name, input) =>
      layers.relu(
        `${name}.relu`,
        layers.conv(name, input, {
          channels: stemChannels,
          kernel: 3,
          stride: stemStride,
          afterRelu: false,
        }),
      ),
  };
  let size = sizeAfter(inputSize, stemStride);
  let inChannels: number = stemChannels;
  const choicesOf = (shape: BlockShape): ChainPart[] =>
    blocks.map((choice) => ({
      inputShape: [1, shape.inChannels, size, size],
      add: (layers, name, input) =>
        choice === "skip"
          ? addSkip(layers, name, input, shape)
          : addInvertedResidual(layers, name, input, {
              ...shape,
              kernel: choice.kernel,
              nMiddle: shape.inChannels * choice.expansion,
              groups: choice.groups,
              activation: "relu",
            }),
    }));
  const places = stages.flatMap(({ channels, nBlocks }, stage) => {
    const first = choicesOf({ inChannels, channels, stride: strides[stage]! });
    size = sizeAfter(size, strides[stage]!);
    inChannels = channels;
    const others = choicesOf({ inChannels, channels, stride: 1 });
    return Array.from({ length: nBlocks }, (_, i) => (i === 0 ? first : others));
  });
  const head: ChainPart = {
    inputShape: [1, inChannels, size, size],
    add(layers, name, input) {
      const options = { channels: headChannels, kernel: 1, afterRelu: false };
      const wide = layers.conv(`${name}.conv`, asSource(input), options);
      const pooled = layers.globalPool(`${name}.pool`, layers.relu(`${name}.relu`, wide));
      return layers.linear(`${name}.linear`, layers.flatten(`${name}.flatten`, pooled), classes);
    },
  };
  return { stem, blocks: places, head };
}

const partsOfForm = new Map<FbnetForm, FbnetParts>();

/**
 * The parts of a form, made once.
 *
 * @throws InputError on an unknown form
 */
export function fbnetParts(form: FbnetForm): FbnetParts {
  const found = partsOfForm.get(form) ?? makeParts(macroOf(form));
  partsOfForm.set(form, found);
  return found;
}

/** Name of the space under which a form's encodings go. */
export const fbnetSpace = (form: FbnetForm): string => macroOf(form).space;

/**
 * The network of an architecture. Input `input` (1, 3, size, size), output (1, classes), random weights scaled so that
 * activations neither blow up nor vanish; `encoding` is `encodingOfFbnet`.
 *
 * @param architecture - 22 numbers of `blocks`
 * @throws InputError on a number out of range or an unknown form
 */
export function networkFromFbnet(
  architecture: FbnetArchitecture,
  options: FbnetOptions = {},
): OperatorGraph {
  const { form = "cifar", foldBatchNorm = true, seed = 0 } = options;
  checkFbnet(architecture);
  const parts = fbnetParts(form);
  const { space, inputSize, classes } = macroOf(form);
  const digits = digitsOfFbnet(architecture);
  return networkFromChain(
    `${space}-${digits}`,
    [
      { name: "stem", part: parts.stem },
      ...parts.blocks.map((choices, place) => ({
        name: `block${place + 1}`,
        part: choices[architecture[place]!]!,
      })),
      { name: "head", part: parts.head },
    ],
    { foldBatchNorm, seed },
    {
      encoding: { space, values: encodingOfFbnet(architecture) },
      metadata: {
        space,
        arch: digits,
        inputSize: String(inputSize),
        classes: String(classes),
        batchNorm: foldBatchNorm ? "folded" : "kept",
        seed: String(seed),
      },
    },
  );
}
