/**
 * Networks to choose from, with what they are ranked by: accuracies of a table, or multiply-accumulates (MACs).
 */
import { InputError } from "../errors.js";
import type { FeatureTable } from "../graph/features.js";
import type { Merit } from "../record/search.js";
import { type Space, spaces } from "../space/registry.js";

/** Networks of one feature table; entry i of `merit` is that of row i. */
export interface CandidateTable {
  readonly features: FeatureTable;
  readonly merit: Float64Array;
  /** A row as users write it. */
  written(row: number): string;
}

/** All that a search may choose from. */
export interface Candidates {
  /** Name of the space, or of what else the networks come from, e.g. `files`. */
  readonly space: string;
  readonly merit: Merit;
  readonly tables: readonly CandidateTable[];
}

/** Multiply-accumulates as a stand-in for accuracy. */
export const macsMerit: Merit = { kind: "macs", source: null, unit: "MMAC" };

/**
 * Multiply-accumulates (in millions) of the operators that take part in a network's result: dead operators and
 * branches of constants make no network better.
 *
 * @returns one entry a row
 */
export function megaMacsOf({ ids, signatures, counts }: FeatureTable): Float64Array {
  const width = signatures.length;
  const working = counts.both;
  const costs = Float64Array.from(signatures, ({ macs }) => macs / 1e6);
  return Float64Array.from(ids, (_, row) => {
    let sum = 0;
    for (let s = 0; s < width; s++) sum += working[row * width + s]! * costs[s]!;
    return sum;
  });
}

/**
 * The space of a name.
 *
 * @throws InputError naming those there are
 */
export function spaceNamed(name: string): Space {
  const space = spaces.find((known) => known.name === name);
  if (space) return space;
  throw new InputError(
    `unknown search space "${name}"; known: ${spaces.map((known) => known.name).join(", ")}`,
  );
}

/** Architectures of one space in canonical form as candidates by their MACs. */
export function tableByMacs(space: Space, texts: readonly string[]): CandidateTable {
  const features = space.features(texts);
  return { features, merit: megaMacsOf(features), written: (row) => space.written(texts[row]!) };
}

/** Every network of a space by its MACs; undefined where there are too many to list. */
export function allByMacs(space: Space): Candidates | undefined {
  const texts = space.all?.();
  if (texts === undefined) return undefined;
  return { space: space.name, merit: macsMerit, tables: [tableByMacs(space, texts)] };
}
