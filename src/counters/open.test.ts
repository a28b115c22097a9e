// The real kernel, with whatever counters it has.
import { describe, expect, test } from "vitest";
import type { CounterName } from "./counter.js";
import { openCounters } from "./open.js";

describe("openCounters()", () => {
  test("counts this thread's work with what the machine has", (context) => {
    const counters = openCounters();
    const has = (name: CounterName) => counters.available.some((counter) => counter.name === name);
    if (!has("task-clock")) {
      context.skip(`no task-clock here: ${counters.absent[0]?.reason}`);
    }
    const start = process.hrtime.bigint();
    counters.start();
    for (let i = 0; i < 2_000_000; i++) Math.sqrt(i);
    const pages = Buffer.alloc(8 << 20, 1);
    counters.stop(1);
    const wallNs = Number(process.hrtime.bigint() - start);
    const perRun = new Map(counters.take().map((reading) => [reading.name, reading.perRun]));
    expect(perRun.get("task-clock")).toBeGreaterThan(100_000);
    expect(perRun.get("task-clock")).toBeLessThanOrEqual(wallNs);
    if (has("page-faults")) {
      // With huge pages 8 MiB are four faults, else two thousand.
      expect(perRun.get("page-faults")).toBeGreaterThanOrEqual(pages.length / (2 << 20));
    }
    for (const name of perRun.keys()) {
      expect(counters.absent.map((counter) => counter.name)).not.toContain(name);
    }
    counters.close();
  });
});
