// Which networks hypothesis-mixture would measure next, and what it expects of it, on worlds whose truth is known.
import { beforeAll, describe, expect, test } from "vitest";
import { meanAbsolutePercentageError, withinShare } from "../src/evaluate/metrics.js";
import { createHypothesisMixture } from "../src/predict/hypothesis-mixture.js";
import type { AdaptedPredictor, FittedPredictor } from "../src/predict/predictor.js";
import { pickSamples } from "../src/predict/samples.js";
import { mean } from "../src/tensor/stats.js";
import { worldPlatforms, worldPool, worldSamples } from "./contract/synthetic-pool.js";

const nFamilies = 4;
/** Samples that a target begins with, and how many are added. */
const nFirst = 4;
const nAdded = 4;
const worldSeeds = [1, 2, 3];
const drawsPerWorld = 4;

/** One world: a predictor that has not seen the last family, and all latencies of its last platform. */
async function createWorld(seed: number) {
  const pool = worldPool(nFamilies, 100, seed);
  const { networks } = pool;
  const heldOut = worldPlatforms(nFamilies, seed).at(-1)!;
  const platforms = pool.platforms.filter(({ family }) => family !== heldOut.family);
  const fitted = await createHypothesisMixture().fit({ networks, platforms }, { seed });
  /** All networks in an order drawn by seed, each measured once. */
  const measured = (draw: number) => {
    const { descriptor: _, ...samples } = worldSamples(
      heldOut,
      networks,
      networks.ids.length,
      draw,
    );
    return samples;
  };
  return { networks, fitted, measured };
}

type World = Awaited<ReturnType<typeof createWorld>>;

/** Measured and predicted latencies of the connected networks, after adapting to some rows. */
async function compare(
  { networks, fitted }: World,
  all: ReturnType<World["measured"]>,
  rows: number[],
) {
  const places = rows.map((row) => all.rows.indexOf(row));
  const adapted = await fitted.adapt(pickSamples(all, places), networks, { seed: 0 });
  const { latencyMs } = await adapted.predict(networks, { coverage: 0.9 });
  const test = [...all.rows.keys()].filter(
    (place) => networks.connected[all.rows[place]!] === 1 && !places.includes(place),
  );
  const measuredMs = test.map((place) => all.latencyMs[place]!);
  const predictedMs = test.map((place) => latencyMs[all.rows[place]!]!);
  return { adapted, measuredMs, predictedMs };
}

const connectedFirst = (
  { networks }: World,
  all: ReturnType<World["measured"]>,
  from: number,
  n: number,
) =>
  Array.from(all.rows)
    .filter((row) => networks.connected[row] === 1)
    .slice(from, from + n);

describe("chooseNextSamples() of hypothesis-mixture", () => {
  let worlds: World[];
  let fitted: FittedPredictor;
  let adapted: AdaptedPredictor;
  let first: number[];
  beforeAll(async () => {
    worlds = [];
    for (const seed of worldSeeds) worlds.push(await createWorld(seed));
    fitted = worlds[0]!.fitted;
    const all = worlds[0]!.measured(1);
    first = connectedFirst(worlds[0]!, all, 0, nFirst);
    ({ adapted } = await compare(worlds[0]!, all, first));
  }, 60_000);

  const propose = (count: number, seed: number) => {
    const { networks } = worlds[0]!;
    const candidates = [...networks.ids.keys()].filter((row) => !first.includes(row));
    return adapted.chooseNextSamples!(networks, { count, seed, candidates });
  };

  test("proposes different connected networks of the candidates, the same for the same seed", () => {
    const { rows } = propose(8, 3);
    expect(new Set(rows).size).toBe(8);
    for (const row of rows) {
      expect(first).not.toContain(row);
      expect(worlds[0]!.networks.connected[row]).toBe(1);
    }
    expect(propose(8, 3).rows).toEqual(rows);
  });

  test("begins a longer proposal with the shorter one", () => {
    const long = propose(8, 3);
    const short = propose(3, 3);
    expect([...short.rows]).toEqual([...long.rows.subarray(0, 3)]);
    expect([...short.expectedWithinTenPercent]).toEqual([
      ...long.expectedWithinTenPercent.subarray(0, 4),
    ]);
  });

  test("expects more accuracy of every further network", () => {
    const { expectedWithinTenPercent } = propose(8, 3);
    expect(expectedWithinTenPercent).toHaveLength(9);
    expectedWithinTenPercent.forEach((share, k) => {
      expect(share).toBeGreaterThan(k === 0 ? 0 : expectedWithinTenPercent[k - 1]!);
      expect(share).toBeLessThanOrEqual(1);
    });
  });

  test("asks other networks than one that knows nothing of the target", () => {
    const { networks } = worlds[0]!;
    const unknown = fitted.chooseSamples!(networks, { count: 4, seed: 3 });
    expect([...propose(4, 3).rows]).not.toEqual([...unknown]);
  });

  test("proposes and expects the same after saving and loading", async () => {
    const loaded = await createHypothesisMixture().loadAdapted(adapted.save());
    const { networks } = worlds[0]!;
    const question = { count: 5, seed: 1 };
    expect(loaded.chooseNextSamples!(networks, question)).toEqual(
      adapted.chooseNextSamples!(networks, question),
    );
  });

  test("refuses more than there are candidates", () => {
    expect(() =>
      adapted.chooseNextSamples!(worlds[0]!.networks, { count: 3, seed: 1, candidates: [0, 1] }),
    ).toThrow("3 networks to measure are to be chosen of 2");
  });

  test("lowers the error more than networks drawn at random, and expects about what happens", {
    timeout: 60_000,
  }, async () => {
    const lower: number[] = [];
    const surprise: number[] = [];
    for (const world of worlds) {
      for (let draw = 0; draw < drawsPerWorld; draw++) {
        const all = world.measured(100 + draw);
        const start = connectedFirst(world, all, 0, nFirst);
        const before = await compare(world, all, start);
        const candidates = Array.from(all.rows).filter((row) => !start.includes(row));
        const { rows, expectedWithinTenPercent } = before.adapted.chooseNextSamples!(
          world.networks,
          { count: nAdded, seed: draw, candidates },
        );
        const proposed = await compare(world, all, [...start, ...rows]);
        const drawn = await compare(world, all, [
          ...start,
          ...connectedFirst(world, all, nFirst, nAdded),
        ]);
        const errorOf = ({ measuredMs, predictedMs }: typeof before) =>
          meanAbsolutePercentageError(measuredMs, predictedMs);
        lower.push(errorOf(drawn) - errorOf(proposed));
        surprise.push(
          withinShare(proposed.measuredMs, proposed.predictedMs, 0.1) -
            expectedWithinTenPercent.at(-1)!,
        );
      }
    }
    expect(mean(lower)).toBeGreaterThan(0);
    expect(lower.filter((difference) => difference > 0).length / lower.length).toBeGreaterThan(0.7);
    expect(Math.abs(mean(surprise))).toBeLessThan(0.1);
  });
});
