// Waits of a page's thread, with a page whose thread has exactly the processor time that it is given.
import { describe, expect, test } from "vitest";
import type { ChromiumPage } from "./chromium-page.js";
import { PageTimer } from "./page-timer.js";

const requestNs = 150e3;

/** A page: each timed run takes `wallNs`, of which its thread waits `waitNs(run)`. */
function createPage(wallNs: number, waitNs: (run: number) => number, tellsTime = true) {
  let threadNs = 7e6;
  let nRequests = 0;
  let nRuns = 0;
  const page: ChromiumPage = {
    async ask(command) {
      nRequests += 1;
      // The first requests cost more: the browser compiles its own code.
      threadNs += nRequests < 5 ? 10 * requestNs : requestNs;
      if (command !== "timeRuns") return null as never;
      threadNs += wallNs - waitNs(nRuns);
      nRuns += 1;
      return wallNs as never;
    },
    offer: () => "",
    threadTimeNs: async () => (tellsTime ? threadNs : null),
    close: async () => {},
  };
  return page;
}

/** What the timer books for each of `nBlocks` blocks. */
async function bookedWaits(timer: PageTimer, nBlocks: number): Promise<number[]> {
  const total = new Float64Array(1);
  const booked: number[] = [];
  for (let block = 0; block < nBlocks; block++) {
    timer.reader()!.read(total);
    const before = total[0]!;
    await timer.timeRuns(0, 1);
    timer.reader()!.read(total);
    booked.push(Math.round(total[0]! - before));
  }
  return booked;
}

describe("PageTimer", () => {
  test("books wall time without processor time as waits, and none where there was none", async () => {
    const waits = [0, 3e6, 0, 500e3];
    const timer = await PageTimer.start(createPage(5e6, (run) => waits[run]!));
    expect(await bookedWaits(timer, 4)).toEqual(waits);
  });

  test("leaves out what cannot be told from the cost of a request", async () => {
    const timer = await PageTimer.start(createPage(5e6, () => 190e3));
    expect(await bookedWaits(timer, 1)).toEqual([0]);
  });

  test("never books more than the wall time", async () => {
    const timer = await PageTimer.start(createPage(1e6, () => 2e6));
    expect(await bookedWaits(timer, 1)).toEqual([1e6]);
  });

  test("does not take other work of the page for runs", async () => {
    const page = createPage(5e6, () => 3e6);
    const timer = await PageTimer.start(page);
    await timer.timeRuns(0, 1);
    for (let i = 0; i < 30; i++) await page.ask("ping", {});
    timer.forget();
    expect(await bookedWaits(timer, 1)).toEqual([3e6]);
  });

  test("knows no waits where the browser tells no thread times", async () => {
    const timer = await PageTimer.start(createPage(5e6, () => 3e6, false));
    expect(timer.reader()).toBeUndefined();
    expect(await timer.timeRuns(0, 1)).toBe(5e6);
  });
});
