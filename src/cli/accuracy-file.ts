/**
 * The model files that an accuracy table names, as candidates.
 */
import { existsSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { InputError, NotFoundError } from "../errors.js";
import { type AccuracyTable, accuracyMerit, candidatesWithAccuracies } from "../search/accuracy.js";
import { type Candidates, macsMerit, megaMacsOf } from "../search/candidates.js";
import { InputChecks } from "./input-checks.js";
import { tableOfFiles } from "./predicting.js";

/** Networks to choose from, with the files among them by id. */
export interface NamedCandidates {
  readonly candidates: Candidates;
  /** Path of each network that is a file. */
  readonly pathOfId: ReadonlyMap<string, string>;
}

function pathsById(ids: readonly string[], paths: readonly string[]): Map<string, string> {
  const twice = ids.findIndex((id, i) => ids.indexOf(id) !== i);
  if (twice < 0) return new Map(ids.map((id, i) => [id, paths[i]!]));
  throw new InputError(
    `${paths[twice]} is the same network as ${paths[ids.indexOf(ids[twice]!)]}: name it once`,
  );
}

/**
 * Model files as candidates: by the accuracies of a table, else by their MACs.
 *
 * @throws InputErrors naming files that are wrong or that the table lacks
 */
export function candidatesOfFiles(
  paths: readonly string[],
  accuracies: AccuracyTable | undefined,
): NamedCandidates {
  const checks = new InputChecks();
  const features = checks.run(() => tableOfFiles(paths), null);
  const merit = accuracies === undefined ? undefined : accuraciesOf(paths, accuracies, checks);
  checks.done();
  const table = {
    features: features!,
    merit: merit ?? megaMacsOf(features!),
    written: (row: number) => paths[row]!,
  };
  return {
    candidates: {
      space: "files",
      merit: accuracies === undefined ? macsMerit : accuracyMerit(accuracies),
      tables: [table],
    },
    pathOfId: pathsById(features!.ids, paths),
  };
}

/** Accuracies of files: by their path beside the table, else by their name. */
function accuraciesOf(
  paths: readonly string[],
  { source, entries }: AccuracyTable,
  checks: InputChecks,
): Float64Array {
  const named = entries.flatMap(({ network, accuracy }) =>
    network.kind === "file" ? [{ path: network.path, accuracy }] : [],
  );
  return Float64Array.from(paths, (path) => {
    const found =
      named.find((one) => resolve(dirname(source), one.path) === resolve(path)) ??
      named.find((one) => basename(one.path) === basename(path));
    if (found) return found.accuracy;
    checks.add(new InputError(`accuracy file ${source} has no accuracy of ${path}`));
    return Number.NaN;
  });
}

/**
 * The networks of a table as candidates; the files among them are read, relative to the table.
 *
 * @throws InputErrors naming files that are wrong
 */
export function candidatesOfTable(table: AccuracyTable): NamedCandidates {
  const names = table.entries.flatMap(({ network }) =>
    network.kind === "file" ? [network.path] : [],
  );
  if (names.length === 0)
    return { candidates: candidatesWithAccuracies(table), pathOfId: new Map() };
  const paths = names.map((name) => {
    const beside = resolve(dirname(table.source), name);
    return existsSync(beside) || !existsSync(name) ? beside : name;
  });
  const missing = paths.findIndex((path) => !existsSync(path));
  if (missing >= 0) {
    throw new NotFoundError(
      `accuracy file ${table.source} names the model file ${names[missing]}, which is neither there nor at ${paths[missing]}`,
      { hint: "write paths as they are from the folder of the table" },
    );
  }
  const files = tableOfFiles(paths);
  return {
    candidates: candidatesWithAccuracies(table, { files }),
    pathOfId: pathsById(files.ids, paths),
  };
}
