// Starts `samara serve` as a process of its own with an empty home, for benchmarks and pictures.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const bin = resolve(import.meta.dirname, "../dist/cli/bin.js");

/** Where it listens, and how to end it and take its home away. */
export async function startService(options = []) {
  const home = mkdtempSync(join(tmpdir(), "samara-service-"));
  const args = [bin, "serve", "--port", "0", "--quiet", ...options];
  const service = spawn(process.execPath, args, {
    env: { ...process.env, SAMARA_HOME: home },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((fulfil) => service.on("close", fulfil));
  const url = await new Promise((fulfil) => {
    service.stdout.on("data", (text) => fulfil(/http:\S+/.exec(text)[0]));
  });
  return {
    url,
    async stop() {
      service.kill("SIGINT");
      await ended;
      rmSync(home, { recursive: true, force: true });
    },
  };
}
