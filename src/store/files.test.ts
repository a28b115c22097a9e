import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exitCodeOf } from "../cli/exit-codes.js";
import { NotFoundError, StorageError } from "../errors.js";
import {
  AppendOnlyLog,
  ensureFolder,
  readBytes,
  writeFileAtomic,
  writeJsonAtomic,
} from "./files.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "samara-files-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** The StorageError that an action ends with. */
function storageErrorOf(action: () => unknown): StorageError {
  try {
    action();
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** A device on which every write finds the disk full. */
const fullDevice = "/dev/full";
const hasFullDevice = existsSync(fullDevice);

/** Run on a file system of 64 KiB, or say why not. */
function onSmallDisk(skip: (reason: string) => void, body: (disk: string) => void): void {
  const disk = join(root, "disk");
  mkdirSync(disk);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]);
  if (mounted.status !== 0) {
    skip("needs the right to mount a small tmpfs");
    return;
  }
  try {
    body(disk);
  } finally {
    spawnSync("umount", [disk]);
  }
}

describe("writeFileAtomic()", () => {
  test("writes text and bytes, with parents, and leaves nothing else", () => {
    const path = join(root, "a", "b", "file");
    writeFileAtomic(path, "µ");
    expect(readFileSync(path, "utf8")).toBe("µ");
    writeFileAtomic(path, Uint8Array.of(0, 255));
    expect([...readFileSync(path)]).toEqual([0, 255]);
    expect(readdirSync(join(root, "a", "b"))).toEqual(["file"]);
  });

  test("refuses a path under a file: exit code 2", () => {
    writeFileSync(join(root, "file"), "precious");
    const error = storageErrorOf(() => writeFileAtomic(join(root, "file", "x", "out"), "new"));
    expect(error.errno).toBe("ENOTDIR");
    expect(error.hint).toBe("a part of the path is a file: choose another path");
    expect(exitCodeOf(error)).toBe(2);
    expect(readFileSync(join(root, "file"), "utf8")).toBe("precious");
    expect(readdirSync(root)).toEqual(["file"]);
  });

  test("refuses a folder as the file: exit code 2, nothing left behind", () => {
    mkdirSync(join(root, "folder"));
    const error = storageErrorOf(() => writeFileAtomic(join(root, "folder"), "new"));
    expect(error.errno).toBe("EISDIR");
    expect(exitCodeOf(error)).toBe(2);
    expect(readdirSync(root)).toEqual(["folder"]);
  });

  test("refuses a name that is too long: exit code 2", () => {
    const error = storageErrorOf(() => writeFileAtomic(join(root, "x".repeat(300)), "new"));
    expect(error.errno).toBe("ENAMETOOLONG");
    expect(exitCodeOf(error)).toBe(2);
  });

  test("keeps the old file and leaves nothing behind when a write fails", (context) => {
    if (!hasFullDevice) context.skip("needs /dev/full");
    const path = join(root, "file");
    writeFileAtomic(path, "old");
    symlinkSync(fullDevice, join(root, `.file.${process.pid}.tmp`));
    const error = storageErrorOf(() => writeFileAtomic(path, "new"));
    expect(error.errno).toBe("ENOSPC");
    expect(error.message).toBe(`cannot write ${path}: no space left on the device`);
    expect(error.hint).toContain("free some space");
    expect(exitCodeOf(error)).toBe(1);
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(root)).toEqual(["file"]);
  });

  test("keeps the old file on a full disk", (context) => {
    onSmallDisk(context.skip, (disk) => {
      const path = join(disk, "file");
      writeFileAtomic(path, "old");
      const error = storageErrorOf(() => writeFileAtomic(path, new Uint8Array(200_000)));
      expect(error.errno).toBe("ENOSPC");
      expect(readFileSync(path, "utf8")).toBe("old");
      expect(readdirSync(disk)).toEqual(["file"]);
    });
  });
});

describe("ensureFolder()", () => {
  test("refuses a file in its place", () => {
    writeFileSync(join(root, "file"), "");
    expect(exitCodeOf(storageErrorOf(() => ensureFolder(join(root, "file"))))).toBe(2);
  });
});

describe("readBytes()", () => {
  test("says that there is no such file, also where a part of the path is a file", () => {
    writeFileSync(join(root, "file"), "");
    expect(() => readBytes(join(root, "none"), "plan")).toThrow(NotFoundError);
    expect(() => readBytes(join(root, "file", "none"), "plan")).toThrow(/^plan not found: /);
  });

  test("says that a folder is no file", () => {
    expect(storageErrorOf(() => readBytes(root, "plan")).errno).toBe("EISDIR");
  });
});

describe("AppendOnlyLog", () => {
  const log = () => new AppendOnlyLog(join(root, "pool", "runs.jsonl"));

  test("is empty before anything is added", () => {
    expect(log().read()).toEqual({ values: [], nDamaged: 0 });
  });

  test("gives back any JSON in order", () => {
    let nLogs = 0;
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 5 }), (values) => {
        const one = new AppendOnlyLog(join(root, `log-${nLogs++}`));
        for (const value of values) one.append(value);
        expect(JSON.stringify(one.read().values)).toBe(JSON.stringify(values));
      }),
      { numRuns: 30 },
    );
  });

  test.each([
    ["in its middle", 5, [1, 3], 1],
    ["before its first byte", 9, [1, 3], 0],
    ["before its newline alone, which loses nothing", 1, [1, 2, 3], 0],
  ])("loses only the line that a crash cut short: %s", (_, nBytes, numbers, nDamaged) => {
    const one = log();
    one.append({ n: 1 });
    one.append({ n: 2 });
    writeFileSync(one.path, readFileSync(one.path).subarray(0, -nBytes));
    one.append({ n: 3 });
    expect(one.read()).toEqual({ values: numbers.map((n) => ({ n })), nDamaged });
  });

  test("counts damaged lines and reads the others", () => {
    const one = log();
    one.append(1);
    writeFileSync(one.path, `${readFileSync(one.path, "utf8")}\u0000\u0000{"half\n`);
    one.append(2);
    expect(one.read()).toEqual({ values: [1, 2], nDamaged: 1 });
  });

  test("refuses a path under a file: exit code 2", () => {
    writeFileSync(join(root, "file"), "");
    const error = storageErrorOf(() => new AppendOnlyLog(join(root, "file", "log")).append(1));
    expect(exitCodeOf(error)).toBe(2);
  });

  test("says that the disk is full", (context) => {
    if (!hasFullDevice) context.skip("needs /dev/full");
    const error = storageErrorOf(() => new AppendOnlyLog(fullDevice).append({ n: 1 }));
    expect(error.errno).toBe("ENOSPC");
    expect(error.message).toBe("cannot append to /dev/full: no space left on the device");
  });

  test("loses nothing that was saved before the disk was full, and goes on when there is room", (context) => {
    onSmallDisk(context.skip, (disk) => {
      const one = new AppendOnlyLog(join(disk, "runs.jsonl"));
      const line = { text: "x".repeat(3000) };
      let nSaved = 0;
      const fill = () => {
        for (; nSaved < 100; nSaved++) one.append(line);
      };
      writeFileSync(join(disk, "other"), new Uint8Array(30_000));
      expect(storageErrorOf(fill).errno).toBe("ENOSPC");
      expect(nSaved).toBeGreaterThan(3);
      expect(one.read().values).toEqual(new Array(nSaved).fill(line));
      rmSync(join(disk, "other"));
      one.append(line);
      expect(one.read()).toEqual({
        values: new Array(nSaved + 1).fill(line),
        nDamaged: one.read().nDamaged,
      });
      expect(one.read().nDamaged).toBeLessThanOrEqual(1);
    });
  });
});

describe("writeJsonAtomic()", () => {
  test("writes indented JSON with a last newline", () => {
    const path = join(root, "value.json");
    writeJsonAtomic(path, { a: [1] });
    expect(readFileSync(path, "utf8")).toBe('{\n  "a": [\n    1\n  ]\n}\n');
  });
});
