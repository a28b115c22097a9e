// Protocols of the transfer tasks: who is learned from, what is read of a target, what it is tested on.
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import type { FeatureTable } from "../graph/features.js";
import type { FittedPredictor, PlatformSamples } from "../predict/predictor.js";
import { createPredictor, predictorNames } from "../predict/registry.js";
import { featuresOfCells } from "../space/nasbench201/features.js";
import { createRandom } from "../tensor/random.js";
import {
  candidatePlaces,
  checkTargetNetworks,
  fitSources,
  scoreTransfer,
  sourceSamples,
  type TransferSettings,
  testPlaces,
  transferTo,
} from "./transfer.js";
import type { MeasuredPlatform, TransferTask } from "./transfer-task.js";

/** Every seventh cell, so that rows and published order differ from indices. */
const networks = featuresOfCells(Array.from({ length: 2000 }, (_, i) => 7 * i));
const macs = networks.ids.map((_, row) =>
  networks.signatures.reduce(
    (sum, signature, i) =>
      sum + signature.macs * networks.counts.all[row * networks.signatures.length + i]!,
    0,
  ),
);

interface PlatformOptions {
  readonly isMeasured?: (index: number) => boolean;
  readonly latency?: (index: number) => number;
}

/** A platform on which row i is network i of the published order. */
function platformOf(id: string, options: PlatformOptions = {}): MeasuredPlatform {
  const random = createRandom(id.length);
  const noise = macs.map(() => 1 + 0.03 * random.normal());
  const latency = options.latency ?? ((i: number) => (1 + macs[i]! / 4e7) * noise[i]!);
  const indices = Array.from(networks.ids.keys()).filter(options.isMeasured ?? (() => true));
  return {
    id,
    dataset: "test",
    family: id,
    rows: Int32Array.from(indices),
    latencyMs: Float64Array.from(indices, latency),
    publishedIndex: Int32Array.from(indices),
  };
}

const taskOf = (target: MeasuredPlatform, sources = ["a", "bb", "ccc"]): TransferTask => ({
  name: "test",
  space: "nasbench201",
  networks,
  sources: sources.map((id) => platformOf(id)),
  targets: [target],
});

const task = taskOf(platformOf("target"));
const target = task.targets[0]!;
const all: TransferSettings = { protocol: "all", select: "random", samples: 10, seed: 3 };
const help: TransferSettings = { ...all, protocol: "help" };

/** Predicts one latency for everything and remembers what it was given. */
function recorder(options: Partial<FittedPredictor> = {}) {
  const given: PlatformSamples[] = [];
  const fitted: FittedPredictor = {
    name: "recorder",
    trainedFamilies: [],
    async adapt(samples) {
      given.push(samples);
      return {
        name: "recorder",
        platformId: samples.platformId,
        async predict({ ids }: FeatureTable, { coverage }) {
          const column = (value: number) => new Float64Array(ids.length).fill(value);
          return {
            latencyMs: column(2),
            lowerMs: column(1),
            upperMs: column(3),
            coverage,
            degreesOfFreedom: 4,
            withinKnownRange: new Uint8Array(ids.length).fill(1),
            outsideReasons: new Map(),
          };
        },
        save: () => {
          throw new Error("not saved");
        },
      };
    },
    save: () => {
      throw new Error("not saved");
    },
    ...options,
  };
  return { fitted, given };
}

async function readBy(
  fitted: FittedPredictor,
  settings: TransferSettings = all,
  trial = 0,
  of: TransferTask = task,
) {
  return (await transferTo(fitted, of, of.targets[0]!, settings, trial)).read;
}

describe("protocol all", () => {
  test("learns from 512 networks a source, redrawn each trial, the same for everybody", () => {
    const source = task.sources[0]!;
    const first = sourceSamples(task, source, all, 0);
    expect(new Set(first.rows).size).toBe(512);
    expect(sourceSamples(task, source, all, 0)).toEqual(first);
    expect([...sourceSamples(task, source, all, 1).rows]).not.toEqual([...first.rows]);
    expect([...sourceSamples(task, source, { ...all, seed: 4 }, 0).rows]).not.toEqual([
      ...first.rows,
    ]);
    expect([...sourceSamples(task, task.sources[1]!, all, 0).rows]).not.toEqual([...first.rows]);
    for (const [i, row] of first.rows.entries()) {
      expect(first.latencyMs[i]).toBe(source.latencyMs[row]);
    }
  });

  test("takes 800 networks of FBNet, and all where a source has fewer", () => {
    expect(sourceSamples({ space: "fbnet" }, target, all, 0).rows).toHaveLength(800);
    const few = platformOf("few", { isMeasured: (i) => i < 100 });
    expect(sourceSamples(task, few, all, 0).rows).toHaveLength(100);
  });

  test("tests on every measured network that was not read", async () => {
    const { fitted } = recorder();
    const outcome = await transferTo(fitted, task, target, all, 0);
    const scores = scoreTransfer(task, target, "all", outcome);
    expect(scores.nTest).toBe(1990);
    expect(scores.targetLatenciesRead).toBe(10);
    const unconnected = networks.connected.filter((flag) => flag === 0).length;
    expect(unconnected).toBeGreaterThan(10);
    expect(scores.nUnconnected).toBe(unconnected);
  });

  test("neither draws nor tests networks that were not measured", async () => {
    const part = platformOf("part", { isMeasured: (i) => i % 3 === 0 });
    const { fitted, given } = recorder();
    const outcome = await transferTo(fitted, taskOf(part), part, all, 0);
    expect([...given[0]!.rows].every((row) => row % 3 === 0)).toBe(true);
    expect(scoreTransfer(task, part, "all", outcome).nTest).toBe(part.rows.length - 10);
    expect(sourceSamples(task, part, all, 0).rows.every((row) => row % 3 === 0)).toBe(true);
  });
});

describe("protocol help", () => {
  test("learns from networks 0 to 899 and draws samples of them, none left out", () => {
    expect([...sourceSamples(task, target, help, 0).rows]).toEqual(
      Array.from({ length: 900 }, (_, i) => i),
    );
    expect(candidatePlaces(task, target, "help")).toHaveLength(900);
    expect(candidatePlaces({ space: "fbnet" }, target, "help")).toHaveLength(2000);
  });

  test("tests on 900 to 1899 without the fastest and slowest tenth", () => {
    const rising = platformOf("rising", { latency: (i) => i + 1 });
    expect(testPlaces(task, rising, "help")).toEqual(
      Array.from({ length: 800 }, (_, i) => 1000 + i),
    );
    const falling = platformOf("falling", { latency: (i) => 3000 - i });
    expect(testPlaces(task, falling, "help")).toEqual(
      Array.from({ length: 800 }, (_, i) => 1000 + i),
    );
  });

  test("trims networks of equal latency by their index", () => {
    // 50 fast ones at the end of the window: 50 of the equal ones leave with them, those of the lowest index.
    const tied = platformOf("tied", { latency: (i) => (i >= 1850 && i < 1900 ? 1 : 5) });
    const places = testPlaces(task, tied, "help");
    expect(places).toHaveLength(800);
    expect(places[0]).toBe(950);
    expect(places.at(-1)).toBe(1749);
  });

  test("trims a tenth of the networks that were measured", () => {
    const part = platformOf("part", { isMeasured: (i) => i % 2 === 0, latency: (i) => i + 1 });
    const places = testPlaces(task, part, "help");
    expect(places).toHaveLength(400);
    expect(part.publishedIndex[places[0]!]).toBe(1000);
  });

  test("takes references out of the test after trimming", async () => {
    const rising = platformOf("rising", { latency: (i) => i + 1 });
    // 905 is trimmed, 1462 is tested on.
    const { fitted } = recorder({ referenceRows: () => Int32Array.of(905, 1462, 3) });
    const outcome = await transferTo(fitted, taskOf(rising), rising, help, 0);
    const scores = scoreTransfer(task, rising, "help", outcome);
    expect(scores.nTest).toBe(799);
    expect(scores.targetLatenciesRead).toBe(10);
  });
});

describe("samples of a target", () => {
  test("depend on seed, trial and platform only, and few are among many", async () => {
    const { fitted } = recorder();
    const ten = await readBy(fitted);
    expect(new Set(ten).size).toBe(10);
    expect(await readBy(recorder().fitted)).toEqual(ten);
    expect((await readBy(fitted, { ...all, samples: 50 })).slice(0, 10)).toEqual(ten);
    expect(await readBy(fitted, all, 1)).not.toEqual(ten);
    expect(await readBy(fitted, { ...all, seed: 4 })).not.toEqual(ten);
    expect(await readBy(fitted, all, 0, taskOf(platformOf("other")))).not.toEqual(ten);
  });

  test("begin with the references of a method; the others are those of all methods", async () => {
    const ten = await readBy(recorder().fitted);
    const references = [ten[2]!, 77, 78];
    const { fitted, given } = recorder({ referenceRows: () => Int32Array.from(references) });
    const read = await readBy(fitted);
    expect(read).toHaveLength(10);
    expect(read.slice(0, 3)).toEqual(references);
    expect(read.slice(3)).toEqual(ten.filter((place) => place !== ten[2]).slice(0, 7));
    expect([...given[0]!.rows]).toEqual(read);
  });

  test("must be more than a method has references, and these must be measured", async () => {
    const many = recorder({ referenceRows: () => Int32Array.from({ length: 10 }, (_, i) => i) });
    await expect(readBy(many.fitted)).rejects.toThrow("samples must be more than 10, got 10");
    const part = taskOf(platformOf("part", { isMeasured: (i) => i !== 5 }));
    const one = recorder({ referenceRows: () => Int32Array.of(5) });
    await expect(readBy(one.fitted, all, 0, part)).rejects.toThrow(
      "reference network nasbench201/35 on part, which was not measured there",
    );
  });

  test("are chosen by the method when they are to be designed, from what was measured", async () => {
    const offered: number[][] = [];
    const { fitted } = recorder({
      referenceRows: () => Int32Array.of(6),
      chooseSamples(_, { count, candidates }) {
        offered.push(Array.from(candidates!));
        return Int32Array.from(candidates!).slice(-count);
      },
    });
    const part = taskOf(platformOf("part", { isMeasured: (i) => i % 3 === 0 }));
    const settings: TransferSettings = { ...all, select: "designed", samples: 3 };
    const read = await readBy(fitted, settings, 0, part);
    const rows = read.map((place) => part.targets[0]!.rows[place]);
    expect(rows).toEqual([6, 1995, 1998]);
    expect(offered[0]).toHaveLength(part.targets[0]!.rows.length - 1);
    expect(offered[0]).not.toContain(6);
    expect(await readBy(fitted, { ...all, samples: 3 }, 0, part)).not.toEqual(read);
  });

  test("leave networks to test on, or the target is refused", () => {
    const small = platformOf("small", { isMeasured: (i) => i < 11 });
    expect(() => checkTargetNetworks(task, small, all)).toThrow(InputError);
    expect(() => checkTargetNetworks(task, small, all)).toThrow("it has 11 measured networks");
    expect(() => checkTargetNetworks(task, small, { ...all, samples: 9 })).not.toThrow();
    expect(() => checkTargetNetworks(task, small, help)).toThrow("0 in the test window");
  });
});

describe("scores", () => {
  test("are those of the test networks, with and without unconnected ones", async () => {
    const { fitted } = recorder();
    const outcome = await transferTo(fitted, task, target, all, 0);
    const truth = (row: number) => target.latencyMs[row]!;
    const latencyMs = Float64Array.from(networks.ids.keys(), (row) =>
      networks.connected[row] === 1 ? 1.08 * truth(row) : 2 * truth(row),
    );
    const predictions = {
      ...outcome.predictions,
      latencyMs,
      lowerMs: latencyMs.map((value) => 0.9 * value),
      upperMs: latencyMs.map((value) => 1.1 * value),
    };
    const scores = scoreTransfer(task, target, "all", { read: outcome.read, predictions });
    const nUnconnected = Array.from(target.rows).filter(
      (row) => networks.connected[row] === 0 && !outcome.read.includes(row),
    ).length;
    expect(scores.withinTenPercentConnected).toBe(1);
    expect(scores.mapeConnected).toBeCloseTo(0.08, 12);
    expect(scores.withinTenPercent).toBeCloseTo(1 - nUnconnected / 1990, 12);
    expect(scores.withinFivePercent).toBe(0);
    expect(scores.coverage90).toBeCloseTo(1 - nUnconnected / 1990, 12);
    expect(scores.intervalWidth).toBeCloseTo(0.2, 12);
  });
});

/** Methods that learn for longer than a test should; the contract suite checks their smaller settings. */
const slow = [
  "maple-edge",
  "maple",
  "brp-nas",
  "help",
  "nasflat",
  "best-proxy",
  "gaussian-process",
];

describe.each(predictorNames.filter((name) => !slow.includes(name)))("%s", (name) => {
  test("predicts the same whatever the latencies that it must not read", async () => {
    const honest = platformOf("target", { isMeasured: (i) => i % 2 === 0 });
    const truth = taskOf(honest);
    const { fitted } = await fitSources(createPredictor(name), truth, all, 0);
    for (const select of ["random", "designed"] as const) {
      const settings: TransferSettings = { ...all, select, samples: 20 };
      const { read, predictions } = await transferTo(fitted, truth, honest, settings, 0);
      const isRead = new Set(read);
      const random = createRandom(1);
      const latencyMs = honest.latencyMs.map((latency, place) =>
        isRead.has(place) ? latency : latency * Math.exp(2 * random.normal()),
      );
      const after = await transferTo(fitted, truth, { ...honest, latencyMs }, settings, 0);
      expect(after.read).toEqual(read);
      expect(after.predictions).toEqual(predictions);
    }
  }, 120_000);
});
