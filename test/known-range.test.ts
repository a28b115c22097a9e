// What adapted predictors say of networks unlike those they learned from: larger inputs, other widths, other spaces.
import { beforeAll, describe, expect, test } from "vitest";
import { featuresOfGraphs } from "../src/graph/feature-table.js";
import type { FeatureTable } from "../src/graph/features.js";
import type { AdaptedPredictor, PlatformSamples } from "../src/predict/predictor.js";
import { createPredictor } from "../src/predict/registry.js";
import type { Platform } from "../src/record/platform.js";
import { cellFromIndex, nCells, networkId } from "../src/space/nasbench201/cell.js";
import { featuresOfCells } from "../src/space/nasbench201/features.js";
import { type NetworkOptions, networkFromCell } from "../src/space/nasbench201/network.js";
import { architectureFromText, featuresOfArchitectures } from "../src/space/registry.js";
import { createRandom, drawWithoutReplacement } from "../src/tensor/random.js";
import { graphLatencyMs, poolPlatforms } from "./fake-pool.js";

const networks = featuresOfCells();
const drawn = drawWithoutReplacement(createRandom(1), nCells, 190);
/** Learned from, adapted with, and neither. */
const [sources, samples, others] = [
  drawn.subarray(0, 80),
  drawn.subarray(80, 90),
  drawn.subarray(90),
];

function samplesOf(platform: Platform, rows: Int32Array): PlatformSamples {
  return {
    platformId: platform.id,
    family: platform.runtime.family,
    rows,
    latencyMs: Float64Array.from(rows, (index) =>
      graphLatencyMs(networkFromCell(cellFromIndex(index)), platform),
    ),
  };
}

/** Cells with other settings than those learned from. */
const cellsWith = (options: NetworkOptions) =>
  featuresOfGraphs(
    Array.from(others.subarray(0, 5), (index) => ({
      id: networkId(index),
      graph: networkFromCell(cellFromIndex(index), options),
    })),
  );

const drawnFrom = (space: string): FeatureTable => {
  const dice = createRandom(2);
  const texts = Array.from({ length: 5 }, () => architectureFromText(`${space}/random`, dice));
  return featuresOfArchitectures(texts)[0]!;
};

describe.each(["hypothesis-mixture", "operator-sum"])("known range of %s", (method) => {
  let adapted: AdaptedPredictor;
  beforeAll(async () => {
    const [target, ...rest] = [...poolPlatforms].reverse();
    const unseen = rest.filter(({ runtime }) => runtime.family !== target!.runtime.family);
    const platforms = unseen.map((platform) => samplesOf(platform, sources));
    const fitted = await createPredictor(method).fit({ networks, platforms }, { seed: 1 });
    adapted = await fitted.adapt(samplesOf(target!, samples), networks, { seed: 1 });
  }, 120_000);

  test("holds ordinary cells that it has not seen", async () => {
    const table = featuresOfCells(Array.from(others));
    const { withinKnownRange, outsideReasons } = await adapted.predict(table, { coverage: 0.9 });
    expect([...withinKnownRange]).toEqual(new Array(table.ids.length).fill(1));
    expect(outsideReasons.size).toBe(0);
  });

  test.each<[string, () => FeatureTable, string]>([
    ["cells at 224 pixels", () => cellsWith({ inputSize: 224 }), "224"],
    ["cells that are twice as wide", () => cellsWith({ channels: 32 }), "128"],
    ["FBNet", () => drawnFrom("fbnet"), ""],
    ["FBNet at 224 pixels", () => drawnFrom("fbnet-imagenet"), ""],
    ["once-for-all networks", () => drawnFrom("ofa"), ""],
  ])("does not hold %s, and says which operators are new", async (_, create, newShape) => {
    const table = create();
    const { withinKnownRange, outsideReasons, latencyMs, lowerMs, upperMs } = await adapted.predict(
      table,
      { coverage: 0.9 },
    );
    expect([...withinKnownRange]).toEqual(new Array(table.ids.length).fill(0));
    for (const row of table.ids.keys()) {
      expect(outsideReasons.get(row)).toMatch(/^operators never learned from: \w/);
      expect(outsideReasons.get(row)).toContain(newShape);
      // They are predicted all the same.
      expect(latencyMs[row]!).toBeGreaterThanOrEqual(lowerMs[row]!);
      expect(upperMs[row]!).toBeGreaterThan(0);
    }
  });
});
