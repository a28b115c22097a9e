/**
 * What ssh and adb have in common: both hand one line of text to a shell on the device, so arguments are quoted, and
 * neither can be trusted to pass an exit code on, so the line prints it.
 */
import { randomUUID } from "node:crypto";
import { MeasurementError, PlatformUnavailableError, TimeoutError } from "../../errors.js";
import { type Ended, type ProcessOptions, runProcess } from "../process.js";
import type { DeviceSession, RemoteEnded } from "../transport.js";
import { checkedName } from "./local.js";

/**
 * A word for a POSIX shell that stands for exactly this text.
 *
 * @throws MeasurementError on line breaks and NUL, which no shell passes on safely
 */
export function quoted(text: string): string {
  if (/[\0\r\n]/.test(text)) {
    throw new MeasurementError(`a remote argument must be one line, got ${JSON.stringify(text)}`);
  }
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** How one line gets to a device's shell, and files to its disk. */
export interface RemoteShell {
  readonly where: string;
  /** Arguments here that have the device's shell run a line of text. */
  argvOf(command: string): readonly string[];
  /** What to do when `ssh` or `adb` itself is missing here. */
  readonly missingHint: string;
  /** Why the device could not be reached, from what was printed instead of an exit code. */
  unreachable(ended: Ended): PlatformUnavailableError;
  /** Parent of the private folder. */
  readonly temporaryParent: string;
  put(path: string, content: Uint8Array): Promise<void>;
  /** The content of a file that exists. */
  fetch(path: string): Promise<Uint8Array>;
}

const connectTimeoutMs = 60_000;

/** `ended` with what comes before the marker, or undefined when the marker did not come. */
function withoutMarker({ stdout, stderr }: Ended, marker: string): RemoteEnded | undefined {
  const text = stdout.toString("utf8").replaceAll("\r\n", "\n");
  const match = new RegExp(`\\n${marker}=(\\d+)\\n*$`).exec(text);
  return match === null
    ? undefined
    : { code: Number(match[1]), stdout: text.slice(0, match.index), stderr };
}

/**
 * Run a line on the device.
 *
 * @throws PlatformUnavailableError when its end did not come back; TimeoutError
 */
async function runLine(
  shell: RemoteShell,
  line: string,
  options: Pick<ProcessOptions, "timeoutMs" | "what">,
): Promise<RemoteEnded> {
  const marker = `samara-exit-${randomUUID().slice(0, 8)}`;
  const ended = await runProcess(shell.argvOf(`${line}; printf '\\n${marker}=%s\\n' "$?"`), {
    ...options,
    missingHint: shell.missingHint,
  });
  const result = withoutMarker(ended, marker);
  if (result === undefined) throw shell.unreachable(ended);
  return result;
}

/** A session in a private folder, by any shell on the device. */
export async function openRemote(shell: RemoteShell, tool: string): Promise<DeviceSession> {
  const { where } = shell;
  const connecting = { timeoutMs: connectTimeoutMs, what: `connecting to ${where}` };
  const made = await runLine(
    shell,
    `mktemp -d ${shell.temporaryParent}/samara-XXXXXXXXXX`,
    connecting,
  );
  const folder = made.stdout.trim().split("\n").at(-1)!;
  if (made.code !== 0 || !/^\/[\w./-]*\/samara-\w+$/.test(folder)) {
    throw new PlatformUnavailableError(
      `no temporary folder could be made on ${where}: ${(made.stderr || made.stdout).trim() || `exit code ${made.code}`}`,
      { hint: "free some space there, or see whether its temporary folder may be written to" },
    );
  }
  const path = (name: string) => `${folder}/${checkedName(name)}`;
  const pidFile = path("tool.pid");
  return {
    where,
    put: (name, content) => shell.put(path(name), content),
    async run(argv, { timeoutMs }) {
      const words = argv.map(quoted).join(" ");
      // In the background, so that its number is known when it must be killed.
      const line = `cd ${quoted(folder)} && { ${words} & echo $! > ${quoted(pidFile)}; wait $!; }`;
      let ended: RemoteEnded;
      try {
        ended = await runLine(shell, line, { timeoutMs, what: `${tool} on ${where}` });
      } catch (error) {
        if (error instanceof TimeoutError) {
          const kill = `kill -9 "$(cat ${quoted(pidFile)})"`;
          await runLine(shell, kill, connecting).catch(() => undefined);
        }
        throw error;
      }
      if (ended.code === 127 || ended.code === 126) {
        const why = ended.code === 127 ? "is not there" : "may not be executed";
        throw new PlatformUnavailableError(
          `${tool} cannot run on ${where}: ${argv[0]} ${why} (${ended.stderr.trim().split("\n").at(-1)})`,
          { hint: `install ${tool} there, or name it with \`path\` in the device file` },
        );
      }
      return ended;
    },
    async fetch(name) {
      const there = await runLine(shell, `test -f ${quoted(path(name))}`, connecting);
      return there.code === 0 ? shell.fetch(path(name)) : undefined;
    },
    async remove(name) {
      await runLine(shell, `rm -f ${quoted(path(name))}`, connecting);
    },
    async close() {
      await runLine(shell, `rm -rf ${quoted(folder)}`, connecting).catch(() => undefined);
    },
  };
}
