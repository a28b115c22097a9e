/**
 * From a pool folder to what predictors learn from, and from measurements to what they adapt to.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { InputError } from "../errors.js";
import type { FeatureTable } from "../graph/features.js";
import type { PlatformSamples, TrainingPool } from "../predict/predictor.js";
import type { Descriptor } from "../record/descriptor.js";
import type { Measurement } from "../record/measurement.js";
import type { Platform, RuntimeInfo } from "../record/platform.js";
import { indexFromNetworkId } from "../space/nasbench201/cell.js";
import { featuresOfCells } from "../space/nasbench201/features.js";
import { readBytes } from "../store/files.js";
import type { Pool } from "../store/pool.js";
import { normalQuantile } from "../tensor/stats.js";

/**
 * What is known beforehand of the files that a runtime runs. TensorFlow's converter leaves dead operators out, which
 * platforms of the first pool do not say of themselves.
 */
export const knownOfRuntime = (
  runtime: Pick<RuntimeInfo, "family" | "removesDeadOperators">,
): Pick<PlatformSamples, "removesDeadOperators"> =>
  (runtime.removesDeadOperators ?? runtime.family === "tflite")
    ? { removesDeadOperators: true }
    : {};

/** Half-widths of stored 90 % intervals in standard deviations. */
const halfWidthSds = normalQuantile(0.95);

/**
 * The samples in measurements of one platform: networks of the search space, graded A to C. Row i of the feature
 * table of all cells is architecture i.
 */
export function samplesOf(
  platform: Platform,
  measurements: readonly Measurement[],
  descriptor?: Descriptor,
): PlatformSamples {
  const usable = measurements.flatMap((measurement) => {
    const row = indexFromNetworkId(measurement.subjectId);
    const isUsable =
      row !== undefined && measurement.platformId === platform.id && measurement.grade !== "X";
    return isUsable ? [{ row, measurement }] : [];
  });
  return {
    platformId: platform.id,
    family: platform.runtime.family,
    platform,
    ...(descriptor ? { descriptor } : {}),
    ...knownOfRuntime(platform.runtime),
    rows: Int32Array.from(usable, ({ row }) => row),
    latencyMs: Float64Array.from(usable, ({ measurement }) => measurement.latencyMs),
    relativeSd: Float64Array.from(
      usable,
      ({ measurement: { latencyMs, lowerMs, upperMs } }) =>
        (upperMs - lowerMs) / (2 * halfWidthSds * latencyMs),
    ),
  };
}

export interface LoadedPool {
  readonly networks: FeatureTable;
  readonly platforms: readonly Platform[];
  readonly measurements: readonly Measurement[];
  /** Ids of the networks to learn from and of the test set; everything is `train` without a split. */
  readonly trainIds: ReadonlySet<string>;
  readonly testIds: ReadonlySet<string>;
  /** SHA-256 (16 hex digits) of the measurements file: provenance of what is trained on it. */
  readonly hash: string;
  samples(platformId: string, ids: ReadonlySet<string>): PlatformSamples;
}

/**
 * Load a pool for learning.
 *
 * @throws NotFoundError, FormatError when it is no pool or damaged
 */
export async function loadPool(pool: Pool): Promise<LoadedPool> {
  const platforms = pool.requireExisting().platforms();
  const measurements = await pool.measurements();
  const split = pool.split();
  const testIds = new Set(split?.test ?? []);
  const trainIds = new Set(
    measurements
      .map(({ subjectId }) => subjectId)
      .filter((id) => !testIds.has(id) && indexFromNetworkId(id) !== undefined),
  );
  const bytes = readBytes(join(pool.folder, "measurements.parquet"), "measurements file");
  return {
    networks: featuresOfCells(),
    platforms,
    measurements,
    trainIds,
    testIds,
    hash: createHash("sha256").update(bytes).digest("hex").slice(0, 16),
    samples(platformId, ids) {
      const platform = platforms.find(({ id }) => id === platformId);
      if (!platform) throw new InputError(`the pool has no platform "${platformId}"`);
      return samplesOf(
        platform,
        measurements.filter(({ subjectId }) => ids.has(subjectId)),
        pool.descriptor(platformId),
      );
    },
  };
}

/**
 * The training pool without some families and without the test set.
 *
 * @throws InputError when nothing is left
 */
export function trainingPool(
  loaded: LoadedPool,
  heldOutFamilies: readonly string[],
  { descriptors = true }: { descriptors?: boolean } = {},
): TrainingPool {
  const platforms = loaded.platforms
    .filter(({ runtime }) => !heldOutFamilies.includes(runtime.family))
    .map(({ id }) => loaded.samples(id, loaded.trainIds))
    .filter(({ rows }) => rows.length > 0)
    .map((samples) => (descriptors ? samples : withoutDescriptor(samples)));
  if (platforms.length === 0) {
    throw new InputError("no platform with measurements is left to learn from", {
      hint: "leave fewer families out, or measure more platforms",
    });
  }
  return { networks: loaded.networks, platforms };
}

/** The same samples with the descriptor left out. */
export function withoutDescriptor({ descriptor: _, ...samples }: PlatformSamples): PlatformSamples {
  return samples;
}
