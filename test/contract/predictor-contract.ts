/**
 * What every predictor must hold to, run on each by `predictor-contract.test.ts`.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { FormatError, InputError, InterruptedError } from "../../src/errors.js";
import type {
  AdaptedPredictor,
  FittedPredictor,
  PlatformSamples,
  Predictions,
  Predictor,
  SavedPredictor,
} from "../../src/predict/predictor.js";
import { spearman } from "../../src/tensor/stats.js";
import {
  trueLatencies,
  worldDescriptor,
  worldPlatforms,
  worldPool,
  worldSamples,
  worldTable,
} from "./synthetic-pool.js";

export interface PredictorContract {
  /** Whether a target's descriptor is read, so that missing operators must be refused. */
  readonly readsDescriptor: boolean;
  /** Least share of connected test networks within ±10 % on the synthetic world. */
  readonly leastWithinTenPercent: number;
}

const seed = 5;
const coverage = 0.9;
/** The last family is held out. */
const nFamilies = 4;

const pool = worldPool(nFamilies, 120, seed);
const { networks } = pool;
const heldOut = worldPlatforms(nFamilies, seed).at(-1)!;
const training = {
  networks,
  platforms: pool.platforms.filter(({ family }) => family !== heldOut.family),
};
const target = worldSamples(heldOut, networks, 12, 99);

function expectSame(actual: Predictions, expected: Predictions): void {
  expect([...actual.latencyMs]).toEqual([...expected.latencyMs]);
  expect([...actual.lowerMs]).toEqual([...expected.lowerMs]);
  expect([...actual.upperMs]).toEqual([...expected.upperMs]);
}

function withLatency(index: number, latency: number): PlatformSamples {
  const latencyMs = target.latencyMs.slice();
  latencyMs[index] = latency;
  return { ...target, latencyMs };
}

function withTensor(
  saved: SavedPredictor,
  change: (values: Float64Array, shape: readonly number[]) => SavedPredictor["tensors"],
): SavedPredictor {
  const tensor = [...saved.tensors.values()][0]!;
  return { ...saved, tensors: change(Float64Array.from(tensor.values), tensor.shape) };
}

/** Check one method. */
export function checkPredictor(
  name: string,
  create: () => Predictor,
  contract: PredictorContract,
): void {
  describe(name, () => {
    const predictor = create();
    let fitted: FittedPredictor;
    let adapted: AdaptedPredictor;
    let predictions: Predictions;
    beforeAll(async () => {
      fitted = await predictor.fit(training, { seed });
      adapted = await fitted.adapt(target, networks, { seed });
      predictions = await adapted.predict(networks, { coverage });
    }, 120_000);

    test("names itself and the families it learned from", () => {
      expect([predictor.name, fitted.name, adapted.name]).toEqual([name, name, name]);
      expect(fitted.trainedFamilies).toEqual(["family-0", "family-1", "family-2"]);
      expect(adapted.platformId).toBe(heldOut.id);
    });

    test("predicts finite latencies greater than 0, inside their intervals, for all networks", () => {
      const { latencyMs, lowerMs, upperMs } = predictions;
      expect(latencyMs.length).toBe(networks.ids.length);
      latencyMs.forEach((latency, i) => {
        expect(Number.isFinite(upperMs[i]!)).toBe(true);
        expect(lowerMs[i]!).toBeGreaterThan(0);
        expect(latency).toBeGreaterThanOrEqual(lowerMs[i]!);
        expect(latency).toBeLessThanOrEqual(upperMs[i]!);
      });
    });

    test("comes as close to a held-out platform as it should", () => {
      const truth = trueLatencies(heldOut, networks);
      const connected = [...truth.keys()].filter((row) => networks.connected[row] === 1);
      const near = connected.filter(
        (row) => Math.abs(predictions.latencyMs[row]! / truth[row]! - 1) <= 0.1,
      );
      expect(near.length / connected.length).toBeGreaterThanOrEqual(contract.leastWithinTenPercent);
    });

    test("gives the same predictions for the same seed", async () => {
      const again = await create().fit(training, { seed });
      const adaptedAgain = await again.adapt(target, networks, { seed });
      expectSame(await adaptedAgain.predict(networks, { coverage }), predictions);
    }, 120_000);

    test("predicts the same after saving and loading, fitted and adapted", async () => {
      const loaded = await create().load(fitted.save());
      expect(loaded.trainedFamilies).toEqual(fitted.trainedFamilies);
      const fromLoaded = await loaded.adapt(target, networks, { seed });
      expectSame(await fromLoaded.predict(networks, { coverage }), predictions);
      const loadedAdapted = await create().loadAdapted(adapted.save());
      expect(loadedAdapted.platformId).toBe(heldOut.id);
      expectSame(await loadedAdapted.predict(networks, { coverage }), predictions);
    });

    test("saves settings that JSON keeps as they are", () => {
      for (const { settings } of [fitted.save(), adapted.save()]) {
        expect(JSON.parse(JSON.stringify(settings))).toEqual(settings);
      }
    });

    test("reads no latency of the target but its samples", async () => {
      // The pool holds other latencies of the target too: were they read, changing them would show.
      const others = worldSamples(heldOut, networks, 200, 7);
      const latencies: Predictions[] = [];
      for (const factor of [1, 3]) {
        for (let i = 0; i < others.latencyMs.length; i++) others.latencyMs[i]! *= factor;
        const refitted = await create().fit(training, { seed });
        const readapted = await refitted.adapt({ ...target }, networks, { seed });
        latencies.push(await readapted.predict(networks, { coverage }));
      }
      expectSame(latencies[1]!, latencies[0]!);
      expectSame(latencies[0]!, predictions);
    }, 120_000);

    test("does not depend on networks of the table that were not asked for", async () => {
      const rows = [...target.rows];
      const subset = pickRows(rows);
      const fewer = await adapted.predict(subset, { coverage });
      rows.forEach((row, i) => {
        expect(fewer.latencyMs[i]! / predictions.latencyMs[row]!).toBeCloseTo(1, 5);
      });
    });

    test("intervals grow with coverage", async () => {
      let before: Predictions | undefined;
      for (const share of [0.5, 0.8, 0.9, 0.99]) {
        const now = await adapted.predict(networks, { coverage: share });
        expect(now.coverage).toBe(share);
        if (before !== undefined) {
          for (let i = 0; i < now.latencyMs.length; i++) {
            expect(now.lowerMs[i]!).toBeLessThan(before.lowerMs[i]!);
            expect(now.upperMs[i]!).toBeGreaterThan(before.upperMs[i]!);
          }
        }
        before = now;
      }
    });

    test.each([0, 1, -0.1, Number.NaN])("refuses coverage %s", async (share) => {
      await expect(adapted.predict(networks, { coverage: share })).rejects.toThrow(InputError);
    });

    const first = (n: number, samples: PlatformSamples = target): PlatformSamples => ({
      ...samples,
      rows: samples.rows.slice(0, n),
      latencyMs: samples.latencyMs.slice(0, n),
    });
    const { descriptor: __, ...bareTarget } = target;
    const { minSamplesDescribed } = predictor;

    test("refuses fewer samples than it needs, of a target without descriptor", async () => {
      const few = first(predictor.minSamples - 1, bareTarget);
      await expect(fitted.adapt(few, networks, { seed })).rejects.toThrow(
        `needs at least ${predictor.minSamples} samples`,
      );
      await expect(fitted.adapt(first(0, bareTarget), networks, { seed })).rejects.toThrow(
        InputError,
      );
    });

    if (minSamplesDescribed === undefined) {
      test("refuses them of a described target, too", async () => {
        await expect(fitted.adapt(first(0), networks, { seed })).rejects.toThrow(
          `needs at least ${predictor.minSamples} samples`,
        );
      });
    } else {
      test("predicts from a descriptor and as few samples as it says", async () => {
        for (let n = minSamplesDescribed; n < predictor.minSamples; n++) {
          const few = await fitted.adapt(first(n), networks, { seed });
          const { latencyMs, lowerMs, upperMs } = await few.predict(networks, { coverage });
          expect(latencyMs.every((latency) => latency > 0 && Number.isFinite(latency))).toBe(true);
          latencyMs.forEach((latency, i) => {
            expect(lowerMs[i]!).toBeLessThan(latency);
            expect(upperMs[i]!).toBeGreaterThan(latency);
          });
          const loaded = await create().loadAdapted(few.save());
          expectSame(await loaded.predict(networks, { coverage }), {
            ...predictions,
            latencyMs,
            lowerMs,
            upperMs,
          });
        }
      });

      test("a described target reads no sample where it is given none", async () => {
        const none = await fitted.adapt(first(minSamplesDescribed), networks, { seed });
        const { latencyMs } = await none.predict(networks, { coverage });
        const truth = trueLatencies(heldOut, networks);
        const connected = [...truth.keys()].filter((row) => networks.connected[row] === 1);
        const rank = spearman(
          connected.map((row) => truth[row]!),
          connected.map((row) => latencyMs[row]!),
        );
        expect(rank).toBeGreaterThan(0.9);
      });

      test("refuses it after learning from sources without descriptors", async () => {
        const platforms = training.platforms.map(({ descriptor: _, ...samples }) => samples);
        const undescribed = await create().fit({ networks, platforms }, { seed });
        await expect(undescribed.adapt(first(0), networks, { seed })).rejects.toThrow(
          `needs at least ${predictor.minSamples} samples`,
        );
      });
    }

    test.each([Number.NaN, -1, 0, Number.POSITIVE_INFINITY])(
      "refuses a latency of %s, in adapting and in learning",
      async (latency) => {
        const bad = withLatency(3, latency);
        await expect(fitted.adapt(bad, networks, { seed })).rejects.toThrow(InputError);
        const first = training.platforms[0]!;
        const latencyMs = first.latencyMs.slice();
        latencyMs[0] = latency;
        await expect(
          create().fit({ networks, platforms: [{ ...first, latencyMs }] }, { seed }),
        ).rejects.toThrow(InputError);
      },
    );

    test("refuses rows outside the table, and an empty pool", async () => {
      const rows = target.rows.slice();
      rows[0] = networks.ids.length;
      await expect(fitted.adapt({ ...target, rows }, networks, { seed })).rejects.toThrow(
        "outside the table",
      );
      await expect(create().fit({ networks, platforms: [] }, { seed })).rejects.toThrow(InputError);
    });

    test("networks it learned from are within the known range", () => {
      expect(predictions.outsideReasons.size).toBe(0);
      expect(predictions.withinKnownRange.every((within) => within === 1)).toBe(true);
    });

    test.each([
      ["a 224-pixel input", worldTable(20, 1, { inputSize: 224 }), "16x224x224"],
      ["another width", worldTable(20, 1, { width: 2 }), "32x32x32"],
      ["an unknown operator", worldTable(20, 1, { extraOperator: "Softmax" }), "Softmax"],
      ["far more operators", worldTable(20, 1, { timesLarger: 4 }), "Conv 3x3/1"],
    ])("flags %s as outside the known range and says what is new", async (_, table, named) => {
      const { withinKnownRange, outsideReasons, latencyMs } = await adapted.predict(table, {
        coverage,
      });
      expect(withinKnownRange[0]).toBe(0);
      expect([...outsideReasons.values()].join("\n")).toContain(named);
      expect(latencyMs.every((latency) => latency > 0 && Number.isFinite(latency))).toBe(true);
    });

    test("counts the operators of its own samples as known", async () => {
      const table = worldTable(60, 1, { inputSize: 48 });
      const samples = worldSamples(heldOut, table, 20, 3);
      const onOther = await fitted.adapt(samples, table, { seed });
      const { withinKnownRange } = await onOther.predict(table, { coverage });
      expect(withinKnownRange.every((within) => within === 1)).toBe(true);
    });

    if (contract.readsDescriptor) {
      test("refuses a descriptor with missing operators and names them", async () => {
        const descriptor = worldDescriptor(heldOut, ["Conv 3x3/1@world", "Relu@world"]);
        const attempt = fitted.adapt({ ...target, descriptor }, networks, { seed });
        await expect(attempt).rejects.toThrow(InputError);
        await expect(attempt).rejects.toThrow("Conv 3x3/1@world, Relu@world");
      });

      test("refuses a descriptor in other units", async () => {
        const descriptor = { ...worldDescriptor(heldOut), latencyUnit: "ms" as "ns" };
        await expect(fitted.adapt({ ...target, descriptor }, networks, { seed })).rejects.toThrow(
          "must be in ns",
        );
      });
    }

    test("works without a descriptor", async () => {
      const { descriptor: _, ...bare } = target;
      const without = await fitted.adapt(bare, networks, { seed });
      const { latencyMs } = await without.predict(networks, { coverage });
      expect(latencyMs.every((latency) => latency > 0)).toBe(true);
    });

    test("refuses what another method or a newer version saved", async () => {
      const saved = fitted.save();
      await expect(create().load({ ...saved, method: "other" })).rejects.toThrow(FormatError);
      await expect(
        create().load({ ...saved, formatVersion: saved.formatVersion + 1 }),
      ).rejects.toThrow("reads up to");
      await expect(create().load({ ...saved, settings: {} })).rejects.toThrow(FormatError);
    });

    test("refuses missing, misshapen and damaged tensors", async () => {
      const saved = fitted.save();
      const name = [...saved.tensors.keys()][0]!;
      const replaced = (values: Float64Array, shape: readonly number[]) =>
        new Map([...saved.tensors, [name, { shape, values }]]);
      await expect(create().load({ ...saved, tensors: new Map() })).rejects.toThrow("is missing");
      await expect(
        create().load(
          withTensor(saved, (values) => replaced(values.slice(1), [values.length - 1])),
        ),
      ).rejects.toThrow(FormatError);
      await expect(
        create().load(
          withTensor(saved, (values, shape) => replaced(values.fill(Number.NaN), shape)),
        ),
      ).rejects.toThrow("not finite");
    });

    test("stops when it is told to", async () => {
      const controller = new AbortController();
      controller.abort();
      await expect(create().fit(training, { seed, signal: controller.signal })).rejects.toThrow(
        InterruptedError,
      );
    });
  });
}

/** The table with some of its rows only. */
function pickRows(rows: readonly number[]) {
  const width = networks.signatures.length;
  const pick = (values: Float32Array, size: number) =>
    Float32Array.from(rows.flatMap((row) => [...values.subarray(row * size, (row + 1) * size)]));
  const each = (record: Readonly<Record<string, Float32Array>>, size: number) =>
    Object.fromEntries(Object.entries(record).map(([key, values]) => [key, pick(values, size)]));
  const { encoding } = networks;
  return {
    ids: rows.map((row) => networks.ids[row]!),
    signatures: networks.signatures,
    counts: each(networks.counts, width) as typeof networks.counts,
    longestPath: each(networks.longestPath, 1) as typeof networks.longestPath,
    heaviestPath: each(networks.heaviestPath, 1) as typeof networks.heaviestPath,
    connected: Uint8Array.from(rows, (row) => networks.connected[row]!),
    encoding: { ...encoding!, values: pick(encoding!.values, encoding!.width) },
  };
}
