/**
 * A pool folder: platforms, descriptors, contexts, the append-only run log, and measurements recomputed from it.
 *
 * `platforms.json`, `contexts.json`, `descriptors/<platform>.json`, `runs.jsonl` (local), `measurements.parquet`.
 * A shipped pool has no `runs.jsonl`; its `processes.parquet` holds one row a process instead.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parquetReadObjects } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { z } from "zod";
import { FormatError, NotFoundError } from "../errors.js";
import { type Descriptor, descriptorSchema } from "../record/descriptor.js";
import {
  type Context,
  contextSchema,
  type Measurement,
  measurementSchema,
  type ProcessSummary,
  processSummarySchema,
} from "../record/measurement.js";
import { type Platform, platformSchema } from "../record/platform.js";
import { AppendOnlyLog, readBytes, writeFileAtomic, writeJsonAtomic } from "./files.js";
import { lockFolder } from "./lock.js";

/** Which subjects are for learning and which are kept apart as test set, and how they were drawn. */
export const splitSchema = z.object({
  schema: z.literal("samara/split/1"),
  seed: z.number().int(),
  how: z.string(),
  train: z.array(z.string()),
  test: z.array(z.string()),
});
/** Networks to learn from and networks kept apart. */
export type Split = z.infer<typeof splitSchema>;

/** Check data against a schema; the error names the file and the first field that is wrong. */
function parseAs<T>(schema: z.ZodType<T>, value: unknown, path: string, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const field = issue.path.join(".");
  throw new FormatError(`${what} ${path}: field "${field}" is wrong: ${issue.message}`, {
    path,
    field,
    hint: "the file was changed by hand, damaged, or written by another version",
  });
}

/**
 * Read a JSON file that must match a schema.
 *
 * @throws NotFoundError when there is none; FormatError when it is not JSON or a field is wrong
 */
export function readJsonAs<T>(schema: z.ZodType<T>, path: string, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(readBytes(path, what).toString("utf8"));
  } catch (cause) {
    if (cause instanceof SyntaxError) {
      throw new FormatError(`${what} ${path} is not JSON: ${cause.message}`, { path, cause });
    }
    throw cause;
  }
  return parseAs(schema, value, path, what);
}

const safeName = (platformId: string) => platformId.replaceAll(/[^A-Za-z0-9._-]/g, "_");

const stringColumns = [
  "platformId",
  "kind",
  "subjectId",
  "modelHash",
  "grade",
  "contextId",
] as const satisfies readonly (keyof Measurement)[];
const doubleColumns = [
  "latencyMs",
  "lowerMs",
  "upperMs",
  "medianWallMs",
] as const satisfies readonly (keyof Measurement)[];
const integerColumns = ["nProcesses", "nRuns"] as const satisfies readonly (keyof Measurement)[];

function measurementsToParquet(rows: readonly Measurement[]): Uint8Array {
  const buffer = parquetWriteBuffer({
    columnData: [
      ...stringColumns.map((name) => ({
        name,
        data: rows.map((row) => row[name]),
        type: "STRING" as const,
      })),
      ...doubleColumns.map((name) => ({
        name,
        data: rows.map((row) => row[name]),
        type: "DOUBLE" as const,
      })),
      ...integerColumns.map((name) => ({
        name,
        data: rows.map((row) => row[name]),
        type: "INT32" as const,
      })),
      { name: "reasons", data: rows.map((row) => row.reasons.join("; ")), type: "STRING" as const },
      {
        name: "counters",
        data: rows.map((row) => JSON.stringify(row.counters)),
        type: "STRING" as const,
      },
    ],
  });
  return new Uint8Array(buffer);
}

const processRowSchema = z.object({
  platformId: z.string(),
  subjectId: z.string(),
  processId: z.string(),
  startedAt: z.string(),
  /** Median over pairs of the ratio to the reference. */
  ratio: z.number().positive(),
  wallMs: z.number().positive(),
  /** Null where the kernel does not tell. */
  waitShare: z.number().nullable(),
  referenceMs: z.number().positive(),
  nPairs: z.number().int(),
});
/** One subject in one process: what a shipped pool keeps of a log line. */
export type ProcessRow = z.infer<typeof processRowSchema>;

const processColumns: Readonly<Record<keyof ProcessRow, "STRING" | "DOUBLE" | "INT32">> = {
  platformId: "STRING",
  subjectId: "STRING",
  processId: "STRING",
  startedAt: "STRING",
  ratio: "DOUBLE",
  wallMs: "DOUBLE",
  waitShare: "DOUBLE",
  referenceMs: "DOUBLE",
  nPairs: "INT32",
};

function processRowOf(line: ProcessSummary, medianOf: MedianOf): ProcessRow {
  const { platformId, subjectId, processId, startedAt, referenceMs, ratios, waitShares } = line;
  return {
    platformId,
    subjectId,
    processId,
    startedAt,
    ratio: medianOf(ratios),
    wallMs: medianOf(line.wallMs),
    // Unknown, never zero, where the kernel does not tell.
    waitShare: waitShares.length === 0 ? null : medianOf(waitShares),
    referenceMs,
    nPairs: ratios.length,
  };
}

function processesToParquet(rows: readonly ProcessRow[]): Uint8Array {
  const buffer = parquetWriteBuffer({
    columnData: Object.entries(processColumns).map(([name, type]) => ({
      name,
      type,
      data: rows.map((row) => row[name as keyof ProcessRow]),
    })),
  });
  return new Uint8Array(buffer);
}

/** The median of at least one value; given by the caller, because storing knows no statistics. */
export type MedianOf = (values: readonly number[]) => number;

/** A pool folder, opened for reading and adding; nothing is written until something is added. */
export class Pool {
  readonly folder: string;
  readonly log: AppendOnlyLog;
  #nHolding = 0;

  constructor(folder: string) {
    this.folder = folder;
    this.log = new AppendOnlyLog(join(folder, "runs.jsonl"));
  }

  /**
   * Do something while no other process measures into this pool: two would disturb each other's timings. May be nested.
   *
   * @throws BusyError when another process is at it
   */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    const release = this.#nHolding === 0 ? lockFolder(this.folder) : undefined;
    this.#nHolding += 1;
    try {
      return await work();
    } finally {
      this.#nHolding -= 1;
      release?.();
    }
  }

  /** @throws NotFoundError when the folder holds no pool */
  requireExisting(): this {
    if (!existsSync(this.path("platforms.json"))) {
      throw new NotFoundError(`no pool in ${this.folder}: it has no platforms.json`, {
        hint: "measure one with `samara measure -o DIR` or name another folder",
      });
    }
    return this;
  }

  private path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  /** All platforms, in the order in which they were added. */
  platforms(): Platform[] {
    const path = this.path("platforms.json");
    return existsSync(path) ? readJsonAs(z.array(platformSchema), path, "platforms file") : [];
  }

  /** Add a platform unless it is there already. */
  addPlatform(platform: Platform): void {
    const platforms = this.platforms();
    if (platforms.some(({ id }) => id === platform.id)) return;
    writeJsonAtomic(this.path("platforms.json"), [...platforms, platform]);
  }

  /** All contexts, in the order in which they were added. */
  contexts(): Context[] {
    const path = this.path("contexts.json");
    return existsSync(path) ? readJsonAs(z.array(contextSchema), path, "contexts file") : [];
  }

  /** Add a context unless it is there already. */
  addContext(context: Context): void {
    this.addContexts([context]);
  }

  /** Add the contexts that are not there already. */
  addContexts(added: readonly Context[]): void {
    const contexts = this.contexts();
    const known = new Set(contexts.map(({ id }) => id));
    const fresh = added.filter(({ id }) => !known.has(id));
    if (fresh.length > 0) writeJsonAtomic(this.path("contexts.json"), [...contexts, ...fresh]);
  }

  /** The descriptors of all profiled platforms, by file name. */
  descriptors(): Descriptor[] {
    const folder = this.path("descriptors");
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .sort()
      .map((name) => readDescriptor(join(folder, name)));
  }

  /** The descriptor of one platform, or undefined when it was not profiled. */
  descriptor(platformId: string): Descriptor | undefined {
    const path = this.descriptorPath(platformId);
    return existsSync(path) ? readDescriptor(path) : undefined;
  }

  /** Where the descriptor of a platform lies, or would. */
  descriptorPath(platformId: string): string {
    return this.path("descriptors", `${safeName(platformId)}.json`);
  }

  /** Write the descriptor of its platform; an older one is replaced. */
  writeDescriptor(descriptor: Descriptor): void {
    writeJsonAtomic(this.descriptorPath(descriptor.platform.id), descriptor);
  }

  /** Write what one of several profiles of a platform showed by itself, counted from 1. */
  writeDescriptorRepeat(descriptor: Descriptor, repetition: number): void {
    writeJsonAtomic(this.repeatPath(descriptor.platform.id, repetition), descriptor);
  }

  /** What one of several profiles showed by itself, counted from 1; undefined when there is none. */
  descriptorRepeat(platformId: string, repetition: number): Descriptor | undefined {
    const path = this.repeatPath(platformId, repetition);
    return existsSync(path) ? readDescriptor(path) : undefined;
  }

  private repeatPath(platformId: string, repetition: number): string {
    return this.path("descriptors", "repeats", `${safeName(platformId)}.${repetition}.json`);
  }

  /** The log's whole lines; lines cut short by a crash are counted, not hidden. */
  runs(): { lines: ProcessSummary[]; nDamaged: number } {
    const { values, nDamaged } = this.log.read();
    const lines: ProcessSummary[] = [];
    let nWrong = nDamaged;
    for (const value of values) {
      const result = processSummarySchema.safeParse(value);
      if (result.success) lines.push(result.data);
      else nWrong += 1;
    }
    return { lines, nDamaged: nWrong };
  }

  /** Write `measurements.parquet`; an older one is replaced. */
  writeMeasurements(measurements: readonly Measurement[]): void {
    writeFileAtomic(this.path("measurements.parquet"), measurementsToParquet(measurements));
  }

  /** Write `processes.parquet`, what a shipped pool keeps of the log; an older one is replaced. */
  writeProcesses(lines: readonly ProcessSummary[], medianOf: MedianOf): void {
    this.writeProcessRows(lines.map((line) => processRowOf(line, medianOf)));
  }

  /** Write `processes.parquet` from rows that other pools hold. */
  writeProcessRows(rows: readonly ProcessRow[]): void {
    writeFileAtomic(this.path("processes.parquet"), processesToParquet(rows));
  }

  /**
   * What each process found of each subject: from `processes.parquet`, or from the log where that is not written.
   *
   * @returns none when the pool has neither
   * @throws FormatError when the file is damaged
   */
  async processes(medianOf: MedianOf): Promise<ProcessRow[]> {
    const path = this.path("processes.parquet");
    if (!existsSync(path)) return this.runs().lines.map((line) => processRowOf(line, medianOf));
    const rows = await readParquetRows(path, "processes file");
    return rows.map((row, i) => parseAs(processRowSchema, row, path, `row ${i} of processes file`));
  }

  /** @throws NotFoundError when nothing was summarised; FormatError when the file is damaged */
  async measurements(): Promise<Measurement[]> {
    return readMeasurements(this.path("measurements.parquet"));
  }

  /** The split, or undefined when nothing is kept apart. */
  split(): Split | undefined {
    const path = this.path("split.json");
    return existsSync(path) ? readJsonAs(splitSchema, path, "split file") : undefined;
  }

  /** Write the split; an older one is replaced. */
  writeSplit(split: Split): void {
    writeJsonAtomic(this.path("split.json"), split);
  }
}

/**
 * Read a descriptor file.
 *
 * @throws FormatError when it is not a descriptor, or its latencies are in another unit than ns
 */
export function readDescriptor(path: string): Descriptor {
  return readJsonAs(descriptorSchema, path, "descriptor");
}

async function readParquetRows(path: string, what: string): Promise<Record<string, unknown>[]> {
  const bytes = readBytes(path, what);
  try {
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    return await parquetReadObjects({ file: file as ArrayBuffer });
  } catch (cause) {
    throw new FormatError(`${what} ${path} is not readable as Parquet`, { path, cause });
  }
}

/** @throws NotFoundError, FormatError naming the row that is wrong (NaN, negative latency, unknown grade) */
export async function readMeasurements(path: string): Promise<Measurement[]> {
  const rows = await readParquetRows(path, "measurements file");
  return rows.map((row, i) =>
    parseAs(
      measurementSchema,
      {
        ...row,
        reasons: row.reasons ? String(row.reasons).split("; ") : [],
        counters: parsedOrNull(String(row.counters ?? "[]")),
      },
      path,
      `row ${i} of measurements file`,
    ),
  );
}

/** What is no JSON fits no schema either. */
function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
