/**
 * Counter readings as they are stored. A counter that a machine lacks is absent (no entry), never zero.
 */
import { z } from "zod";

export { counterLabel, mapleEdgeCounters } from "./counter-names.js";

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
