// operator-sum on a world whose truth is known: what it infers, not only how it behaves.
import { describe, expect, test } from "vitest";
import { meanAbsolutePercentageError, withinShare } from "../src/evaluate/metrics.js";
import { rewriteSemantics } from "../src/graph/features.js";
import { columnsOfNetworks, createDesign } from "../src/predict/cost-columns.js";
import { createOperatorCosts, operatorCostsOf } from "../src/predict/operator-costs.js";
import { createOperatorSum } from "../src/predict/operator-sum.js";
import type { PlatformSamples } from "../src/predict/predictor.js";
import {
  trueLatencies,
  type WorldPlatform,
  worldDescriptor,
  worldPlatforms,
  worldPool,
  worldSamples,
  worldSignatures,
  worldTable,
} from "./contract/synthetic-pool.js";

const seed = 5;
const pool = worldPool(4, 150, seed);
const { networks } = pool;
const platforms = worldPlatforms(4, seed);
const heldOut = platforms.at(-1)!;
const training = {
  networks,
  platforms: pool.platforms.filter(({ family }) => family !== heldOut.family),
};
const fitting = createOperatorSum().fit(training, { seed });

/** Measured and predicted latencies of the connected networks. */
async function compare(platform: WorldPlatform, samples: PlatformSamples) {
  const adapted = await (await fitting).adapt(samples, networks, { seed });
  const { latencyMs } = await adapted.predict(networks, { coverage: 0.9 });
  const truth = trueLatencies(platform, networks);
  const connected = [...truth.keys()].filter((row) => networks.connected[row] === 1);
  return [truth, latencyMs].map((values) => connected.map((row) => values[row]!)) as [
    number[],
    number[],
  ];
}

const accuracyOf = async (platform: WorldPlatform, samples: PlatformSamples) =>
  withinShare(...(await compare(platform, samples)), 0.05);

const errorOf = async (platform: WorldPlatform, samples: PlatformSamples) =>
  meanAbsolutePercentageError(...(await compare(platform, samples)));

describe("operator-sum", () => {
  test.each(["all", "backward+shared", "both"] as const)(
    "finds out from ten samples that a platform follows %s",
    async (semantics) => {
      const platform = { ...heldOut, semantics };
      const samples = worldSamples(platform, networks, 10, 1);
      expect(await accuracyOf(platform, samples)).toBeGreaterThan(0.8);
      const adapted = await (await fitting).adapt(samples, networks, { seed });
      const views = adapted.save().settings.views as { semantics: string; weight: number }[];
      const pruned = !semantics.startsWith("all");
      const weight = views
        .filter((view) => !/^(all|forward)/.test(view.semantics) === pruned)
        .reduce((sum, view) => sum + view.weight, 0);
      expect(weight).toBeGreaterThan(0.9);
    },
  );

  test("gains from a descriptor when samples are few", async () => {
    const accuracy = { with: 0, without: 0 };
    for (let draw = 0; draw < 5; draw++) {
      const samples = worldSamples(heldOut, networks, 5, 100 + draw);
      const { descriptor: _, ...bare } = samples;
      accuracy.with += (await accuracyOf(heldOut, samples)) / 5;
      accuracy.without += (await accuracyOf(heldOut, bare)) / 5;
    }
    expect(accuracy.with).toBeGreaterThan(accuracy.without);
  });

  test("can be told to ignore descriptors", async () => {
    const fitted = await createOperatorSum({ useDescriptor: "never" }).fit(training, { seed });
    const samples = worldSamples(heldOut, networks, 10, 1);
    const { descriptor: _, ...bare } = samples;
    const [first, second] = await Promise.all(
      [samples, bare].map(async (target) =>
        (await fitted.adapt(target, networks, { seed })).predict(networks, { coverage: 0.9 }),
      ),
    );
    expect([...first!.latencyMs]).toEqual([...second!.latencyMs]);
  });

  test("covers held-out latencies about as often as it says", async () => {
    let covered = 0;
    let n = 0;
    for (let draw = 0; draw < 10; draw++) {
      const samples = worldSamples(heldOut, networks, 10, 200 + draw);
      const adapted = await (await fitting).adapt(samples, networks, { seed });
      const { lowerMs, upperMs } = await adapted.predict(networks, { coverage: 0.9 });
      const test = worldSamples(heldOut, networks, 200, 300 + draw);
      test.latencyMs.forEach((latency, i) => {
        const row = test.rows[i]!;
        if (networks.connected[row] === 0) return;
        n += 1;
        if (latency >= lowerMs[row]! && latency <= upperMs[row]!) covered += 1;
      });
    }
    expect(covered / n).toBeGreaterThan(0.85);
  });

  test("predicts next to nothing, but more than nothing, for networks that a platform prunes away", async () => {
    const platform = { ...heldOut, semantics: "both" as const };
    const samples = worldSamples(platform, networks, 20, 1);
    const adapted = await (await fitting).adapt(samples, networks, { seed });
    const { latencyMs } = await adapted.predict(networks, { coverage: 0.9 });
    const typical = [...samples.latencyMs].sort((a, b) => a - b)[10]!;
    latencyMs.forEach((latency, row) => {
      expect(latency).toBeGreaterThan(0);
      if (networks.connected[row] === 0) expect(latency).toBeLessThan(0.3 * typical);
    });
  });

  test("says a 224-pixel network is far slower than a 32-pixel one, though unknown", async () => {
    const samples = worldSamples(heldOut, networks, 10, 1);
    const adapted = await (await fitting).adapt(samples, networks, { seed });
    const large = worldTable(50, 3, { inputSize: 224 });
    const { latencyMs } = await adapted.predict(large, { coverage: 0.9 });
    const truth = trueLatencies(heldOut, large);
    latencyMs.forEach((latency, row) => {
      if (large.connected[row] === 0) return;
      expect(latency / truth[row]!).toBeGreaterThan(0.5);
      expect(latency / truth[row]!).toBeLessThan(2);
    });
  });
});

describe("chooseSamples()", () => {
  const rowsOf = async (options: { count: number; seed: number; candidates?: number[] }) =>
    (await fitting).chooseSamples!(networks, options);

  test("gives different connected networks of the candidates, the same for the same seed", async () => {
    const candidates = [...networks.ids.keys()].filter((row) => row % 2 === 0);
    const chosen = await rowsOf({ count: 10, seed: 1, candidates });
    expect(new Set(chosen).size).toBe(10);
    for (const row of chosen) {
      expect(candidates).toContain(row);
      expect(networks.connected[row]).toBe(1);
    }
    expect(await rowsOf({ count: 10, seed: 1, candidates })).toEqual(chosen);
  });

  test("begins a longer choice with the shorter one", async () => {
    const long = await rowsOf({ count: 12, seed: 4 });
    expect([...(await rowsOf({ count: 5, seed: 4 }))]).toEqual([...long.subarray(0, 5)]);
  });

  test("tells more than networks drawn at random", async () => {
    const error = { chosen: 0, drawn: 0 };
    for (let trial = 0; trial < 10; trial++) {
      const drawn = worldSamples(heldOut, networks, 6, 400 + trial);
      const all = worldSamples(heldOut, networks, networks.ids.length, 400 + trial);
      const rows = await rowsOf({ count: 6, seed: trial });
      const chosen = {
        ...all,
        rows,
        latencyMs: Float64Array.from(rows, (row) => all.latencyMs[all.rows.indexOf(row)]!),
      };
      const { descriptor: _, ...bareChosen } = chosen;
      const { descriptor: __, ...bareDrawn } = drawn;
      error.chosen += await errorOf(heldOut, bareChosen);
      error.drawn += await errorOf(heldOut, bareDrawn);
    }
    expect(error.chosen).toBeLessThan(error.drawn);
  });

  test("refuses more than there are candidates", async () => {
    await expect(rowsOf({ count: 3, seed: 1, candidates: [0, 1] })).rejects.toThrow(
      "3 networks to measure are to be chosen of 2",
    );
  });
});

describe("operatorCostsOf()", () => {
  const signatures = worldSignatures();

  test("takes the overhead out of every row", () => {
    const costs = createOperatorCosts(operatorCostsOf(worldDescriptor(heldOut), signatures));
    for (const signature of signatures) {
      const { macs, bytesMoved } = signature;
      const { msPerGmac, msPerGbyte, launchMs } = heldOut;
      const alone = launchMs + (macs * msPerGmac + bytesMoved * msPerGbyte) / 1e9;
      expect(costs.costMs(signature) / alone).toBeCloseTo(1, 1);
    }
    expect(costs.overheadMs).toBe(heldOut.overheadMs);
  });

  test("divides a row among its operators", () => {
    const descriptor = worldDescriptor(heldOut);
    const row = (name: string) => descriptor.rows.find(({ operator }) => operator === name)!;
    const conv = row("Conv 3x3/1@world");
    const relu = row("Relu@world");
    const both = {
      ...conv,
      operator: "nor_conv_3x3@world",
      latencyNs: conv.latencyNs + relu.latencyNs - heldOut.overheadMs * 1e6,
      signatures: [...conv.signatures, ...relu.signatures],
    };
    const joined = { ...descriptor, rows: descriptor.rows.map((r) => (r === conv ? both : r)) };
    const costs = createOperatorCosts(operatorCostsOf(joined, signatures));
    const before = createOperatorCosts(operatorCostsOf(descriptor, signatures));
    for (const signature of signatures) {
      expect(costs.costMs(signature) / before.costMs(signature)).toBeCloseTo(1, 1);
    }
  });

  test("costs an unknown shape by its group's rate", () => {
    const costs = createOperatorCosts(operatorCostsOf(worldDescriptor(heldOut), signatures));
    const [small] = signatures;
    const [large] = worldSignatures(1, 64);
    expect(costs.costMs(large!) / costs.costMs(small!)).toBeCloseTo(4, 6);
  });
});

describe("columnsOfNetworks()", () => {
  const rows = [...networks.ids.keys()];
  const columns = columnsOfNetworks(networks, rows);

  test("joins groups that every network runs alike", () => {
    expect(columns.names).not.toContain("Conv 3x3/2");
    expect(columns.names[columns.columnOfGroup["Conv 3x3/2"]!]).toBe("skeleton");
    expect(columns.names).toContain("Conv 3x3/1");
  });

  test("makes columns of typical size 1", () => {
    const design = createDesign(columns, networks, "counts").of("all", rows);
    for (let j = 1; j < design.columns; j++) {
      let sum = 0;
      for (const i of rows) sum += design.values[i * design.columns + j]! ** 2;
      expect(Math.sqrt(sum / rows.length)).toBeCloseTo(1, 1);
    }
  });

  test("gives every semantics its own counts", () => {
    const design = createDesign(columns, networks, "counts");
    const sums = rewriteSemantics.map((semantics) =>
      design.of(semantics, rows).values.reduce((sum, value) => sum + value, 0),
    );
    expect(sums[1]!).toBeLessThan(sums[0]!);
    expect(sums[4]!).toBeLessThan(sums[0]!);
  });
});
