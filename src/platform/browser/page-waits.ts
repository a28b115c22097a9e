/**
 * How long the thread of a page waited for a processor during timed runs: their wall time less the processor time
 * that the thread had. (A run never sleeps, so the rest is waiting.)
 *
 * The kernel's book of waits, which serves elsewhere, does not do here: a thread that is woken by a message waits
 * to be run then as well, 0.1 to 0.2 ms a block outside the timed region, and much more on a busy machine.
 */
import type { WaitReader } from "../run-queue.js";
import type { ChromiumPage } from "./chromium-page.js";

/** Blocks that only pass time, to learn what a request itself costs. */
const nSpins = 20;
const spinMs = 1;
/** Shorter waits cannot be told from differences between requests. */
const shortestWaitNs = 100e3;

/** The value below which a share of the values lies. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))]!;
}

/** Times runs of a page's sessions, and books the waits within. */
export class PageTimer {
  readonly #page: ChromiumPage;
  /** Processor time of a request beside its runs; null where the browser does not tell thread times. */
  readonly #requestNs: number | null;
  /** Thread time after the last timed block, until something else is asked of the page. */
  #lastThreadTimeNs: number | null = null;
  #waitedNs = 0;

  private constructor(page: ChromiumPage, requestNs: number | null) {
    this.#page = page;
    this.#requestNs = requestNs;
  }

  static async start(page: ChromiumPage): Promise<PageTimer> {
    const costs: number[] = [];
    let before = await page.threadTimeNs();
    for (let i = 0; i < nSpins && before !== null; i++) {
      const wallNs = await page.ask("spin", { durationMs: spinMs });
      const after = await page.threadTimeNs();
      if (after !== null) costs.push(after - before - wallNs);
      before = after;
    }
    // The cheaper half: the first requests are slow, and a cost that is too high would make waits where none are.
    return new PageTimer(page, before === null ? null : Math.max(0, quantile(costs, 0.25)));
  }

  /** Waits of all timed blocks together; null where they are unknown. */
  reader(): WaitReader | null {
    if (this.#requestNs === null) return null;
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
    const before = this.#lastThreadTimeNs ?? (await this.#page.threadTimeNs())!;
    const wallNs = await this.#page.ask("timeRuns", { session, nRuns });
    const after = (await this.#page.threadTimeNs())!;
    this.#lastThreadTimeNs = after;
    const waitNs = wallNs - (after - before - this.#requestNs);
    if (waitNs > shortestWaitNs) this.#waitedNs += Math.min(waitNs, wallNs);
    return wallNs;
  }
}
