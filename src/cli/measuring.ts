/**
 * Measuring into a pool folder, as `measure`, `campaign`, `profile` and `onboard` do it: append to its log, show
 * progress, and recompute its measurements.
 */
import { InterruptedError, PlatformUnavailableError, UnusableQualityError } from "../errors.js";
import {
  type CampaignOptions,
  type CampaignPlatform,
  type CampaignResult,
  interrupted,
  type Protocol,
  runCampaign,
} from "../measure/campaign.js";
import type { Pace } from "../measure/pace.js";
import { profilePlatform, profileProtocol } from "../measure/profile.js";
import { referenceSubject, type Subject } from "../measure/subject.js";
import { summarise } from "../measure/summarise.js";
import type { StartSampler } from "../measure/unit.js";
import type { AvailablePlatform } from "../platform/registry.js";
import { startSampler } from "../platform/sampler.js";
import type { Descriptor } from "../record/descriptor.js";
import type { Measurement } from "../record/measurement.js";
import type { Pool } from "../store/pool.js";
import { median } from "../tensor/stats.js";
import { formatDuration } from "../units.js";
import type { Progress } from "./progress.js";

interface MeasuringOptions {
  readonly pool: Pool;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly protocol: Protocol;
  /** How to go on after Ctrl-C. */
  readonly resumeCommand: string;
  /** Monotonic ms after which nothing further is started. */
  readonly deadlineMs?: number;
  /** Said before the figures, e.g. `measure 10 networks`. */
  readonly label: string;
  /** How to start a sampler; default a process of its own. */
  readonly startSampler?: StartSampler;
  /** Whether counters are read; default no. */
  readonly counters?: boolean;
  /** Knows what else is planned after this. */
  readonly pace?: Pace;
}

/** Something to measure: a platform that runs here, or one that times itself elsewhere. */
type MeasuredPlatform = AvailablePlatform | CampaignPlatform;

const campaignPlatform = (measured: MeasuredPlatform): CampaignPlatform =>
  "runtime" in measured
    ? { platform: measured.platform, modelFormat: measured.runtime.modelFormat }
    : measured;

function commonOptions(
  options: MeasuringOptions,
): Pick<
  CampaignOptions,
  "reference" | "protocol" | "doneLines" | "sink" | "startSampler" | "onProgress" | "signal"
> {
  const { pool, progress } = options;
  return {
    reference: referenceSubject(),
    protocol: options.protocol,
    doneLines: pool.runs().lines,
    sink: {
      append: (line) => pool.log.append(line),
      addContext: (context) => pool.addContext(context),
    },
    startSampler: options.startSampler ?? startSampler,
    signal: options.signal,
    ...(options.deadlineMs === undefined ? {} : { deadlineMs: options.deadlineMs }),
    onProgress({ done, total, platformId, round, remainingMs }) {
      const left = remainingMs === null ? "" : `, ${formatDuration(remainingMs)} left`;
      progress.update(
        `${options.label}: ${done}/${total} on ${platformId} (process ${round + 1} of each${left})`,
      );
    },
  };
}

/** Recompute `measurements.parquet` of a pool from its log. */
export function summarisePool(pool: Pool): Measurement[] {
  const { lines } = pool.runs();
  const measurements = summarise(lines);
  pool.writeMeasurements(measurements);
  pool.writeProcesses(lines, median);
  return measurements;
}

export interface MeasuredNetworks {
  readonly result: CampaignResult;
  /** Of the asked platforms and subjects only. */
  readonly measurements: readonly Measurement[];
}

/**
 * Measure subjects on platforms into a pool's log; what it already holds is not measured again.
 *
 * @throws InterruptedError after Ctrl-C, when all finished processes are saved; PlatformUnavailableError when a device
 *   is gone, with the same; BusyError when another process measures into the pool
 */
export function measureSubjects(
  platforms: readonly MeasuredPlatform[],
  subjects: readonly Subject[],
  options: MeasuringOptions,
): Promise<CampaignResult> {
  return options.pool.exclusively(() => measureAlone(platforms, subjects, options));
}

async function measureAlone(
  platforms: readonly MeasuredPlatform[],
  subjects: readonly Subject[],
  options: MeasuringOptions,
): Promise<CampaignResult> {
  for (const { platform } of platforms) options.pool.addPlatform(platform);
  const result = await runCampaign({
    ...commonOptions(options),
    platforms: platforms.map(campaignPlatform),
    subjects,
    ...(options.counters === undefined ? {} : { counters: options.counters }),
    ...(options.pace === undefined ? {} : { pace: options.pace }),
  }).catch((error: unknown) => {
    if (error instanceof PlatformUnavailableError) summarisePool(options.pool);
    throw error;
  });
  options.progress.clear();
  if (result.stoppedBy === "signal") {
    summarisePool(options.pool);
    const total = platforms.length * subjects.length * options.protocol.nProcesses;
    throw interrupted(Math.min(result.lines.length, total), total, options.resumeCommand);
  }
  return result;
}

/**
 * Measure networks on platforms into a pool and recompute its measurements.
 *
 * @throws InterruptedError after Ctrl-C, when all finished processes are saved; PlatformUnavailableError when a device
 *   is gone, with the same
 */
export async function measureNetworks(
  platforms: readonly MeasuredPlatform[],
  subjects: readonly Subject[],
  options: MeasuringOptions,
): Promise<MeasuredNetworks> {
  const result = await measureSubjects(platforms, subjects, options);
  const all = summarisePool(options.pool);
  const wanted = new Set(subjects.map(({ id }) => id));
  const wantedPlatforms = new Set(platforms.map(({ platform }) => platform.id));
  return {
    result,
    measurements: all.filter(
      ({ platformId, subjectId }) => wantedPlatforms.has(platformId) && wanted.has(subjectId),
    ),
  };
}

/**
 * Profile a platform into a pool: as it is now, or with `continued` from what the pool's log already holds.
 *
 * @throws UnusableQualityError when more than a third of the operators graded X; InterruptedError after Ctrl-C; BusyError
 *   when another process measures into the pool
 */
export function profileInto(
  platform: AvailablePlatform,
  options: ProfileIntoOptions,
): Promise<Descriptor> {
  return options.pool.exclusively(() => profileAlone(platform, options));
}

type ProfileIntoOptions = Omit<MeasuringOptions, "protocol" | "label"> & {
  readonly inputSize?: number;
  readonly continued?: boolean;
};

async function profileAlone(
  platform: AvailablePlatform,
  options: ProfileIntoOptions,
): Promise<Descriptor> {
  const { pool, continued = false } = options;
  const { id } = platform.platform;
  pool.addPlatform(platform.platform);
  const common = commonOptions({
    ...options,
    protocol: profileProtocol,
    label: "profile operators",
  });
  const descriptor = await profilePlatform({
    ...common,
    doneLines: continued ? common.doneLines : [],
    platform: campaignPlatform(platform),
    ...(options.inputSize === undefined ? {} : { inputSize: options.inputSize }),
  }).catch((error: unknown) => {
    if (!(error instanceof InterruptedError)) throw error;
    throw new InterruptedError(`stopped while profiling ${id}`, {
      hint: `${continued ? "go on" : "start again"} with: ${options.resumeCommand}`,
      cause: error,
    });
  });
  options.progress.clear();
  pool.writeDescriptor(descriptor);
  return checkedDescriptor(descriptor);
}

/**
 * A descriptor that can be used.
 *
 * @throws UnusableQualityError when more than a third of its operators graded X
 */
export function checkedDescriptor(descriptor: Descriptor): Descriptor {
  const { rows, platform } = descriptor;
  const unusable = rows.filter(({ grade }) => grade === "X");
  if (unusable.length <= rows.length / 3) return descriptor;
  throw new UnusableQualityError(
    `${unusable.length} of ${rows.length} operators of ${platform.id} varied too much to be used`,
    { hint: "run `samara doctor`, stop other work, then profile again" },
  );
}
