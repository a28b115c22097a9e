/**
 * Search spaces of published latencies: how their tables name an architecture, which part of them a protocol takes,
 * and the feature table of some architectures.
 */
import { InputError, InternalError } from "../errors.js";
import type { FeatureTable } from "../graph/features.js";
import { digitsOfFbnet, nPlaces } from "../space/fbnet/architecture.js";
import { indexFromArch } from "../space/nasbench201/cell.js";
import { featuresOfCells } from "../space/nasbench201/features.js";
import { ofaFromNumbers, textOfOfa } from "../space/ofa/architecture.js";
import { spaces } from "../space/registry.js";

/** Names of spaces as in a folder's `space`. */
export const publishedSpaces = ["nasbench201", "fbnet", "ofa"] as const;
/** One of `publishedSpaces`. */
export type PublishedSpace = (typeof publishedSpaces)[number];

/** What is particular to the published tables of a space. */
interface SpaceTraits {
  /** Columns of an architecture table that name an architecture, in the order in which `textOf` takes them. */
  readonly columns: readonly string[];
  /** The architecture of these fields, as `Space.canonical` writes it. */
  readonly textOf: (fields: readonly string[]) => string;
  /** Folder whose table lists the networks of the published order, for folders that bring none. */
  readonly publishedFolder: string;
  /** HELP's windows of the published order (Lee et al. 2021, arXiv 2106.08630): learning and samples, test. */
  readonly help: { readonly learn: number; readonly test: readonly [number, number] };
  /** Networks that are learned from on each source under the protocol `all`. */
  readonly nSourceNetworks: number;
}

const numbersOf = (fields: readonly string[]): number[] =>
  fields.map((field) => {
    if (/^\s*\d+\s*$/.test(field)) return Number(field);
    throw new InputError(`a choice must be an integer >= 0, got "${field}"`);
  });

const numbered = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);

/** HELP draws from the first 4,000 of 5,000 architectures and tests on the last 1,000. */
const largeWindows = { learn: 4000, test: [4000, 5000] } as const;

/** The traits of each space. */
export const spaceTraits: Readonly<Record<PublishedSpace, SpaceTraits>> = {
  nasbench201: {
    columns: ["arch"],
    textOf: ([arch]) => String(indexFromArch(arch!)),
    publishedFolder: "nasbench201",
    help: { learn: 900, test: [900, 1900] },
    nSourceNetworks: 512,
  },
  fbnet: {
    columns: numbered("b", nPlaces),
    textOf: (fields) => canonicalIn("fbnet", digitsOfFbnet(numbersOf(fields))),
    publishedFolder: "help-fbnet",
    help: largeWindows,
    nSourceNetworks: 800,
  },
  ofa: {
    columns: [
      ...["resolution", ...numbered("d", 5)],
      ...[...numbered("ks", 20), ...numbered("e", 20)],
    ],
    textOf: (fields) => textOfOfa(ofaFromNumbers(numbersOf(fields))),
    publishedFolder: "help-ofa",
    help: largeWindows,
    nSourceNetworks: 800,
  },
};

const spaceNamed = (name: PublishedSpace) => spaces.find((space) => space.name === name)!;

const canonicalIn = (name: PublishedSpace, text: string) => spaceNamed(name).canonical(text);

/** Features of architectures, and in which row each stands. */
export interface NetworkTable {
  readonly networks: FeatureTable;
  /** Rows of architectures, by their canonical texts. */
  rowsOf(texts: readonly string[]): Int32Array;
}

/**
 * The feature table for architectures of one space. NAS-Bench-201 always has all its 15,625 cells, in Samara's
 * order; other spaces have the architectures that are named, each once, in the order in which they come.
 */
export function networkTableOf(space: PublishedSpace, texts: Iterable<string>): NetworkTable {
  if (space === "nasbench201") {
    return { networks: featuresOfCells(), rowsOf: (of) => Int32Array.from(of, Number) };
  }
  const distinct = [...new Set(texts)];
  const rows = new Map(distinct.map((text, row) => [text, row]));
  return {
    networks: spaceNamed(space).features(distinct),
    rowsOf: (of) =>
      Int32Array.from(of, (text) => {
        const row = rows.get(text);
        if (row === undefined) throw new InternalError(`no row for the architecture ${text}`);
        return row;
      }),
  };
}
