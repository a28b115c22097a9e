/**
 * Tools on this machine.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InternalError, StorageError } from "../../errors.js";
import { runProcess } from "../process.js";
import type { DeviceSession } from "../transport.js";

/** Names are ours, but a path must never lead out of the folder. */
export function checkedName(name: string): string {
  if (!/^[\w-][\w.-]*$/.test(name)) throw new InternalError(`"${name}" is no plain file name`);
  return name;
}

/** A folder of the system's temporary folder. */
export async function openLocal(tool: string): Promise<DeviceSession> {
  const folder = mkdtempSync(join(tmpdir(), "samara-"));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  // A second Ctrl-C ends this process without `close`.
  process.once("exit", removeFolder);
  const path = (name: string) => join(folder, checkedName(name));
  return {
    where: "here",
    async put(name, content) {
      try {
        writeFileSync(path(name), content);
      } catch (cause) {
        throw new StorageError(`cannot write ${path(name)}`, { path: path(name), cause });
      }
    },
    async run(argv, { timeoutMs }) {
      const ended = await runProcess(argv, {
        timeoutMs,
        cwd: folder,
        what: tool,
        missingHint: `install ${tool}, or name it with \`path\` in the device file`,
      });
      // A signal has no exit code: shells report 128 and more.
      return {
        code: ended.code ?? 128,
        stdout: ended.stdout.toString("utf8"),
        stderr: ended.signal === null ? ended.stderr : `${ended.stderr}\nended by ${ended.signal}`,
      };
    },
    async fetch(name) {
      try {
        return readFileSync(path(name));
      } catch {
        return undefined;
      }
    },
    async remove(name) {
      rmSync(path(name), { force: true });
    },
    async close() {
      process.off("exit", removeFolder);
      removeFolder();
    },
  };
}
