/**
 * A table of accuracies from comma-separated text: which networks there are to choose from, and how good each is.
 *
 * Reading files, and networks that are files, are up to the caller.
 */
import { csvFromText } from "../csv.js";
import { FormatError, InputError, InputErrors, messageOf } from "../errors.js";
import type { Merit } from "../record/search.js";
import { type Architecture, architectureFromText, type Space } from "../space/registry.js";
import type { Candidates, CandidateTable } from "./candidates.js";

/** An architecture of a space, or the path of a model file as the table writes it. */
export type NamedNetwork =
  | { readonly kind: "architecture"; readonly architecture: Architecture }
  | { readonly kind: "file"; readonly path: string };

/** A network and its accuracy. */
export interface AccuracyEntry {
  readonly network: NamedNetwork;
  readonly accuracy: number;
  /** Where it stands in the text, from 1. */
  readonly line: number;
}

/** Accuracies of distinct networks. */
export interface AccuracyTable {
  /** File or name that the text came under. */
  readonly source: string;
  /** Column that accuracies were taken from. */
  readonly column: string;
  /** `%` when some value is above 1, else `fraction`. */
  readonly unit: "%" | "fraction";
  readonly entries: readonly AccuracyEntry[];
  /** Networks that the text names without an accuracy. */
  readonly nWithout: number;
}

/** Columns that may name networks, the most telling first. */
const networkColumns = ["arch", "architecture", "network", "file", "path", "id"];
const accuracyColumns = ["accuracy", "acc", "top1", "top-1", "top_1", "test_accuracy", "test_acc"];
/** Complaints of one text that are listed; more only drown the first. */
const mostComplaints = 20;

const columnsHint =
  "a column network (an architecture string, SPACE/ARCHITECTURE, a number of Samara's, or a path of an ONNX file) and a column accuracy";

const simplified = (column: string) => column.toLowerCase().replaceAll(" ", "_");

function networkColumnOf(columns: readonly string[], what: string, path: string): number {
  for (const name of networkColumns) {
    const at = columns.findIndex((column) => simplified(column) === name);
    if (at >= 0) return at;
  }
  if (columns.some((column) => simplified(column) === "index")) {
    throw new FormatError(
      `${what}: a column index alone does not say which numbering it is: the published NAS-Bench-201 numbers architectures in another order than Samara`,
      {
        path,
        field: "index",
        hint: "add a column arch with architecture strings; or call the column network when the numbers are Samara's own",
      },
    );
  }
  throw new FormatError(
    `${what} must have a column that names networks (${networkColumns.join(", ")}), got ${listed(columns)}`,
    {
      path,
      hint:
        columns.length === 1 && columns[0]!.includes(";")
          ? "separate columns by commas, not by semicolons"
          : columnsHint,
    },
  );
}

/** Names of columns as messages quote them: a file that is no table may have any. */
const listed = (columns: readonly string[]): string =>
  columns
    .slice(0, 12)
    .map((column) => (column.length > 40 ? `${column.slice(0, 40)}…` : column))
    .join(", ") + (columns.length > 12 ? ` and ${columns.length - 12} more` : "");

function accuracyColumnOf(
  columns: readonly string[],
  asked: string | undefined,
  what: string,
  path: string,
): number {
  if (asked !== undefined) {
    const at = columns.indexOf(asked);
    if (at >= 0) return at;
    throw new InputError(`${what} has no column "${asked}"; it has ${listed(columns)}`);
  }
  for (const name of accuracyColumns) {
    const at = columns.findIndex((column) => simplified(column) === name);
    if (at >= 0) return at;
  }
  const alike = columns.filter((column) =>
    /(^|_)(acc|accuracy|top-?_?1)(_|$)/.test(simplified(column)),
  );
  if (alike.length === 1) return columns.indexOf(alike[0]!);
  throw new FormatError(
    alike.length > 1
      ? `${what} has several columns of accuracies: ${alike.join(", ")}`
      : `${what} must have a column of accuracies (${accuracyColumns.slice(0, 3).join(", ")}, …), got ${listed(columns)}`,
    { path, hint: "name one with --accuracy-column, over HTTP with ?column=" },
  );
}

/** A table names networks; it draws none. */
const noDice = {
  integer(): number {
    throw new FormatError("a network of a table must be named, `random` names none");
  },
};

const isFileName = (name: string, column: string): boolean =>
  ["file", "path"].includes(simplified(column)) || /\.onnx$/i.test(name);

function networkFrom(name: string, column: string): NamedNetwork {
  if (name === "") throw new FormatError("no network is named");
  if (isFileName(name, column)) return { kind: "file", path: name };
  return { kind: "architecture", architecture: architectureFromText(name, noDice) };
}

/**
 * Read a table of accuracies. A row with an empty accuracy is left out and counted.
 *
 * @param options.source - what messages and results call the text: a path or a name
 * @param options.column - of the accuracies; default the one that is called so
 * @throws FormatError, or InputErrors with all lines that are wrong (20 at most), by their number: an unknown network, one
 *   named twice, an accuracy that is no number or outside 0…100
 */
export function accuraciesFromCsv(
  text: string,
  { source, column }: { readonly source: string; readonly column?: string | undefined },
): AccuracyTable {
  const what = `accuracy file ${source}`;
  const { columns, rows } = csvFromText(text, what);
  const networkAt = networkColumnOf(columns, what, source);
  const accuracyAt = accuracyColumnOf(columns, column, what, source);
  const networkColumn = columns[networkAt]!;
  const accuracyColumn = columns[accuracyAt]!;
  const complaints: FormatError[] = [];
  const lineOf = new Map<string, number>();
  let nWithout = 0;
  const entries = rows.flatMap(({ fields, line }): AccuracyEntry[] => {
    const complain = (field: string, problem: string, cause?: unknown): [] => {
      complaints.push(
        new FormatError(`${what}, line ${line}: ${problem}`, { path: source, field, cause }),
      );
      return [];
    };
    if (fields.length > columns.length) {
      return complain("", `${fields.length} fields under ${columns.length} columns`);
    }
    let network: NamedNetwork;
    try {
      network = networkFrom(fields[networkAt] ?? "", networkColumn);
    } catch (cause) {
      return complain(networkColumn, messageOf(cause), cause);
    }
    const key = network.kind === "file" ? network.path : network.architecture.id;
    const before = lineOf.get(key);
    if (before !== undefined) {
      return complain(networkColumn, `${key} stands on line ${before} already`);
    }
    lineOf.set(key, line);
    const written = fields[accuracyAt];
    if (written === undefined) {
      return complain(
        accuracyColumn,
        `${fields.length} of ${columns.length} fields: the one of ${accuracyColumn} is missing`,
      );
    }
    if (written === "") {
      nWithout++;
      return [];
    }
    const accuracy = decimal.test(written) ? Number(written) : Number.NaN;
    if (!(accuracy >= 0 && accuracy <= 100)) {
      return complain(
        accuracyColumn,
        `${accuracyColumn} must be a number in 0…1 or in 0…100 %, got "${written}"`,
      );
    }
    return [{ network, accuracy, line }];
  });
  refuse(complaints, what);
  if (entries.length === 0) {
    throw new FormatError(`${what} holds no accuracy in its column ${accuracyColumn}`, {
      path: source,
      hint: columnsHint,
    });
  }
  const unit = entries.some(({ accuracy }) => accuracy > 1) ? "%" : "fraction";
  return { source, column: accuracyColumn, unit, entries, nWithout };
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function refuse(complaints: readonly FormatError[], what: string): void {
  if (complaints.length === 0) return;
  if (complaints.length === 1) throw complaints[0]!;
  const nMore = complaints.length - mostComplaints;
  throw new InputErrors([
    ...complaints.slice(0, mostComplaints),
    ...(nMore > 0 ? [new FormatError(`${what}: ${nMore} more lines are wrong`)] : []),
  ]);
}

/** What must be said of networks that are ranked by a table, or by none. */
export function warningsOfMerit(
  table: AccuracyTable | undefined,
): { code: string; message: string; hint: string }[] {
  if (table === undefined) {
    return [
      {
        code: "proxy-merit",
        message:
          "networks are ranked by their multiply-accumulates, which only stand in for accuracy",
        hint: "give accuracies of the networks",
      },
    ];
  }
  const { nWithout, source, column } = table;
  if (nWithout === 0) return [];
  return [
    {
      code: "rows-without-accuracy",
      message: `accuracy file ${source}: ${nWithout.toLocaleString("en")} networks have no value in the column ${column} and are left out`,
      hint: "fill them in, or choose another column",
    },
  ];
}

/**
 * A table's networks of one space.
 *
 * @throws InputError when it has none
 */
export function accuraciesOfSpace(table: AccuracyTable, space: Space): AccuracyTable {
  const entries = table.entries.filter(
    ({ network }) => network.kind === "architecture" && network.architecture.space === space,
  );
  if (entries.length > 0) return { ...table, entries };
  throw new InputError(`accuracy file ${table.source} names no network of ${space.name}`);
}

/** What candidates with accuracies of a table are ranked by. */
export const accuracyMerit = ({ source, column, unit }: AccuracyTable): Merit => ({
  kind: "accuracy",
  source: `${source}: ${column}`,
  unit,
});

/**
 * The networks of a table as candidates, each with its accuracy.
 *
 * @param options.files - features of the networks that are files, in the order in which the table names them
 * @throws InputError when the table names files and `files` is not given
 */
export function candidatesWithAccuracies(
  table: AccuracyTable,
  options: { readonly files?: CandidateTable["features"] } = {},
): Candidates {
  const bySpace = new Map<Space, { texts: string[]; accuracies: number[] }>();
  const ofFiles: { path: string; accuracy: number }[] = [];
  for (const { network, accuracy } of table.entries) {
    if (network.kind === "file") {
      ofFiles.push({ path: network.path, accuracy });
      continue;
    }
    const { space, text } = network.architecture;
    const own = bySpace.get(space) ?? { texts: [], accuracies: [] };
    bySpace.set(space, own);
    own.texts.push(text);
    own.accuracies.push(accuracy);
  }
  const tables = Array.from(
    bySpace,
    ([space, { texts, accuracies }]): CandidateTable => ({
      features: space.features(texts),
      merit: Float64Array.from(accuracies),
      written: (row) => space.written(texts[row]!),
    }),
  );
  if (ofFiles.length > 0) {
    if (options.files === undefined) {
      throw new InputError(
        `accuracy file ${table.source} names model files (${ofFiles[0]!.path}), which cannot be read here`,
        { hint: "name architectures of a search space" },
      );
    }
    tables.push({
      features: options.files,
      merit: Float64Array.from(ofFiles, ({ accuracy }) => accuracy),
      written: (row) => ofFiles[row]!.path,
    });
  }
  const names = [
    ...Array.from(bySpace.keys(), ({ name }) => name),
    ...(ofFiles.length > 0 ? ["files"] : []),
  ];
  return { space: names.join("+"), merit: accuracyMerit(table), tables };
}
