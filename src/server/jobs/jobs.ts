/**
 * Jobs: asked for, queued, run one at a time because measurements must be alone, stopped, resumed, and kept on the disk
 * so that they outlive the service.
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import { z } from "zod";
import { BusyError, messageOf, NotFoundError } from "../../errors.js";
import { readBytes } from "../../store/files.js";
import { lockFolder } from "../../store/lock.js";
import { onboardingFiles } from "../../store/paths.js";
import type { Job, JobEvent, JobRequest, JobState } from "../api/schemas.js";
import { OverloadedError } from "../kernel/kernel.js";
import { ConflictError } from "../refusals.js";
import { Attempt, type AttemptEnd, wasInterrupted } from "./attempt.js";
import type { StartCommand } from "./command.js";
import type { EventLog, Follower } from "./event-log.js";
import { type JobRecord, JobStore } from "./job-store.js";
import type { MachineFacts } from "./machine.js";
import { commandOf, orderOf, proposingCommand } from "./orders.js";

/** What jobs work with. */
export interface JobsOptions {
  /** Folder of everything that Samara keeps. */
  readonly home: string;
  readonly machine: MachineFacts;
  readonly startCommand: StartCommand;
  readonly log: Logger;
  /** Jobs that may wait; default 16. */
  readonly capacity?: number;
  /** Between asking a command to stop and ending it; default 30 s. */
  readonly graceMs?: number;
  readonly now?: () => Date;
}

const defaultCapacity = 16;
/** A measuring command finishes the network in work first. */
const defaultGraceMs = 30_000;
/** Readers of events at a time. */
const mostFollowers = 1000;

/** States in which a job ends, for now or for good. */
const isFinal = (state: JobState) => state !== "queued" && state !== "running";
const isResumable = (state: JobState) => isFinal(state) && state !== "succeeded";

interface Entry {
  record: JobRecord;
  /** Of jobs that are queued or run; of others it is read when somebody asks. */
  log?: EventLog;
  attempt?: Attempt;
  /** What it becomes when its command stops. */
  stopAs?: "cancelled" | "interrupted";
}

/** All jobs of one home. */
export class Jobs {
  readonly #options: JobsOptions;
  readonly #store: JobStore;
  readonly #entries = new Map<string, Entry>();
  readonly #release: () => void;
  #running: Promise<void> | undefined;
  #nFollowers = 0;
  #isClosed = false;

  /**
   * Take over the jobs of a home: those that were running are interrupted, those that waited wait on.
   *
   * @throws BusyError when another service has them; StorageError
   */
  constructor(options: JobsOptions) {
    this.#options = options;
    this.#store = new JobStore(options.home);
    this.#release = lockJobs(this.#store.folder);
    const { records, damaged } = this.#store.read();
    for (const name of damaged) options.log.warn({ job: name }, "job cannot be read");
    for (const record of records) {
      const entry: Entry = { record };
      this.#entries.set(record.id, entry);
      if (record.state === "queued") entry.log = this.#store.events(record.id);
      if (record.state !== "running") continue;
      entry.log = this.#store.events(record.id);
      this.#end(entry, "interrupted", null, "the service ended while it ran");
    }
    options.machine.isMeasuring = () => this.#running !== undefined;
    this.#startNext();
  }

  #nowText(): string {
    return (this.#options.now?.() ?? new Date()).toISOString();
  }

  #queue(): Entry[] {
    return [...this.#entries.values()]
      .filter(({ record }) => record.state === "queued")
      .sort((a, b) => a.record.queuedAt.localeCompare(b.record.queuedAt));
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry) return entry;
    throw new NotFoundError(`there is no job "${id}"`, { hint: "GET /api/v1/jobs lists them" });
  }

  /** What cannot be written is no reason to stop measuring: what is measured has its own log. */
  #keep(action: string, record: JobRecord, body: () => void): void {
    try {
      body();
    } catch (error) {
      this.#options.log.error({ job: record.id, err: error }, `cannot ${action}`);
    }
  }

  #tell(entry: Entry, event: JobEvent): void {
    this.#keep("write a job's events", entry.record, () => entry.log?.add(event));
  }

  #change(entry: Entry, changes: Partial<JobRecord> & { readonly state: JobState }): void {
    entry.record = { ...entry.record, ...changes };
    this.#keep("write a job", entry.record, () => this.#store.save(entry.record));
    this.#tell(entry, { type: "state", state: changes.state, at: this.#nowText() });
    this.#options.log.info({ job: entry.record.id, state: changes.state }, "job");
  }

  #end(entry: Entry, state: JobState, exitCode: number | null, error: string | null): void {
    this.#change(entry, { state, exitCode, error, endedAt: this.#nowText() });
    entry.log?.end();
    delete entry.log;
    delete entry.attempt;
    delete entry.stopAs;
  }

  #checkRoom(): void {
    const capacity = this.#options.capacity ?? defaultCapacity;
    if (this.#isClosed) throw new OverloadedError("the service is stopping");
    if (this.#queue().length < capacity) return;
    throw new OverloadedError(
      `${capacity} jobs wait already, which is as many as the service takes`,
      {
        hint: "wait until one has ended, or cancel one",
      },
    );
  }

  /** A job as the interface shows it. */
  #shown({ record }: Entry, results: unknown[] | null): Job {
    const { id, request, state, createdAt, startedAt, endedAt, exitCode, error, nAttempts } =
      record;
    const place = this.#queue().findIndex((one) => one.record.id === id);
    return {
      ...{ id, request, state, createdAt, startedAt, endedAt, exitCode, error, nAttempts },
      position: place < 0 ? null : place + 1,
      results,
      hasReport: reportOf(record) !== undefined,
    };
  }

  /** The newest jobs, the newest first, without their results. */
  list(limit: number): Job[] {
    const newest = [...this.#entries.values()].reverse().slice(0, limit);
    return newest.map((entry) => this.#shown(entry, null));
  }

  /** @throws NotFoundError */
  get(id: string): Job {
    return this.#shown(this.#entry(id), this.#store.results(id));
  }

  /**
   * Queue a job.
   *
   * @throws InputError, FormatError, NotFoundError when the request is wrong; OverloadedError when too many wait;
   *   StorageError when it cannot be kept
   */
  async add(request: JobRequest): Promise<Job> {
    this.#checkRoom();
    const { home, machine, now } = this.#options;
    const createdAt = now?.() ?? new Date();
    const order = await orderOf(request, { createdAt, machine, home });
    this.#checkRoom();
    const time = createdAt.toISOString();
    const id = `${time.replaceAll(/\D/g, "").slice(0, 14)}-${randomBytes(4).toString("hex")}`;
    const { plan, ...known } = order;
    const record: JobRecord = {
      schema: "samara/job/1",
      id,
      request,
      state: "queued",
      createdAt: time,
      queuedAt: this.#nowText(),
      startedAt: null,
      endedAt: null,
      exitCode: null,
      error: null,
      nAttempts: 0,
      ...known,
    };
    if (plan !== undefined) this.#store.savePlan(id, plan);
    this.#store.save(record);
    const entry: Entry = { record, log: this.#store.events(id) };
    this.#entries.set(id, entry);
    this.#tell(entry, { type: "state", state: "queued", at: record.queuedAt });
    this.#startNext();
    return this.get(id);
  }

  /**
   * Cancel a job that waits or runs; one that runs keeps what it has measured. A second time ends it at once.
   *
   * @throws NotFoundError; ConflictError when it has ended
   */
  cancel(id: string): Job {
    const entry = this.#entry(id);
    const { state } = entry.record;
    if (state === "queued") this.#end(entry, "cancelled", null, null);
    else if (state === "running") {
      entry.stopAs ??= "cancelled";
      entry.attempt?.stop();
    } else throw new ConflictError(`job ${id} has ended already: it is ${state}`);
    return this.get(id);
  }

  /**
   * Queue a job again that did not succeed; it goes on from what it has measured.
   *
   * @throws NotFoundError; ConflictError when it waits, runs or has succeeded; OverloadedError
   */
  resume(id: string): Job {
    const entry = this.#entry(id);
    const { state } = entry.record;
    if (!isResumable(state)) {
      throw new ConflictError(`job ${id} cannot be resumed: it is ${state}`, {
        hint: "what was cancelled, interrupted or failed can",
      });
    }
    this.#checkRoom();
    entry.log = this.#store.events(id);
    this.#change(entry, {
      state: "queued",
      queuedAt: this.#nowText(),
      endedAt: null,
      exitCode: null,
      error: null,
    });
    this.#startNext();
    return this.get(id);
  }

  /**
   * Delete a job that has ended; what it has measured stays.
   *
   * @throws NotFoundError; ConflictError when it waits or runs; StorageError
   */
  remove(id: string): void {
    const { state } = this.#entry(id).record;
    if (!isFinal(state)) {
      throw new ConflictError(`job ${id} is ${state}`, { hint: "cancel it first" });
    }
    this.#store.remove(id);
    this.#entries.delete(id);
  }

  /**
   * Read the events of a job from those after `after` on, then what happens.
   *
   * @returns undefined when it has ended and nothing is left to read
   * @throws NotFoundError; OverloadedError when too many read
   */
  follow(id: string, after: number): Follower | undefined {
    const entry = this.#entry(id);
    const log = entry.log ?? this.#store.events(id);
    if (entry.log === undefined) log.end();
    if (entry.log === undefined && after >= log.lastId) return undefined;
    if (this.#nFollowers >= mostFollowers) {
      throw new OverloadedError(`${mostFollowers} readers of events are as many as there may be`);
    }
    this.#nFollowers += 1;
    const follower = log.follow(after);
    let isOpen = true;
    return {
      next: (timeoutMs) => follower.next(timeoutMs),
      close: () => {
        if (isOpen) this.#nFollowers -= 1;
        isOpen = false;
        follower.close();
      },
    };
  }

  /** Readers of events now. */
  get nFollowers(): number {
    return this.#nFollowers;
  }

  /**
   * The HTML report of an onboarding.
   *
   * @throws NotFoundError when the job has none
   */
  report(id: string): Uint8Array {
    const path = reportOf(this.#entry(id).record);
    if (path === undefined) {
      throw new NotFoundError(`job ${id} has no report`, {
        hint: "a report is what an onboarding ends with",
      });
    }
    return readBytes(path, "report");
  }

  #startNext(): void {
    if (this.#running !== undefined || this.#isClosed) return;
    const [entry] = this.#queue();
    if (entry === undefined) return;
    const attempt = new Attempt(
      this.#options.startCommand,
      (message) => this.#tell(entry, { ...message, at: this.#nowText() }),
      this.#options.graceMs ?? defaultGraceMs,
    );
    entry.attempt = attempt;
    this.#running = this.#run(entry, attempt).finally(() => {
      this.#running = undefined;
      this.#startNext();
    });
    this.#change(entry, {
      state: "running",
      startedAt: this.#nowText(),
      nAttempts: entry.record.nAttempts + 1,
    });
  }

  async #run(entry: Entry, attempt: Attempt): Promise<void> {
    let end: AttemptEnd | undefined;
    try {
      await this.#options.machine.settled();
      end = await this.#work(entry, attempt);
    } catch (error) {
      this.#options.log.error({ job: entry.record.id, err: error }, "job");
      end = { exitCode: null, error: messageOf(error), document: undefined };
    }
    const results = end?.document?.results;
    if (results !== undefined) {
      this.#keep("write results", entry.record, () =>
        this.#store.saveResults(entry.record.id, results),
      );
    }
    const isDone = end?.exitCode === 0;
    const stopped =
      entry.stopAs ?? (end !== undefined && wasInterrupted(end) ? "interrupted" : "failed");
    const error = isDone ? null : (end?.error ?? null);
    this.#end(entry, isDone ? "succeeded" : stopped, end?.exitCode ?? null, error);
  }

  /** Do what is left to do; undefined when it was stopped before it began. */
  async #work(entry: Entry, attempt: Attempt): Promise<AttemptEnd | undefined> {
    const finished = finishedOnboarding(entry.record);
    if (finished !== undefined) return finished;
    const proposing = proposingCommand(entry.record);
    if (proposing !== undefined) {
      const end = await attempt.run(proposing);
      if (end === undefined || end.exitCode !== 0 || attempt.isStopped) return stoppedOr(end);
      const chosen = proposalSchema.parse(end.document);
      const proposed = chosen.results.map(({ id }) => id);
      entry.record = {
        ...entry.record,
        networks: [...new Set([...(entry.record.networks ?? []), ...proposed])],
        folder: chosen.context.pool,
      };
      this.#store.save(entry.record);
      this.#tell(entry, {
        type: "note",
        text: `proposed    ${proposed.join(" ")}`,
        at: this.#nowText(),
      });
    }
    const { id, folder } = entry.record;
    const hasBegun = folder !== null && existsSync(join(folder, onboardingFiles.begun));
    return attempt.run(commandOf(entry.record, this.#store.planPath(id), hasBegun));
  }

  /** Stop the job that runs, so that it can be resumed; those that wait are there when the service starts again. */
  async close(graceMs: number = this.#options.graceMs ?? defaultGraceMs): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const entry of this.#entries.values()) {
      if (entry.record.state === "queued") entry.log?.end();
      if (entry.record.state !== "running") continue;
      entry.stopAs ??= "interrupted";
      entry.attempt?.stop(graceMs);
    }
    this.#options.machine.close();
    await this.#running;
    this.#release();
  }
}

const proposalSchema = z.object({
  context: z.object({ pool: z.string() }),
  results: z.array(z.object({ id: z.string() })),
});

/** A proposal that was stopped has measured nothing, whatever it ended with. */
const stoppedOr = (end: AttemptEnd | undefined): AttemptEnd | undefined =>
  end?.exitCode === 0 ? undefined : end;

/** Where the report of a finished onboarding lies. */
function reportOf({ request, folder }: JobRecord): string | undefined {
  if (request.kind !== "onboard" || folder === null) return undefined;
  return existsSync(join(folder, onboardingFiles.finished))
    ? join(folder, onboardingFiles.report)
    : undefined;
}

/** What an onboarding ended with that had finished when the service ended, before its job was told so. */
function finishedOnboarding(record: JobRecord): AttemptEnd | undefined {
  if (reportOf(record) === undefined) return undefined;
  const path = join(record.folder!, onboardingFiles.finished);
  const { result } = z
    .object({ result: z.unknown() })
    .parse(JSON.parse(readBytes(path, "report").toString("utf8")));
  return { exitCode: 0, error: null, document: { context: {}, results: [result] } };
}

function lockJobs(folder: string): () => void {
  try {
    return lockFolder(folder);
  } catch (cause) {
    if (!(cause instanceof BusyError)) throw cause;
    throw new BusyError("another service runs the jobs of this home", {
      hint: "ask that one for jobs, or start this one with another SAMARA_HOME",
      cause,
    });
  }
}
