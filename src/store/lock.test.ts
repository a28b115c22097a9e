import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BusyError } from "../errors.js";
import { lockFolder } from "./lock.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "samara-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lockOf = (pid: number, fields: object = {}) =>
  JSON.stringify({
    pid,
    host: hostname(),
    processStart: null,
    since: "2026-01-01T00:00:00Z",
    ...fields,
  });

describe("lockFolder()", () => {
  test("holds the folder until it is released", () => {
    const release = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(BusyError);
    release();
    lockFolder(folder)();
    expect(existsSync(join(folder, ".lock"))).toBe(false);
  });

  test("names the holder, and what to do", () => {
    const release = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(new RegExp(`process ${process.pid}`));
    release();
  });

  test("respects a process that is running", () => {
    const other = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"]);
    try {
      writeFileSync(join(folder, ".lock"), lockOf(other.pid!));
      expect(() => lockFolder(folder)).toThrow(BusyError);
    } finally {
      other.kill("SIGKILL");
    }
  });

  test("takes over from a process that is gone", () => {
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    writeFileSync(join(folder, ".lock"), lockOf(pid));
    const release = lockFolder(folder);
    expect(JSON.parse(readFileSync(join(folder, ".lock"), "utf8")).pid).toBe(process.pid);
    release();
  });

  test("takes over a file that a crash left damaged", () => {
    writeFileSync(join(folder, ".lock"), "{");
    lockFolder(folder)();
  });

  test("leaves what another machine holds", () => {
    writeFileSync(join(folder, ".lock"), lockOf(1, { host: "another-machine" }));
    expect(() => lockFolder(folder)).toThrow(/on another-machine/);
  });

  test.runIf(process.platform === "linux")("sees that a process number was used again", () => {
    writeFileSync(join(folder, ".lock"), lockOf(process.pid, { processStart: "1" }));
    lockFolder(folder)();
  });
});
