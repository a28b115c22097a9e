// Campaigns in a laboratory of exact latencies; real processes are in campaign-processes.test.ts.
import { describe, expect, test } from "vitest";
import {
  createLab,
  createMemorySink,
  inLab,
  type LabOptions,
  labPlatform,
  labReference,
  labSubject,
  trueLatencyMs,
} from "../../test/fake-lab.js";
import { MeasurementError, StorageError, UnsupportedError } from "../errors.js";
import { hashOf } from "../onnx/file-id.js";
import { ownClock, type ProcessSummary } from "../record/measurement.js";
import {
  bulkProtocol,
  type CampaignOptions,
  type CampaignPlatform,
  type CampaignProgress,
  interrupted,
  type OwnClockUnit,
  runCampaign,
} from "./campaign.js";
import type { Subject } from "./subject.js";
import { summarise } from "./summarise.js";

const platform = labPlatform();
const heavy = labPlatform("fake1-heavy-t1", { weightNs: 5 });
const protocol = { ...bulkProtocol, nProcesses: 2, nPairs: 4, warmupRuns: 1, nExtraProcesses: 0 };
const subjects = [1, 2, 3, 4, 5].map((n) => labSubject(n));

/** Run in a laboratory; what was measured comes back beside the result. */
async function run(changes: Partial<CampaignOptions> = {}, labOptions: LabOptions = {}) {
  const lab = createLab(labOptions);
  const sink = createMemorySink();
  const result = await runCampaign({
    platforms: [inLab(platform)],
    subjects,
    reference: labReference,
    protocol,
    doneLines: [],
    sink,
    startSampler: lab.startSampler,
    now: lab.nowMs,
    ...changes,
  });
  expect(lab.nOpen()).toBe(0);
  return { result, lab, ...sink };
}

const short = ({ platformId, subjectId, processId }: ProcessSummary) =>
  `${processId} ${platformId === platform.id ? "" : "heavy "}${subjectId}`;

const hashIs = (subject: Subject) => hashOf(subject.modelFile("onnx"));

/** A platform without samplers, that tells the true latency of the ONNX file by itself. */
function onOwnClock(timed: string[], fails: (id: string) => Error | undefined = () => undefined) {
  const timeModels = async ({ models, onLine }: OwnClockUnit) => {
    const failures: { subjectId: string; reason: string }[] = [];
    for (const { id, kind, file } of models) {
      timed.push(id);
      const error = fails(id);
      if (error instanceof StorageError) throw error;
      if (error !== undefined) {
        failures.push({ subjectId: id, reason: error.message });
        continue;
      }
      const latencyMs = trueLatencyMs({ id, kind, modelFile: () => file }, platform);
      onLine({
        schema: "samara/process-summary/1",
        platformId: platform.id,
        kind,
        subjectId: id,
        modelHash: hashOf(file),
        referenceHash: ownClock,
        processId: `own-${timed.length}`,
        startedAt: "2026-01-01T00:00:00.000Z",
        contextId: "none",
        runsPerBlock: 1,
        warmupRuns: 1,
        steady: false,
        ratios: [latencyMs],
        wallMs: [latencyMs],
        waitShares: [],
        cleanReferenceMs: [],
        referenceMs: 1,
        counters: [],
      });
    }
    const failed = new Set(failures.map(({ subjectId }) => subjectId));
    return { finished: models.flatMap(({ id }) => (failed.has(id) ? [] : [id])), failures };
  };
  return { ...inLab(platform), timeModels } satisfies CampaignPlatform;
}

describe("a platform on its own clock", () => {
  const noReference: Subject = {
    ...labReference,
    modelFile: () => {
      throw new Error("a reference is not asked for");
    },
  };
  const options = { reference: noReference, protocol: { ...protocol, nExtraProcesses: 2 } };

  test("needs no reference and no sampler, and C is no reason to measure again", async () => {
    const timed: string[] = [];
    const { lines, lab } = await run({ ...options, platforms: [onOwnClock(timed)] });
    expect(lab.nStarted()).toBe(0);
    const ids = subjects.map(({ id }) => id);
    expect(timed).toEqual([...ids, ...ids]);
    for (const [i, { latencyMs, grade }] of summarise(lines).entries()) {
      expect(grade).toBe("C");
      expect(latencyMs).toBeCloseTo(trueLatencyMs(subjects[i]!, platform), 9);
    }
    const again: string[] = [];
    await run({ ...options, platforms: [onOwnClock(again)], doneLines: lines });
    expect(again).toEqual([]);
  });

  test("gives a subject up that fails twice; an error that it throws stops everything", async () => {
    const timed: string[] = [];
    const bad = subjects[1]!.id;
    const failing = onOwnClock(timed, (id) =>
      id === bad ? new MeasurementError("it crashed") : undefined,
    );
    const three = { ...options, protocol: { ...options.protocol, nProcesses: 3 } };
    const { result } = await run({ ...three, platforms: [failing] });
    expect(result.failures).toEqual([
      { platformId: platform.id, subjectId: bad, reason: "it crashed" },
    ]);
    expect(timed.filter((id) => id === bad)).toHaveLength(2);
    const gone = onOwnClock([], (id) =>
      id === bad ? new StorageError("gone", { path: "there" }) : undefined,
    );
    await expect(run({ ...options, platforms: [gone] })).rejects.toThrow("gone");
  });
});

describe("runCampaign()", () => {
  test("finds the exact latency of every subject on every platform", async () => {
    const platforms = [platform, heavy];
    const { result, lines } = await run({ platforms: platforms.map(inLab) });
    expect(result).toMatchObject({ failures: [], stoppedBy: null });
    expect(result.lines).toEqual(lines);
    const measurements = summarise(lines);
    expect(measurements).toHaveLength(10);
    for (const on of platforms) {
      for (const subject of subjects) {
        const found = measurements.find(
          ({ platformId, subjectId }) => platformId === on.id && subjectId === subject.id,
        )!;
        const trueMs = trueLatencyMs(subject, on);
        expect(found.latencyMs).toBeCloseTo(trueMs, 9);
        expect(found.medianWallMs).toBeCloseTo(trueMs, 9);
        expect(found).toMatchObject({ grade: "B", nProcesses: 2, modelHash: hashIs(subject) });
        expect(found.lowerMs).toBeLessThan(trueMs);
        expect(found.upperMs).toBeGreaterThan(trueMs);
      }
    }
  });

  test("goes round by round, chunk by chunk, platform by platform, a process for each", async () => {
    const { lines, lab } = await run({
      platforms: [inLab(platform), inLab(heavy)],
      subjects: subjects.slice(0, 3),
      protocol: { ...protocol, chunkSize: 2 },
    });
    expect(lines.map(short)).toEqual([
      "p0 net/1",
      "p0 net/2",
      "p1 heavy net/1",
      "p1 heavy net/2",
      "p2 net/3",
      "p3 heavy net/3",
      "p4 net/1",
      "p4 net/2",
      "p5 heavy net/1",
      "p5 heavy net/2",
      "p6 net/3",
      "p7 heavy net/3",
    ]);
    expect(lab.nStarted()).toBe(8);
  });

  test("saves a context for each process and names it in its lines", async () => {
    const { lines, contexts } = await run({ subjects: subjects.slice(0, 1) });
    expect(contexts).toHaveLength(2);
    expect(lines.map(({ contextId }) => contextId)).toEqual(contexts.map(({ id }) => id));
    expect(contexts[0]!.runtimeVersion).toBe("1.0.0");
  });

  test("reports progress up to the end, and no remaining time before it knows the pace", async () => {
    const seen: CampaignProgress[] = [];
    await run({
      subjects: Array.from({ length: 12 }, (_, i) => labSubject(i + 1)),
      onProgress: (progress) => seen.push(progress),
    });
    expect(seen[0]).toMatchObject({ done: 0, total: 24, round: 0, remainingMs: null });
    expect(seen.at(-1)).toMatchObject({ done: 24, total: 24, round: 1, remainingMs: 0 });
    expect(seen.find(({ done }) => done === 12)!.remainingMs).toBeGreaterThan(0);
  });

  describe("going on", () => {
    test("measures only what the log lacks", async () => {
      const { lines } = await run();
      const doneLines = lines.filter(
        ({ processId, subjectId }) =>
          processId === "p0" || (subjectId !== "net/2" && subjectId !== "net/5"),
      );
      const again = await run({ doneLines });
      expect(again.lines.map(short)).toEqual(["p0 net/2", "p0 net/5"]);
      expect(again.result.lines).toHaveLength(10);
    });

    test("does nothing when all is done, even after the deadline", async () => {
      const { lines } = await run();
      const again = await run({ doneLines: lines, deadlineMs: 0 });
      expect(again.lines).toEqual([]);
      expect(again.lab.nStarted()).toBe(0);
      expect(again.result.stoppedBy).toBeNull();
    });

    test("gives the result of a campaign that was never stopped", async () => {
      const whole = await run();
      const first = await run({ deadlineMs: 1 }, {});
      expect(first.lines.length).toBeLessThan(whole.lines.length);
      const second = await run({ doneLines: first.lines });
      const latencies = (lines: readonly ProcessSummary[]) =>
        summarise(lines).map(({ subjectId, latencyMs, nProcesses }) => [
          subjectId,
          Math.round(latencyMs * 1e9),
          nProcesses,
        ]);
      expect(latencies(second.result.lines).sort()).toEqual(latencies(whole.lines).sort());
    });

    test("takes no line of another platform, subject or reference for done", async () => {
      const { lines } = await run();
      const others = [
        ...lines.map((line) => ({ ...line, platformId: heavy.id })),
        ...lines.map((line) => ({ ...line, subjectId: `other/${line.subjectId}` })),
        ...lines.map((line) => ({ ...line, referenceHash: "another" })),
      ];
      const again = await run({ doneLines: others });
      expect(again.lines).toHaveLength(10);
      expect(again.result.lines).toHaveLength(10);
    });

    test("counts what is done in the progress", async () => {
      const { lines } = await run();
      const seen: CampaignProgress[] = [];
      await run({ doneLines: lines.slice(0, 7), onProgress: (progress) => seen.push(progress) });
      expect(seen[0]).toMatchObject({ done: 7, total: 10 });
      expect(seen.at(-1)).toMatchObject({ done: 10, total: 10 });
    });
  });

  describe("failures", () => {
    const broken = labSubject(2, "fault:run-error");

    test("cost the failing subject only, and are listed with their reason", async () => {
      const { result, lines } = await run({
        subjects: [subjects[0]!, broken, ...subjects.slice(2)],
      });
      expect(result.failures).toEqual([
        {
          platformId: platform.id,
          subjectId: "net/fault:run-error",
          reason: "the model asked for an error",
        },
      ]);
      expect(lines.map(short)).toEqual([
        "p0 net/1",
        "p1 net/3",
        "p1 net/4",
        "p1 net/5",
        "p2 net/1",
        "p3 net/3",
        "p3 net/4",
        "p3 net/5",
      ]);
    });

    test("end in giving up after two tries", async () => {
      const { lab, result } = await run({
        subjects: [broken],
        protocol: { ...protocol, nProcesses: 5 },
      });
      expect(lab.nStarted()).toBe(2);
      expect(result.failures).toHaveLength(1);
    });

    test("name a subject whose id has spaces in full", async () => {
      const { result } = await run({ subjects: [{ ...broken, id: "file/my net.onnx#1a 2b" }] });
      expect(result.failures[0]).toMatchObject({
        platformId: platform.id,
        subjectId: "file/my net.onnx#1a 2b",
      });
    });

    test("of writing the model file start no process", async () => {
      const unwritable: Subject = {
        ...subjects[0]!,
        modelFile() {
          throw new UnsupportedError("operator Foo cannot be written");
        },
      };
      const { result, lab } = await run({ subjects: [unwritable] });
      expect(lab.nStarted()).toBe(0);
      expect(result.failures[0]!.reason).toBe("operator Foo cannot be written");
    });

    test("of starting the process give up its platform's chunk and measure the other platform", async () => {
      const { result, lines } = await run(
        { platforms: [inLab(platform), inLab(heavy)] },
        {
          onStart: ({ id }) => {
            if (id === heavy.id) throw new MeasurementError("the library is missing");
          },
        },
      );
      expect(lines).toHaveLength(10);
      expect(new Set(lines.map(({ platformId }) => platformId))).toEqual(new Set([platform.id]));
      expect(result.failures).toHaveLength(5);
      expect(result.failures[0]).toMatchObject({
        platformId: heavy.id,
        reason: "the library is missing",
      });
    });

    test("are forgiven when another process measured the subject", async () => {
      let nFailed = 0;
      const { result } = await run(
        { subjects: [labSubject(1)] },
        {
          slowdown({ process, modelHash }) {
            if (process === 0 && modelHash === hashIs(labSubject(1))) {
              nFailed += 1;
              throw new MeasurementError("out of memory for once");
            }
            return 1;
          },
        },
      );
      expect(nFailed).toBe(1);
      expect(result.failures).toEqual([]);
      expect(result.lines).toHaveLength(1);
    });
  });

  describe("stopping", () => {
    test("a deadline starts no further subject and blames none", async () => {
      const lab = createLab();
      const sink = createMemorySink();
      const result = await runCampaign({
        platforms: [inLab(platform)],
        subjects,
        reference: labReference,
        protocol,
        doneLines: [],
        sink: {
          ...sink,
          append(line) {
            sink.append(line);
            if (sink.lines.length === 3) lab.clock.advance(3600e9);
          },
        },
        startSampler: lab.startSampler,
        now: lab.nowMs,
        deadlineMs: 3600e3,
      });
      expect(result).toMatchObject({ failures: [], stoppedBy: "deadline" });
      expect(sink.lines).toHaveLength(3);
      expect(lab.nStarted()).toBe(1);
      expect(lab.nOpen()).toBe(0);
    });

    test("a deadline that falls into the reference's warm-up blames no subject (was: no progress)", async () => {
      // Starting takes no time on the step clock; warming up takes 0.3 s.
      const { result, lab } = await run({ deadlineMs: 1 });
      expect(lab.nStarted()).toBe(1);
      expect(result).toMatchObject({ lines: [], failures: [], stoppedBy: "deadline" });
    });

    test("a signal ends the subject in work, keeps those before and blames none", async () => {
      const controller = new AbortController();
      const { result, lab } = await run(
        { signal: controller.signal },
        {
          slowdown({ modelHash }) {
            if (modelHash !== hashIs(labSubject(4))) return 1;
            controller.abort();
            throw new MeasurementError("killed");
          },
        },
      );
      expect(result.lines.map(short)).toEqual(["p0 net/1", "p0 net/2", "p0 net/3"]);
      expect(result).toMatchObject({ failures: [], stoppedBy: "signal" });
      expect(lab.nStarted()).toBe(1);
    });

    test("a signal before the start measures nothing", async () => {
      const { result, lab } = await run({ signal: AbortSignal.abort() });
      expect(lab.nStarted()).toBe(0);
      expect(result).toMatchObject({ lines: [], failures: [], stoppedBy: "signal" });
    });

    test("a signal after the last subject stops nothing", async () => {
      const controller = new AbortController();
      const { result } = await run({
        signal: controller.signal,
        onProgress: ({ done, total }) => {
          if (done === total) controller.abort();
        },
      });
      expect(result.lines).toHaveLength(10);
      expect(result.stoppedBy).toBeNull();
    });

    test.each(["append", "addContext"] as const)(
      "a %s that cannot be saved stops everything and is rethrown",
      async (method) => {
        const lab = createLab();
        const sink = createMemorySink();
        const full = new StorageError("no space left on the device", {
          path: "runs.jsonl",
          errno: "ENOSPC",
        });
        const running = runCampaign({
          platforms: [inLab(platform), inLab(heavy)],
          subjects,
          reference: labReference,
          protocol,
          doneLines: [],
          sink: {
            ...sink,
            [method]: () => {
              throw full;
            },
          },
          startSampler: lab.startSampler,
        });
        await expect(running).rejects.toBe(full);
        expect(sink.lines).toEqual([]);
        expect(lab.nStarted()).toBe(1);
        expect(lab.nOpen()).toBe(0);
      },
    );
  });

  describe("extra processes", () => {
    const shaky = subjects[1]!;
    /** The shaky subject differs by a third between the first processes, then settles. */
    const disturbed: LabOptions = {
      slowdown: ({ modelHash, process }) =>
        modelHash === hashIs(shaky) && process === 0 ? 1.6 : 1,
    };

    test("go to subjects that graded C or X and to no other", async () => {
      const { lines, result } = await run(
        { protocol: { ...protocol, nProcesses: 3, nExtraProcesses: 2 } },
        disturbed,
      );
      expect(lines.slice(0, 15).map(({ processId }) => processId)).toEqual(
        ["p0", "p1", "p2"].flatMap((id) => subjects.map(() => id)),
      );
      expect(lines.slice(15).map(short)).toEqual(["p3 net/2", "p4 net/2"]);
      expect(summarise(result.lines).find(({ subjectId }) => subjectId === "net/2")).toMatchObject({
        nProcesses: 5,
      });
    });

    test("are not begun when nothing needs them", async () => {
      const { lines } = await run({
        protocol: { ...protocol, nProcesses: 3, nExtraProcesses: 2 },
      });
      expect(lines).toHaveLength(15);
    });

    test("are not repeated when the log holds them", async () => {
      const thorough = { ...protocol, nProcesses: 3, nExtraProcesses: 2 };
      const { lines } = await run({ protocol: thorough }, disturbed);
      const again = await run({ protocol: thorough, doneLines: lines });
      expect(again.lines).toEqual([]);
    });
  });
});

describe("interrupted()", () => {
  test("says what is kept and how to go on", () => {
    const error = interrupted(3, 10, "samara campaign plan.yaml");
    expect(error.message).toBe("stopped after 3 of 10 processes; all of them are kept");
    expect(error.hint).toBe("go on with: samara campaign plan.yaml");
  });
});
