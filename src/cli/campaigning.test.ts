// Campaigns of several stages in a laboratory of exact latencies, stopped and gone on with.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Workplace } from "../../test/command-line.js";
import { createLab, labPlatform } from "../../test/fake-lab.js";
import { InterruptedError } from "../errors.js";
import { operatorSubjects } from "../measure/profile.js";
import { subjectFromIndex } from "../measure/subject.js";
import type { StartSampler } from "../measure/unit.js";
import { createReferenceRuntime } from "../platform/runtimes/reference.js";
import { featuresOfCells } from "../space/nasbench201/features.js";
import { Pool } from "../store/pool.js";
import { coveringNetworks, measureCampaign, stagesOf } from "./campaigning.js";
import { createProgress } from "./progress.js";

const words = (nProcesses: number, nDescriptors: number) =>
  stagesOf(nProcesses, nDescriptors).map((stage) =>
    stage.kind === "operators"
      ? `operators ${stage.repetition}`
      : `networks ${stage.nProcesses}${stage.isLast ? " last" : ""}`,
  );

describe("stagesOf()", () => {
  test("profiles before the first round, between rounds and after the last", () => {
    expect(words(3, 3)).toEqual([
      "operators 0",
      "networks 1",
      "networks 2",
      "operators 1",
      "networks 3 last",
      "operators 2",
    ]);
  });

  test("profiles once before everything, or never", () => {
    expect(words(2, 1)).toEqual(["operators 0", "networks 1", "networks 2 last"]);
    expect(words(1, 0)).toEqual(["networks 1 last"]);
  });

  test("has each repetition once and in order, however few rounds there are", () => {
    for (const [nProcesses, nDescriptors] of [
      [1, 5],
      [5, 2],
      [7, 4],
    ] as const) {
      const stages = stagesOf(nProcesses, nDescriptors);
      const repetitions = stages.flatMap((s) => (s.kind === "operators" ? [s.repetition] : []));
      expect(repetitions).toEqual(Array.from({ length: nDescriptors }, (_, i) => i));
    }
  });
});

describe("coveringNetworks()", () => {
  const cells = [0, 5, 700, 9410, 1462, 15_624, 15_623, 3124];
  const table = featuresOfCells(cells);

  test("takes none of those that are taken, and the most different first", () => {
    const chosen = coveringNetworks(table, 4, [1, 2]);
    expect(chosen).toHaveLength(4);
    expect(new Set([...chosen, 1, 2]).size).toBe(6);
    expect(coveringNetworks(table, 2, [1, 2])).toEqual(chosen.slice(0, 2));
  });
});

/** Hundreds of fake runs, on a machine that may be busy. */
const slow = 120_000;

describe("measureCampaign()", () => {
  let place: Workplace;
  let pool: Pool;
  beforeEach(() => {
    place = new Workplace();
    pool = new Pool(place.path("pool"));
  });
  afterEach(() => place.remove());

  const runtime = createReferenceRuntime();
  const platforms = [labPlatform(), labPlatform("fake1-heavy-t1", { weightNs: 5 })].map(
    (platform) => ({ platform, runtime }),
  );
  const networks = [3, 1462, 9000].map((index) => subjectFromIndex(index));
  const nOperators = operatorSubjects().length;

  const run = (startSampler: StartSampler, signal = new AbortController().signal) =>
    measureCampaign({
      platforms,
      networks,
      protocol: { nProcesses: 2, nPairs: 3, warmupRuns: 1, chunkSize: 2 },
      nDescriptors: 2,
      pool,
      progress: createProgress({ quiet: true }),
      signal,
      resumeCommand: "again",
      warn: (code, message) => expect.unreachable(`${code}: ${message}`),
      startSampler,
    });

  test("measures operators for each descriptor and networks for each process", {
    timeout: slow,
  }, async () => {
    const { measurements, failures } = await run(createLab().startSampler);
    expect(failures).toEqual([]);
    expect(measurements).toHaveLength(2 * networks.length);
    const { lines } = pool.runs();
    expect(lines).toHaveLength(2 * (2 * 3 * nOperators + 2 * networks.length));
    const firstNetwork = lines.findIndex(({ kind }) => kind === "network");
    expect(firstNetwork).toBe(2 * 3 * nOperators);
    expect(lines.at(-1)!.kind).toBe("operator");
    expect(pool.descriptors()).toHaveLength(2);
    for (const { platform } of platforms) {
      const all = pool.descriptor(platform.id)!;
      for (const repetition of [1, 2]) {
        const alone = pool.descriptorRepeat(platform.id, repetition)!;
        // Exact latencies: each repetition finds what all of them find.
        for (const [i, { latencyNs }] of alone.rows.entries()) {
          expect(latencyNs / all.rows[i]!.latencyNs).toBeCloseTo(1, 9);
        }
      }
    }
  });

  test("goes on after a stop with what is missing", { timeout: slow }, async () => {
    const lab = createLab();
    const stop = new AbortController();
    let nStarts = 0;
    const startSampler: StartSampler = (platform, options) => {
      nStarts += 1;
      if (nStarts === 9) stop.abort();
      return lab.startSampler(platform, options);
    };
    await expect(run(startSampler, stop.signal)).rejects.toThrow(InterruptedError);
    const before = pool.runs().lines;
    expect(before.length).toBeGreaterThan(0);
    await run(createLab().startSampler);
    const { lines } = pool.runs();
    expect(lines.slice(0, before.length)).toEqual(before);
    expect(lines).toHaveLength(2 * (2 * 3 * nOperators + 2 * networks.length));
  });
});
