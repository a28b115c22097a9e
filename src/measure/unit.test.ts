// One process: what is asked of the sampler in which order, and what ends it.
import { describe, expect, test } from "vitest";
import {
  createLab,
  labPlatform,
  labReference,
  labSubject,
  trueLatencyMs,
} from "../../test/fake-lab.js";
import { MeasurementError, StorageError } from "../errors.js";
import { hashOf } from "../onnx/file-id.js";
import type { Sampler } from "../platform/sampler-types.js";
import { type ProcessSummary, processSummarySchema } from "../record/measurement.js";
import { runUnit, type StartSampler, type UnitModel, type UnitOptions } from "./unit.js";

const platform = labPlatform();
const reference = labReference.modelFile("onnx");
const models = [1, 2, 3].map((n): UnitModel => {
  const { id, kind, modelFile } = labSubject(n);
  return { id, kind, file: modelFile("onnx") };
});

/** Run a unit on a sampler that may be changed before it is used. */
async function run(
  changes: Partial<UnitOptions> = {},
  change: (sampler: Sampler) => Partial<Sampler> = () => ({}),
) {
  const calls: string[] = [];
  const lines: ProcessSummary[] = [];
  const lab = createLab();
  const startSampler: StartSampler = async (on, options) => {
    calls.push(`start counters=${options.counters}`);
    const sampler = await lab.startSampler(on, options);
    const changed = { ...sampler, ...change(sampler) };
    const note =
      <Args extends unknown[], T>(name: string, method: (...args: Args) => T) =>
      (...args: Args): T => {
        const words = args.filter((arg) => typeof arg === "string");
        calls.push([name, ...words].join(" "));
        return method(...args);
      };
    return {
      ...changed,
      load: note("load", changed.load),
      unload: note("unload", changed.unload),
      warmUp: note("warm up", changed.warmUp),
      timePairs: note("time", changed.timePairs),
      close: note("close", changed.close),
    };
  };
  const outcome = await runUnit({
    platform,
    reference,
    models,
    protocol: { nPairs: 4, warmupRuns: 2 },
    startSampler,
    counters: false,
    isLate: () => false,
    onContext: () => {},
    onLine: (line) => lines.push(line),
    ...changes,
  });
  return { outcome, calls, lines, lab };
}

describe("runUnit()", () => {
  test("warms the reference once, then loads, warms, times and unloads each model", async () => {
    const { calls, outcome } = await run({ models: models.slice(0, 2) });
    const each = ["load target", "warm up target", "time", "unload target"];
    expect(calls).toEqual([
      "start counters=false",
      "load reference",
      "warm up reference",
      ...each,
      ...each,
      "close",
    ]);
    expect(outcome).toEqual({ finished: ["net/1", "net/2"], failures: [] });
  });

  test("records exact times, ratios to the reference and where they come from", async () => {
    const { lines } = await run();
    const referenceMs = trueLatencyMs(labReference, platform);
    lines.forEach((line, i) => {
      const wallMs = trueLatencyMs(labSubject(i + 1), platform);
      expect(processSummarySchema.parse(line)).toEqual(line);
      expect(line).toMatchObject({
        platformId: platform.id,
        subjectId: `net/${i + 1}`,
        modelHash: hashOf(models[i]!.file),
        referenceHash: hashOf(reference),
        processId: "p0",
        warmupRuns: 2,
        steady: true,
        waitShares: [0, 0, 0, 0],
        counters: [],
      });
      expect(line.wallMs).toHaveLength(4);
      expect(line.cleanReferenceMs).toHaveLength(5);
      expect(line.referenceMs).toBeCloseTo(referenceMs, 9);
      for (const value of line.wallMs) expect(value).toBeCloseTo(wallMs, 9);
      for (const value of line.ratios) expect(value).toBeCloseTo(wallMs / referenceMs, 9);
      for (const value of line.cleanReferenceMs) expect(value).toBeCloseTo(referenceMs, 9);
      expect(line.runsPerBlock).toBe(Math.ceil(1 / wallMs));
    });
    expect(lines).toHaveLength(3);
  });

  test("leaves references that waited, or whose waits are unknown, out of the anchor", async () => {
    const { lines } = await run({ models: models.slice(0, 2) }, (sampler) => {
      let nTimed = 0;
      return {
        async timePairs(options) {
          const pairs = await sampler.timePairs(options);
          nTimed += 1;
          const waitShares = nTimed === 1 ? Float64Array.of(0, 0.5, 0, 0.02, 0) : null;
          return { ...pairs, reference: { ...pairs.reference, waitShares } };
        },
      };
    });
    expect(lines.map(({ cleanReferenceMs }) => cleanReferenceMs.length)).toEqual([3, 0]);
  });

  test("asks for counters and keeps what they read", async () => {
    const reading = {
      name: "instructions",
      source: "pmu" as const,
      perRun: 1234,
      runningShare: 1,
    };
    const { calls, lines } = await run(
      { counters: true, models: models.slice(0, 1) },
      (sampler) => ({
        async timePairs(options) {
          expect(options.countersOn).toBe(true);
          return { ...(await sampler.timePairs(options)), counters: [reading] };
        },
      }),
    );
    expect(calls[0]).toBe("start counters=true");
    const waited = { name: "run-queue-wait", source: "software", runningShare: 1 };
    expect(lines[0]!.counters).toEqual([reading, { ...waited, perRun: expect.any(Number) }]);
  });

  test("says that a process could not be started", async () => {
    const { outcome } = await run({
      startSampler: async () => {
        throw new MeasurementError("no such library");
      },
    });
    expect(outcome).toEqual({ finished: [], failures: [], processError: "no such library" });
  });

  test("blames no model when the reference fails, and closes the process", async () => {
    const { outcome, lab } = await run({}, () => ({
      warmUp: () => Promise.reject(new MeasurementError("crashed")),
    }));
    expect(outcome).toEqual({ finished: [], failures: [], processError: "crashed" });
    expect(lab.nOpen()).toBe(0);
  });

  test("ends the process at the first model that fails and keeps those before", async () => {
    let nLoads = 0;
    const { outcome, lines, lab } = await run({}, (sampler) => ({
      load: (key, model) => {
        nLoads += 1;
        if (nLoads === 3) return Promise.reject(new MeasurementError("crashed"));
        return sampler.load(key, model);
      },
    }));
    expect(outcome).toEqual({
      finished: ["net/1"],
      failures: [{ subjectId: "net/2", reason: "crashed" }],
      processError: "crashed",
    });
    expect(lines).toHaveLength(1);
    expect(lab.nOpen()).toBe(0);
  });

  test("starts no further model when it is late", async () => {
    let nAsked = 0;
    const { outcome } = await run({ isLate: () => ++nAsked > 2 });
    expect(outcome).toEqual({ finished: ["net/1", "net/2"], failures: [] });
  });

  test("blames nobody for what a signal ended", async () => {
    const controller = new AbortController();
    const { outcome } = await run({ signal: controller.signal }, (sampler) => ({
      timePairs: (options) => {
        controller.abort();
        void options;
        return Promise.reject(new MeasurementError(`stopped ${sampler.info.processId}`));
      },
    }));
    expect(outcome).toEqual({ finished: [], failures: [] });
  });

  test("rethrows that a line could not be saved, with the process closed", async () => {
    const full = new StorageError("no space left", { path: "runs.jsonl", errno: "ENOSPC" });
    const lab = createLab();
    const running = run({
      startSampler: lab.startSampler,
      onLine: () => {
        throw full;
      },
    });
    await expect(running).rejects.toBe(full);
    expect(lab.nOpen()).toBe(0);
  });
});
