/**
 * The measured pools that the experiments of `docs/claims.md` run on: one or several folders as one pool, with the
 * networks that were measured and what noise allows on each platform.
 */
import { createHash } from "node:crypto";
import { type LoadedPool, loadPool } from "../catalogue/training.js";
import { InputError } from "../errors.js";
import type { NoiseCeiling } from "../evaluate/noise-ceiling.js";
import type { HeldOutPlatform } from "../evaluate/protocol.js";
import {
  noiseOfIntervals,
  noiseOfProcesses,
  processDeviations,
  repeatCeiling,
} from "../evaluate/repeat-noise.js";
import type { FeatureTable } from "../graph/features.js";
import type { PlatformSamples } from "../predict/predictor.js";
import { featuresOfCells } from "../space/nasbench201/features.js";
import { Pool } from "../store/pool.js";
import { createRandom, deriveSeed } from "../tensor/random.js";
import { median } from "../tensor/stats.js";

/** Networks of all pools, and their platforms with samples that point into them. */
export interface ClaimsPool {
  readonly networks: FeatureTable;
  readonly platforms: readonly HeldOutPlatform[];
  /** Hash of each pool's measurements, in the order of the folders. */
  readonly hashes: readonly string[];
  /** Hash of everything that is learned from or scored against. */
  readonly hash: string;
}

function withRows(samples: PlatformSamples, rowOf: ReadonlyMap<number, number>): PlatformSamples {
  return { ...samples, rows: samples.rows.map((row) => rowOf.get(row)!) };
}

/**
 * Load pools. A network that is in the test set of any pool is learned from in none.
 *
 * @throws NotFoundError, FormatError when a folder holds no pool; InputError when two have a platform of one id, or a
 *   platform has too few networks to test on
 */
export async function loadClaimsPool(folders: readonly string[]): Promise<ClaimsPool> {
  const loaded: LoadedPool[] = [];
  for (const folder of folders) loaded.push(await loadPool(new Pool(folder)));
  const testIds = new Set(loaded.flatMap((pool) => [...pool.testIds]));
  const found = loaded.flatMap((pool) => {
    const trainIds = new Set([...pool.trainIds].filter((id) => !testIds.has(id)));
    return pool.platforms.map(({ id }) => ({
      train: pool.samples(id, trainIds),
      test: pool.samples(id, testIds),
    }));
  });
  const ids = new Set<string>();
  for (const { train, test } of found) {
    if (ids.has(train.platformId)) {
      throw new InputError(`platform ${train.platformId} is in two of the pools`);
    }
    ids.add(train.platformId);
    if (test.rows.length < 2) {
      throw new InputError(`${train.platformId} has ${test.rows.length} usable test networks`, {
        hint: "a pool to test on needs a split.json that keeps networks apart",
      });
    }
  }
  const cells = new Set(found.flatMap(({ train, test }) => [...train.rows, ...test.rows]));
  const indices = [...cells].sort((a, b) => a - b);
  const rowOf = new Map(indices.map((index, row) => [index, row]));
  const platforms = found.map(({ train, test }) => ({
    train: withRows(train, rowOf),
    test: withRows(test, rowOf),
  }));
  return {
    networks: featuresOfCells(indices),
    platforms,
    hashes: loaded.map(({ hash }) => hash),
    hash: hashOf(platforms),
  };
}

/** Hash (16 hex digits) of platforms: their samples, descriptors and what is known of them. */
export function hashOf(platforms: readonly HeldOutPlatform[]): string {
  const hash = createHash("sha256");
  for (const { train, test } of platforms) {
    for (const { rows, latencyMs, relativeSd, ...others } of [train, test]) {
      hash.update(JSON.stringify(others));
      for (const column of [rows, latencyMs, relativeSd ?? new Float64Array(0)]) {
        hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
      }
    }
  }
  return hash.digest("hex").slice(0, 16);
}

/**
 * What a perfect predictor would reach on the test networks of each platform, by id.
 *
 * @param folders - as given to `loadClaimsPool`
 */
export async function ceilingsOf(
  { platforms, networks }: Pick<ClaimsPool, "platforms" | "networks">,
  folders: readonly string[],
  seed: number,
): Promise<Map<string, NoiseCeiling>> {
  const ratios = new Map<string, Map<string, number[]>>();
  for (const folder of folders) {
    for (const { platformId, subjectId, ratio } of await new Pool(folder).processes(median)) {
      const ofPlatform = ratios.get(platformId) ?? new Map<string, number[]>();
      ratios.set(platformId, ofPlatform);
      ofPlatform.set(subjectId, [...(ofPlatform.get(subjectId) ?? []), ratio]);
    }
  }
  return new Map(
    platforms.map(({ train, test }) => {
      const ofPlatform = ratios.get(test.platformId) ?? new Map<string, number[]>();
      // Networks that are used: operators are short and spread more, and what graded X is left out of scores, too.
      const used = [...train.rows, ...test.rows].map((row) => networks.ids[row]!);
      const deviations = processDeviations(used.flatMap((id) => [ofPlatform.get(id) ?? []]));
      const nProcesses = Array.from(
        test.rows,
        (row) => ofPlatform.get(networks.ids[row]!)?.length ?? 1,
      );
      const noise =
        deviations.length > 0
          ? noiseOfProcesses(deviations, nProcesses)
          : noiseOfIntervals(test.relativeSd ?? new Float64Array(test.rows.length));
      const random = createRandom(deriveSeed(seed, `ceiling/${test.platformId}`));
      return [test.platformId, repeatCeiling(test.latencyMs, noise, random)];
    }),
  );
}
