/**
 * Counter readings as they are stored. A counter that a machine lacks is absent (no entry), never zero.
 */
import { z } from "zod";

/**
 * `pmu`: hardware or cache event read from the processor; `software`: kernel event;
 * `simulated`: from an instruction-level simulator, never mixed with `pmu`.
 */
export const counterSourceSchema = z.enum(["pmu", "software", "simulated"]);
/** Where a counter is read: `pmu`, `software` or `simulated`. */
export type CounterSource = z.infer<typeof counterSourceSchema>;

export const counterReadingSchema = z.object({
  /** perf's name, e.g. `instructions`, `L1-dcache-load-misses`, `page-faults`. */
  name: z.string(),
  source: counterSourceSchema,
  /** Events (or nanoseconds for `task-clock`) per timed run, scaled when multiplexed. */
  perRun: z.number().nonnegative(),
  /** Share of the enabled time during which the counter really counted; below 1 means multiplexed. */
  runningShare: z.number().min(0).max(1),
});
/** One counter of one timed run. */
export type CounterReading = z.infer<typeof counterReadingSchema>;

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
