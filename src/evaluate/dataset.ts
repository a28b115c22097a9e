/**
 * Readers for folders of published latencies: `NAME.json` (rows, shape, unit) beside `NAME.f32` (float32, NaN missing).
 *
 * NAS-Bench-201's official numbering is a random permutation known only here: columns are joined with Samara's own
 * index by architecture string (`nasbench201/architectures.csv.gz` beside the folder).
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import { FormatError, InputError, messageOf, NotFoundError } from "../errors.js";
import { cellFromArchString, indexFromCell, nCells } from "../space/nasbench201/cell.js";

const headSchema = z.looseObject({
  file: z.string(),
  dtype: z.literal("float32"),
  shape: z.tuple([z.number().int().positive(), z.number().int().positive()]),
  unit: z.literal("ms"),
  space: z.string().optional(),
  rows: z.array(z.looseObject({ id: z.string(), measured: z.boolean().optional() })),
});

/** Latencies of one platform; entry `j` belongs to network `j` of the table, NaN where missing. */
export interface PublishedPlatform {
  readonly id: string;
  readonly latencyMs: Float64Array;
}

/** A folder of published latencies, networks in the order of the folder. */
export interface PublishedLatencies {
  readonly folder: string;
  /** e.g. `nasbench201`; undefined when the folder does not say. */
  readonly space: string | undefined;
  readonly nNetworks: number;
  readonly platforms: readonly PublishedPlatform[];
}

function readOrExplain(path: string, what: string): Buffer {
  if (!existsSync(path)) {
    throw new NotFoundError(`${what} not found: ${path}`, {
      hint: "name the data folder with --data or SAMARA_DATA; its README says what it must hold",
    });
  }
  return readFileSync(path);
}

function parseHead(path: string): z.infer<typeof headSchema> {
  let json: unknown;
  try {
    json = JSON.parse(readOrExplain(path, "description of a latency table").toString("utf8"));
  } catch (cause) {
    if (cause instanceof NotFoundError) throw cause;
    throw new FormatError(`${path} is not JSON: ${messageOf(cause)}`, { path, cause });
  }
  const parsed = headSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const field = issue.path.join(".");
    throw new FormatError(`${path}: ${field}: ${issue.message}`, { path, field });
  }
  return parsed.data;
}

/**
 * Read a folder in its own order of networks.
 *
 * @param name - base name of the table, `latency` when omitted
 * @throws NotFoundError when a file is missing; FormatError when it is not what its description says
 */
export function readPublishedLatencies(folder: string, name = "latency"): PublishedLatencies {
  const headPath = join(folder, `${name}.json`);
  const head = parseHead(headPath);
  const path = join(folder, head.file);
  const bytes = readOrExplain(path, "latency table");
  const [nPlatforms, nNetworks] = head.shape;
  if (head.rows.length !== nPlatforms) {
    throw new FormatError(
      `${headPath}: shape says ${nPlatforms} platforms, rows has ${head.rows.length}`,
      { path: headPath, field: "rows" },
    );
  }
  if (bytes.length !== nPlatforms * nNetworks * 4) {
    throw new FormatError(
      `${path} must have ${nPlatforms * nNetworks * 4} bytes (${nPlatforms} x ${nNetworks} float32), got ${bytes.length}`,
      { path },
    );
  }
  const platforms = head.rows.map(({ id }, row) => ({
    id,
    latencyMs: Float64Array.from({ length: nNetworks }, (_, j) =>
      bytes.readFloatLE(4 * (row * nNetworks + j)),
    ),
  }));
  return { folder, space: head.space, nNetworks, platforms };
}

/** Folder of NAS-Bench-201's architecture table, beside the folders of latencies. */
const architectureTable = join("nasbench201", "architectures.csv.gz");

/**
 * Samara's index of each official NAS-Bench-201 index, joined by architecture string.
 *
 * @param dataFolder - holds `nasbench201/architectures.csv.gz`
 * @throws NotFoundError, FormatError
 */
export function readOfficialOrder(dataFolder: string): Int32Array {
  const path = join(dataFolder, architectureTable);
  const text = gunzipSync(readOrExplain(path, "architecture table")).toString("utf8");
  const [header = "", ...lines] = text.trimEnd().split("\n");
  const names = header.trim().split(",");
  const indexColumn = names.indexOf("index");
  const archColumn = names.indexOf("arch");
  if (indexColumn < 0 || archColumn < 0 || lines.length !== nCells) {
    throw new FormatError(
      `${path} must have columns index and arch and ${nCells} rows, got columns ${header} and ${lines.length} rows`,
      { path },
    );
  }
  const order = new Int32Array(nCells).fill(-1);
  for (const line of lines) {
    const fields = line.split(",");
    order[Number(fields[indexColumn])] = indexFromCell(cellFromArchString(fields[archColumn]!));
  }
  if (new Set(order).size !== nCells || order.includes(-1)) {
    throw new FormatError(`${path} must name every architecture and every index once`, { path });
  }
  return order;
}

/**
 * Read a folder of NAS-Bench-201 latencies in Samara's own order of cells.
 *
 * @param dataFolder - holds `nasbench201/architectures.csv.gz`; the folder's parent when omitted
 * @throws InputError when the folder is of another search space; else as `readPublishedLatencies`
 */
export function readNasbench201Latencies(
  folder: string,
  dataFolder = dirname(resolve(folder)),
): PublishedLatencies {
  const published = readPublishedLatencies(folder);
  if (published.nNetworks !== nCells || (published.space ?? "nasbench201") !== "nasbench201") {
    throw new InputError(
      `${folder} holds ${published.nNetworks} networks of space "${published.space ?? "unknown"}", not the ${nCells} of nasbench201`,
    );
  }
  const order = readOfficialOrder(dataFolder);
  const platforms = published.platforms.map(({ id, latencyMs }) => {
    const reordered = new Float64Array(nCells);
    latencyMs.forEach((latency, official) => {
      reordered[order[official]!] = latency;
    });
    return { id, latencyMs: reordered };
  });
  return { ...published, platforms };
}
