/**
 * Finished units of benchmarks: an append-only file of scored trials, each under a key made of everything that its
 * scores depend on.
 */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { z } from "zod";
import { protocols, selections, type TransferSettings } from "../evaluate/transfer.js";
import type { ScoredUnit } from "../evaluate/transfer-summary.js";
import type { MeasuredPlatform, TransferTask } from "../evaluate/transfer-task.js";
import { AppendOnlyLog, ensureFolder } from "../store/files.js";

const schema = "samara/benchmark-unit/1";

// A score can be undefined (constant predictions have no rank correlation), which JSON writes as null.
const score = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

const unitSchema = z.object({
  schema: z.literal(schema),
  key: z.string(),
  unit: z.object({
    task: z.string(),
    predictor: z.string(),
    target: z.string(),
    samples: z.number().int().positive(),
    protocol: z.enum(protocols),
    select: z.enum(selections),
    isDesigned: z.boolean(),
    trial: z.number().int().nonnegative(),
    spearman: score,
    kendall: score,
    withinFivePercent: score,
    withinTenPercent: score,
    mape: score,
    coverage90: score,
    intervalWidth: score,
    intervalScore: score,
    mapeConnected: score,
    withinTenPercentConnected: score,
    nUnconnected: z.number().int().nonnegative(),
    nTest: z.number().int().positive(),
    targetLatenciesRead: z.number().int().nonnegative(),
    trainS: score,
    adaptMs: score,
    predictPerS: score,
  }),
});

/** The file of units in a folder. */
export class UnitLog {
  readonly #log: AppendOnlyLog;

  constructor(folder: string) {
    this.#log = new AppendOnlyLog(join(folder, "units.jsonl"));
  }

  get path(): string {
    return this.#log.path;
  }

  /** Units by key, the last one where a key is there twice. Lines of another form or cut short are skipped. */
  read(): Map<string, ScoredUnit> {
    const units = new Map<string, ScoredUnit>();
    for (const value of this.#log.read().values) {
      const parsed = unitSchema.safeParse(value);
      if (parsed.success) units.set(parsed.data.key, parsed.data.unit);
    }
    return units;
  }

  /** Make sure that there is a folder to write to. @throws StorageError */
  prepare(): void {
    ensureFolder(dirname(this.path));
  }

  append(key: string, unit: ScoredUnit): void {
    this.#log.append({ schema, key, at: new Date().toISOString(), unit });
  }
}

const sha256 = () => createHash("sha256");

function hashOfPlatform({ id, family, rows, latencyMs, publishedIndex }: MeasuredPlatform): string {
  const hash = sha256().update(JSON.stringify([id, family]));
  for (const column of [rows, latencyMs, publishedIndex]) {
    hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  }
  return hash.digest("hex");
}

/** Hashes of a task's data: everything that is learned from, and each target. */
export interface TaskHashes {
  readonly sources: string;
  readonly targets: readonly string[];
}

/** Hash a task's networks and latencies. */
export function hashTask({ space, networks, sources, targets }: TransferTask): TaskHashes {
  const ofSources = sha256().update(JSON.stringify([space, networks.ids]));
  for (const source of sources) ofSources.update(hashOfPlatform(source));
  return { sources: ofSources.digest("hex"), targets: targets.map(hashOfPlatform) };
}

/** Everything that a unit's scores depend on. */
export interface UnitIdentity {
  readonly predictor: string;
  /** From `codeHashOf`. */
  readonly code: string;
  readonly settings: TransferSettings;
  /** Draw of source networks. */
  readonly draw: number;
  readonly trial: number;
  readonly sources: string;
  readonly target: string;
}

/** The key that a unit is kept under. */
export function keyOfUnit({ settings, ...identity }: UnitIdentity): string {
  const { protocol, samples, select, seed } = settings;
  const { predictor, code, draw, trial, sources, target } = identity;
  return sha256()
    .update(
      JSON.stringify([
        ...[schema, predictor, code, protocol, samples, select, seed],
        ...[draw, trial, sources, target],
      ]),
    )
    .digest("hex")
    .slice(0, 32);
}
