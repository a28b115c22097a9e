/**
 * Optional packages, looked up without loading them: where they are, and which version.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** Folder and version of an installed package; throws where it is not installed. */
export function findPackage(name: string): { readonly folder: string; readonly version: string } {
  // Packages with "exports" need not let their package.json be resolved, so it is looked for.
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    const path = join(folder, name);
    try {
      const { version } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
      return { folder: path, version: String(version) };
    } catch {
      // Not in this folder: the next one up.
    }
  }
  throw new Error(`the optional package ${name} is not installed`);
}
