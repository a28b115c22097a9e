/**
 * What the service knows of measurements: the pool that ships, the user's own, and those of onboardings and of the
 * service's campaigns, read once and again when a file changes. Of a platform that several hold, the user's newest counts.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type LoadedPool, loadPool } from "../../catalogue/training.js";
import { NotFoundError } from "../../errors.js";
import type { Measurement } from "../../record/measurement.js";
import type { Platform } from "../../record/platform.js";
import { indexFromNetworkId } from "../../space/nasbench201/cell.js";
import { campaignPools, dataHome, shippedPool, userPool } from "../../store/paths.js";
import { Pool } from "../../store/pool.js";

/** A pool folder with what was read of it. */
export interface ShelvedPool {
  readonly origin: "own" | "shipped";
  readonly pool: Pool;
  readonly loaded: LoadedPool;
  /** Measurements of NAS-Bench-201 by platform, whatever their grade. */
  readonly ofCells: ReadonlyMap<string, readonly Measurement[]>;
}

/** A platform and the pool that speaks for it. */
export interface ShelvedPlatform extends ShelvedPool {
  readonly platform: Platform;
  /** Networks of NAS-Bench-201, whatever their grade. */
  readonly measurements: readonly Measurement[];
}

interface Read {
  readonly stamp: string;
  readonly shelved: Promise<ShelvedPool>;
}

/** Whether a measurement may be used. */
export const isUsable = ({ grade }: Measurement): boolean => grade !== "X";

async function readPool(origin: ShelvedPool["origin"], pool: Pool): Promise<ShelvedPool> {
  const loaded = await loadPool(pool);
  const ofCells = new Map<string, Measurement[]>(loaded.platforms.map(({ id }) => [id, []]));
  for (const measurement of loaded.measurements) {
    if (indexFromNetworkId(measurement.subjectId) === undefined) continue;
    ofCells.get(measurement.platformId)?.push(measurement);
  }
  return { origin, pool, loaded, ofCells };
}

/** Changes whenever a pool is measured into, or a descriptor is written. */
function stampOf(folder: string): string {
  return ["measurements.parquet", "platforms.json", "descriptors"]
    .map((name) => join(folder, name))
    .map((path) => (existsSync(path) ? String(statSync(path).mtimeMs) : "-"))
    .join(" ");
}

/** The pools of this machine. */
export class Shelf {
  #read = new Map<string, Read>();

  #foldersOf(): { origin: "own" | "shipped"; folder: string }[] {
    const onboard = join(dataHome(), "onboard");
    const onboardings = existsSync(onboard)
      ? readdirSync(onboard).sort((a, b) => timeOf(b).localeCompare(timeOf(a)))
      : [];
    const campaigns = existsSync(campaignPools())
      ? readdirSync(campaignPools()).map((name) => join(campaignPools(), name))
      : [];
    const own = [userPool(), ...onboardings.map((name) => join(onboard, name)), ...campaigns];
    return [
      ...own.map((folder) => ({ origin: "own" as const, folder })),
      { origin: "shipped" as const, folder: shippedPool },
    ].filter(({ folder }) => existsSync(join(folder, "measurements.parquet")));
  }

  /** All pools, those of the user first. One that is damaged is left out: its command says why. */
  async pools(): Promise<ShelvedPool[]> {
    const found = await Promise.all(
      this.#foldersOf().map(async ({ origin, folder }) => {
        const stamp = stampOf(folder);
        let read = this.#read.get(folder);
        if (read?.stamp !== stamp) {
          read = { stamp, shelved: readPool(origin, new Pool(folder)) };
          this.#read.set(folder, read);
        }
        try {
          return [await read.shelved];
        } catch (error) {
          if (origin === "shipped") throw error;
          return [];
        }
      }),
    );
    return found.flat();
  }

  /** Every platform that something was measured on. */
  async platforms(): Promise<ShelvedPlatform[]> {
    const byId = new Map<string, ShelvedPlatform>();
    for (const shelved of await this.pools()) {
      for (const platform of shelved.loaded.platforms) {
        if (byId.has(platform.id)) continue;
        const measurements = shelved.ofCells.get(platform.id)!;
        if (!measurements.some(isUsable)) continue;
        byId.set(platform.id, { ...shelved, platform, measurements });
      }
    }
    return [...byId.values()];
  }

  /** @throws NotFoundError naming the platforms there are */
  async platform(id: string): Promise<ShelvedPlatform> {
    const all = await this.platforms();
    const found = all.find(({ platform }) => platform.id === id);
    if (found) return found;
    throw new NotFoundError(`nothing is measured on a platform "${id}"`, {
      hint: `there are: ${all.map(({ platform }) => platform.id).join(", ")}`,
    });
  }

  /** The pool that ships: what general predictors learn from. */
  async shipped(): Promise<LoadedPool> {
    return (await this.pools()).find(({ origin }) => origin === "shipped")!.loaded;
  }
}

/** Onboardings end with the time at which they began. */
const timeOf = (name: string) => /\d{4}-\d\d-\d\dT.*$/.exec(name)?.[0] ?? "";
