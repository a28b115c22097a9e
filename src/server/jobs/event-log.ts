/**
 * What happened in a job: events that are kept, numbered from 1, and the progress of the moment, which is not.
 *
 * Followers hold a place in the log and nothing else, so that one that reads slowly costs no memory.
 */
import { z } from "zod";
import { AppendOnlyLog } from "../../store/files.js";
import { type JobEvent, jobEventSchema } from "../api/schemas.js";

const storedSchema = z.object({ id: z.number().int().positive(), event: jobEventSchema });
/** An event that is kept, with its number. */
export type StoredEvent = z.infer<typeof storedSchema>;

/** Notes and warnings of one job that are kept; states always are. */
const mostKept = 10_000;
/** Events that a follower is given at once. */
const batchSize = 100;

/** What a follower is given: events, the progress of the moment, nothing for a while, or the end. */
export type Followed =
  | { readonly kind: "events"; readonly events: readonly StoredEvent[] }
  | { readonly kind: "progress"; readonly event: JobEvent }
  | { readonly kind: "idle" }
  | { readonly kind: "end" };

/** A reader of a log. */
export interface Follower {
  /** What comes next, or `idle` when nothing does for so long. */
  next(timeoutMs: number): Promise<Followed>;
  /** Read no more; a `next` that waits ends. */
  close(): void;
}

/** The events of one job. */
export class EventLog {
  readonly #file: AppendOnlyLog;
  readonly #events: StoredEvent[] = [];
  #progress: JobEvent | undefined;
  /** Counts progress, so that a follower knows what it has seen. */
  #nProgress = 0;
  #isEnded = false;
  #wake = new Set<() => void>();

  /** Read what there is. */
  constructor(path: string) {
    this.#file = new AppendOnlyLog(path);
    for (const value of this.#file.read().values) {
      const { data } = storedSchema.safeParse(value);
      if (data !== undefined && data.id > this.lastId) this.#events.push(data);
    }
  }

  /** Number of the last event; 0 when there is none. */
  get lastId(): number {
    return this.#events.at(-1)?.id ?? 0;
  }

  /**
   * Add an event; progress replaces what it was before and is not kept.
   *
   * @throws StorageError when it could not be written; followers see it all the same
   */
  add(event: JobEvent): void {
    if (event.type === "progress") {
      this.#progress = event;
      this.#nProgress += 1;
      this.#wakeAll();
      return;
    }
    const isState = event.type === "state";
    if (!isState && this.#events.length > mostKept) return;
    const isLast = !isState && this.#events.length === mostKept;
    const kept: JobEvent = isLast
      ? { type: "warning", text: "more was said than is kept", at: event.at }
      : event;
    if (isState) this.#progress = undefined;
    const stored = { id: this.lastId + 1, event: kept };
    this.#events.push(stored);
    this.#wakeAll();
    this.#file.append(stored);
  }

  /** Nothing will be added any more: followers end when they have read everything. */
  end(): void {
    this.#isEnded = true;
    this.#wakeAll();
  }

  #wakeAll(): void {
    const waiting = [...this.#wake];
    this.#wake.clear();
    for (const wake of waiting) wake();
  }

  /** Read what follows the event `after`, then what is added. */
  follow(after: number): Follower {
    let lastId = after;
    let nProgressSeen = 0;
    let isClosed = false;
    let wakeOwn: (() => void) | undefined;
    const wait = (timeoutMs: number) =>
      new Promise<void>((fulfil) => {
        const done = () => {
          clearTimeout(timer);
          this.#wake.delete(done);
          wakeOwn = undefined;
          fulfil();
        };
        const timer = setTimeout(done, timeoutMs);
        timer.unref();
        wakeOwn = done;
        this.#wake.add(done);
      });
    const ready = (): Followed | undefined => {
      if (isClosed) return { kind: "end" };
      if (lastId < this.lastId) {
        const start = this.#events.findIndex(({ id }) => id > lastId);
        const events = this.#events.slice(start, start + batchSize);
        lastId = events.at(-1)!.id;
        return { kind: "events", events };
      }
      if (this.#progress !== undefined && nProgressSeen < this.#nProgress) {
        nProgressSeen = this.#nProgress;
        return { kind: "progress", event: this.#progress };
      }
      return this.#isEnded ? { kind: "end" } : undefined;
    };
    return {
      async next(timeoutMs) {
        const now = ready();
        if (now !== undefined) return now;
        await wait(timeoutMs);
        return ready() ?? { kind: "idle" };
      },
      close() {
        isClosed = true;
        wakeOwn?.();
      },
    };
  }
}
