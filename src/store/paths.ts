/**
 * Where the command line keeps its files: `SAMARA_HOME`, else the XDG folders.
 */
import { homedir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../package.js";

function fromEnvironment(name: string, ...fallback: string[]): string {
  const value = process.env[name];
  return value !== undefined && value !== "" ? value : join(homedir(), ...fallback);
}

/** Folder for measured pools and adapted predictors. */
export function dataHome(): string {
  const own = process.env.SAMARA_HOME;
  if (own) return own;
  return join(fromEnvironment("XDG_DATA_HOME", ".local", "share"), "samara");
}

/** Settings file: the keys of the long options, as JSON. */
export function configFile(): string {
  const own = process.env.SAMARA_HOME;
  if (own) return join(own, "config.json");
  return join(fromEnvironment("XDG_CONFIG_HOME", ".config"), "samara", "config.json");
}

/** Pool that `measure` and `onboard` add to unless told otherwise. */
export const userPool = (): string => join(dataHome(), "pool");

/** Folder of predictors adapted here, one a platform id. */
export const adaptedPredictors = (): string => join(dataHome(), "predictors");

/** What the package ships. */
export const shippedPredictors: string = join(packageRoot, "data", "predictors");
export const shippedPool: string = join(packageRoot, "data", "pool");
