/**
 * A campaign's stages: each platform's operators several times, far apart, between the rounds of its networks.
 *
 * What is done is read from the pool's log, so that a campaign goes on where it stopped, whatever stopped it.
 */
import { MeasurementError } from "../errors.js";
import type { FeatureTable } from "../graph/features.js";
import { bulkProtocol, type CampaignFailure, type Protocol } from "../measure/campaign.js";
import { takeContext } from "../measure/environment.js";
import { Pace } from "../measure/pace.js";
import {
  descriptorFromMeasurements,
  operatorSubjects,
  profileProtocol,
} from "../measure/profile.js";
import type { Subject } from "../measure/subject.js";
import { summarise } from "../measure/summarise.js";
import type { StartSampler } from "../measure/unit.js";
import type { AvailablePlatform } from "../platform/registry.js";
import type { Measurement, ProcessSummary } from "../record/measurement.js";
import { runtimePartOf } from "../record/platform.js";
import type { Pool } from "../store/pool.js";
import { coveringRows } from "../tensor/covering.js";
import { measureSubjects, summarisePool } from "./measuring.js";
import type { Warn } from "./predicting.js";
import type { Progress } from "./progress.js";

/** One thing after another: operators for the n-th time, or networks until each has so many processes. */
export type Stage =
  | { readonly kind: "operators"; readonly repetition: number }
  | { readonly kind: "networks"; readonly nProcesses: number; readonly isLast: boolean };

/**
 * The stages of a campaign: one round of networks a process, descriptors spread evenly over the whole, the first
 * before the first round and the last after the last.
 */
export function stagesOf(nProcesses: number, nDescriptors: number): Stage[] {
  const roundBefore = (repetition: number) =>
    nDescriptors === 1 ? 0 : Math.ceil((repetition * nProcesses) / (nDescriptors - 1));
  const stages: Stage[] = [];
  for (let round = 0; round <= nProcesses; round += 1) {
    for (let repetition = 0; repetition < nDescriptors; repetition += 1) {
      if (roundBefore(repetition) === round) stages.push({ kind: "operators", repetition });
    }
    if (round < nProcesses) {
      stages.push({ kind: "networks", nProcesses: round + 1, isLast: round + 1 === nProcesses });
    }
  }
  return stages;
}

/** Processes an operator and profile: a single profile is as thorough as `samara profile`, repeats add up. */
const operatorProcesses = (nDescriptors: number) =>
  nDescriptors > 1 ? 3 : profileProtocol.nProcesses;

/** Rows of the table of all networks that cover what operators they consist of, beside those in `taken`. */
export function coveringNetworks(
  networks: FeatureTable,
  count: number,
  taken: readonly number[],
): number[] {
  const nSignatures = networks.signatures.length;
  const views = [networks.counts.all, networks.counts["both+shared"]];
  const columns = views.flatMap((counts) =>
    networks.signatures.map((_, j) => (row: number) => counts[row * nSignatures + j]!),
  );
  columns.push((row) => networks.longestPath.both[row]!);
  columns.push((row) => networks.heaviestPath.both[row]!);
  const nRows = networks.ids.length;
  const values = new Float64Array(nRows * columns.length);
  columns.forEach((valueAt, j) => {
    for (let row = 0; row < nRows; row += 1) values[row * columns.length + j] = valueAt(row);
  });
  return coveringRows({ rows: nRows, columns: columns.length, values }, count, taken);
}

export interface CampaignJob {
  readonly platforms: readonly AvailablePlatform[];
  readonly networks: readonly Subject[];
  readonly protocol: Pick<Protocol, "nProcesses" | "nPairs" | "warmupRuns" | "chunkSize">;
  readonly nDescriptors: number;
  readonly pool: Pool;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly resumeCommand: string;
  readonly warn: Warn;
  /** How to start a sampler; default a process of its own. */
  readonly startSampler?: StartSampler;
}

/** The operators' lines of the n-th repetition: those after the first n × processes of each operator. */
function linesOfRepetition(
  lines: readonly ProcessSummary[],
  repetition: number,
  nProcesses: number,
): ProcessSummary[] {
  const nSeen = new Map<string, number>();
  const inOrder = [...lines].sort((a, b) => a.startedAt.localeCompare(b.startedAt));
  return inOrder.filter(({ subjectId }) => {
    const n = nSeen.get(subjectId) ?? 0;
    nSeen.set(subjectId, n + 1);
    return Math.floor(n / nProcesses) === repetition;
  });
}

/** Write a platform's descriptor of all repetitions, and that of the last one alone. */
function writeDescriptors(job: CampaignJob, { platform }: AvailablePlatform, repetition: number) {
  const { pool } = job;
  const own = pool.runs().lines.filter(({ platformId }) => platformId === platform.id);
  const operators = own.filter(({ kind }) => kind === "operator");
  const context =
    pool.contexts().find(({ id }) => id === operators[0]?.contextId) ??
    takeContext(platform.runtime.version);
  pool.writeDescriptor(descriptorFromMeasurements(platform, summarise(own), context));
  const alone = linesOfRepetition(operators, repetition, operatorProcesses(job.nDescriptors));
  pool.writeDescriptorRepeat(
    descriptorFromMeasurements(platform, summarise(alone), context),
    repetition + 1,
  );
}

/**
 * Measure platforms into a pool: networks, and descriptors several times.
 *
 * @returns measurements of the platforms and networks, and what could not be measured
 * @throws InterruptedError after Ctrl-C, with everything finished in the log; BusyError when another process measures
 *   into the pool
 */
export function measureCampaign(job: CampaignJob): Promise<CampaignOutcome> {
  return job.pool.exclusively(() => measureStages(job));
}

/** What was measured, and what could not be. */
interface CampaignOutcome {
  readonly measurements: readonly Measurement[];
  readonly failures: readonly CampaignFailure[];
}

async function measureStages(job: CampaignJob): Promise<CampaignOutcome> {
  const { platforms, networks, protocol, pool, warn } = job;
  const operators = operatorSubjects();
  const pace = new Pace();
  const { lines } = pool.runs();
  const nDone = new Map<string, number>();
  for (const { platformId, subjectId } of lines) {
    const key = `${platformId} ${subjectId}`;
    nDone.set(key, (nDone.get(key) ?? 0) + 1);
  }
  for (const { platform } of platforms) {
    const plan = (subjects: readonly Subject[], nProcesses: number) => {
      for (const { id, kind } of subjects) {
        const missing = nProcesses - (nDone.get(`${platform.id} ${id}`) ?? 0);
        pace.plan(platform.id, kind, Math.max(0, missing));
      }
    };
    plan(operators, job.nDescriptors * operatorProcesses(job.nDescriptors));
    plan(networks, protocol.nProcesses);
  }
  const failures = new Map<string, CampaignFailure>();
  const stages = stagesOf(protocol.nProcesses, job.nDescriptors);
  for (const [i, stage] of stages.entries()) {
    const where = `stage ${i + 1} of ${stages.length}`;
    const common = { ...job, pace };
    const result =
      stage.kind === "operators"
        ? await measureSubjects(platforms, operators, {
            ...common,
            label: `operators (${where})`,
            counters: true,
            protocol: {
              ...profileProtocol,
              nProcesses: (stage.repetition + 1) * operatorProcesses(job.nDescriptors),
            },
          })
        : await measureSubjects(platforms, networks, {
            ...common,
            label: `networks (${where})`,
            protocol: {
              ...bulkProtocol,
              ...protocol,
              nProcesses: stage.nProcesses,
              nExtraProcesses: stage.isLast ? bulkProtocol.nExtraProcesses : 0,
            },
          });
    for (const failure of result.failures) {
      failures.set(`${failure.platformId} ${failure.subjectId}`, failure);
    }
    if (stage.kind === "networks") continue;
    for (const platform of platforms) {
      try {
        writeDescriptors(job, platform, stage.repetition);
      } catch (error) {
        if (!(error instanceof MeasurementError)) throw error;
        warn(
          "not-profiled",
          `${runtimePartOf(platform.platform.id)}: ${error.message}`,
          error.hint,
        );
      }
    }
  }
  const wanted = new Set(networks.map(({ id }) => id));
  const wantedPlatforms = new Set(platforms.map(({ platform }) => platform.id));
  return {
    failures: [...failures.values()],
    measurements: summarisePool(pool).filter(
      ({ platformId, subjectId }) => wantedPlatforms.has(platformId) && wanted.has(subjectId),
    ),
  };
}
