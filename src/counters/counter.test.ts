import { describe, expect, test } from "vitest";
import { counterReadingSchema, mapleEdgeCounters } from "../record/counter.js";
import { counterNames, derivedValues } from "./counter.js";
import { createNullCounters } from "./null.js";

const reading = (name: string, perRun: number) =>
  counterReadingSchema.parse({ name, source: "pmu", perRun, runningShare: 1 });

describe("counterNames", () => {
  test("holds MAPLE-Edge's counters first and each name once", () => {
    expect(counterNames.slice(0, 11)).toEqual(mapleEdgeCounters);
    expect(new Set(counterNames).size).toBe(counterNames.length);
  });
});

describe("derivedValues()", () => {
  test("computes instructions per cycle and shares of misses", () => {
    const values = derivedValues([
      reading("cpu-cycles", 100),
      reading("instructions", 250),
      reading("LLC-loads", 40),
      reading("LLC-load-misses", 10),
    ]);
    expect(values).toEqual({ instructionsPerCycle: 2.5, llcLoadMissShare: 0.25 });
  });

  test("leaves out what lacks a counter or divides by zero", () => {
    expect(derivedValues([reading("instructions", 250)])).toEqual({});
    expect(derivedValues([reading("instructions", 250), reading("cpu-cycles", 0)])).toEqual({});
  });
});

describe("createNullCounters()", () => {
  test("has every counter absent with its reason, and reads nothing", () => {
    const counters = createNullCounters("no counters here", "do this");
    counters.start();
    counters.stop(3);
    expect(counters.take()).toEqual([]);
    expect(counters.absent.map(({ name }) => name)).toEqual(counterNames);
    expect(counters.absent[0]).toMatchObject({ reason: "no counters here", hint: "do this" });
    counters.close();
  });
});
