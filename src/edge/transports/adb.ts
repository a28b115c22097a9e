/**
 * Android devices by the system's `adb`, by serial number or the only one there is.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PlatformUnavailableError } from "../../errors.js";
import { runProcess } from "../process.js";
import type { DeviceSession } from "../transport.js";
import { openRemote, type RemoteShell } from "./remote.js";

const copyTimeoutMs = 300_000;

const missingHint = "install Android's platform tools and see that `adb` is on the path";

/** What helps, by what adb says. */
function hintOf(message: string): string {
  if (/unauthorized/.test(message))
    return "unlock the device and allow debugging from this machine";
  if (/more than one device/.test(message)) return "name one with `host`; `adb devices` lists them";
  return "see whether `adb devices` lists it; then run the same command again";
}

function shellOf(serial: string | undefined): RemoteShell {
  const where = serial === undefined ? "the device by adb" : `${serial} by adb`;
  const adb = serial === undefined ? ["adb"] : ["adb", "-s", serial];
  const unreachable: RemoteShell["unreachable"] = ({ code, stdout, stderr }) => {
    const said = `${stdout.toString("utf8")}\n${stderr}`.trim().split("\n").at(-1);
    const message = said || `adb ended with exit code ${code}`;
    return new PlatformUnavailableError(`${where} cannot be reached: ${message}`, {
      hint: hintOf(message),
    });
  };
  /** Copy by a file of a folder of ours: adb knows files only. */
  const copy = async <T>(what: string, work: (file: string) => Promise<T>): Promise<T> => {
    const folder = mkdtempSync(join(tmpdir(), "samara-adb-"));
    try {
      return await work(join(folder, what));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
  const transfer = async (argv: readonly string[]) => {
    const ended = await runProcess([...adb, ...argv], {
      timeoutMs: copyTimeoutMs,
      what: `adb ${argv[0]} (${where})`,
      missingHint,
    });
    if (ended.code !== 0) throw unreachable(ended);
  };
  return {
    where,
    argvOf: (command) => [...adb, "shell", command],
    missingHint,
    unreachable,
    // Where programs pushed by adb may lie and run.
    temporaryParent: "/data/local/tmp",
    put: (path, content) =>
      copy("push", async (file) => {
        writeFileSync(file, content);
        await transfer(["push", file, path]);
      }),
    fetch: (path) =>
      copy("pull", async (file) => {
        await transfer(["pull", path, file]);
        return readFileSync(file);
      }),
  };
}

/** A folder on an Android device. */
export const openAdb = (serial: string | undefined, tool: string): Promise<DeviceSession> =>
  openRemote(shellOf(serial), tool);
