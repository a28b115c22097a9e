/**
 * Jobs on the disk: `<home>/jobs/<id>/` with `job.json` (written whole), `events.jsonl` (only ever appended to),
 * `results.json` and a campaign's `plan.yaml`. What a job measures lies elsewhere and stays when the job is deleted.
 */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readBytes, storageError, writeFileAtomic, writeJsonAtomic } from "../../store/files.js";
import { jobRequestSchema, jobStateSchema } from "../api/schemas.js";
import { EventLog } from "./event-log.js";

const jobRecordSchema = z.object({
  schema: z.literal("samara/job/1"),
  id: z.string().regex(/^[0-9a-z-]+$/),
  request: jobRequestSchema,
  state: jobStateSchema,
  createdAt: z.string(),
  /** Orders the queue. */
  queuedAt: z.string(),
  startedAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  exitCode: z.number().int().nullable(),
  error: z.string().nullable(),
  nAttempts: z.number().int(),
  /** Full id; null for a campaign, whose plan names its own. */
  platform: z.string().nullable(),
  /** Ids of the networks to measure, drawn and chosen ones too, so that every attempt measures the same. */
  networks: z.array(z.string()).nullable(),
  /** Folder that is measured into; null while the command's default is meant. */
  folder: z.string().nullable(),
});
/** A job as it is kept. */
export type JobRecord = z.infer<typeof jobRecordSchema>;

/** The folder of all jobs. */
export class JobStore {
  readonly folder: string;

  constructor(home: string) {
    this.folder = join(home, "jobs");
  }

  #path(id: string, name: string): string {
    return join(this.folder, id, name);
  }

  /** All jobs, the oldest first; `damaged` names the folders that hold none that can be read. */
  read(): { readonly records: JobRecord[]; readonly damaged: string[] } {
    const records: JobRecord[] = [];
    const damaged: string[] = [];
    const entries = existsSync(this.folder)
      ? readdirSync(this.folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
      : [];
    for (const { name } of entries) {
      try {
        const text = readBytes(this.#path(name, "job.json"), "job").toString("utf8");
        const record = jobRecordSchema.parse(JSON.parse(text));
        if (record.id === name) records.push(record);
        else damaged.push(name);
      } catch {
        damaged.push(name);
      }
    }
    records.sort((a, b) => a.createdAt.localeCompare(b.createdAt) || a.id.localeCompare(b.id));
    return { records, damaged };
  }

  /** @throws StorageError */
  save(record: JobRecord): void {
    writeJsonAtomic(this.#path(record.id, "job.json"), record);
  }

  /** The events of a job so far. */
  events(id: string): EventLog {
    return new EventLog(this.#path(id, "events.jsonl"));
  }

  /** Results of the last attempt that had some; null without. */
  results(id: string): unknown[] | null {
    const path = this.#path(id, "results.json");
    if (!existsSync(path)) return null;
    return z.array(z.unknown()).parse(JSON.parse(readBytes(path, "results").toString("utf8")));
  }

  /** @throws StorageError */
  saveResults(id: string, results: readonly unknown[]): void {
    writeJsonAtomic(this.#path(id, "results.json"), results);
  }

  /** Where a campaign's plan lies. */
  planPath(id: string): string {
    return this.#path(id, "plan.yaml");
  }

  /** @throws StorageError */
  savePlan(id: string, text: string): void {
    writeFileAtomic(this.planPath(id), text);
  }

  /** Delete a job's own files. */
  remove(id: string): void {
    const path = join(this.folder, id);
    try {
      rmSync(path, { recursive: true, force: true });
    } catch (cause) {
      throw storageError("delete", path, cause);
    }
  }
}
