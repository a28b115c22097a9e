/**
 * Devices by the system's `ssh`. Ports, keys and jump hosts belong into the user's ssh configuration; nothing here asks
 * for a password. Files go through `cat`, so that devices without an SFTP server do too.
 */
import { PlatformUnavailableError } from "../../errors.js";
import { runProcess } from "../process.js";
import type { DeviceSession } from "../transport.js";
import { openRemote, quoted, type RemoteShell } from "./remote.js";

/** Exit code of ssh's own failures; others are the remote command's. */
const sshFailed = 255;

const copyTimeoutMs = 300_000;

const missingHint = "install an OpenSSH client and see that `ssh` is on the path";

/** What helps, by what ssh says. */
function hintOf(message: string, host: string): string {
  if (/Host key verification failed/.test(message)) {
    return `connect once by hand and accept its key: ssh ${host} true`;
  }
  if (/Permission denied/.test(message)) {
    return `set up a key for it, because no password is asked for: ssh-copy-id ${host}`;
  }
  if (/Could not resolve|Name or service not known/.test(message)) {
    return "check `host` in the device file, or give it an entry in ~/.ssh/config";
  }
  return `see whether this works by hand: ssh ${host} true; then run the same command again`;
}

function shellOf(host: string): RemoteShell {
  const where = `${host} by ssh`;
  const options = ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15"];
  // Without traffic for a minute and a half the connection is given up.
  const alive = ["-o", "ServerAliveInterval=30", "-o", "ServerAliveCountMax=3"];
  const argvOf = (command: string) => ["ssh", ...options, ...alive, "--", host, command];
  const unreachable: RemoteShell["unreachable"] = ({ code, stderr }) => {
    const message = stderr.trim().split("\n").at(-1) || `ssh ended with exit code ${code}`;
    return new PlatformUnavailableError(`${where} cannot be reached: ${message}`, {
      hint: hintOf(message, host),
    });
  };
  const copy = async (command: string, path: string, input?: Uint8Array) => {
    const ended = await runProcess(argvOf(`${command} ${quoted(path)}`), {
      timeoutMs: copyTimeoutMs,
      what: `copying ${path} (${where})`,
      missingHint,
      ...(input === undefined ? {} : { input }),
    });
    if (ended.code === 0) return ended.stdout;
    if (ended.code === sshFailed) throw unreachable(ended);
    throw new PlatformUnavailableError(
      `${path} cannot be copied (${where}): ${ended.stderr.trim()}`,
      {
        hint: "free some space in its temporary folder",
      },
    );
  };
  return {
    where,
    argvOf,
    missingHint,
    unreachable,
    temporaryParent: "/tmp",
    async put(path, content) {
      await copy("cat >", path, content);
    },
    fetch: (path) => copy("cat", path),
  };
}

/** A folder on a device that `ssh HOST` reaches. */
export const openSsh = (host: string, tool: string): Promise<DeviceSession> =>
  openRemote(shellOf(host), tool);
