// What hypothesis-mixture infers of platforms made up here: which operators run, branches in parallel, outliers.
import { beforeAll, describe, expect, test } from "vitest";
import type { RewriteSemantics } from "../src/graph/features.js";
import { createHypothesisMixture } from "../src/predict/hypothesis-mixture.js";
import type { FittedPredictor, PlatformSamples } from "../src/predict/predictor.js";
import { pickSamples } from "../src/predict/samples.js";
import { featuresOfCells } from "../src/space/nasbench201/features.js";
import { createRandom, deriveSeed, drawWithoutReplacement } from "../src/tensor/random.js";
import { spearman } from "../src/tensor/stats.js";

const networks = featuresOfCells(Array.from({ length: 1500 }, (_, i) => (i * 10_007) % 15_625));
const connected = Int32Array.from(
  Array.from(networks.ids.keys()).filter((row) => networks.connected[row] === 1),
);

interface World {
  readonly semantics: RewriteSemantics;
  /** ms a gigaMAC, ms a megabyte, ms a launch of an operator with weights. */
  readonly costs: readonly [number, number, number];
  /** Weight of the heaviest path against the sum, 0 to 1. */
  readonly parallel?: number;
  readonly noise?: number;
  /** Samples it takes: a dead convolution that nobody reads is in one network of fifteen. */
  readonly nSamples?: number;
}

function latencyOf({ semantics, costs, parallel = 0 }: World, row: number): number {
  const counts = networks.counts[semantics];
  const width = networks.signatures.length;
  let sum = 0.2;
  networks.signatures.forEach(({ macs, bytesMoved }, s) => {
    const cost = costs[0] * macs * 1e-9 + costs[1] * bytesMoved * 1e-6 + (macs > 0 ? costs[2] : 0);
    sum += counts[row * width + s]! * cost;
  });
  return (1 - parallel) * sum + parallel * 0.01 * networks.heaviestPath[semantics][row]!;
}

function platformOf(id: string, world: World): PlatformSamples {
  const random = createRandom(deriveSeed(0, id));
  const noise = world.noise ?? 0.02;
  return {
    platformId: id,
    family: id,
    rows: connected,
    latencyMs: Float64Array.from(
      connected,
      (row) => latencyOf(world, row) * (1 + noise * (2 * random.uniform() - 1)),
    ),
  };
}

const sources = [
  platformOf("gpu", { semantics: "all", costs: [2, 0.2, 0.03] }),
  platformOf("cpu", { semantics: "all", costs: [40, 0.5, 0.01] }),
  platformOf("compiled", { semantics: "both+shared", costs: [20, 1, 0.01] }),
  platformOf("phone", { semantics: "backward", costs: [60, 2, 0.02] }),
];
const draw = (platform: PlatformSamples, count: number, seed: number) =>
  pickSamples(platform, drawWithoutReplacement(createRandom(seed), platform.rows.length, count));

interface SavedView {
  readonly semantics: RewriteSemantics;
  readonly weight: number;
}

describe("hypothesis-mixture", () => {
  let fitted: FittedPredictor;
  beforeAll(async () => {
    fitted = await createHypothesisMixture().fit({ networks, platforms: sources }, { seed: 1 });
  }, 120_000);

  const adaptTo = (world: World, count: number, seed: number) =>
    fitted.adapt(draw(platformOf("target", world), count, seed), networks, { seed });

  test.each<World>([
    { semantics: "all", costs: [10, 0.4, 0.02] },
    { semantics: "both+shared", costs: [10, 0.4, 0.02] },
    { semantics: "unread", costs: [30, 0.4, 0.02], nSamples: 30 },
  ])(
    "recovers the view of $semantics from few samples",
    async (world) => {
      const [view] = world.semantics.split("+");
      let recovered = 0;
      for (let trial = 0; trial < 5; trial++) {
        const adapted = await adaptTo(world, world.nSamples ?? 10, trial);
        const { views } = adapted.save().settings as { views: SavedView[] };
        const weight = views
          .filter(({ semantics }) => semantics.split("+")[0] === view)
          .reduce((sum, found) => sum + found.weight, 0);
        if (weight > 0.5) recovered++;
      }
      expect(recovered).toBeGreaterThanOrEqual(4);
    },
    60_000,
  );

  async function scoreOf(world: World, settings = {}): Promise<number> {
    const predictor = createHypothesisMixture(settings);
    const learned = await predictor.fit({ networks, platforms: sources }, { seed: 1 });
    const target = draw(platformOf("target", world), 10, 3);
    const adapted = await learned.adapt(target, networks, { seed: 3 });
    const { latencyMs } = await adapted.predict(networks, { coverage: 0.9 });
    const truth = Float64Array.from(connected, (row) => latencyOf(world, row));
    return spearman(
      Float64Array.from(connected, (row) => latencyMs[row]!),
      truth,
    );
  }

  test("follows the critical path of a platform that runs branches in parallel", async () => {
    const world: World = { semantics: "both+shared", costs: [2, 0.1, 0.002], parallel: 0.9 };
    const withPaths = await scoreOf(world);
    expect(withPaths).toBeGreaterThan(0.95);
    expect(withPaths).toBeGreaterThan(await scoreOf(world, { parallel: false }));
  }, 120_000);

  test("is not led astray by one sample in ten that took twice as long", async () => {
    const world: World = { semantics: "all", costs: [10, 0.4, 0.02] };
    const samples = draw(platformOf("target", world), 12, 5);
    const disturbed = { ...samples, latencyMs: samples.latencyMs.slice() };
    disturbed.latencyMs[4] = 2 * disturbed.latencyMs[4]!;
    const adapted = await fitted.adapt(disturbed, networks, { seed: 5 });
    const { latencyMs } = await adapted.predict(networks, { coverage: 0.9 });
    const near = Array.from(connected).filter(
      (row) => Math.abs(latencyMs[row]! / latencyOf(world, row) - 1) < 0.1,
    );
    expect(near.length / connected.length).toBeGreaterThan(0.9);
  }, 60_000);
});
