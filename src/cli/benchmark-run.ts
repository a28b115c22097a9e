/**
 * Runs a planned benchmark: splits it into jobs, keeps every finished unit, shows progress, picks up what is there.
 */
import type { Protocol, Selection } from "../evaluate/transfer.js";
import type { ScoredUnit } from "../evaluate/transfer-summary.js";
import { formatDuration } from "../units.js";
import { BenchmarkClock } from "./benchmark-clock.js";
import { codeHashOf } from "./benchmark-code.js";
import { isSameTrial, type Job, type SentError, type Trial } from "./benchmark-messages.js";
import type { PlannedTask } from "./benchmark-plan.js";
import { hashTask, keyOfUnit, type UnitLog } from "./benchmark-units.js";
import { runJobs } from "./benchmark-workers.js";
import type { Progress } from "./progress.js";

export interface RunOptions {
  readonly tasks: readonly PlannedTask[];
  readonly predictors: readonly string[];
  readonly protocol: Protocol;
  readonly seed: number;
  /** Numbers of samples and ways to select them; a predictor learns once for all of them. */
  readonly samples: readonly number[];
  readonly selections: readonly Selection[];
  readonly trials: number;
  /** All trials share the first draw of source networks, so a predictor learns once a task. */
  readonly oneSourceDraw: boolean;
  readonly nWorkers: number;
  readonly log: UnitLog;
  /** Take finished units from the log. */
  readonly resume: boolean;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Something that could not be scored. */
export interface FailedUnit {
  readonly task: string;
  readonly predictor: string;
  readonly target: string;
  readonly trial: number;
  readonly error: SentError;
}

export interface RunResult {
  /** In the order task, predictor, target, trial. */
  readonly units: readonly ScoredUnit[];
  readonly failures: readonly FailedUnit[];
  readonly nUnits: number;
  /** Of these, taken from the log. */
  readonly nResumed: number;
  /** Code hash of each predictor. */
  readonly code: Readonly<Record<string, string>>;
}

/** A unit with its place in the results. */
interface PlannedUnit {
  readonly key: string;
  readonly task: PlannedTask;
  readonly predictor: string;
  readonly draw: number;
  readonly at: Trial;
}

function unitsOf(options: RunOptions, code: Readonly<Record<string, string>>): PlannedUnit[] {
  const { tasks, predictors, protocol, seed, oneSourceDraw } = options;
  const settings = options.samples.flatMap((samples) =>
    options.selections.map((select) => ({ protocol, seed, samples, select })),
  );
  const trials = Array.from({ length: options.trials }, (_, trial) => trial);
  return tasks.flatMap((task) => {
    const hashes = hashTask(task.task);
    return predictors.flatMap((predictor) =>
      settings.flatMap((setting) =>
        hashes.targets.flatMap((targetHash, target) =>
          trials.map((trial): PlannedUnit => {
            const draw = oneSourceDraw ? 0 : trial;
            const key = keyOfUnit({
              predictor,
              code: code[predictor]!,
              settings: setting,
              draw,
              trial,
              sources: hashes.sources,
              target: targetHash,
            });
            const { samples, select } = setting;
            return { key, task, predictor, draw, at: { target, trial, samples, select } };
          }),
        ),
      ),
    );
  });
}

/** Jobs with their units, in the order of the job's trials. */
type Jobs = ReadonlyMap<Job, readonly PlannedUnit[]>;

/** One job for each predictor, task and draw; the predictors named first come first. */
function jobsOf(units: readonly PlannedUnit[], { predictors, protocol, seed }: RunOptions): Jobs {
  const groups = new Map<string, PlannedUnit[]>();
  for (const predictor of predictors) {
    for (const unit of units) {
      if (unit.predictor !== predictor) continue;
      const key = JSON.stringify([predictor, unit.task.spec.name, unit.draw]);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [unit]);
      else group.push(unit);
    }
  }
  return new Map(
    [...groups.values()].map((group) => {
      const { task, predictor, draw } = group[0]!;
      const trials = group.map(({ at }) => at);
      return [{ task: task.spec, predictor, protocol, seed, draw, trials }, group];
    }),
  );
}

/** Run what is planned. After the signal the result holds what was finished. */
export async function runBenchmark(options: RunOptions): Promise<RunResult> {
  const { progress, log, signal } = options;
  const code = Object.fromEntries(options.predictors.map((name) => [name, codeHashOf(name)]));
  const planned = unitsOf(options, code);
  const kept = options.resume ? log.read() : new Map<string, ScoredUnit>();
  const done = new Map<string, ScoredUnit>();
  for (const { key } of planned) {
    const unit = kept.get(key);
    if (unit !== undefined) done.set(key, unit);
  }
  const nResumed = done.size;
  if (nResumed > 0) {
    progress.note(`${nResumed} of ${planned.length} trials are in ${log.path} already`);
  }
  const failures: FailedUnit[] = [];
  const missing = planned.filter(({ key }) => !done.has(key));
  const jobs = jobsOf(missing, options);
  const nWorkers = Math.min(options.nWorkers, Math.max(jobs.size, 1));
  const clock = new BenchmarkClock([...jobs.keys()], nWorkers);
  const find = (job: Job, at: Trial) => jobs.get(job)!.find((unit) => isSameTrial(unit.at, at))!;
  const show = ({ predictor, task }: Job, detail = "") => {
    const leftMs = clock.leftMs();
    const left = leftMs === undefined ? "" : `, about ${formatDuration(leftMs)} left`;
    const nDone = done.size + failures.length;
    progress.update(
      `benchmark: ${nDone}/${planned.length} trials, ${predictor} on ${task.name}${detail}${left}`,
    );
  };
  let storageError: unknown;
  const stop = new AbortController();
  await runJobs([...jobs.keys()], {
    nWorkers,
    signal: AbortSignal.any([signal, stop.signal]),
    onStarted: (job) => clock.start(job),
    onMessage(job, message) {
      if (message.kind === "scored") {
        const { key } = find(job, message.at);
        done.set(key, message.unit);
        clock.advance(job, 1);
        try {
          log.append(key, message.unit);
        } catch (error) {
          storageError = error;
          stop.abort();
        }
        show(job);
      } else if (message.kind === "failed") {
        clock.advance(job, message.trials.length);
        for (const at of message.trials) {
          const target = find(job, at).task.task.targets[at.target]!.id;
          failures.push({
            task: job.task.name,
            predictor: job.predictor,
            target,
            trial: at.trial,
            error: message.error,
          });
        }
        show(job);
      } else if (message.kind === "progress") {
        show(job, `, ${message.text}`);
      }
    },
    onFinished: (job) => clock.finish(job),
  });
  progress.clear();
  if (storageError !== undefined) throw storageError;
  return {
    units: planned.flatMap(({ key, task }) => {
      const unit = done.get(key);
      return unit === undefined ? [] : [{ ...unit, task: task.spec.name }];
    }),
    failures,
    nUnits: planned.length,
    nResumed,
    code,
  };
}

/**
 * What went wrong, once for each reason: how many trials of which targets.
 *
 * @returns a message and what to do about it
 */
export function describeFailures(
  failures: readonly FailedUnit[],
): { message: string; hint: string | undefined }[] {
  const groups = new Map<string, FailedUnit[]>();
  for (const failure of failures) {
    const key = JSON.stringify([failure.task, failure.predictor, failure.error.message]);
    groups.set(key, [...(groups.get(key) ?? []), failure]);
  }
  return [...groups.values()].map((group) => {
    const { task, predictor, error } = group[0]!;
    const targets = [...new Set(group.map(({ target }) => target))].join(", ");
    return {
      message: `${predictor} on ${task} (${targets}): ${group.length} trials not scored: ${error.message}`,
      hint: error.hint,
    };
  });
}
