/**
 * Folders of published latencies: `NAME.json` (rows, shape, unit, space) beside `NAME.f32` (float32, NaN missing).
 * Which network a column means says `architectures.ts`.
 */
import { existsSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { z } from "zod";
import { FormatError, messageOf, NotFoundError } from "../errors.js";
import { type ColumnNetworks, readColumnNetworks } from "./architectures.js";
import { type PublishedSpace, publishedSpaces } from "./spaces.js";

const headSchema = z.looseObject({
  file: z.string(),
  dtype: z.literal("float32"),
  shape: z.tuple([z.number().int().positive(), z.number().int().positive()]),
  unit: z.literal("ms"),
  space: z.string().optional(),
  rows: z.array(z.looseObject({ id: z.string().min(1), device: z.string().optional() })),
});

/** Latencies of one platform; entry `j` belongs to column `j` of the table, NaN where missing. */
export interface PublishedPlatform {
  readonly id: string;
  /** The device, where the folder says it: platforms of one device are siblings. */
  readonly device: string | undefined;
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

/** Published latencies together with the networks that they belong to. */
export interface Dataset extends PublishedLatencies {
  /** The folder's own name, e.g. `help-nasbench201`. */
  readonly name: string;
  readonly space: PublishedSpace;
  readonly networks: ColumnNetworks;
}

function readOrExplain(path: string, what: string): Buffer {
  if (!existsSync(path)) {
    throw new NotFoundError(`${what} not found: ${path}`, {
      hint: "a folder of published latencies holds latency.json and latency.f32; check its path",
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
  const ids = parsed.data.rows.map(({ id }) => id);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined) {
    throw new FormatError(`${path}: rows: platform "${twice}" is there twice`, {
      path,
      field: "rows",
    });
  }
  return parsed.data;
}

function checkLatencies(latencyMs: Float64Array, id: string, path: string): void {
  latencyMs.forEach((latency, column) => {
    if (latency > 0 ? latency < Number.POSITIVE_INFINITY : Number.isNaN(latency)) return;
    throw new FormatError(
      `${path}: a latency must be a finite number of ms greater than 0, or NaN where it is missing, got ${latency} for ${id}, network ${column}`,
      { path },
    );
  });
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
  const platforms = head.rows.map(({ id, device }, row) => {
    const latencyMs = new Float64Array(nNetworks);
    for (let j = 0; j < nNetworks; j++) latencyMs[j] = bytes.readFloatLE(4 * (row * nNetworks + j));
    checkLatencies(latencyMs, id, path);
    return { id, device, latencyMs };
  });
  return { folder, space: head.space, nNetworks, platforms };
}

/**
 * Read a folder and which networks its columns are.
 *
 * @param dataFolder - where tables of architectures are looked for when neither the folder nor its parent has one
 * @throws FormatError when the folder names no search space that is known here; else as `readPublishedLatencies`
 *   and `readColumnNetworks`
 */
export function readDataset(folder: string, dataFolder?: string): Dataset {
  const published = readPublishedLatencies(folder);
  const { nNetworks } = published;
  const space = publishedSpaces.find((known) => known === published.space);
  if (space === undefined) {
    const path = join(folder, "latency.json");
    throw new FormatError(
      `${path}: space must be one of ${publishedSpaces.join(", ")}, got ${published.space === undefined ? "none" : `"${published.space}"`}`,
      { path, field: "space" },
    );
  }
  const networks = readColumnNetworks(folder, {
    space,
    nNetworks,
    ...(dataFolder === undefined ? {} : { dataFolder }),
  });
  return { ...published, space, name: basename(resolve(folder)), networks };
}
