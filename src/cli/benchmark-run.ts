/**
 * Runs a planned benchmark: splits it into jobs, keeps every finished unit, shows progress, picks up what is there.
 */
import type { TransferSettings } from "../evaluate/transfer.js";
import type { ScoredUnit } from "../evaluate/transfer-summary.js";
import { mean } from "../tensor/stats.js";
import { formatDuration } from "../units.js";
import { codeHashOf } from "./benchmark-code.js";
import type { Job, SentError, Trial } from "./benchmark-messages.js";
import type { PlannedTask } from "./benchmark-plan.js";
import { hashTask, keyOfUnit, type UnitLog } from "./benchmark-units.js";
import { runJobs } from "./benchmark-workers.js";
import type { Progress } from "./progress.js";

export interface RunOptions {
  readonly tasks: readonly PlannedTask[];
  readonly predictors: readonly string[];
  readonly settings: TransferSettings;
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
  const { tasks, predictors, settings, trials, oneSourceDraw } = options;
  return tasks.flatMap((task) => {
    const hashes = hashTask(task.task);
    return predictors.flatMap((predictor) =>
      hashes.targets.flatMap((targetHash, target) =>
        Array.from({ length: trials }, (_, trial) => {
          const draw = oneSourceDraw ? 0 : trial;
          const key = keyOfUnit({
            predictor,
            code: code[predictor]!,
            settings,
            draw,
            trial,
            sources: hashes.sources,
            target: targetHash,
          });
          return { key, task, predictor, draw, at: { target, trial } };
        }),
      ),
    );
  });
}

/** One job for each predictor, task and draw; the predictors named first come first. */
function jobsOf(units: readonly PlannedUnit[], { predictors, settings }: RunOptions): Job[] {
  const jobs = new Map<string, Job & { trials: Trial[] }>();
  for (const predictor of predictors) {
    for (const unit of units) {
      if (unit.predictor !== predictor) continue;
      const { task, draw, at } = unit;
      const key = JSON.stringify([predictor, task.spec.name, draw]);
      const job = jobs.get(key);
      if (job === undefined) {
        jobs.set(key, { task: task.spec, predictor, settings, draw, trials: [at] });
      } else {
        job.trials.push(at);
      }
    }
  }
  return [...jobs.values()];
}

/** Time that is left, from the time that finished units of the same predictor took. */
class Clock {
  readonly #left = new Map<string, number>();
  readonly #spentMs = new Map<string, number[]>();
  readonly #nWorkers: number;

  constructor(jobs: readonly Job[], nWorkers: number) {
    this.#nWorkers = nWorkers;
    for (const { predictor, trials } of jobs) {
      this.#left.set(predictor, (this.#left.get(predictor) ?? 0) + trials.length);
    }
  }

  /** A job has ended that took a worker this long. */
  finish({ predictor, trials }: Job, durationMs: number): void {
    this.#left.set(predictor, this.#left.get(predictor)! - trials.length);
    const spent = this.#spentMs.get(predictor) ?? [];
    this.#spentMs.set(predictor, [...spent, durationMs / trials.length]);
  }

  /** Text such as `, 3 min 20 s left`; empty before anything is known. */
  left(): string {
    const known = [...this.#spentMs.values()].flat();
    if (known.length === 0) return "";
    let totalMs = 0;
    for (const [predictor, nLeft] of this.#left) {
      totalMs += nLeft * mean(this.#spentMs.get(predictor) ?? known);
    }
    return `, about ${formatDuration(totalMs / this.#nWorkers)} left`;
  }
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
  const nWorkers = Math.min(options.nWorkers, Math.max(jobs.length, 1));
  const clock = new Clock(jobs, nWorkers);
  const find = (job: Job, at: Trial) =>
    missing.find(
      (unit) =>
        unit.predictor === job.predictor &&
        unit.task.spec.name === job.task.name &&
        unit.at.target === at.target &&
        unit.at.trial === at.trial,
    )!;
  const show = ({ predictor, task }: Job, detail = "") =>
    progress.update(
      `benchmark: ${done.size + failures.length}/${planned.length} trials, ${predictor} on ${task.name}${detail}${clock.left()}`,
    );
  const startedMs = new Map<Job, number>();
  let storageError: unknown;
  const stop = new AbortController();
  await runJobs(jobs, {
    nWorkers,
    signal: AbortSignal.any([signal, stop.signal]),
    onStarted: (job) => void startedMs.set(job, performance.now()),
    onMessage(job, message) {
      if (message.kind === "scored") {
        const { key } = find(job, message.at);
        done.set(key, message.unit);
        try {
          log.append(key, message.unit);
        } catch (error) {
          storageError = error;
          stop.abort();
        }
        show(job);
      } else if (message.kind === "failed") {
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
    onFinished: (job) => clock.finish(job, performance.now() - startedMs.get(job)!),
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
