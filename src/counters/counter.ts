/**
 * What CPU counters there are, and how a set of them is used around a timed region.
 *
 * The names are perf's. MAPLE-Edge (Nair et al. 2022, arXiv 2204.12950, table 2) describes a device by the first
 * eleven. A counter that cannot be opened is absent with its reason, never zero.
 */
import { type CounterReading, type CounterSource, mapleEdgeCounters } from "../record/counter.js";

/** Events of the Linux kernel: available without hardware support. `task-clock` is in ns. */
export const softwareCounters = [
  "task-clock",
  "page-faults",
  "minor-faults",
  "major-faults",
  "context-switches",
  "cpu-migrations",
] as const;

export type CounterName = (typeof mapleEdgeCounters)[number] | (typeof softwareCounters)[number];

/** All counters, MAPLE-Edge's first. */
export const counterNames: readonly CounterName[] = [
  ...new Set<CounterName>([...mapleEdgeCounters, ...softwareCounters]),
];

/** A counter that can be read here. */
export interface CounterInfo {
  readonly name: string;
  readonly source: CounterSource;
  /** Present where this user may not count the kernel's own work: only user code is counted. */
  readonly excludesKernel?: true;
}

/** A counter that this machine or user lacks. */
export interface AbsentCounter {
  readonly name: string;
  readonly reason: string;
  /** What would make it available, where something would. */
  readonly hint?: string;
}

/**
 * Counters of this process: of the calling thread and of all threads that it creates from now on.
 *
 * Open before a runtime creates its threads. `start` and `stop` stand at the boundary of a timed region, just
 * outside it; readings add up over regions until they are taken.
 */
export interface CounterSet {
  readonly available: readonly CounterInfo[];
  readonly absent: readonly AbsentCounter[];
  start(): void;
  /** @param nRuns - inferences in the region that ends */
  stop(nRuns: number): void;
  /** Events per inference since the last call; a counter that never ran is left out. */
  take(): CounterReading[];
  close(): void;
}

/** Values computed from readings, by name; a value whose counters are absent is left out. */
export function derivedValues(readings: readonly CounterReading[]): Record<string, number> {
  const perRun = new Map(readings.map((reading) => [reading.name, reading.perRun]));
  const ratios: readonly (readonly [string, string, string])[] = [
    ["instructionsPerCycle", "instructions", "cpu-cycles"],
    ["cacheMissShare", "cache-misses", "cache-references"],
    ["l1MissShare", "L1-dcache-load-misses", "L1-dcache-loads"],
    ["llcLoadMissShare", "LLC-load-misses", "LLC-loads"],
    ["llcStoreMissShare", "LLC-store-misses", "LLC-stores"],
    // Cycles per ns of CPU time: the clock that the processor really ran at.
    ["frequencyGHz", "cpu-cycles", "task-clock"],
  ];
  const values: Record<string, number> = {};
  for (const [name, numerator, denominator] of ratios) {
    const above = perRun.get(numerator);
    const below = perRun.get(denominator);
    if (above !== undefined && below !== undefined && below > 0) values[name] = above / below;
  }
  return values;
}
