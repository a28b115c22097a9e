/**
 * Search spaces by the name that ids of their networks begin with: `fbnet/7818…` is of the space `fbnet`.
 *
 * A space is one entry of `spaces`; whatever names networks by text (commands, measured networks) goes through here.
 */
import { InputError } from "../errors.js";
import type { FeatureTable } from "../graph/features.js";
import type { OperatorGraph } from "../graph/graph.js";
import type { ChainOptions } from "./chain/network.js";
import {
  blocks,
  digitsOfFbnet,
  fbnetFromDigits,
  mutateFbnet,
  nPlaces,
} from "./fbnet/architecture.js";
import { featuresOfFbnet } from "./fbnet/features.js";
import { type FbnetForm, fbnetSpace, networkFromFbnet } from "./fbnet/network.js";
import {
  archStringFromCell,
  cellFromIndex,
  indexFromArch,
  nCells,
  neighbourIndex,
} from "./nasbench201/cell.js";
import { featuresOfCells } from "./nasbench201/features.js";
import { type NetworkOptions, networkFromCell } from "./nasbench201/network.js";
import { drawOfa, mutateOfa, numbersOfOfa, ofaFromText, textOfOfa } from "./ofa/architecture.js";
import { featuresOfOfa } from "./ofa/features.js";
import { networkFromOfa } from "./ofa/network.js";

/** Uniform integers, each in [0, n). */
export interface Dice {
  integer(n: number): number;
}

/** A search space whose architectures are named by text. */
export interface Space {
  /** What ids of its networks begin with. */
  readonly name: string;
  /** An architecture, as users may write it after the name. */
  readonly example: string;
  /**
   * The one way to write an architecture.
   *
   * @throws InputError when the text names none
   */
  canonical(text: string): string;
  /**
   * The network of an architecture in canonical form.
   *
   * @throws InputError on an option that the space does not have, or out of range
   */
  network(text: string, options?: NetworkOptions): OperatorGraph;
  /** Features of architectures in canonical form, equal to those of their networks with default options. */
  features(texts: readonly string[]): FeatureTable;
  /** A uniform draw, in canonical form. */
  draw(dice: Dice): string;
  /** Another architecture, one choice away from one in canonical form. */
  mutate(text: string, dice: Dice): string;
  /** An architecture in canonical form as people know it, which commands read, too. */
  written(text: string): string;
  /** Every architecture in canonical form, in the order of `features`; absent where there are too many. */
  all?(): string[];
}

/**
 * Options that chains have.
 *
 * @throws InputError naming those that only cells have
 */
function chainOptions(space: string, options: NetworkOptions): ChainOptions {
  const { foldBatchNorm, seed, ...others } = options;
  const alien = Object.keys(others);
  if (alien.length > 0) {
    throw new InputError(
      `networks of ${space} have no option ${alien.join(", ")}: their architecture decides it`,
    );
  }
  return {
    ...(foldBatchNorm === undefined ? {} : { foldBatchNorm }),
    ...(seed === undefined ? {} : { seed }),
  };
}

const nasbench201: Space = {
  name: "nasbench201",
  example: "1462",
  canonical: (text) => String(indexFromArch(text)),
  network: (text, options) => networkFromCell(cellFromIndex(Number(text)), options),
  features: (texts) => featuresOfCells(texts.map(Number)),
  draw: (dice) => String(dice.integer(nCells)),
  mutate: (text, dice) => String(neighbourIndex(Number(text), dice)),
  written: (text) => archStringFromCell(cellFromIndex(Number(text))),
  all: () => Array.from({ length: nCells }, (_, index) => String(index)),
};

function fbnet(form: FbnetForm): Space {
  const name = fbnetSpace(form);
  return {
    name,
    example: "7818488874147327324245",
    canonical: (text) => digitsOfFbnet(fbnetFromDigits(text)),
    network: (text, options = {}) =>
      networkFromFbnet(fbnetFromDigits(text), { form, ...chainOptions(name, options) }),
    features: (texts) => featuresOfFbnet(texts.map(fbnetFromDigits), { form }),
    draw: (dice) =>
      digitsOfFbnet(Array.from({ length: nPlaces }, () => dice.integer(blocks.length))),
    mutate: mutateFbnet,
    written: (text) => `${name}/${text}`,
  };
}

const ofa: Space = {
  name: "ofa",
  example: "204-7656-5456-5676-7473-367653",
  canonical: (text) => textOfOfa(ofaFromText(text)),
  network: (text, options = {}) => networkFromOfa(ofaFromText(text), chainOptions("ofa", options)),
  features: (texts) => featuresOfOfa(texts.map((text) => numbersOfOfa(ofaFromText(text)))),
  draw: (dice) => textOfOfa(drawOfa(dice)),
  mutate: (text, dice) => textOfOfa(mutateOfa(ofaFromText(text), dice)),
  written: (text) => `ofa/${text}`,
};

/** All spaces; the first is meant where a text names none. */
export const spaces: readonly [Space, ...Space[]] = [
  nasbench201,
  fbnet("cifar"),
  fbnet("imagenet"),
  ofa,
];

/** An architecture of a space. */
export interface Architecture {
  /** Name of the space and architecture, e.g. `nasbench201/1462`. */
  readonly id: string;
  readonly space: Space;
  /** In canonical form. */
  readonly text: string;
}

const architectureOf = (space: Space, text: string): Architecture => ({
  id: `${space.name}/${text}`,
  space,
  text,
});

/** Instead of an architecture: draw one. */
const drawn = "random";

/**
 * The architecture that a text names: `space/architecture`, `space/random`, or without a space one of NAS-Bench-201.
 *
 * @param dice - what `random` is drawn with
 * @throws InputError on an unknown space or a text that names no architecture
 */
export function architectureFromText(text: string, dice: Dice): Architecture {
  const [, name, rest] = /^([a-z][\w-]*)\/(.*)$/.exec(text.trim()) ?? [];
  if (name === undefined || rest === undefined) {
    return architectureOf(spaces[0], spaces[0].canonical(text));
  }
  const space = spaces.find((known) => known.name === name);
  if (!space) {
    throw new InputError(
      `unknown search space "${name}" in "${text}"; known: ${spaces.map((known) => known.name).join(", ")}`,
      { hint: spaces.map((known) => `${known.name}/${known.example}`).join(", ") },
    );
  }
  return architectureOf(space, rest === drawn ? space.draw(dice) : space.canonical(rest));
}

/** The architecture of a network's id, or undefined when it is of no space, as that of a file. */
export function architectureFromId(id: string): Architecture | undefined {
  for (const space of spaces) {
    if (!id.startsWith(`${space.name}/`)) continue;
    try {
      const text = space.canonical(id.slice(space.name.length + 1));
      return architectureOf(space, text);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
    }
  }
  return undefined;
}

/**
 * Feature tables of architectures, one a space, in the order in which spaces first occur.
 */
export function featuresOfArchitectures(architectures: readonly Architecture[]): FeatureTable[] {
  const textsOfSpace = new Map<Space, string[]>();
  for (const { space, text } of architectures) {
    const texts = textsOfSpace.get(space) ?? [];
    textsOfSpace.set(space, texts);
    texts.push(text);
  }
  return Array.from(textsOfSpace, ([space, texts]) => space.features(texts));
}
