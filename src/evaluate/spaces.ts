/**
 * Search spaces of published latencies: how a table names an architecture, and the feature table of architectures.
 */
import { FormatError, InputError, InternalError } from "../errors.js";
import type { FeatureTable } from "../graph/features.js";
import { featuresOfFbnet } from "../space/fbnet/features.js";
import { cellFromArchString, indexFromCell } from "../space/nasbench201/cell.js";
import { featuresOfCells } from "../space/nasbench201/features.js";

/** Names of spaces as in a folder's `space`. */
export const publishedSpaces = ["nasbench201", "fbnet"] as const;
/** One of `publishedSpaces`. */
export type PublishedSpace = (typeof publishedSpaces)[number];

/** What is particular to a space. */
interface SpaceTraits {
  /** Columns of an architecture table that name an architecture, in the order that `choicesOf` takes them. */
  readonly columns: readonly string[];
  /** Architecture numbers from these columns. @throws InputError on values that name none */
  readonly choicesOf: (fields: readonly string[]) => readonly number[];
  /** Folder whose table lists the networks of the published order, for folders that bring none. */
  readonly publishedFolder: string;
  /** HELP's windows of the published order (Lee et al. 2021, arXiv 2106.08630): learning and support, test. */
  readonly help: { readonly learn: number; readonly test: readonly [number, number] };
  /** Networks that a source platform is learned from under the protocol `all`. */
  readonly nSourceNetworks: number;
}

const numbersOf = (fields: readonly string[]): number[] =>
  fields.map((field) => {
    const value = Number(field);
    if (field.trim() === "" || !Number.isInteger(value)) {
      throw new InputError(`a choice must be an integer, got "${field}"`);
    }
    return value;
  });

const numbered = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);

/** HELP draws from the first 4,000 of 5,000 architectures and tests on the last 1,000. */
const largeWindows = { learn: 4000, test: [4000, 5000] } as const;

/** The traits of each space. */
export const spaceTraits: Readonly<Record<PublishedSpace, SpaceTraits>> = {
  nasbench201: {
    columns: ["arch"],
    choicesOf: ([arch]) => [indexFromCell(cellFromArchString(arch!.trim()))],
    publishedFolder: "nasbench201",
    help: { learn: 900, test: [900, 1900] },
    nSourceNetworks: 512,
  },
  fbnet: {
    columns: numbered("b", 22),
    choicesOf: numbersOf,
    publishedFolder: "help-fbnet",
    help: largeWindows,
    nSourceNetworks: 800,
  },
};

/** Equal for equal architectures of a space. */
export const keyOfChoices = (choices: readonly number[]): string => choices.join(",");

/** Features of architectures, and in which row each stands. */
export interface NetworkTable {
  readonly networks: FeatureTable;
  /** Row of the architecture with some choices, by `keyOfChoices`. */
  rowOf(key: string): number;
}

/**
 * The feature table for architectures of one space. NAS-Bench-201 always has all its 15,625 cells, in Samara's
 * order; other spaces have the architectures that are named, each once, in the order in which they come.
 */
export function networkTableOf(
  space: PublishedSpace,
  architectures: Iterable<readonly number[]>,
): NetworkTable {
  if (space === "nasbench201") return { networks: featuresOfCells(), rowOf: Number };
  const distinct = new Map<string, readonly number[]>();
  for (const choices of architectures) {
    const key = keyOfChoices(choices);
    if (!distinct.has(key)) distinct.set(key, choices);
  }
  const rows = new Map([...distinct.keys()].map((key, row) => [key, row]));
  return {
    networks: featuresOfOthers(space, [...distinct.values()]),
    rowOf(key) {
      const row = rows.get(key);
      if (row === undefined) throw new InternalError(`no row for the architecture ${key}`);
      return row;
    },
  };
}

function featuresOfOthers(
  space: Exclude<PublishedSpace, "nasbench201">,
  architectures: readonly (readonly number[])[],
): FeatureTable {
  switch (space) {
    case "fbnet":
      return featuresOfFbnet(architectures);
    default:
      throw new FormatError(`no networks can be made of space "${space satisfies never}"`);
  }
}
