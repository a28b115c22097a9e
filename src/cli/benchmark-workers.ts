/**
 * Runs benchmark jobs in worker processes, several at a time. A worker that crashes costs the job it was at.
 */
import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { InternalError } from "../errors.js";
import { packageRoot } from "../package.js";
import { isSameTrial, type Job, type Trial, type WorkerMessage } from "./benchmark-messages.js";

export interface JobEvents {
  onStarted(job: Job): void;
  onMessage(job: Job, message: WorkerMessage): void;
  /** After the last message of a job. */
  onFinished(job: Job): void;
}

/** What is kept of a worker's stderr for the message when it crashes. */
const stderrTailChars = 2000;

class Worker {
  readonly #child: ChildProcess;
  #stderr = "";

  constructor(main: string) {
    this.#child = fork(main, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-stderrTailChars);
    });
  }

  get isAlive(): boolean {
    return this.#child.connected && this.#child.exitCode === null && !this.#child.killed;
  }

  /** Resolves when the job is done, its worker has ended, or the signal says so. */
  work(job: Job, events: JobEvents): Promise<void> {
    let open: Trial[] = [...job.trials];
    return new Promise((resolve) => {
      const finish = () => {
        this.#child.off("message", onMessage);
        this.#child.off("close", onClose);
        this.#child.off("error", onError);
        resolve();
      };
      const onMessage = (message: WorkerMessage) => {
        const told = message.kind === "scored" ? [message.at] : [];
        const closed = message.kind === "failed" ? message.trials : told;
        open = open.filter((trial) => !closed.some((other) => isSameTrial(trial, other)));
        events.onMessage(job, message);
        if (message.kind === "done") finish();
      };
      const crashed = (how: string) => {
        const said = this.#stderr.trim().split("\n").slice(-3).join(" / ");
        const message = `a worker process ended (${how})${said === "" ? "" : `: ${said}`}`;
        const hint = "what is finished is kept: run the same command with --resume";
        const error = { name: "Error", message, hint };
        if (open.length > 0 && !this.#child.killed) {
          events.onMessage(job, { kind: "failed", trials: open, error });
        }
        finish();
      };
      const onClose = (code: number | null, signal: NodeJS.Signals | null) =>
        crashed(signal ?? `exit code ${code}`);
      const onError = (error: Error) => crashed(error.message);
      this.#child.on("message", onMessage);
      this.#child.on("close", onClose);
      this.#child.on("error", onError);
      this.#child.send(job);
    });
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

/**
 * Run jobs in order on up to `nWorkers` processes. After the signal, workers are killed and what they had not told is
 * lost.
 *
 * @throws InternalError when the worker is not built
 */
export async function runJobs(
  jobs: readonly Job[],
  { nWorkers, signal, ...events }: JobEvents & { nWorkers: number; signal: AbortSignal },
): Promise<void> {
  const main = join(packageRoot, "dist", "cli", "benchmark-worker.js");
  if (!existsSync(main)) {
    throw new InternalError("the benchmark's worker process is not built: run `npm run build`");
  }
  const waiting = [...jobs];
  const workers = new Set<Worker>();
  const stop = () => {
    for (const worker of workers) worker.kill();
  };
  signal.addEventListener("abort", stop);
  const runSome = async () => {
    let worker: Worker | undefined;
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      if (signal.aborted) break;
      if (!worker?.isAlive) {
        worker = new Worker(main);
        workers.add(worker);
      }
      events.onStarted(job);
      await worker.work(job, events);
      if (!signal.aborted) events.onFinished(job);
    }
    worker?.kill();
  };
  try {
    await Promise.all(Array.from({ length: Math.min(nWorkers, jobs.length) }, runSome));
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}
