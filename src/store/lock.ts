/**
 * A folder that one process at a time may work in: a file that names its holder, made by an atomic operation.
 *
 * A holder that is gone (killed, crashed, another boot) holds nothing: its file is taken over. Not for short critical
 * sections, and no protection from whoever does not ask.
 */
import { linkSync, readFileSync, renameSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { BusyError } from "../errors.js";
import { ensureFolder, storageError, writeJsonAtomic } from "./files.js";

const holderSchema = z.object({
  pid: z.number().int().positive(),
  host: z.string(),
  /** When the process started, as the kernel counts it: process numbers are used again. Null where it does not tell. */
  processStart: z.string().nullable(),
  since: z.string(),
});
type Holder = z.infer<typeof holderSchema>;

const lockName = ".lock";

/** Field 22 of `/proc/PID/stat`; the name before it may hold spaces and parentheses. */
function processStartOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

function isAlive({ pid, host, processStart }: Holder): boolean {
  if (host !== hostname()) return true; // nothing can be known of it from here
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  return processStart === null || processStartOf(pid) === processStart;
}

function readHolder(path: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

/** Take away a file whose holder is gone, unless somebody else has just taken the lock over. */
function removeAbandoned(path: string, found: Holder | undefined): void {
  const aside = `${path}.${process.pid}.old`;
  try {
    renameSync(path, aside);
  } catch {
    return; // somebody else was faster
  }
  const moved = readHolder(aside);
  if (moved !== undefined && JSON.stringify(moved) !== JSON.stringify(found) && isAlive(moved)) {
    try {
      linkSync(aside, path);
    } catch {
      // A third process holds it now; the second finds out when it releases.
    }
  }
  rmSync(aside, { force: true });
}

/**
 * Become the only process that works in a folder.
 *
 * @returns a function that gives it up
 * @throws BusyError when another process works in it; StorageError when the folder cannot be written
 */
export function lockFolder(folder: string): () => void {
  ensureFolder(folder);
  const path = join(folder, lockName);
  const own: Holder = {
    pid: process.pid,
    host: hostname(),
    processStart: processStartOf(process.pid),
    since: new Date().toISOString(),
  };
  const prepared = `${path}.${process.pid}`;
  writeJsonAtomic(prepared, own);
  try {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      try {
        linkSync(prepared, path);
        return () => {
          if (readHolder(path)?.pid === process.pid) rmSync(path, { force: true });
        };
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== "EEXIST") {
          throw storageError("lock", folder, cause);
        }
      }
      const holder = readHolder(path);
      if (holder !== undefined && isAlive(holder)) throw busy(folder, path, holder);
      removeAbandoned(path, holder);
    }
    throw busy(folder, path, readHolder(path));
  } finally {
    rmSync(prepared, { force: true });
  }
}

function busy(folder: string, path: string, holder: Holder | undefined): BusyError {
  const who =
    holder === undefined
      ? "another process"
      : `process ${holder.pid}${holder.host === hostname() ? "" : ` on ${holder.host}`}, since ${holder.since}`;
  return new BusyError(`${folder} is in use: ${who} measures into it`, {
    hint: `wait until it has finished, or name another folder with -o; if nothing measures there any more, remove ${path}`,
  });
}
