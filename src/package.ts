/**
 * Where this package lies and what version it is. Sources (`src/x/y.ts`) and the build (`dist/x/y.js`) lie equally
 * deep, so the same relative steps serve both.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

export const packageRoot: string = resolve(import.meta.dirname, "..");

const manifest = JSON.parse(readFileSync(resolve(packageRoot, "package.json"), "utf8")) as {
  version: string;
};

export const tool: { readonly name: string; readonly version: string } = {
  name: "samara",
  version: manifest.version,
};
