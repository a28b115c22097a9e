/**
 * Commands of this program as children of the service: they measure, so that the service need not know how.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { packageRoot } from "../package.js";
import type { StartCommand } from "../server/jobs/command.js";

/** What the user set for the service, or for commands that print elsewhere, is none of a job's. */
const ownVariables = ["SAMARA_TOKEN", "SAMARA_QUIET", "SAMARA_OUTPUT", "SAMARA_OUT"];

/** How to start commands: in a group of their own, which Ctrl-C at the terminal does not reach, and never longer-lived. */
export function createStartCommand(
  bin: string = join(packageRoot, "dist", "cli", "bin.js"),
): StartCommand {
  const isOwnGroup = process.platform !== "win32";
  return (args, { stdout, stderr }) => {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      SAMARA_PROGRESS: "jsonl",
      SAMARA_END_WITH_PARENT: String(process.pid),
    };
    for (const name of ownVariables) delete env[name];
    const child = spawn(process.execPath, [bin, ...args], {
      env,
      stdio: ["pipe", "pipe", "pipe"],
      detached: isOwnGroup,
    });
    child.stdin.on("error", () => {}); // it ended first
    child.stdout.setEncoding("utf8").on("data", stdout);
    child.stderr.setEncoding("utf8").on("data", stderr);
    return {
      ended: new Promise((fulfil, reject) => {
        child.on("error", reject);
        child.on("close", (exitCode, signal) => fulfil({ exitCode, signal }));
      }),
      interrupt: () => void child.kill("SIGINT"),
      kill() {
        try {
          if (isOwnGroup && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
          else child.kill("SIGKILL");
        } catch {
          // It ended first.
        }
      },
    };
  };
}
