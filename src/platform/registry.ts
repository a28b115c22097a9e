/**
 * All runtimes, and which platforms they make on this device.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { InternalError, NotFoundError, PlatformUnavailableError } from "../errors.js";
import {
  createPlatform,
  type Device,
  type Platform,
  type RuntimeInfo,
  runtimePartOf,
} from "../record/platform.js";
import { readDevice } from "./device.js";
import type { Runtime } from "./runtime.js";

/** Every file of this folder is a runtime; adding one needs no change here. */
const folder = join(import.meta.dirname, "runtimes");

async function importRuntimes(): Promise<Runtime[]> {
  const files = readdirSync(folder).filter(
    (file) => /\.[jt]s$/.test(file) && !/\.(?:test|d)\.ts$/.test(file),
  );
  const modules = await Promise.all(
    files.sort().map(async (file) => {
      const path = pathToFileURL(join(folder, file)).href;
      const module = (await import(/* @vite-ignore */ path)) as { runtime?: Runtime };
      if (module.runtime === undefined) {
        throw new InternalError(`src/platform/runtimes/${file} exports no "runtime"`);
      }
      return module.runtime;
    }),
  );
  const isFake = (runtime: Runtime) => Number(runtime.isForTests ?? false);
  return modules.sort((a, b) => isFake(a) - isFake(b));
}

/** Every runtime there is, the fake one last. */
export const runtimes: readonly Runtime[] = await importRuntimes();

/** Something that can be measured here. */
export interface AvailablePlatform {
  readonly platform: Platform;
  readonly runtime: Runtime;
}

/** A runtime that cannot run here. */
export interface UnavailableRuntime {
  readonly runtime: Runtime;
  readonly reason: string;
  readonly remedy: string;
}

/** What can run on a device, and what cannot. */
export interface PlatformList {
  readonly device: Device;
  readonly available: readonly AvailablePlatform[];
  /** The fake runtime is not among them unless SAMARA_FAKE_RUNTIME is set (to something other than 1). */
  readonly unavailable: readonly UnavailableRuntime[];
}

/**
 * What can run on this device, and why the rest cannot.
 *
 * @param among - the runtimes to ask; default all
 */
export async function listPlatforms(
  among: readonly Runtime[] = runtimes,
  device: Device = readDevice(),
): Promise<PlatformList> {
  const available: AvailablePlatform[] = [];
  const unavailable: UnavailableRuntime[] = [];
  const isHidden = (runtime: Runtime) =>
    runtime.isForTests === true && process.env.SAMARA_FAKE_RUNTIME === undefined;
  const asked = among.filter((runtime) => !isHidden(runtime));
  const answers = await Promise.all(asked.map((runtime) => runtime.probe()));
  for (const [i, runtime] of asked.entries()) {
    const availability = answers[i]!;
    if (!availability.available) {
      const { reason, remedy } = availability;
      unavailable.push({ runtime, reason, remedy });
      continue;
    }
    for (const { slug, info } of runtime.variants(availability.version, device.nCores)) {
      available.push({ platform: createPlatform(device, info, slug), runtime });
    }
  }
  return { device, available, unavailable };
}

/** The runtime that runs a platform's variant; throws when there is none of that name. */
export function runtimeOf(info: RuntimeInfo): Runtime {
  const wanted = info.name ?? info.family;
  const runtime = runtimes.find(({ name }) => name === wanted);
  if (runtime === undefined) throw new InternalError(`no runtime is called ${wanted}`);
  return runtime;
}

/** Levenshtein distance; short names only. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, previous[j]! + 1, current[j - 1]! + 1));
    }
    previous = current;
  }
  return previous[b.length]!;
}

const withoutPrecision = (id: string) => id.replace(/\.fp32$/, "");

/** The names by which a platform may be called: full id or runtime part, with or without precision. */
function namesOf({ platform }: AvailablePlatform): string[] {
  const part = runtimePartOf(platform.id);
  return [platform.id, withoutPrecision(platform.id), part, withoutPrecision(part)];
}

/**
 * The platform of this device that is called `name`.
 *
 * @param name - full id, or its runtime part (`ort1.30-cpu-all-t1`), with or without `.fp32`
 * @throws PlatformUnavailableError when its runtime cannot run here; NotFoundError, with the closest names, when
 *   there is none of that name
 */
export async function findPlatform(
  name: string,
  platforms?: PlatformList,
): Promise<AvailablePlatform> {
  const list = platforms ?? (await listPlatforms());
  const found = list.available.find((candidate) => namesOf(candidate).includes(name));
  if (found !== undefined) return found;

  const devicePrefix = `${list.device.id}.`;
  const part = name.startsWith(devicePrefix) ? name.slice(devicePrefix.length) : name;
  const missing = list.unavailable.find(({ runtime }) => runtime.slugPattern.test(part));
  if (missing !== undefined) {
    throw new PlatformUnavailableError(
      `platform "${name}" cannot run here: ${missing.reason} (${missing.runtime.title})`,
      { hint: missing.remedy },
    );
  }
  const distance = (candidate: AvailablePlatform) =>
    Math.min(...namesOf(candidate).map((known) => editDistance(known, name)));
  const closest = list.available
    .map((candidate) => ({ candidate, distance: distance(candidate) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => withoutPrecision(runtimePartOf(candidate.platform.id)));
  if (closest.length === 0) {
    throw new PlatformUnavailableError(`platform "${name}" cannot run here: no runtime can`, {
      hint: list.unavailable.map(({ runtime, remedy }) => `${runtime.title}: ${remedy}`).join("; "),
    });
  }
  throw new NotFoundError(
    `platform "${name}" does not exist on ${list.device.id}; closest: ${closest.join(", ")}`,
    { hint: "`samara platforms` lists them all" },
  );
}
