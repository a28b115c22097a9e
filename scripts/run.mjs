// What `npm start`, `npm test` and `npm run bench` do: install and build when needed, then run. Depends on nothing
// but Node, so that it works on a clean clone. Scripts that npm would run before and after are switched off.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const installStamp = join(root, "node_modules", ".samara-lock");
/** Sources of the dashboard, which have settings of their own. */
const dashboard = "src/server/dashboard";
const buildStamp = join(root, "dist", ".samara-build");
/** Signals that follow each other faster than this are one: npm passes on what the terminal sends as well. */
const sameSignalMs = 500;

class Failure extends Error {
  constructor(exitCode, message) {
    super(message);
    this.exitCode = exitCode;
  }
}

const say = (text) => process.stderr.write(`${text}\n`);
const modifiedMs = (path) => (existsSync(path) ? statSync(path).mtimeMs : Number.NEGATIVE_INFINITY);

function checkNode() {
  const wanted = /(\d+)\.(\d+)/.exec(manifest.engines.node);
  const found = /^(\d+)\.(\d+)/.exec(process.versions.node);
  const [major, minor] = [
    Number(found[1]) - Number(wanted[1]),
    Number(found[2]) - Number(wanted[2]),
  ];
  if (major > 0 || (major === 0 && minor >= 0)) return;
  throw new Failure(
    1,
    `Samara needs Node ${wanted[0]} or newer, this is Node ${process.versions.node}: install a newer one from nodejs.org`,
  );
}

/** A terminal sends Ctrl-C to the whole group, so the child has it already. */
const isInTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;

/** Run a program in the foreground; resolves to its exit code (128 + n when a signal ended it). */
function run(command, args, { shell = false } = {}) {
  return new Promise((fulfil, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit", shell });
    let lastMs = Number.NEGATIVE_INFINITY;
    const forward = (signal) => {
      if (signal === "SIGINT" && isInTerminal) return;
      const nowMs = performance.now();
      if (nowMs - lastMs >= sameSignalMs) child.kill(signal);
      lastMs = nowMs;
    };
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
    for (const signal of signals) process.on(signal, forward);
    const release = () => {
      for (const signal of signals) process.off(signal, forward);
    };
    child.on("error", (error) => {
      release();
      reject(error);
    });
    child.on("close", (exitCode, signal) => {
      release();
      const numbers = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };
      fulfil(signal === null ? exitCode : 128 + (numbers[signal] ?? 0));
    });
  });
}

const runNode = (file, args) => run(process.execPath, [file, ...args]);

/** The script behind a package's command, so that no shell and no `npx` is needed. */
function commandOf(packageName, command) {
  const folder = join(root, "node_modules", packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return join(folder, typeof bin === "string" ? bin : bin[command]);
}

const lockHash = () =>
  createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .update(`${process.platform} ${process.arch}`)
    .digest("hex");

function isInstalled() {
  if (existsSync(installStamp)) return readFileSync(installStamp, "utf8") === lockHash();
  // Installed by hand: npm leaves its own copy of the lock file behind when it has finished.
  const installedMs = modifiedMs(join(root, "node_modules", ".package-lock.json"));
  return installedMs >= modifiedMs(join(root, "package-lock.json"));
}

async function install() {
  if (!isInstalled()) {
    say("── Installing dependencies");
    const args = ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
    const npm = process.env.npm_execpath;
    const exitCode = npm?.endsWith(".js")
      ? await runNode(npm, args)
      : await run("npm", args, { shell: process.platform === "win32" });
    if (exitCode > 128) throw new Failure(exitCode, "installing was stopped");
    if (exitCode !== 0) {
      throw new Failure(
        1,
        "the dependencies could not be installed (npm ci failed, see above)\n" +
          "  It needs the network once, and room for about 1 GB. Try again with: npm ci",
      );
    }
  } else if (existsSync(installStamp)) {
    return;
  }
  writeFileSync(installStamp, lockHash());
}

function sourceFiles() {
  return readdirSync(join(root, "src"), { recursive: true })
    .filter((name) => /\.(ts|tsx|css|html)$/.test(name) && !name.endsWith(".test.ts"))
    .map((name) => join(root, "src", name));
}

function isBuilt() {
  const builtMs = modifiedMs(buildStamp);
  const settings = ["tsconfig.json", "tsconfig.build.json", "package.json"].map((name) =>
    join(root, name),
  );
  return [...sourceFiles(), ...settings, installStamp].every(
    (file) => Math.floor(modifiedMs(file)) <= builtMs,
  );
}

/** What is left in dist/ of sources that are gone would be packed and published. */
function removeLeftovers() {
  const dist = join(root, "dist");
  if (!existsSync(dist)) return;
  for (const name of readdirSync(dist, { recursive: true })) {
    // Made by Vite, which empties it itself.
    if (name.startsWith("dashboard")) continue;
    const source = name.replace(/(\.d\.ts|\.js)(\.map)?$/, ".ts");
    if (source !== name && !existsSync(join(root, "src", source))) rmSync(join(dist, name));
  }
}

async function build() {
  if (isBuilt()) return;
  say("── Building");
  const startedAt = new Date();
  const exitCode = await runNode(commandOf("typescript", "tsc"), ["-p", "tsconfig.build.json"]);
  if (exitCode !== 0) throw new Failure(exitCode, "the build failed (see above)");
  const pages = ["build", dashboard, "--logLevel", "warn"];
  const pagesExitCode = await runNode(commandOf("vite", "vite"), pages);
  if (pagesExitCode !== 0) {
    throw new Failure(pagesExitCode, "the build of the dashboard failed (see above)");
  }
  removeLeftovers();
  writeFileSync(buildStamp, "");
  // A source that was saved while this ran is newer than the build.
  utimesSync(buildStamp, startedAt, startedAt);
}

/** The settings of the build tell knip which source a file in dist/ comes from. */
const knipArgs = ["--tsConfig", "tsconfig.build.json"];

/** Run steps one after the other, all of them even if one fails. */
async function runAll(steps) {
  const failed = [];
  for (const { title, file, args } of steps) {
    say(`\n── ${title}`);
    const exitCode = await runNode(file, args);
    if (exitCode > 128) return exitCode;
    if (exitCode !== 0) failed.push(title);
  }
  say(failed.length === 0 ? "\n── All passed" : `\n── Failed: ${failed.join(", ")}`);
  return failed.length === 0 ? 0 : 1;
}

const verbs = {
  /** Onboard the default platform, or whatever command is named: `npm start -- platforms`. */
  start(args) {
    const isNamed = args[0] !== undefined && !args[0].startsWith("-");
    return runNode(join(root, "dist", "cli", "bin.js"), isNamed ? args : ["onboard", ...args]);
  },

  /** Everything that must hold; arguments go to the test runner. */
  test(args) {
    return runAll([
      { title: "Types", file: commandOf("typescript", "tsc"), args: ["--noEmit"] },
      {
        title: "Types of the dashboard",
        file: commandOf("typescript", "tsc"),
        args: ["--noEmit", "-p", dashboard],
      },
      { title: "Style and lint", file: commandOf("@biomejs/biome", "biome"), args: ["check", "."] },
      { title: "Dead code", file: commandOf("knip", "knip"), args: knipArgs },
      { title: "Tests", file: commandOf("vitest", "vitest"), args: ["run", ...args] },
    ]);
  },

  /** Every script in bench/ whose name contains one of the arguments; options go to the scripts. */
  bench(args) {
    const firstOption = args.findIndex((arg) => arg.startsWith("-"));
    const names = firstOption < 0 ? args : args.slice(0, firstOption);
    const options = args.slice(names.length);
    const scripts = readdirSync(join(root, "bench"))
      .filter((name) => name.endsWith(".mjs"))
      .filter((name) => names.length === 0 || names.some((wanted) => name.includes(wanted)));
    if (scripts.length === 0) throw new Failure(1, "no script in bench/ is named so");
    return runAll(
      scripts.map((name) => ({
        title: `bench/${name}`,
        file: join(root, "bench", name),
        args: options,
      })),
    );
  },
};

async function main([verb, ...args]) {
  if (!Object.hasOwn(verbs, verb ?? "")) {
    throw new Failure(2, `usage: node scripts/run.mjs ${Object.keys(verbs).join("|")} [arguments]`);
  }
  checkNode();
  await install();
  await build();
  return verbs[verb](args);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  say(error instanceof Failure ? `error: ${error.message}` : error.stack);
  process.exitCode = error instanceof Failure ? error.exitCode : 1;
}
