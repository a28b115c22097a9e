/**
 * No counters: where the system has none, and where they are not wanted.
 */
import { type CounterSet, counterNames } from "./counter.js";

/** A set in which every counter is absent for the same reason. */
export function createNullCounters(reason: string, hint?: string): CounterSet {
  return {
    available: [],
    absent: counterNames.map((name) => ({ name, reason, ...(hint === undefined ? {} : { hint }) })),
    start() {},
    stop() {},
    take: () => [],
    close() {},
  };
}
