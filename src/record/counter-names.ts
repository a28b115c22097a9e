/**
 * What counters are called. Apart from their schemas, so that a page can use it without them.
 */
import type { CounterReading } from "./counter.js";

/** What a counter is called where several sources lie side by side: `instructions`, `instructions (simulated)`. */
export function counterLabel({ name, source }: Pick<CounterReading, "name" | "source">): string {
  return source === "simulated" ? `${name} (simulated)` : name;
}

/** The counters of MAPLE-Edge (Nair et al. 2022, arXiv 2204.12950), in its order, by perf's names. */
export const mapleEdgeCounters = [
  "cpu-cycles",
  "instructions",
  "cache-references",
  "cache-misses",
  "L1-dcache-loads",
  "L1-dcache-load-misses",
  "LLC-loads",
  "LLC-load-misses",
  "LLC-stores",
  "LLC-store-misses",
  "cpu-migrations",
] as const;
