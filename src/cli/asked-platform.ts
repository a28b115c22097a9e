/**
 * The platform that predictions are asked for, and what must be said where it is not the one that the predictor was
 * adapted to.
 */
import type { LoadedAdapted } from "../catalogue/predictors.js";
import { NotFoundError, PlatformUnavailableError } from "../errors.js";
import { readDevice } from "../platform/device.js";
import { findPlatform, listPlatforms } from "../platform/registry.js";
import { type Platform, runtimePartOf } from "../record/platform.js";
import { unknownProcessor } from "./imported.js";
import { type Warn, warnOfDifferences } from "./predicting.js";

/**
 * Warn of a shipped predictor that nobody asked for, and of differences between this machine's platform and the one
 * that the predictor was adapted to.
 *
 * @param asked - as the user named the platform
 */
export async function warnOfPlatform(
  chosen: LoadedAdapted & { readonly isShipped: boolean },
  asked: string | undefined,
  warn: Warn,
): Promise<void> {
  const adaptedTo = chosen.provenance.platform!;
  if (chosen.isShipped && asked === undefined) {
    warn(
      "shipped-predictor",
      `no predictor is adapted here yet: these are latencies of ${adaptedTo.id}, where the shipped pool was measured`,
      "adapt one to a platform of yours with `samara onboard`",
    );
  }
  // A device that is asked about by its full id, and of which nothing is known, was never taken for this machine.
  const isElsewhere = asked === adaptedTo.id && adaptedTo.device.cpuModel === unknownProcessor;
  if (isElsewhere) return;
  const platform = await askedPlatform(asked ?? runtimePartOf(adaptedTo.id), adaptedTo);
  warnOfDifferences(adaptedTo, { ...platform, device: readDevice() }, warn);
}

/** The platform of this machine that is meant, as its runtime is now. */
async function askedPlatform(name: string, adaptedTo: Platform): Promise<Platform> {
  const list = await listPlatforms();
  try {
    return (await findPlatform(name, list)).platform;
  } catch (error) {
    if (!(error instanceof NotFoundError || error instanceof PlatformUnavailableError)) throw error;
    // Another version of the runtime has another id; where none runs, predicting is what predictors are for.
    const { family, threads, settings } = adaptedTo.runtime;
    const sameButVersion = list.available.find(
      ({ platform: { runtime } }) =>
        runtime.family === family &&
        runtime.threads === threads &&
        JSON.stringify(runtime.settings) === JSON.stringify(settings),
    );
    return sameButVersion?.platform ?? adaptedTo;
  }
}
