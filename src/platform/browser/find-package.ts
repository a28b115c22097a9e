/**
 * Installed packages by their folder: a page is served single files of them, whatever their `exports` allow.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** A package that is installed. */
export interface InstalledPackage {
  readonly folder: string;
  readonly version: string;
}

/** The package of that name, found as an import from this file would find it. */
export function findPackage(name: string): InstalledPackage | undefined {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const folder = folders
    .map((modules) => join(modules, name))
    .find((candidate) => existsSync(join(candidate, "package.json")));
  if (folder === undefined) return undefined;
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    version: string;
  };
  return { folder, version };
}
