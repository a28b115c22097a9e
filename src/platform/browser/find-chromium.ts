/**
 * The Chromium that is installed here, or why there is none. It is not started; only its version is asked for.
 */
import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

/** A browser that can be started. */
export interface Chromium {
  readonly path: string;
  readonly majorVersion: number;
}

/** No browser, and why. */
export interface NoChromium {
  readonly reason: string;
}

const names = ["chromium", "chromium-browser", "google-chrome"] as const;

const remedyVariable = "SAMARA_CHROMIUM";

/** What helps when no browser is found. */
export const chromiumRemedy = `install Chromium (Debian: apt install chromium), or set ${remedyVariable} to its executable`;

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function pathOfChromium(environment: NodeJS.ProcessEnv): string | undefined {
  const named = environment[remedyVariable];
  if (named !== undefined && named !== "") return named;
  const folders = (environment.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return candidates.find(isExecutable);
}

/** Look for a browser: SAMARA_CHROMIUM, else the usual names on PATH. */
export async function lookForChromium(
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Chromium | NoChromium> {
  // Windows has no shell that could clean up after the browser (`chromium-page.ts`).
  if (process.platform === "win32") return { reason: "browsers are not driven on Windows" };
  const path = pathOfChromium(environment);
  if (path === undefined) return { reason: `there is no ${names.join(", ")} on PATH` };
  try {
    const { stdout } = await promisify(execFile)(path, ["--version"], { timeout: 10_000 });
    const majorVersion = Number(/(\d+)\.\d+\.\d+/.exec(stdout)?.[1]);
    if (Number.isInteger(majorVersion)) return { path, majorVersion };
    return { reason: `${path} --version tells no version` };
  } catch {
    return { reason: `${path} cannot be run` };
  }
}

let found: Promise<Chromium | NoChromium> | undefined;

/** As `lookForChromium`; looks once a process. */
export function findChromium(): Promise<Chromium | NoChromium> {
  found ??= lookForChromium();
  return found;
}
