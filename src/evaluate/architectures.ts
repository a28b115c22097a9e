/**
 * Which network each column of a latency table is: by the folder's own `architectures.csv(.gz)`, else by the table of
 * the published order (NAS-Bench-201's official numbering is a random permutation known only there).
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { FormatError, messageOf, NotFoundError } from "../errors.js";
import { type PublishedSpace, spaceTraits } from "./spaces.js";

/** The networks of a table's columns. */
export interface ColumnNetworks {
  /** The architecture of each column, as `Space.canonical` writes it. */
  readonly texts: readonly string[];
  /** Place of each column in the published order of its space (HELP's windows refer to it). */
  readonly publishedIndex: Int32Array;
  /** What had to be assumed, for a warning. */
  readonly assumption?: string;
}

/** A table of architectures, rows in the order of the file. */
interface ArchitectureTable {
  readonly path: string;
  /** The columns that were asked for, of each row; undefined when the table lacks one of them. */
  readonly fields: readonly (readonly string[])[] | undefined;
  readonly index: readonly number[] | undefined;
  readonly nRows: number;
  readonly header: string;
}

const fileNames = ["architectures.csv.gz", "architectures.csv"];

function findTable(folder: string): string | undefined {
  return fileNames.map((name) => join(folder, name)).find((path) => existsSync(path));
}

function readTable(path: string, columns: readonly string[]): ArchitectureTable {
  let text: string;
  try {
    const bytes = readFileSync(path);
    text = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  } catch (cause) {
    throw new FormatError(`${path} cannot be read: ${messageOf(cause)}`, { path, cause });
  }
  const [header = "", ...lines] = text.trimEnd().split(/\r?\n/);
  const names = header.split(",").map((name) => name.trim());
  const places = columns.map((name) => names.indexOf(name));
  const indexPlace = names.indexOf("index");
  const rows = lines.map((line) => line.split(","));
  const index = indexPlace < 0 ? undefined : rows.map((row) => Number(row[indexPlace]));
  const wrong = index?.findIndex((value) => !Number.isInteger(value) || value < 0) ?? -1;
  if (wrong >= 0) {
    throw new FormatError(
      `${path}: index must be an integer >= 0, got "${rows[wrong]![indexPlace]}" in row ${wrong + 1}`,
      { path, field: "index" },
    );
  }
  return {
    path,
    header,
    nRows: rows.length,
    index,
    fields: places.includes(-1)
      ? undefined
      : rows.map((row) => places.map((place) => row[place] ?? "")),
  };
}

/** Whether the numbers are 0..n-1 in any order. */
const isPermutation = (index: readonly number[]) =>
  new Set(index).size === index.length && index.every((value) => value < index.length);

function textsOfRows(table: ArchitectureTable, space: PublishedSpace): string[] {
  const { columns, textOf } = spaceTraits[space];
  if (table.fields === undefined) {
    throw new FormatError(
      `${table.path} must have the columns ${columns.join(", ")} of space ${space}, got ${table.header}`,
      { path: table.path },
    );
  }
  const seen = new Map<string, number>();
  return table.fields.map((fields, row) => {
    let text: string;
    try {
      text = textOf(fields);
    } catch (cause) {
      throw new FormatError(`${table.path}, row ${row + 1}: ${messageOf(cause)}`, {
        path: table.path,
        cause,
      });
    }
    const before = seen.get(text);
    if (before !== undefined) {
      throw new FormatError(
        `${table.path} must name a network once, rows ${before + 1} and ${row + 1} are the same`,
        { path: table.path },
      );
    }
    seen.set(text, row);
    return text;
  });
}

/** A table whose rows are numbered 0..n-1 (in any order): column j is the row numbered j. */
function inOrderOfIndex(table: ArchitectureTable, space: PublishedSpace): ColumnNetworks {
  const rows = textsOfRows(table, space);
  const { index } = table;
  const texts = rows.slice();
  if (index !== undefined) {
    if (!isPermutation(index)) {
      throw new FormatError(`${table.path} must have every index 0..${rows.length - 1} once`, {
        path: table.path,
        field: "index",
      });
    }
    for (const [row, value] of index.entries()) texts[value] = rows[row]!;
  }
  return { texts, publishedIndex: Int32Array.from(texts.keys()) };
}

/** The published order of a space, from beside the folder or from the data folder. */
function readPublishedOrder(
  folder: string,
  space: PublishedSpace,
  dataFolder: string | undefined,
): ColumnNetworks & { readonly path: string } {
  const { publishedFolder, columns } = spaceTraits[space];
  const places = [dirname(resolve(folder)), ...(dataFolder === undefined ? [] : [dataFolder])];
  for (const place of places) {
    const path = findTable(join(place, publishedFolder));
    if (path !== undefined) return { ...inOrderOfIndex(readTable(path, columns), space), path };
  }
  throw new NotFoundError(
    `no table says which networks the columns of ${folder} are: ${[folder, ...places.map((place) => join(place, publishedFolder))].map((place) => join(place, fileNames[0]!)).join(", ")} do not exist`,
    {
      hint: "name the folder of published data with --data or SAMARA_DATA, or put a table of architectures into the folder",
    },
  );
}

/**
 * Find out which networks the columns of a folder's table are.
 *
 * A table in the folder itself wins. Its rows are the columns in order; when its `index` is 0..n-1, the row numbered j
 * is column j. With an `index` of other numbers it holds a part of the published networks, and these are their places
 * in the published order; for NAS-Bench-201 such a table may do without `arch`. Without a table in the folder the
 * columns are the published order from its beginning.
 *
 * @param options.nNetworks - columns of the latency table
 * @throws NotFoundError when no table is found; FormatError when it does not fit the latencies
 */
export function readColumnNetworks(
  folder: string,
  options: {
    readonly space: PublishedSpace;
    readonly nNetworks: number;
    readonly dataFolder?: string;
  },
): ColumnNetworks {
  const { space, nNetworks, dataFolder } = options;
  const ownPath = findTable(folder);
  if (ownPath === undefined) {
    const { path, texts, publishedIndex } = readPublishedOrder(folder, space, dataFolder);
    if (texts.length < nNetworks) {
      throw new FormatError(
        `${folder} has latencies of ${nNetworks} networks, ${path} lists ${texts.length}`,
        {
          path: folder,
          hint: `put ${fileNames[0]} into ${folder}, with the columns ${["index", ...spaceTraits[space].columns].join(", ")} for its own networks`,
        },
      );
    }
    return {
      texts: texts.slice(0, nNetworks),
      publishedIndex: publishedIndex.slice(0, nNetworks),
      ...(texts.length > nNetworks && {
        assumption: `${folder} has ${nNetworks} networks and no ${fileNames[0]}: they are taken for the first ${nNetworks} of ${path}`,
      }),
    };
  }
  const table = readTable(ownPath, spaceTraits[space].columns);
  if (table.nRows !== nNetworks) {
    throw new FormatError(
      `${ownPath} lists ${table.nRows} networks, the latencies are of ${nNetworks}`,
      { path: ownPath },
    );
  }
  const { index, fields } = table;
  if (index === undefined || isPermutation(index)) return inOrderOfIndex(table, space);
  if (new Set(index).size !== index.length) {
    throw new FormatError(`${ownPath}: index must name each network once`, {
      path: ownPath,
      field: "index",
    });
  }
  const publishedIndex = Int32Array.from(index);
  if (fields !== undefined) return { texts: textsOfRows(table, space), publishedIndex };
  const published = readPublishedOrder(folder, space, dataFolder);
  const texts = index.map((value) => {
    const found = published.texts[value];
    if (found !== undefined) return found;
    throw new FormatError(
      `${ownPath}: index ${value} is outside the ${published.texts.length} networks of ${published.path}`,
      { path: ownPath, field: "index" },
    );
  });
  return { texts, publishedIndex };
}
