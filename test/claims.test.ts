// The experiments of docs/claims.md on made-up pools: who leaves with a target, what of it is read, and the document.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ceilingsOf, loadClaimsPool } from "../src/cli/claims-pool.js";
import { InputError } from "../src/errors.js";
import {
  type ClaimRun,
  drawSamples,
  fitGroup,
  groupsOfRun,
  scoreTrial,
} from "../src/evaluate/claims.js";
import { withDescriptorPart } from "../src/evaluate/descriptor-parts.js";
import { holdOutGroups } from "../src/evaluate/hold-out-groups.js";
import type { HeldOutPlatform } from "../src/evaluate/protocol.js";
import type { PlatformSamples } from "../src/predict/predictor.js";
import type { Platform } from "../src/record/platform.js";
import { Pool } from "../src/store/pool.js";
import { worldPlatforms, worldSamples, worldTable } from "./contract/synthetic-pool.js";
import { writeFakePool } from "./fake-pool.js";

const seed = 5;
const networks = worldTable(400, seed);
const nTrain = 120;
const folders: string[] = [];
const temporary = () => {
  const folder = mkdtempSync(join(tmpdir(), "samara-claims-"));
  folders.push(folder);
  return folder;
};
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** Platforms of four families, two siblings each, every network measured; the first networks are for learning. */
const world: HeldOutPlatform[] = worldPlatforms(4, seed).map((platform) => {
  const all = worldSamples(platform, networks, 200, seed);
  const part = (from: number, to: number): PlatformSamples => ({
    ...all,
    rows: all.rows.slice(from, to),
    latencyMs: all.latencyMs.slice(from, to),
  });
  return { train: part(0, nTrain), test: part(nTrain, 200) };
});

const run = (changes: Partial<ClaimRun> = {}): ClaimRun => ({
  method: "operator-sum",
  descriptor: "all",
  leaves: "family",
  among: "all",
  platforms: "all",
  ...changes,
});

describe("hold-outs", () => {
  test("siblings leave together, and every platform is a target once", () => {
    const groups = groupsOfRun(world, run());
    expect(groups).toHaveLength(4);
    for (const { targets, sources } of groups) {
      expect(targets).toHaveLength(2);
      expect(sources).toHaveLength(6);
      const families = new Set(targets.map(({ train }) => train.family));
      expect(families.size).toBe(1);
      expect(sources.some(({ train }) => families.has(train.family))).toBe(false);
    }
    const ids = groups.flatMap(({ targets }) => targets.map(({ train }) => train.platformId));
    expect([...ids].sort()).toEqual(world.map(({ train }) => train.platformId).sort());
  });

  const placed = (
    id: string,
    device: string,
    family: string,
    settings: Record<string, string> = {},
  ): HeldOutPlatform => {
    const platform = {
      id,
      device: { id: device },
      runtime: { family, version: "1", threads: 1, settings },
    } as unknown as Platform;
    const samples = { ...world[0]!.train, platformId: id, family, platform };
    return { train: samples, test: samples };
  };
  const mixed = [
    placed("d1.tflite-xnnpack", "d1", "tflite", { delegate: "xnnpack" }),
    placed("d1.tflite-builtin", "d1", "tflite", { delegate: "builtin" }),
    placed("d1.litert", "d1", "litert"),
    placed("d1.opencv", "d1", "opencv"),
    placed("d2.tflite-xnnpack", "d2", "tflite", { delegate: "xnnpack" }),
    placed("d2.opencv", "d2", "opencv"),
  ];
  const sourcesOf = (
    target: string,
    leaves: ClaimRun["leaves"],
    among: ClaimRun["among"] = "all",
  ) =>
    holdOutGroups(mixed, { leaves, among }, { sources: 1, families: 1 })
      .filter(({ targets }) => targets.some(({ train }) => train.platformId === target))
      .flatMap(({ sources }) => sources.map(({ train }) => train.platformId));

  test("who leaves with a target", () => {
    const target = "d1.tflite-xnnpack";
    expect(sourcesOf(target, "platform")).toHaveLength(5);
    expect(sourcesOf(target, "family")).toEqual(["d1.litert", "d1.opencv", "d2.opencv"]);
    expect(sourcesOf(target, "library")).toEqual(["d1.opencv", "d2.opencv"]);
    expect(sourcesOf(target, "device")).toEqual(["d2.tflite-xnnpack", "d2.opencv"]);
    expect(sourcesOf(target, "device and family")).toEqual(["d2.opencv"]);
    expect(sourcesOf(target, "platform", "own family")).toEqual([
      "d1.tflite-builtin",
      "d2.tflite-xnnpack",
    ]);
    expect(sourcesOf("d1.tflite-builtin", "library")).toContain("d1.litert");
  });

  test("a group with too few sources is left out", () => {
    expect(groupsOfRun(world, run({ leaves: "platform", among: "own family" }))).toEqual([]);
    expect(groupsOfRun(world, run({ platforms: "simulated" }))).toEqual([]);
  });
});

describe("descriptors", () => {
  const [first] = world[0]!.train.descriptor!.rows;
  const reading = (name: string, source: "software" | "simulated") => ({
    name,
    source,
    perRun: 1,
    runningShare: 1,
  });
  const counters = [reading("page-faults", "software"), reading("instructions", "simulated")];
  const samples = {
    ...world[0]!.train,
    descriptor: { ...world[0]!.train.descriptor!, rows: [{ ...first!, counters }] },
  };
  const namesOf = (part: Parameters<typeof withDescriptorPart>[1]) =>
    withDescriptorPart(samples, part).descriptor?.rows.flatMap(({ counters: shown }) =>
      shown.map(({ name }) => name),
    );

  test("are shown with the counters of one source, without any, or not at all", () => {
    expect(namesOf("all")).toEqual(["page-faults", "instructions"]);
    expect(namesOf("software")).toEqual(["page-faults"]);
    expect(namesOf("simulated")).toEqual(["instructions"]);
    expect(namesOf("latencies")).toEqual([]);
    expect(namesOf("none")).toBeUndefined();
    expect(samples.descriptor.rows[0]!.counters).toHaveLength(2);
  });
});

describe("a trial", () => {
  const target = world.at(-1)!;
  const at = { seed, trial: 3, samples: 10 };

  test("draws the same samples for all, smaller numbers among greater ones", () => {
    const ten = drawSamples({}, networks, target.train, at);
    expect(new Set(ten).size).toBe(10);
    expect(drawSamples({}, networks, target.train, { ...at, samples: 5 })).toEqual(ten.slice(0, 5));
    expect(drawSamples({}, networks, target.train, { ...at, trial: 4 })).not.toEqual(ten);
    expect(() => drawSamples({}, networks, target.train, { ...at, samples: 500 })).toThrow(
      InputError,
    );
  });

  test("lets a method choose where it is asked to", () => {
    const chooseSamples = () => target.train.rows.slice(20, 30).reverse();
    const designed = { ...at, select: "designed" as const };
    expect(drawSamples({ chooseSamples }, networks, target.train, designed)).toEqual([
      29, 28, 27, 26, 25, 24, 23, 22, 21, 20,
    ]);
    const drawn = drawSamples({}, networks, target.train, at);
    expect(drawSamples({ chooseSamples }, networks, target.train, at)).toEqual(drawn);
    expect(drawSamples({}, networks, target.train, designed)).toEqual(drawn);
  });

  test("counts references among the samples, those that were not measured are replaced", () => {
    const { rows } = target.train;
    const unmeasured = target.test.rows[0]!;
    const referenceRows = () => Int32Array.from([rows[7]!, unmeasured, rows[2]!]);
    const places = drawSamples({ referenceRows }, networks, target.train, at);
    expect(places.slice(0, 2)).toEqual([7, 2]);
    expect(new Set(places).size).toBe(10);
  });

  /** Every latency of the target and its sibling changed, save for some samples and the test networks. */
  const disturbed = (kept: readonly number[], testFactor = 1) =>
    world.map(({ train, test }) =>
      train.family !== target.train.family
        ? { train, test }
        : {
            train: {
              ...train,
              latencyMs: train.latencyMs.map((ms, place) =>
                train.platformId === target.train.platformId && kept.includes(place) ? ms : 3 * ms,
              ),
            },
            test: { ...test, latencyMs: test.latencyMs.map((ms) => testFactor * ms) },
          },
    );
  async function scored(platforms: readonly HeldOutPlatform[], samples: number) {
    const group = groupsOfRun(platforms, run()).find(({ targets }) =>
      targets.some(({ train }) => train.platformId === target.train.platformId),
    )!;
    const learner = await fitGroup("operator-sum", networks, group, { seed, fit: 0 });
    const { adaptMs: _, ...scores } = await scoreTrial(
      learner,
      networks,
      group.targets.find(({ train }) => train.platformId === target.train.platformId)!,
      { ...at, samples },
    );
    return scores;
  }

  test.each([0, 10])(
    "no unseen latency of the target moves a prediction from %s samples",
    async (samples) => {
      const kept = drawSamples({}, networks, target.train, { ...at, samples });
      const expected = await scored(world, samples);
      expect(expected.latenciesRead).toBe(samples);
      expect(await scored(disturbed(kept), samples)).toEqual(expected);
      // Latencies of test networks move scores, and ranks stay: they were predicted as before.
      const shifted = await scored(disturbed(kept, 2), samples);
      expect(shifted.spearman).toBe(expected.spearman);
      expect(shifted.intervalWidth).toBe(expected.intervalWidth);
      expect(shifted.withinTenPercent).not.toBe(expected.withinTenPercent);
    },
  );

  test("the sum of operator latencies reads no sample, and needs a descriptor", async () => {
    const [group] = groupsOfRun(world, run());
    const sum = await fitGroup("latency-sum", networks, group!, { seed, fit: 0 });
    const scores = await scoreTrial(sum, networks, target, { ...at, samples: 0 });
    expect(scores.spearman).toBeGreaterThan(0.8);
    const bare = withDescriptorPart(target.train, "none");
    await expect(sum.adapt(bare, networks, { seed })).rejects.toThrow("has no descriptor");
  });
});

describe("pools", () => {
  test("are taken as one; a network tested in one is learned from in none", async () => {
    const [first, second] = [temporary(), temporary()];
    writeFakePool(first, 60, 20);
    const pool = writeFakePool(second, 60, 20);
    const renamed = pool
      .platforms()
      .map((platform) => ({ ...platform, id: `other.${platform.id}` }));
    const measurements = await pool.measurements();
    const other = new Pool(temporary());
    for (const platform of renamed) other.addPlatform(platform);
    other.writeMeasurements(
      measurements.map((m) => ({ ...m, platformId: `other.${m.platformId}` })),
    );
    const split = pool.split()!;
    // The other pool tests networks that the first one learns from.
    const test = split.train.slice(0, 10);
    other.writeSplit({ ...split, train: split.train.slice(10), test });
    const both = await loadClaimsPool([first, other.folder]);
    expect(both.platforms).toHaveLength(2 * renamed.length);
    expect(both.networks.ids).toHaveLength(60);
    const rowsOf = (samples: PlatformSamples) =>
      [...samples.rows].map((row) => both.networks.ids[row]!);
    for (const { train, test } of both.platforms) {
      expect(rowsOf(train)).toHaveLength(30);
      expect(rowsOf(test)).toHaveLength(30);
      expect(rowsOf(train).filter((id) => split.test.includes(id))).toEqual([]);
    }
    const ceilings = await ceilingsOf(both, [first, other.folder], 0);
    expect(ceilings.size).toBe(both.platforms.length);
    await expect(loadClaimsPool([first, second])).rejects.toThrow("is in two of the pools");
  });
});

describe("scripts/claims.mjs", () => {
  const script = resolve(import.meta.dirname, "../scripts/claims.mjs");
  const isBuilt = existsSync(resolve(import.meta.dirname, "../dist/evaluate/claims.js"));
  if (!isBuilt) console.warn("skipped: run `npm run build` first");

  test.skipIf(!isBuilt)(
    "writes the document, and picks up what is finished",
    () => {
      const [pool, out, docs] = [temporary(), temporary(), temporary()];
      writeFakePool(pool, 80, 30);
      const work = () =>
        spawnSync(
          process.execPath,
          [
            script,
            ...["--pool", pool, "--out", out, "--docs", docs, "--trials", "1", "--only", "g,f"],
          ],
          { encoding: "utf8" },
        );
      const first = work();
      expect(first.stderr).toContain("written:");
      expect(first.status).toBe(0);
      const text = readFileSync(join(docs, "claims.md"), "utf8");
      expect(text).toContain("8 platforms of 4 runtime families on 1 device");
      expect(text).toContain("## g. Prediction without any target network");
      expect(text).toContain("hardware cannot be tested here");
      expect(text).toMatch(/## a\. .*\n\n.*\n\n\*Not run\.\*/);
      expect(existsSync(join(docs, "claims", "claims-g.svg"))).toBe(true);
      expect(text).not.toContain("NaN");
      const again = work();
      expect(again.stderr).toContain(" 0 to do");
      expect(readFileSync(join(docs, "claims.md"), "utf8")).toBe(text);
    },
    120_000,
  );
});
