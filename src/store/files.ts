/**
 * Files are written whole or not at all: to a temporary name beside the target, flushed, then renamed.
 * The append-only log is the exception: one line a write, and readers skip a line that a crash cut short.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { NotFoundError, StorageError } from "../errors.js";

const advice: Readonly<Record<string, string>> = {
  ENOSPC: "free some space, then run the same command again: what was saved before is kept",
  EDQUOT: "free some space, then run the same command again: what was saved before is kept",
  EACCES: "choose a folder that you may write to",
  EPERM: "choose a folder that you may write to",
  EROFS: "choose a folder on a writable file system",
  ENOTDIR: "a part of the path is a file: choose another path",
  EEXIST: "a part of the path is a file: choose another path",
  EISDIR: "the path is a folder: name a file in it",
  ENAMETOOLONG: "choose a shorter name",
};

/** Turn an operating-system error about a path into a `StorageError` that says what to do. */
export function storageError(action: string, path: string, cause: unknown): StorageError {
  const errno = (cause as NodeJS.ErrnoException | undefined)?.code;
  const reason = errno === "ENOSPC" ? "no space left on the device" : (errno ?? String(cause));
  const hint = errno === undefined ? undefined : advice[errno];
  return new StorageError(`cannot ${action} ${path}: ${reason}`, {
    path,
    cause,
    ...(errno === undefined ? {} : { errno }),
    ...(hint === undefined ? {} : { hint }),
  });
}

/**
 * Create a folder and its parents.
 *
 * @throws StorageError when a part of the path is a file or may not be written
 */
export function ensureFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw storageError("create folder", path, cause);
  }
}

function writeFully(descriptor: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(descriptor, bytes, written);
}

/**
 * Write a file whole or not at all; parents are created.
 *
 * @throws StorageError with the errno (ENOSPC, ENOTDIR, EACCES, …); the old file, if any, is untouched
 */
export function writeFileAtomic(path: string, content: string | Uint8Array): void {
  ensureFolder(dirname(path));
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    const descriptor = openSync(temporary, "w");
    try {
      writeFully(descriptor, typeof content === "string" ? Buffer.from(content) : content);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (cause) {
    try {
      rmSync(temporary, { force: true });
    } catch {
      // It could not be made either; the first error says why.
    }
    throw storageError("write", path, cause);
  }
}

/** Write a value as indented JSON, whole or not at all. */
export function writeJsonAtomic(path: string, value: unknown): void {
  writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * The bytes of a file.
 *
 * @throws NotFoundError when there is none; StorageError when it cannot be read
 */
export function readBytes(path: string, what: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const errno = (cause as NodeJS.ErrnoException).code;
    if (errno === "ENOENT" || errno === "ENOTDIR") {
      throw new NotFoundError(`${what} not found: ${path}`, { cause });
    }
    throw storageError(`read ${what}`, path, cause);
  }
}

function endsWithNewline(descriptor: number, sizeBytes: number): boolean {
  const last = new Uint8Array(1);
  readSync(descriptor, last, 0, 1, sizeBytes - 1);
  return last[0] === 0x0a;
}

/** A file of JSON lines that only grows. Each `append` is on disk when it returns. */
export class AppendOnlyLog {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Add one value as one line. A line cut short by a crash before is closed first, so that it costs itself only.
   *
   * @throws StorageError when the line could not be written whole; a part of a line is skipped by readers
   */
  append(value: unknown): void {
    ensureFolder(dirname(this.path));
    let descriptor: number;
    try {
      descriptor = openSync(this.path, "a+");
    } catch (cause) {
      throw storageError("open", this.path, cause);
    }
    try {
      const { size } = fstatSync(descriptor);
      const separator = size === 0 || endsWithNewline(descriptor, size) ? "" : "\n";
      writeFully(descriptor, Buffer.from(`${separator}${JSON.stringify(value)}\n`));
      fsyncSync(descriptor);
    } catch (cause) {
      throw storageError("append to", this.path, cause);
    } finally {
      closeSync(descriptor);
    }
  }

  /** All whole lines in order; `nDamaged` counts those that are not JSON (cut short by a crash). */
  read(): { values: unknown[]; nDamaged: number } {
    if (!existsSync(this.path)) return { values: [], nDamaged: 0 };
    const values: unknown[] = [];
    let nDamaged = 0;
    for (const line of readBytes(this.path, "log").toString("utf8").split("\n")) {
      if (line === "") continue;
      try {
        values.push(JSON.parse(line));
      } catch {
        nDamaged += 1;
      }
    }
    return { values, nDamaged };
  }
}
