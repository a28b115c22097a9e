/**
 * Which predictor a command uses: the one named, else the one adapted last for the platform, else a shipped one.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { NotFoundError } from "../errors.js";
import type { AdaptedPredictor, FittedPredictor } from "../predict/predictor.js";
import { createPredictor } from "../predict/registry.js";
import { runtimePartOf } from "../record/platform.js";
import { adaptedPredictors, shippedPredictors } from "../store/paths.js";
import { type PredictorProvenance, readPredictor } from "../store/predictors.js";

export interface LoadedFitted {
  readonly predictor: FittedPredictor;
  readonly provenance: PredictorProvenance;
  readonly folder: string;
}

export interface LoadedAdapted {
  readonly predictor: AdaptedPredictor;
  readonly provenance: PredictorProvenance;
  readonly folder: string;
}

/** Folder of the general predictor that the package ships. */
export const shippedPredictor = (): string => join(shippedPredictors, "pool");
/** Baselines trained on the same pool, for comparison: `flops-line`, and `operator-sum` without descriptors. */
export const shippedBaselines = (): string => join(shippedPredictors, "baselines");
export const shippedBaseline = (name: string): string => join(shippedBaselines(), name);
/** Folders of predictors that the package ships adapted to the pool's own platforms. */
export const shippedAdapted = (): string => join(shippedPredictors, "platforms");

/**
 * Load a predictor that has learned but is not adapted.
 *
 * @throws NotFoundError, FormatError when the folder holds none, or an adapted one
 */
export async function loadFitted(folder: string): Promise<LoadedFitted> {
  const { saved, provenance } = readPredictor(folder);
  if (provenance.platform !== null) {
    throw new NotFoundError(
      `the predictor in ${folder} is adapted to ${provenance.platform.id}; this needs one that is not`,
      { hint: "name the folder that `samara train` wrote, or leave --predictor out" },
    );
  }
  return { predictor: await createPredictor(saved.method).load(saved), provenance, folder };
}

/**
 * Load an adapted predictor.
 *
 * @throws NotFoundError when the folder holds none, or one that is not adapted
 */
export async function loadAdapted(folder: string): Promise<LoadedAdapted> {
  const { saved, provenance } = readPredictor(folder);
  if (provenance.platform === null) {
    throw new NotFoundError(`the predictor in ${folder} is not adapted to a platform yet`, {
      hint: "adapt it with `samara adapt`, or run `samara onboard`",
    });
  }
  return { predictor: await createPredictor(saved.method).loadAdapted(saved), provenance, folder };
}

/** A predictor on the shelf that is adapted to a platform. */
export interface ShelvedPredictor {
  readonly folder: string;
  readonly platformId: string;
  readonly modifiedMs: number;
}
type Candidate = ShelvedPredictor;

/** All adapted predictors, the newest first; of one platform, the user's own hides the shipped one. */
export function adaptedOnShelf(): (ShelvedPredictor & { readonly isShipped: boolean })[] {
  const own = candidatesIn(adaptedPredictors()).map((one) => ({ ...one, isShipped: false }));
  const hidden = new Set(own.map(({ platformId }) => platformId));
  const shipped = candidatesIn(shippedAdapted())
    .filter(({ platformId }) => !hidden.has(platformId))
    .map((one) => ({ ...one, isShipped: true }));
  return [...own, ...shipped];
}

function candidatesIn(parent: string): Candidate[] {
  if (!existsSync(parent)) return [];
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(parent, entry.name))
    .filter((folder) => existsSync(join(folder, "predictor.json")))
    .map((folder) => ({
      folder,
      platformId: readPredictor(folder).provenance.platform?.id ?? "",
      modifiedMs: statSync(join(folder, "predictor.json")).mtimeMs,
    }))
    .sort((a, b) => b.modifiedMs - a.modifiedMs);
}

function matches(platformId: string, name: string): boolean {
  const part = runtimePartOf(platformId);
  return [
    platformId,
    part,
    part.replace(/\.fp32$/, ""),
    platformId.replace(/\.fp32$/, ""),
  ].includes(name);
}

/** Name of the folder of a platform's adapted predictor. */
export const folderNameOf = (platformId: string): string =>
  platformId.replaceAll(/[^A-Za-z0-9._-]/g, "_");

/**
 * The adapted predictor to use.
 *
 * @param platformName - full id or its runtime part; undefined: the one adapted last
 * @throws NotFoundError that says how to make one
 */
export async function chooseAdapted(
  folder: string | undefined,
  platformName: string | undefined,
): Promise<LoadedAdapted & { isShipped: boolean }> {
  if (folder !== undefined) return { ...(await loadAdapted(folder)), isShipped: false };
  const own = candidatesIn(adaptedPredictors());
  const shipped = candidatesIn(shippedAdapted());
  const fits = ({ platformId }: Candidate) =>
    platformName === undefined || matches(platformId, platformName);
  const chosen =
    own.find(fits) ??
    (platformName === undefined
      ? shipped.find(
          ({ platformId }) => platformId.includes(".ort") && platformId.includes("-all-t1."),
        )
      : shipped.find(fits));
  if (!chosen) {
    const known = [...own, ...shipped].map(({ platformId }) => platformId);
    throw new NotFoundError(
      platformName === undefined
        ? "no predictor is adapted to a platform yet"
        : `no predictor is adapted to "${platformName}"; there are: ${known.join(", ") || "none"}`,
      {
        hint: "adapt one with `samara onboard --platform ID` (about 2 minutes), or name a folder with --predictor",
      },
    );
  }
  return { ...(await loadAdapted(chosen.folder)), isShipped: !own.includes(chosen) };
}
