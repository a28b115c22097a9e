/**
 * Which code a predictor's scores come from: a hash of its module and of everything that this imports, so that
 * finished work is never taken for that of changed code.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { packageRoot, tool } from "../package.js";

const build = join(packageRoot, "dist");
/** What draws, runs and scores the benchmark's trials. */
const benchmarkHarness = "evaluate/transfer.js";
const registry = join(build, "predict", "registry.js");

const importPattern = /(?:from\s*|import\s*\(?\s*)["'](\.[^"']+)["']/g;

/** A module and all modules of the build that it imports, directly or not. */
function closureOf(entries: readonly string[]): string[] {
  const found = new Set<string>();
  const open = [...entries];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (found.has(file) || !existsSync(file)) continue;
    found.add(file);
    for (const match of readFileSync(file, "utf8").matchAll(importPattern)) {
      open.push(resolve(dirname(file), match[1]!));
    }
  }
  return [...found].sort();
}

/**
 * The module of a method by convention `predict/<name>.js`, of an ablation (`METHOD/what is left out`) that of its
 * method; the registry, and so all methods, where there is none.
 */
function moduleOf(name: string): string {
  const [predictor] = name.split("/");
  const folders = ["predict", join("predict", "published")];
  const candidates = folders.map((folder) => join(build, folder, `${predictor}.js`));
  return candidates.find((file) => existsSync(file)) ?? registry;
}

/**
 * Hash (16 hex digits) of all code that a predictor's scores depend on, with the versions of package and Node.
 *
 * @param harness - module of the build that draws, runs and scores trials
 */
export function codeHashOf(predictor: string, harness = benchmarkHarness): string {
  const hash = createHash("sha256").update(`${tool.version} ${process.version} ${process.arch}\n`);
  for (const file of closureOf([join(build, harness), moduleOf(predictor)])) {
    hash.update(`${relative(build, file)}\n`).update(readFileSync(file));
  }
  return hash.digest("hex").slice(0, 16);
}
