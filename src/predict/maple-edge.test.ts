import { describe, expect, test } from "vitest";
import { worldPlatforms, worldPool, worldSamples } from "../../test/contract/synthetic-pool.js";
import { createMapleEdge } from "./maple-edge.js";
import { estimatesOfSources, estimateVector } from "./maple-edge-estimates.js";
import { hiddenWidths } from "./maple-edge-saved.js";
import type { PlatformSamples } from "./predictor.js";

const seed = 5;
const pool = worldPool(4, 80, seed);
const { networks } = pool;

function bare({ descriptor: _, ...samples }: PlatformSamples): PlatformSamples {
  return samples;
}

const world = worldPlatforms(4, seed);
const platforms = pool.platforms.map(bare);
const [sources, target] = [platforms.slice(0, 6), world.at(-1)!];
const samples = bare(worldSamples(target, networks, 10, 99));

describe("maple-edge on platforms without descriptors", () => {
  const steps = { steps: 300, adaptSteps: 60, heldOutFamilies: 1 };

  test("predicts the same after saving and loading, fitted and adapted", async () => {
    const fitted = await createMapleEdge(steps).fit({ networks, platforms: sources }, { seed });
    const saved = fitted.save();
    const theta = saved.tensors.get("theta")!;
    const [first, second] = hiddenWidths as [number, number];
    const behind = first + (first + 1) * second + second + 1;
    const inputs = (theta.values.length - behind) / first;
    expect(saved.features).toHaveLength(inputs);
    const adapted = await fitted.adapt(samples, networks, { seed });
    const expected = await adapted.predict(networks, { coverage: 0.9 });
    const loaded = await createMapleEdge().load(saved);
    const again = await loaded.adapt(samples, networks, { seed });
    expect((await again.predict(networks, { coverage: 0.9 })).latencyMs).toEqual(
      expected.latencyMs,
    );
    const loadedAdapted = await createMapleEdge().loadAdapted(adapted.save());
    expect((await loadedAdapted.predict(networks, { coverage: 0.9 })).upperMs).toEqual(
      expected.upperMs,
    );
  });
});

describe("estimates in place of a descriptor", () => {
  const { form, vectors } = estimatesOfSources(networks, sources, seed);
  const distance = (a: Float32Array, b: Float32Array) =>
    Math.hypot(...a.map((value, i) => value - b[i]!));

  test("describe a source several times, alike but not the same", () => {
    expect(vectors).toHaveLength(sources.length);
    const [first, second] = vectors[0]!;
    expect(first).not.toEqual(second);
    expect(first).toHaveLength(form.expected.length);
  });

  test("do not depend on a platform's speed", () => {
    const faster = { ...samples, latencyMs: samples.latencyMs.map((ms) => ms / 7) };
    const [a, b] = [samples, faster].map((of) => estimateVector(form, networks, of));
    expect(distance(a!, b!)).toBeLessThan(1e-5);
  });

  test("place a platform nearer to itself than to others, with many samples", () => {
    const many = (platform: (typeof world)[number], draw: number) =>
      estimateVector(form, networks, worldSamples(platform, networks, 150, draw));
    const own = distance(many(target, 1), many(target, 2));
    for (const other of world.slice(0, 6)) {
      expect(own).toBeLessThan(distance(many(target, 1), many(other, 1)));
    }
  });
});
