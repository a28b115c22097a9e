/**
 * What every predictor checks before it learns: samples that are latencies, rows that exist, enough of them.
 */
import { InputError, InterruptedError } from "../errors.js";
import type { FeatureTable } from "../graph/features.js";
import { createRandom, deriveSeed, drawWithoutReplacement } from "../tensor/random.js";
import type { FitOptions, PlatformSamples, TrainingPool } from "./predictor.js";

/**
 * Check the samples of one platform.
 *
 * @throws InputError on columns of different length, a row outside the table, a latency that is NaN, infinite,
 *   zero or negative, or a relative standard deviation that is no share
 */
function checkSamples(samples: PlatformSamples, networks: FeatureTable): void {
  const { platformId, rows, latencyMs, relativeSd } = samples;
  if (rows.length !== latencyMs.length) {
    throw new InputError(
      `samples of ${platformId}: ${rows.length} rows but ${latencyMs.length} latencies`,
    );
  }
  if (relativeSd !== undefined && relativeSd.length !== rows.length) {
    throw new InputError(
      `samples of ${platformId}: ${rows.length} rows but ${relativeSd.length} relative deviations`,
    );
  }
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (!(row >= 0 && row < networks.ids.length)) {
      throw new InputError(
        `samples of ${platformId}: row ${row} is outside the table of ${networks.ids.length} networks`,
      );
    }
    const latency = latencyMs[i]!;
    if (!(latency > 0 && Number.isFinite(latency))) {
      throw new InputError(
        `samples of ${platformId}: a latency must be a finite number of ms greater than 0, got ${latency} for ${networks.ids[row]}`,
      );
    }
    const sd = relativeSd?.[i] ?? 0;
    if (!(sd >= 0 && Number.isFinite(sd))) {
      throw new InputError(
        `samples of ${platformId}: a relative standard deviation must be finite and at least 0, got ${sd} for ${networks.ids[row]}`,
      );
    }
  }
}

/**
 * Check the samples of a target to adapt to.
 *
 * @param predictor.minSamplesDescribed - where a descriptor of this target can stand in for samples
 * @throws InputError as `checkSamples`, and on fewer than `minSamples` or `minSamplesDescribed`
 */
export function checkTarget(
  target: PlatformSamples,
  networks: FeatureTable,
  {
    name,
    minSamples,
    minSamplesDescribed,
  }: {
    readonly name: string;
    readonly minSamples: number;
    readonly minSamplesDescribed?: number | undefined;
  },
): void {
  checkSamples(target, networks);
  const isDescribed = target.descriptor !== undefined && minSamplesDescribed !== undefined;
  const least = isDescribed ? minSamplesDescribed : minSamples;
  const n = target.rows.length;
  if (n >= least) return;
  const profile = minSamplesDescribed === undefined ? "" : ", or profile the platform's operators";
  throw new InputError(
    `${name} needs at least ${least} samples of ${target.platformId}, got ${n}`,
    { hint: `measure ${least - n} more networks${isDescribed ? "" : profile}` },
  );
}

/** Source samples below which nothing can be learned from a platform. */
const minSourceSamples = 20;

/**
 * Check a pool to learn from.
 *
 * @throws InputError on no platforms, two with one id, or fewer than 20 samples of one
 */
export function checkPool(pool: TrainingPool): void {
  if (pool.platforms.length === 0) throw new InputError("the pool to learn from has no platforms");
  const seen = new Set<string>();
  for (const platform of pool.platforms) {
    if (seen.has(platform.platformId)) {
      throw new InputError(`platform ${platform.platformId} is twice in the pool`);
    }
    seen.add(platform.platformId);
    checkSamples(platform, pool.networks);
    if (platform.rows.length < minSourceSamples) {
      throw new InputError(
        `a source platform needs at least ${minSourceSamples} samples, ${platform.platformId} has ${platform.rows.length}`,
      );
    }
  }
}

/** Some of the samples of a platform, by their places. */
export function pickSamples(samples: PlatformSamples, indices: ArrayLike<number>): PlatformSamples {
  const picked = Array.from(indices);
  const { relativeSd } = samples;
  return {
    ...samples,
    rows: Int32Array.from(picked, (i) => samples.rows[i]!),
    latencyMs: Float64Array.from(picked, (i) => samples.latencyMs[i]!),
    ...(relativeSd === undefined
      ? {}
      : { relativeSd: Float64Array.from(picked, (i) => relativeSd[i]!) }),
  };
}

/** At most `most` of a platform's samples, drawn by seed. */
export function limitSamples(
  samples: PlatformSamples,
  most: number,
  seed: number,
): PlatformSamples {
  if (samples.rows.length <= most) return samples;
  const random = createRandom(deriveSeed(seed, `source/${samples.platformId}`));
  return pickSamples(samples, drawWithoutReplacement(random, samples.rows.length, most));
}

/** Families of a pool, each once, sorted. */
export function familiesOf(platforms: readonly PlatformSamples[]): string[] {
  return [...new Set(platforms.map(({ family }) => family))].sort();
}

/**
 * Let the event loop turn, then go on unless the user wants to stop.
 *
 * @throws InterruptedError when `signal` says so
 */
export async function breathe({ signal }: Pick<FitOptions, "signal">): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  if (signal?.aborted) throw new InterruptedError("stopped while learning; nothing was saved");
}
