// Sessions that are somewhere else: whose waits a sampler reads, and that it ends what they share.
import { describe, expect, test } from "vitest";
import { tinyConvNet } from "../../test/contract/tiny-models.js";
import type { WaitReader, WaitSource } from "./run-queue.js";
import type { Runtime, Session } from "./runtime.js";
import { createReferenceRuntime } from "./runtimes/reference.js";
import { createLocalSampler } from "./sampler-local.js";

/** Waits that grow by as much with each reading. */
function growingWaits(stepNs: number): WaitReader {
  let totalNs = 0;
  return {
    nThreads: 1,
    read(into) {
      totalNs += stepNs;
      into[0] = totalNs;
    },
    close() {},
  };
}

/** A sampler of the fake runtime whose sessions are "elsewhere", each run 2 ms. */
function createSampler(more: Partial<Session>) {
  const fake = createReferenceRuntime(() => {});
  let isClosed = false;
  const runtime: Runtime = {
    ...fake,
    async load(model, info) {
      const session = await fake.load(model, info);
      return { ...session, timeRuns: async (nRuns) => 2e6 * nRuns, ...more };
    },
    async close() {
      isClosed = true;
    },
  };
  const waits: WaitSource = {
    threadIds: () => [],
    open: (_others, running) => growingWaits(running === undefined ? 1e3 : 100e3),
  };
  const { info } = fake.variants("1.0.0", 1)[0]!;
  return {
    sampler: createLocalSampler({ runtime, runtimeInfo: info, waits }),
    isClosed: () => isClosed,
  };
}

async function waitsOf(more: Partial<Session>) {
  const { sampler } = createSampler(more);
  await sampler.load("n", tinyConvNet(1));
  const { target } = await sampler.timePairs({ target: "n", reference: "n", nPairs: 1 });
  return target;
}

describe("a session that times itself elsewhere", () => {
  test("has unknown waits unless it says whose they are: the calling thread's are others", async () => {
    const { waitNs, correctedNs } = await waitsOf({});
    expect(waitNs).toBeNull();
    expect([...correctedNs]).toEqual([2e6]);
  });

  test("has the waits of the thread that it names", async () => {
    const { waitNs } = await waitsOf({ thread: { processId: 1, threadId: 1 } });
    expect([...waitNs!]).toEqual([100e3]);
  });

  test("has its own waits where it knows them", async () => {
    const thread = { processId: 1, threadId: 1 };
    const { waitNs, correctedNs } = await waitsOf({ thread, waits: growingWaits(500e3) });
    expect([...waitNs!]).toEqual([500e3]);
    expect([...correctedNs]).toEqual([1.5e6]);
  });
});

describe("close()", () => {
  test("ends what the sessions share, after the sessions", async () => {
    const events: string[] = [];
    const { sampler, isClosed } = createSampler({
      dispose: () => {
        events.push(`disposed, closed: ${isClosed()}`);
      },
    });
    await sampler.load("n", tinyConvNet(1));
    await sampler.close();
    expect(events).toEqual(["disposed, closed: false"]);
    expect(isClosed()).toBe(true);
  });
});
