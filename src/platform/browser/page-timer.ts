/**
 * Timed runs in a page, and how long its thread waited for a processor during them: their wall time less the
 * processor time that the thread had. (A run never sleeps, so the rest is waiting.)
 *
 * The kernel's book of waits, which serves elsewhere, does not do here: a thread that is woken by a message waits
 * to be run then as well, 0.1 to 0.2 ms a block outside the timed region, and much more on a busy machine.
 *
 * A request takes processor time beside its runs. The least that was ever seen is taken off: more would make waits
 * where there were none. So what is called a wait was one, and those below 0.2 ms stay unseen.
 */
import type { WaitReader } from "../run-queue.js";
import type { ChromiumPage } from "./chromium-page.js";

/** Empty requests to learn from, at first (while the browser still compiles its own code) and each time again. */
const nFirstPings = 20;
const nPings = 4;
/** Shorter waits cannot be told from differences between requests: with 0.1 ms, quiet blocks had waits. */
const shortestWaitNs = 200e3;

/** Times runs of a page's sessions, and books the waits within. */
export class PageTimer {
  readonly #page: ChromiumPage;
  /** Processor time of an empty request; infinite before the first, null where thread times are not told. */
  #requestNs: number | null = Number.POSITIVE_INFINITY;
  /** Thread time after the last timed block, until something else is asked of the page. */
  #lastThreadTimeNs: number | null = null;
  #waitedNs = 0;

  private constructor(page: ChromiumPage) {
    this.#page = page;
  }

  /** A timer that has learned what requests cost. */
  static async start(page: ChromiumPage): Promise<PageTimer> {
    const timer = new PageTimer(page);
    await timer.learn(nFirstPings);
    return timer;
  }

  /** Look again at what a request costs. */
  async learn(pings = nPings): Promise<void> {
    let before = await this.#page.threadTimeNs();
    for (let i = 0; i < pings; i++) {
      await this.#page.ask("ping", {});
      const after = await this.#page.threadTimeNs();
      if (before === null || after === null || this.#requestNs === null) {
        this.#requestNs = null;
        return;
      }
      this.#requestNs = Math.min(this.#requestNs, after - before);
      before = after;
    }
  }

  /** Waits of all timed blocks together; undefined where they are unknown. */
  reader(): WaitReader | undefined {
    if (this.#requestNs === null) return undefined;
    return {
      nThreads: 1,
      read: (into) => {
        into[0] = this.#waitedNs;
      },
      close() {},
    };
  }

  /** Call when anything but `timeRuns` is asked of the page. */
  forget(): void {
    this.#lastThreadTimeNs = null;
  }

  /** Wall time of several runs, ns. */
  async timeRuns(session: number, nRuns: number): Promise<number> {
    if (this.#requestNs === null) return this.#page.ask("timeRuns", { session, nRuns });
    const before = this.#lastThreadTimeNs ?? (await this.#page.threadTimeNs());
    const wallNs = await this.#page.ask("timeRuns", { session, nRuns });
    const after = await this.#page.threadTimeNs();
    this.#lastThreadTimeNs = after;
    if (before === null || after === null) return wallNs;
    const waitNs = wallNs - (after - before - this.#requestNs);
    if (waitNs > shortestWaitNs) this.#waitedNs += Math.min(waitNs, wallNs);
    return wallNs;
  }
}
