/**
 * One fresh process on one platform: warm the reference, then time each model between reference runs.
 */
import { messageOf, StorageError } from "../errors.js";
import { hashOf } from "../onnx/file-id.js";
import type { PairTimings, Sampler } from "../platform/sampler-types.js";
import type { CounterReading } from "../record/counter.js";
import type { Context, ProcessSummary } from "../record/measurement.js";
import type { Platform } from "../record/platform.js";
import { median } from "../tensor/stats.js";
import { nsPerMs } from "../units.js";
import { takeContext } from "./environment.js";

/** A network or operator as the model file that a platform reads. */
export interface UnitModel {
  readonly id: string;
  readonly kind: "network" | "operator";
  readonly file: Uint8Array;
}

/** Starts a fresh sampler process for a platform; replaced in tests. */
export type StartSampler = (
  platform: Platform,
  options: { counters: boolean; signal?: AbortSignal },
) => Promise<Sampler>;

export interface UnitOptions {
  readonly platform: Platform;
  readonly reference: Uint8Array;
  readonly models: readonly UnitModel[];
  readonly protocol: { readonly nPairs: number; readonly warmupRuns: number };
  readonly startSampler: StartSampler;
  readonly counters: boolean;
  readonly signal?: AbortSignal;
  readonly isLate: () => boolean;
  readonly onContext: (context: Context) => void;
  readonly onLine: (line: ProcessSummary) => void;
}

/** How far a unit came. */
export interface UnitOutcome {
  readonly finished: readonly string[];
  readonly failures: readonly { subjectId: string; reason: string }[];
  /** Why the process ended early, if it did. */
  readonly processError?: string;
}

/** A reference run counts for the anchor when it waited less than this share of its time. */
const maxCleanWaitShare = 0.01;
/** Reference: at least 5 runs and 0.3 s, until two windows of 10 agree, at most 3 s (bulk mode). */
const referenceWarmup = { mode: "steady", minRuns: 5, minMs: 300, maxMs: 3000 } as const;

/** Under heavy contention two-thread runs take seconds: a few pairs and a bad grade must do. */
const maxPairsMs = 2000;

const toMs = (ns: Float64Array) => Array.from(ns, (value) => value / nsPerMs);

/** What the kernel tells of the run queue, as one more software counter: ns of wait an inference. */
function waitReading({ target, runsPerBlock }: PairTimings): CounterReading[] {
  if (target.waitNs === null) return [];
  const nRuns = target.waitNs.length * runsPerBlock;
  const perRun = target.waitNs.reduce((sum, waitNs) => sum + waitNs, 0) / nRuns;
  return [{ name: "run-queue-wait", source: "software", perRun, runningShare: 1 }];
}

/**
 * Time all models of a unit; each finished one is handed to `onLine` at once.
 *
 * A failure of one model ends the process (its state is unknown) and is reported; the caller goes on with the rest.
 *
 * @throws StorageError from `onLine`: a result that cannot be saved stops everything
 */
export async function runUnit(options: UnitOptions): Promise<UnitOutcome> {
  const { platform, models, protocol, signal, isLate } = options;
  const finished: string[] = [];
  let sampler: Sampler;
  try {
    sampler = await options.startSampler(platform, {
      counters: options.counters,
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    return { finished, failures: [], processError: messageOf(error) };
  }
  const referenceHash = hashOf(options.reference);
  let current: string | undefined;
  try {
    const context = takeContext(platform.runtime.version);
    options.onContext(context);
    await sampler.load("reference", options.reference);
    const warmed = await sampler.warmUp("reference", referenceWarmup);
    for (const model of models) {
      if (signal?.aborted || isLate()) break;
      current = model.id;
      const startedAt = new Date().toISOString();
      await sampler.load("target", model.file);
      const warmup = await sampler.warmUp("target", {
        mode: "bulk",
        minRuns: protocol.warmupRuns,
        minMs: 0,
      });
      const pairs = await sampler.timePairs({
        target: "target",
        reference: "reference",
        nPairs: protocol.nPairs,
        countersOn: options.counters,
        maxMs: maxPairsMs,
      });
      await sampler.unload("target");
      const referenceMs = toMs(pairs.reference.correctedNs);
      const referenceWaits = pairs.reference.waitShares ?? [];
      options.onLine({
        schema: "samara/process-summary/1",
        platformId: platform.id,
        kind: model.kind,
        subjectId: model.id,
        modelHash: hashOf(model.file),
        referenceHash,
        processId: sampler.info.processId,
        startedAt,
        contextId: context.id,
        runsPerBlock: pairs.runsPerBlock,
        warmupRuns: warmup.runs,
        steady: warmed.steady ?? false,
        ratios: Array.from(pairs.ratios),
        wallMs: toMs(pairs.target.wallNs),
        // Empty where the kernel does not tell.
        waitShares: Array.from(pairs.target.waitShares ?? []),
        // Where waits are unknown nobody can call a reference run undisturbed.
        cleanReferenceMs: referenceMs.filter(
          (_, i) => (referenceWaits[i] ?? 1) < maxCleanWaitShare,
        ),
        referenceMs: median(referenceMs),
        counters: options.counters ? [...pairs.counters, ...waitReading(pairs)] : [],
      });
      finished.push(model.id);
      current = undefined;
    }
    return { finished, failures: [] };
  } catch (error) {
    if (error instanceof StorageError) throw error;
    const reason = messageOf(error);
    if (signal?.aborted) return { finished, failures: [] };
    return {
      finished,
      failures: current === undefined ? [] : [{ subjectId: current, reason }],
      processError: reason,
    };
  } finally {
    await sampler.close();
  }
}
