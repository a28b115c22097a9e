/**
 * How long a benchmark has still to run: from how long predictors took to learn, and then for each trial.
 */
import { mean } from "../tensor/stats.js";
import type { Job } from "./benchmark-messages.js";

/** Times that one predictor has taken, ms. */
interface Spent {
  readonly learning: number[];
  readonly trial: number[];
}

interface Running {
  readonly startedMs: number;
  nDone: number;
  lastMs: number;
}

/** Estimates the time that is left; told what happens by `runBenchmark`. */
export class BenchmarkClock {
  readonly #waiting: Set<Job>;
  readonly #running = new Map<Job, Running>();
  readonly #spent = new Map<string, Spent>();
  readonly #nWorkers: number;
  readonly #now: () => number;

  constructor(jobs: readonly Job[], nWorkers: number, now: () => number = () => performance.now()) {
    this.#waiting = new Set(jobs);
    this.#nWorkers = nWorkers;
    this.#now = now;
  }

  /** A worker has begun with a job. */
  start(job: Job): void {
    this.#waiting.delete(job);
    const startedMs = this.#now();
    this.#running.set(job, { startedMs, nDone: 0, lastMs: startedMs });
  }

  /** Some trials of a job have ended. The first comes when the predictor has learned. */
  advance(job: Job, nTrials: number): void {
    const running = this.#running.get(job);
    if (running === undefined) return;
    const nowMs = this.#now();
    const spent = this.#spent.get(job.predictor) ?? { learning: [], trial: [] };
    this.#spent.set(job.predictor, spent);
    if (running.nDone === 0) spent.learning.push(nowMs - running.startedMs);
    else spent.trial.push((nowMs - running.lastMs) / nTrials);
    running.nDone += nTrials;
    running.lastMs = nowMs;
  }

  /** A job has ended. */
  finish(job: Job): void {
    this.#running.delete(job);
  }

  /** Milliseconds that are left; undefined before anything is known. */
  leftMs(): number | undefined {
    const all = [...this.#spent.values()];
    const overall = {
      learning: all.flatMap(({ learning }) => learning),
      trial: all.flatMap(({ trial }) => trial),
    };
    if (overall.learning.length === 0) return undefined;
    const meanOf = (job: Job, part: keyof Spent) => {
      const own = this.#spent.get(job.predictor)?.[part] ?? [];
      const values = own.length > 0 ? own : overall[part];
      return values.length > 0 ? mean(values) : 0;
    };
    let totalMs = 0;
    for (const job of this.#waiting) {
      totalMs += meanOf(job, "learning") + (job.trials.length - 1) * meanOf(job, "trial");
    }
    for (const [job, { startedMs, nDone, lastMs }] of this.#running) {
      const elapsedMs = this.#now() - (nDone === 0 ? startedMs : lastMs);
      const learningMs = nDone === 0 ? meanOf(job, "learning") : 0;
      const trialsMs = (job.trials.length - Math.max(nDone, 1)) * meanOf(job, "trial");
      totalMs += Math.max(0, learningMs + trialsMs - elapsedMs);
    }
    return totalMs / this.#nWorkers;
  }
}
