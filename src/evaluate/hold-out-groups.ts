/**
 * Who leaves with a target: platforms of its runtime family, of its kernel library, of its device. Targets that leave
 * the same sources behind form a group, for which a predictor learns once.
 */
import type { PlatformSamples } from "../predict/predictor.js";
import { kernelLibrariesOf } from "./kernel-libraries.js";
import type { HeldOutPlatform } from "./protocol.js";

/**
 * `platform`: the target alone; its siblings stay. `family`: all platforms of its runtime family, on all devices.
 * `library`: these, and all whose runtime shares a kernel library. `device`: all platforms of its device, so that the
 * same runtime stays where it was measured elsewhere. `device and family`: both.
 */
export const leavingRules = [
  "platform",
  "family",
  "library",
  "device",
  "device and family",
] as const;
/** Who leaves with a target: one of `leavingRules`. */
export type LeavingRule = (typeof leavingRules)[number];

/** Who may be a source at all: every platform, or the target's own runtime family, as in pools of one runtime. */
export type Among = "all" | "own family";

/** Device of a platform. */
export function deviceOf({ platform, platformId }: PlatformSamples): string {
  return platform?.device.id ?? platformId.slice(0, platformId.indexOf("."));
}

function librariesOf({ platform }: PlatformSamples): readonly string[] {
  return platform === undefined ? [] : kernelLibrariesOf(platform);
}

/** Whether a platform leaves with a target; a target always leaves with itself. */
function leavesWith(source: PlatformSamples, target: PlatformSamples, rule: LeavingRule): boolean {
  if (source.platformId === target.platformId) return true;
  const isSibling = source.family === target.family;
  const isNeighbour = deviceOf(source) === deviceOf(target);
  switch (rule) {
    case "platform":
      return false;
    case "family":
      return isSibling;
    case "library": {
      const libraries = librariesOf(target);
      return isSibling || librariesOf(source).some((library) => libraries.includes(library));
    }
    case "device":
      return isNeighbour;
    case "device and family":
      return isNeighbour || isSibling;
    default:
      return rule satisfies never;
  }
}

/** Targets that share their sources. */
export interface HoldOutGroup {
  readonly targets: readonly HeldOutPlatform[];
  readonly sources: readonly HeldOutPlatform[];
}

/**
 * Every platform as target once.
 *
 * @param least - fewest sources and fewest families of them with which something can be learned; groups with fewer
 *   are left out
 */
export function holdOutGroups(
  platforms: readonly HeldOutPlatform[],
  { leaves, among }: { readonly leaves: LeavingRule; readonly among: Among },
  least: { readonly sources: number; readonly families: number },
): HoldOutGroup[] {
  const groups = new Map<string, { targets: HeldOutPlatform[]; sources: HeldOutPlatform[] }>();
  for (const target of platforms) {
    const sources = platforms.filter(
      ({ train }) =>
        !leavesWith(train, target.train, leaves) &&
        (among === "all" || train.family === target.train.family),
    );
    const families = new Set(sources.map(({ train }) => train.family));
    if (sources.length < least.sources || families.size < least.families) continue;
    const key = JSON.stringify(sources.map(({ train }) => train.platformId));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { targets: [target], sources });
    else group.targets.push(target);
  }
  return [...groups.values()];
}
