// scripts/run.mjs on a project of stand-ins: npm, the compiler and the command line are scripts that say they ran.
import { type ChildProcess, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const script = resolve(import.meta.dirname, "../scripts/run.mjs");
let folder: string;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** What the stand-ins wrote down, one line a call. */
function calls(): string[] {
  const log = join(folder, "calls");
  return existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
}

const noteCall = (name: string) =>
  `require("node:fs").appendFileSync("calls", ["${name}", ...process.argv.slice(2)].join(" ") + "\\n");`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "samara-run-"));
  mkdirSync(join(folder, "scripts"));
  cpSync(script, join(folder, "scripts", "run.mjs"));
  write("package.json", JSON.stringify({ engines: { node: ">=20.19" } }));
  write("package-lock.json", "{}");
  write("tsconfig.json", "{}");
  write("tsconfig.build.json", "{}");
  write("src/index.ts", "");
  write("src/cli/bin.ts", "");
  for (const [name, command] of Object.entries({
    typescript: "tsc",
    vite: "vite",
    "@biomejs/biome": "biome",
    knip: "knip",
    vitest: "vitest",
  })) {
    const bin = { [command]: "command.cjs" };
    write(`packages/${name}/package.json`, JSON.stringify({ bin }));
    write(
      `packages/${name}/command.cjs`,
      `${noteCall(command)} process.exit(Number(process.env.FAIL === "${command}"));`,
    );
  }
  write(
    "dist/cli/bin.js",
    `${noteCall("samara")} process.exit(Number(process.env.EXIT_CODE ?? 0));`,
  );
  write(
    "npm-cli.js",
    `${noteCall("npm")}
     if (process.env.FAIL === "npm") process.exit(1);
     require("node:fs").cpSync("packages", "node_modules", { recursive: true });`,
  );
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function start(args: string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, ["scripts/run.mjs", ...args], {
    cwd: folder,
    env: { ...process.env, npm_execpath: join(folder, "npm-cli.js"), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function run(...[args, env]: Parameters<typeof start>) {
  const child = start(args, env);
  let stdout = "";
  let stderr = "";
  child.stdout!.on("data", (data) => {
    stdout += data;
  });
  child.stderr!.on("data", (data) => {
    stderr += data;
  });
  const exitCode = await new Promise<number | null>((fulfil) => child.on("close", fulfil));
  return { exitCode, stdout, stderr };
}

describe("scripts/run.mjs", () => {
  test("installs and builds on a clean clone, then onboards", async () => {
    const { exitCode } = await run(["start", "--samples", "20"]);
    expect(exitCode).toBe(0);
    expect(calls()).toEqual([
      expect.stringMatching(/^npm ci --include=dev/),
      "tsc -p tsconfig.build.json",
      "vite build src/server/dashboard --logLevel warn",
      "samara onboard --samples 20",
    ]);
  });

  test("does neither again while nothing has changed", async () => {
    await run(["start"]);
    await run(["start", "platforms", "--json"]);
    expect(calls().slice(4)).toEqual(["samara platforms --json"]);
  });

  test("builds again when a source is newer than the build", async () => {
    await run(["start"]);
    const later = new Date(Date.now() + 5000);
    utimesSync(join(folder, "src/index.ts"), later, later);
    await run(["start"]);
    expect(calls().slice(4)).toEqual([
      "tsc -p tsconfig.build.json",
      "vite build src/server/dashboard --logLevel warn",
      "samara onboard",
    ]);
  });

  test("installs again when the lock file has changed", async () => {
    await run(["start"]);
    write("package-lock.json", '{ "changed": true }');
    await run(["start"]);
    expect(calls()[4]).toMatch(/^npm ci/);
  });

  test("takes what was installed by hand", async () => {
    cpSync(join(folder, "packages"), join(folder, "node_modules"), { recursive: true });
    write("node_modules/.package-lock.json", "{}");
    await run(["start"]);
    expect(calls()[0]).toMatch(/^tsc/);
  });

  test("says what to do when installing fails, and runs nothing", async () => {
    const { exitCode, stderr } = await run(["start"], { FAIL: "npm" });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/could not be installed/);
    expect(calls()).toHaveLength(1);
  });

  test("deletes what the build left of sources that are gone", async () => {
    write("dist/old/gone.js", "");
    write("dist/index.js", "");
    await run(["start"]);
    expect(existsSync(join(folder, "dist/old/gone.js"))).toBe(false);
    expect(existsSync(join(folder, "dist/index.js"))).toBe(true);
  });

  test("runs every check even if one fails, and fails", async () => {
    const { exitCode, stderr } = await run(["test", "src/tensor"], { FAIL: "biome" });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/Failed: Style and lint/);
    expect(calls().slice(1)).toEqual([
      "tsc -p tsconfig.build.json",
      "vite build src/server/dashboard --logLevel warn",
      "tsc --noEmit",
      "tsc --noEmit -p src/server/dashboard",
      "biome check .",
      "knip --tsConfig tsconfig.build.json",
      "vitest run src/tensor",
    ]);
  });

  test("runs the benchmarks that are named and hands them the options", async () => {
    write("bench/one.mjs", 'console.log("one", ...process.argv.slice(2));');
    write("bench/two.mjs", 'console.log("two", ...process.argv.slice(2));');
    const { exitCode, stdout } = await run(["bench", "two", "--trials", "3"]);
    expect(exitCode).toBe(0);
    expect(stdout).toBe("two --trials 3\n");
  });

  test("passes the command's exit code on", async () => {
    expect((await run(["start"], { EXIT_CODE: "3" })).exitCode).toBe(3);
  });

  test("passes one interrupt on once and waits for the command to end", async () => {
    write(
      "dist/cli/bin.js",
      `const { appendFileSync } = require("node:fs");
       process.on("SIGINT", () => { appendFileSync("calls", "interrupt\\n"); setTimeout(() => process.exit(130), 700); });
       setInterval(() => {}, 1000);
       console.log("ready");`,
    );
    const child = start(["start"]);
    child.stdout!.once("data", () => {
      // npm passes on what its caller sends to the whole group.
      child.kill("SIGINT");
      setTimeout(() => child.kill("SIGINT"), 50);
    });
    const exitCode = await new Promise<number | null>((fulfil) => child.on("close", fulfil));
    expect(exitCode).toBe(130);
    expect(calls().filter((call) => call === "interrupt")).toHaveLength(1);
  });
});
