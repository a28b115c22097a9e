/**
 * Measure many subjects on one or more platforms, interleaved, in fresh processes, saving as it goes.
 *
 * A *unit* is one fresh process on one platform timing a chunk of subjects against the warmed reference. Units run
 * round after round (a round gives every subject one process), within a round chunk by chunk, within a chunk
 * platform by platform, so that the processes of one subject lie far apart in time. What is done is read from the
 * log, so that an interrupted campaign goes on where it stopped. Estimates are recomputed from the log (`summarise`).
 */
import { InterruptedError, messageOf } from "../errors.js";
import { hashOf } from "../onnx/file-id.js";
import type { ModelFormat } from "../platform/runtime.js";
import { type Context, ownClock, type ProcessSummary } from "../record/measurement.js";
import type { Platform } from "../record/platform.js";
import { Pace } from "./pace.js";
import type { Subject } from "./subject.js";
import { summarise } from "./summarise.js";
import { runUnit, type StartSampler, type UnitModel, type UnitOutcome } from "./unit.js";

/** How thoroughly to measure. Defaults are bulk mode of docs/measuring.md. */
export interface Protocol {
  /** Fresh processes a subject, at different times. */
  readonly nProcesses: number;
  /** Target runs (blocks) a process, each between two reference runs. */
  readonly nPairs: number;
  /** Untimed runs before the first pair of a subject. */
  readonly warmupRuns: number;
  /** Subjects that share one process. */
  readonly chunkSize: number;
  /** Further processes for subjects that graded C or X. */
  readonly nExtraProcesses: number;
}

/** Bulk mode: hundreds of networks, three processes each. */
export const bulkProtocol: Protocol = {
  nProcesses: 3,
  nPairs: 10,
  warmupRuns: 5,
  chunkSize: 25,
  nExtraProcesses: 2,
};

/** What is handed to something that times models by other means than sampler processes. */
export interface OwnClockUnit {
  readonly platform: Platform;
  readonly models: readonly UnitModel[];
  readonly signal?: AbortSignal;
  /** Whether no further model may be started. */
  readonly isLate: () => boolean;
  readonly onContext: (context: Context) => void;
  /** Saves a line; throws StorageError. */
  readonly onLine: (line: ProcessSummary) => void;
}

/** A platform to measure with its reference (one fixed network in the platform's own runtime). */
export interface CampaignPlatform {
  readonly platform: Platform;
  readonly modelFormat: ModelFormat;
  /**
   * Times models on a clock of its own, where no sampler can run: there is no reference, and lines have `ownClock` in
   * its place.
   */
  readonly timeModels?: (unit: OwnClockUnit) => Promise<UnitOutcome>;
}

/** Where results go; `append` returns once the line is safe on disk. */
export interface RunSink {
  /** Save one line. */
  append(line: ProcessSummary): void;
  /** Save the circumstances of a process, once an id. */
  addContext(context: Context): void;
}

/** How far a campaign is. */
export interface CampaignProgress {
  /** Subject × process pairs done and planned. */
  readonly done: number;
  readonly total: number;
  readonly platformId: string;
  readonly round: number;
  /** Estimated from each platform's pace so far; null before it shows. */
  readonly remainingMs: number | null;
}

/** A subject that could not be measured on a platform. */
export interface CampaignFailure {
  readonly platformId: string;
  readonly subjectId: string;
  readonly reason: string;
}

/** What a campaign ended with. */
export interface CampaignResult {
  /** All log lines of the planned platforms and subjects, old and new. */
  readonly lines: readonly ProcessSummary[];
  readonly failures: readonly CampaignFailure[];
  /** Why it stopped before everything was measured, or null. */
  readonly stoppedBy: "deadline" | "signal" | null;
}

/** What to measure, how, and where results go. */
export interface CampaignOptions {
  readonly platforms: readonly CampaignPlatform[];
  readonly subjects: readonly Subject[];
  readonly reference: Subject;
  readonly protocol: Protocol;
  /** Lines already in the log: what they cover is not measured again. */
  readonly doneLines: readonly ProcessSummary[];
  readonly sink: RunSink;
  readonly startSampler: StartSampler;
  readonly counters?: boolean;
  readonly onProgress?: (progress: CampaignProgress) => void;
  /** Knows what else is planned after this, so that the remaining time is that of all; default this alone. */
  readonly pace?: Pace;
  readonly signal?: AbortSignal;
  /** Monotonic milliseconds (`performance.now`); after `deadlineMs` no further subject is started. */
  readonly now?: () => number;
  readonly deadlineMs?: number;
}

const maxFailures = 2;

/** Model files of the chunk in work, built once for all platforms that read the format. */
class ModelCache {
  private readonly files = new Map<string, Uint8Array>();
  private chunkKey = "";

  modelFile(chunkKey: string, subject: Subject, format: ModelFormat): Uint8Array {
    if (chunkKey !== this.chunkKey) {
      this.files.clear();
      this.chunkKey = chunkKey;
    }
    const key = `${format} ${subject.id}`;
    let file = this.files.get(key);
    if (file === undefined) {
      file = subject.modelFile(format);
      this.files.set(key, file);
    }
    return file;
  }
}

function chunksOf<T>(items: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let i = 0; i < items.length; i += size) chunks.push(items.slice(i, i + size));
  return chunks;
}

/**
 * Run a campaign.
 *
 * A subject that fails twice on a platform is given up there and listed in `failures`; it stops nothing else.
 *
 * @throws StorageError when a result cannot be saved: measuring on would lose what follows; what `timeModels` of a
 *   platform throws, e.g. because its device is gone
 */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const { platforms, subjects, reference, protocol, sink, signal } = options;
  const now = options.now ?? (() => performance.now());
  const wanted = new Set(subjects.map(({ id }) => id));
  const wantedPlatforms = new Set(platforms.map(({ platform }) => platform.id));
  const references = new Map<string, Uint8Array>();
  const referenceHashes = new Set<string>();
  for (const { modelFormat, timeModels } of platforms) {
    if (timeModels !== undefined) referenceHashes.add(ownClock);
    else if (!references.has(modelFormat)) {
      references.set(modelFormat, reference.modelFile(modelFormat));
      referenceHashes.add(hashOf(references.get(modelFormat)!));
    }
  }
  const lines = options.doneLines.filter(
    (line) =>
      wantedPlatforms.has(line.platformId) &&
      wanted.has(line.subjectId) &&
      referenceHashes.has(line.referenceHash),
  );
  const keyOf = (platformId: string, subjectId: string) => `${platformId} ${subjectId}`;
  const nLines = new Map<string, number>();
  for (const line of lines) {
    const key = keyOf(line.platformId, line.subjectId);
    nLines.set(key, (nLines.get(key) ?? 0) + 1);
  }
  const failures = new Map<string, CampaignFailure & { count: number }>();
  const countOf = (platformId: string, subject: Subject) =>
    nLines.get(keyOf(platformId, subject.id)) ?? 0;
  const givenUp = (platformId: string, subject: Subject) =>
    (failures.get(keyOf(platformId, subject.id))?.count ?? 0) >= maxFailures;
  const addFailure = (platformId: string, subjectId: string, reason: string, count = 1) => {
    const key = keyOf(platformId, subjectId);
    const before = failures.get(key)?.count ?? 0;
    failures.set(key, { platformId, subjectId, reason, count: before + count });
  };

  const cache = new ModelCache();
  let total = platforms.length * subjects.length * protocol.nProcesses;
  let done = Math.min(
    total,
    [...nLines.values()].reduce((sum, n) => sum + Math.min(n, protocol.nProcesses), 0),
  );
  const pace = options.pace ?? new Pace();
  const planMissing = (target: CampaignPlatform, subject: Subject, nProcesses: number) => {
    const missing = Math.max(0, nProcesses - countOf(target.platform.id, subject));
    pace.plan(target.platform.id, subject.kind, missing);
  };
  if (options.pace === undefined) {
    for (const target of platforms) {
      for (const subject of subjects) planMissing(target, subject, protocol.nProcesses);
    }
  }
  const isLate = () => options.deadlineMs !== undefined && now() >= options.deadlineMs;
  const stopReason = () => (signal?.aborted ? "signal" : isLate() ? "deadline" : null);
  let stoppedBy: CampaignResult["stoppedBy"] = null;

  const report = (platformId: string, round: number) => {
    options.onProgress?.({ done, total, platformId, round, remainingMs: pace.remainingMs() });
  };

  const measureChunk = async (
    target: CampaignPlatform,
    chunk: readonly Subject[],
    chunkKey: string,
    round: number,
  ): Promise<void> => {
    const { platform, modelFormat, timeModels } = target;
    let waiting = [...chunk];
    // A crash costs the process and the subject in work; the others go on in a new process.
    while (waiting.length > 0) {
      stoppedBy = stopReason();
      if (stoppedBy !== null) return;
      const models: UnitModel[] = [];
      for (const subject of waiting) {
        try {
          const file = cache.modelFile(chunkKey, subject, modelFormat);
          models.push({ id: subject.id, kind: subject.kind, file });
        } catch (error) {
          addFailure(platform.id, subject.id, messageOf(error), maxFailures);
        }
      }
      if (models.length === 0) return;
      let lastMs = now();
      const unit: OwnClockUnit = {
        platform,
        models,
        isLate,
        ...(signal ? { signal } : {}),
        onContext: (context) => sink.addContext(context),
        onLine: (line) => {
          sink.append(line);
          lines.push(line);
          const key = keyOf(line.platformId, line.subjectId);
          nLines.set(key, (nLines.get(key) ?? 0) + 1);
          done += 1;
          pace.finish(line.platformId, line.kind, now() - lastMs);
          lastMs = now();
          report(platform.id, round);
        },
      };
      const outcome = await (timeModels?.(unit) ??
        runUnit({
          ...unit,
          reference: references.get(modelFormat)!,
          protocol,
          startSampler: options.startSampler,
          counters: options.counters ?? false,
        }));
      for (const { subjectId, reason } of outcome.failures) {
        addFailure(platform.id, subjectId, reason);
      }
      const finished = new Set([...outcome.finished, ...outcome.failures.map((f) => f.subjectId)]);
      const next = waiting.filter(
        (subject) => !finished.has(subject.id) && !givenUp(platform.id, subject),
      );
      // Without progress the process itself cannot start: another try would end the same way.
      if (next.length === waiting.length && stopReason() === null) {
        const reason = outcome.processError ?? "the sampler process made no progress";
        for (const { id } of next) addFailure(platform.id, id, reason, maxFailures);
        return;
      }
      waiting = next.filter((subject) => countOf(platform.id, subject) <= round);
    }
  };

  const runRound = async (
    round: number,
    isDue: (platformId: string, subject: Subject) => boolean,
  ) => {
    for (const [i, chunk] of chunksOf(subjects, protocol.chunkSize).entries()) {
      for (const target of platforms) {
        const due = chunk.filter(
          (subject) => isDue(target.platform.id, subject) && !givenUp(target.platform.id, subject),
        );
        if (due.length === 0) continue;
        stoppedBy = stopReason();
        if (stoppedBy !== null) return;
        report(target.platform.id, round);
        await measureChunk(target, due, `${round}/${i}`, round);
      }
    }
  };

  for (let round = 0; round < protocol.nProcesses; round += 1) {
    await runRound(round, (platformId, subject) => countOf(platformId, subject) <= round);
  }
  // Without a reference C is the best grade: another process would not change it.
  const best = new Set(platforms.flatMap((one) => (one.timeModels ? [one.platform.id] : [])));
  for (let extra = 0; extra < protocol.nExtraProcesses; extra += 1) {
    const round = protocol.nProcesses + extra;
    const poor = new Set(
      summarise(lines)
        .filter(
          ({ grade, platformId }) => grade === "X" || (grade === "C" && !best.has(platformId)),
        )
        .map(({ platformId, subjectId }) => keyOf(platformId, subjectId)),
    );
    if (poor.size === 0) break;
    total = done + poor.size;
    for (const target of platforms) {
      for (const subject of subjects) {
        if (!poor.has(keyOf(target.platform.id, subject.id))) continue;
        planMissing(target, subject, countOf(target.platform.id, subject) + 1);
      }
    }
    await runRound(
      round,
      (platformId, subject) =>
        poor.has(keyOf(platformId, subject.id)) && countOf(platformId, subject) <= round,
    );
  }

  return {
    lines,
    failures: [...failures]
      .filter(([key]) => !nLines.has(key))
      .map(([, { platformId, subjectId, reason }]) => ({ platformId, subjectId, reason })),
    stoppedBy,
  };
}

/** The error for a stopped campaign: what is kept and how to go on. */
export function interrupted(done: number, total: number, resumeCommand: string): InterruptedError {
  return new InterruptedError(`stopped after ${done} of ${total} processes; all of them are kept`, {
    hint: `go on with: ${resumeCommand}`,
  });
}
