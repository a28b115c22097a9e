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

/** Folder of all onboardings, one folder each. */
export const onboardings = (home: string = dataHome()): string => join(home, "onboard");

/** Files in an onboarding's folder: what it was begun with, and what it ended with. */
export const onboardingFiles = {
  begun: "onboarding.json",
  finished: "report.json",
  report: "report.html",
} as const;

/** A name for a platform's files. */
const fileNameOf = (platformId: string): string => platformId.replaceAll(/[^A-Za-z0-9._-]/g, "_");

/** Where an onboarding of a platform keeps its files; the name ends with the time, by which the newest is found. */
export function onboardingFolder(home: string, platformId: string, startedAt: Date): string {
  const time = startedAt.toISOString().replaceAll(/[:.]/g, "-");
  return join(onboardings(home), `${fileNameOf(platformId)}-${time}`);
}

/** Folder of pools that the service measures campaigns into, one folder each. */
export const campaignPools = (home: string = dataHome()): string => join(home, "pools");
