// Builds the native runtimes of native/*.cc from Debian packages:
//   node scripts/build-native.mjs [NAME...] [--install]
// One line for each; exit code 0 when all that were asked for are built. What is up to date is left alone. Libraries
// go to native/build/ (or the folder in SAMARA_NATIVE), each with a NAME.json that tells its version.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const sourceFolder = join(root, "native");
const buildFolder = process.env.SAMARA_NATIVE || join(sourceFolder, "build");

/** Sources and headers that every runtime is built with. */
const runnerFiles = ["runner.cc", "runner.h", "samara_runner.h"];
const flatNetworkFiles = ["flat_network.cc", "flat_network.h", "word_reader.h"];

/**
 * What can be built, by name: source files, Debian packages (recommended ones only with --install), flags of g++.
 * Baseline processor: libraries choose kernels.
 */
const runtimes = {
  onednn: {
    files: ["onednn.cc", ...runnerFiles, ...flatNetworkFiles],
    packages: ["libdnnl-dev"],
    flags: ["-fopenmp"],
    libraries: ["-ldnnl"],
  },
  xnnpack: {
    files: ["xnnpack.cc", ...runnerFiles, ...flatNetworkFiles],
    packages: ["libxnnpack-dev", "libpthreadpool-dev"],
    // It has no function that tells its version.
    versionFrom: "libxnnpack-dev",
    flags: [],
    libraries: ["-lXNNPACK", "-lpthreadpool"],
  },
  "opencv-dnn": {
    files: ["opencv.cc", "word_reader.h", ...runnerFiles],
    packages: ["libopencv-dnn-dev"],
    flags: ["-isystem", "/usr/include/opencv4"],
    libraries: ["-lopencv_dnn", "-lopencv_core"],
  },
  torchscript: {
    files: ["torch.cc", "word_reader.h", ...runnerFiles],
    packages: ["libtorch-dev"],
    // Its matrix products are libblas3's otherwise, ten times slower. This build follows the threads of libtorch.
    recommends: ["libopenblas0-openmp"],
    flags: ["-isystem", "/usr/include/torch/csrc/api/include"],
    libraries: ["-ltorch", "-ltorch_cpu", "-lc10"],
  },
  // No runtime: the program that runs one under valgrind.
  simulate: {
    files: ["simulate.cc", "samara_runner.h"],
    packages: ["valgrind"],
    program: "samara_simulate",
    flags: [],
    libraries: ["-ldl"],
  },
};

const compiler = "g++";
const flagsOfAll = ["-std=c++17", "-O2", "-Wall", "-Wextra"];
const flagsOfLibraries = [
  "-fPIC",
  "-shared",
  "-fvisibility=hidden",
  // Stays loaded to the end: koffi unloads libraries when Node exits, under the feet of waiting threads of OpenMP.
  "-Wl,-z,nodelete",
];

const say = (text) => process.stdout.write(`${text}\n`);

function run(command, args, options = {}) {
  return spawnSync(command, args, { encoding: "utf8", maxBuffer: 2 ** 26, ...options });
}

/** Installed version of a Debian package; undefined where it is not installed (or this is no Debian). */
function installedVersion(name) {
  // The fields are dpkg's own, not of a template string.
  const format = ["db:Status-Status", "Version"].map((field) => `$\{${field}}`).join(" ");
  const { status, stdout } = run("dpkg-query", ["-W", "-f", format, name]);
  const [state, version] = status === 0 ? stdout.split(" ") : [];
  return state === "installed" ? version : undefined;
}

const aptCommand = (packages) => `apt-get install -y ${packages.join(" ")}`;

function installPackages(packages) {
  if (process.getuid?.() !== 0) return `not root; run: sudo ${aptCommand(packages)}`;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = () => run("apt-get", ["install", "-y", ...packages], { env });
  let { status, stderr, error } = install();
  if (status !== 0) {
    // A fresh system knows no packages yet.
    run("apt-get", ["update"], { env });
    ({ status, stderr, error } = install());
  }
  if (status === 0) return undefined;
  return `${aptCommand(packages)} failed: ${(error?.message ?? stderr).trim().split("\n").pop()}`;
}

/** Flags of a runtime; one that tells no version gets its package's, `20220216.ae108ef` of `0.0~git20220216.ae108ef-2`. */
function flagsOf({ flags, versionFrom, program }) {
  const common = [...flagsOfAll, ...(program === undefined ? flagsOfLibraries : []), ...flags];
  if (versionFrom === undefined) return common;
  const version = installedVersion(versionFrom)
    .replace(/^0\.0~git/, "")
    .replace(/-[^-]*$/, "");
  return [...common, `-DSAMARA_PACKAGE_VERSION="${version}"`];
}

/** Hash of all that the result depends on. */
function fingerprint(runtime) {
  const hash = createHash("sha256");
  for (const file of runtime.files) hash.update(readFileSync(join(sourceFolder, file)));
  for (const name of runtime.packages) hash.update(`${name} ${installedVersion(name)}\n`);
  hash.update(JSON.stringify([flagsOf(runtime), runtime.libraries]));
  hash.update(run(compiler, ["-dumpfullversion"]).stdout ?? "");
  return hash.digest("hex");
}

/** Where what is built lies: a library, or a program. */
const builtPath = (name) => join(buildFolder, runtimes[name].program ?? `lib${name}.so`);

function isUpToDate(name, print) {
  try {
    const record = JSON.parse(readFileSync(join(buildFolder, `${name}.json`), "utf8"));
    return record.fingerprint === print && existsSync(builtPath(name));
  } catch {
    return false;
  }
}

/** Where koffi is, which asks libraries for their version; undefined before `npm ci`. */
function findKoffi() {
  try {
    return createRequire(join(root, "package.json")).resolve("koffi");
  } catch {
    return undefined;
  }
}

/** Version that a library tells, asked in a process of its own: it may crash or bring a heavy runtime. */
function versionOf(path) {
  const koffi = findKoffi();
  const program = `const koffi = require(process.argv[1]);
    const version = koffi.load(process.argv[2]).func("const char *samara_version()");
    process.stdout.write(version());`;
  const { status, stdout, stderr, signal } = run(process.execPath, ["-e", program, koffi, path]);
  if (status === 0 && stdout !== "") return { version: stdout };
  const lines = stderr.split("\n").filter((line) => line.includes("rror"));
  return { problem: lines[0] ?? `it ended with ${signal ?? `exit code ${status}`}` };
}

/** Shared libraries that it is linked with, by path. */
function librariesOf(path) {
  const { stdout } = run("ldd", [path]);
  return [...stdout.matchAll(/=> (\/\S+)/g)].map(([, library]) => library);
}

function missingPackages(packages) {
  return packages.filter((name) => installedVersion(name) === undefined);
}

/** Build one; returns what to say, and whether it is there. */
function build(name, { install }) {
  const runtime = runtimes[name];
  if (!existsSync(join(sourceFolder, runtime.files[0]))) {
    return { isThere: false, text: `there is no native/${runtime.files[0]}` };
  }
  if (process.platform !== "linux") return { isThere: false, text: "native runtimes need Linux" };
  if (install) {
    const wanted = missingPackages([...runtime.packages, ...(runtime.recommends ?? [])]);
    if (run(compiler, ["--version"]).error !== undefined) wanted.push(compiler);
    const problem = wanted.length > 0 ? installPackages(wanted) : undefined;
    if (problem !== undefined) return { isThere: false, text: problem };
  }
  const missing = missingPackages(runtime.packages);
  if (missing.length > 0) {
    return {
      isThere: false,
      text: `needs ${missing.join(", ")}: ${aptCommand(missing)}, or pass --install`,
    };
  }
  if (run(compiler, ["--version"]).error !== undefined) {
    return { isThere: false, text: `needs ${compiler}: ${aptCommand([compiler])}` };
  }
  const print = fingerprint(runtime);
  if (isUpToDate(name, print)) return { isThere: true, text: "up to date" };

  mkdirSync(buildFolder, { recursive: true });
  const temporary = `${builtPath(name)}.${process.pid}.tmp`;
  const startMs = performance.now();
  try {
    const sources = runtime.files.filter((file) => file.endsWith(".cc"));
    const compiled = run(
      compiler,
      [...flagsOf(runtime), "-o", temporary, ...sources, ...runtime.libraries],
      { cwd: sourceFolder },
    );
    if (compiled.status !== 0) {
      process.stderr.write(compiled.stderr);
      return { isThere: false, text: `${compiler} failed, see above` };
    }
    if (compiled.stderr !== "") process.stderr.write(compiled.stderr);
    const { version, problem } = runtime.program
      ? { version: installedVersion(runtime.packages[0]) }
      : versionOf(temporary);
    if (problem !== undefined)
      return { isThere: false, text: `built, but cannot load: ${problem}` };
    const record = {
      name,
      version,
      architecture: process.arch,
      libraries: librariesOf(temporary),
      packages: Object.fromEntries(
        runtime.packages.map((debian) => [debian, installedVersion(debian)]),
      ),
      fingerprint: print,
    };
    const recordPath = join(buildFolder, `${name}.json`);
    // The record goes first and comes last: without it a library counts as not built.
    rmSync(recordPath, { force: true });
    renameSync(temporary, builtPath(name));
    writeFileSync(`${recordPath}.tmp`, `${JSON.stringify(record, null, 2)}\n`);
    renameSync(`${recordPath}.tmp`, recordPath);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
    return { isThere: true, text: `version ${version}, built in ${seconds} s` };
  } finally {
    rmSync(temporary, { force: true });
  }
}

const args = process.argv.slice(2);
const install = args.includes("--install");
const names = args.filter((arg) => arg !== "--install");
const unknown = names.find((name) => !Object.hasOwn(runtimes, name));
if (unknown !== undefined) {
  process.stderr.write(
    `there is no native runtime "${unknown}"; there are: ${Object.keys(runtimes).join(", ")}\n`,
  );
  process.exitCode = 1;
} else if (findKoffi() === undefined) {
  process.stderr.write("the dependencies are not installed yet: run `npm ci` first\n");
  process.exitCode = 1;
} else {
  const results = (names.length > 0 ? names : Object.keys(runtimes)).map((name) => {
    const result = build(name, { install });
    say(`${name}: ${result.text}`);
    return result.isThere;
  });
  process.exitCode = results.every(Boolean) ? 0 : 1;
}
