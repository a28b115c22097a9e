/**
 * What is kept of a measurement. A *process summary* is one line of the append-only log: one network timed in
 * one fresh process against the reference. A *measurement* is recomputed from those lines at any time.
 */
import { z } from "zod";
import { counterReadingSchema } from "./counter.js";

/** A: clean and tight. B: usable. C: usable with a stated doubt. X: must not be used. */
export const gradeSchema = z.enum(["A", "B", "C", "X"]);
/** Quality of a measurement, A to C and X. */
export type Grade = z.infer<typeof gradeSchema>;

/** What is timed: a network of a search space or file, or one operator for the descriptor. */
const subjectKindSchema = z.enum(["network", "operator"]);

/**
 * `referenceHash` of processes that were timed without a reference, by a tool's own clock: `ratios` are then
 * milliseconds (`referenceMs` is 1), and what disturbed the device stays in them.
 */
export const ownClock = "own-clock";

/** One log line: all pairs of one network in one process. Ratios are target / reference, wait-corrected. */
export const processSummarySchema = z.object({
  schema: z.literal("samara/process-summary/1"),
  platformId: z.string(),
  kind: subjectKindSchema,
  /** `nasbench201/1462`, `operator/nor_conv_3x3@16x32x32`, `file/<name>#<hash>`. */
  subjectId: z.string(),
  /** SHA-256 (16 hex digits) of the model file that ran. */
  modelHash: z.string(),
  /** SHA-256 (16 hex digits) of the reference's model file, or `ownClock`; ratios are comparable only within it. */
  referenceHash: z.string(),
  processId: z.string(),
  startedAt: z.string(),
  contextId: z.string(),
  /** Inferences in one timed block (1 unless the network is faster than the block minimum). */
  runsPerBlock: z.number().int().positive(),
  warmupRuns: z.number().int().nonnegative(),
  /** Two consecutive warm-up windows agreed; false also where nobody looked. */
  steady: z.boolean(),
  ratios: z.array(z.number().positive()),
  /** Per pair, ms per inference: wall time of the target, uncorrected. */
  wallMs: z.array(z.number().positive()),
  /** Per pair, share of the target's wall time spent waiting in the run queue. */
  waitShares: z.array(z.number().min(0)),
  /** Reference latencies (ms, wait-corrected) of this process taken with under 1 % wait: the anchor's data. */
  cleanReferenceMs: z.array(z.number().positive()),
  /** Median of all wait-corrected reference latencies of this process, clean or not. */
  referenceMs: z.number().positive(),
  /** Per inference; empty where counters are absent. */
  counters: z.array(counterReadingSchema),
});
/** One line of the run log: one subject timed in one process. */
export type ProcessSummary = z.infer<typeof processSummarySchema>;

/** Latency of one subject on one platform, with its interval and grade. */
export const measurementSchema = z.object({
  platformId: z.string(),
  kind: subjectKindSchema,
  subjectId: z.string(),
  modelHash: z.string(),
  latencyMs: z.number().positive(),
  /** 90 % interval for the latency, from between-process and within-process spread. */
  lowerMs: z.number().positive(),
  upperMs: z.number().positive(),
  /** Plain median of the uncorrected wall times of all pairs: what a stopwatch would have said. */
  medianWallMs: z.number().positive(),
  nProcesses: z.number().int().positive(),
  nRuns: z.number().int().positive(),
  grade: gradeSchema,
  /** Why the grade is not A, in words. */
  reasons: z.array(z.string()),
  contextId: z.string(),
  counters: z.array(counterReadingSchema),
});
/** Latency of one subject on one platform. */
export type Measurement = z.infer<typeof measurementSchema>;

/** Circumstances of a run of processes; referred to by `contextId`. */
export const contextSchema = z.object({
  id: z.string(),
  cpuModel: z.string(),
  nCores: z.number().int().positive(),
  kernel: z.string(),
  governor: z.string().nullable(),
  frequencyHz: z.number().nullable(),
  temperatureC: z.number().nullable(),
  loadAverage: z.number().nullable(),
  /** Share of time in the last 10 s in which some task waited for a CPU (Linux pressure), 0..1. */
  cpuPressure: z.number().nullable(),
  cgroupCpuLimit: z.number().nullable(),
  virtualised: z.boolean().nullable(),
  nodeVersion: z.string(),
  toolVersion: z.string(),
  runtimeVersion: z.string(),
  throttled: z.string().nullable(),
  takenAt: z.string(),
});
/** Circumstances of measurements. */
export type Context = z.infer<typeof contextSchema>;
