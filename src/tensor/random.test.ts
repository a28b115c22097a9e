import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import {
  createRandom,
  deriveSeed,
  drawWithoutReplacement,
  permutation,
  shuffled,
} from "./random.js";
import { mean, standardDeviation } from "./stats.js";

describe("createRandom()", () => {
  test("gives the same numbers for the same seed and others for another", () => {
    const draws = (seed: number) => {
      const random = createRandom(seed);
      return Array.from({ length: 5 }, () => random.uniform());
    };
    expect(draws(7)).toEqual(draws(7));
    expect(draws(7)).not.toEqual(draws(8));
    expect(draws(2 ** 40 + 7)).not.toEqual(draws(7));
  });

  test("draws uniforms in [0, 1) and normals of mean 0 and standard deviation 1", () => {
    const random = createRandom(1);
    const uniforms = Float64Array.from({ length: 20_000 }, () => random.uniform());
    expect(Math.min(...uniforms)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...uniforms)).toBeLessThan(1);
    expect(mean(uniforms)).toBeCloseTo(0.5, 1);
    const normals = Float64Array.from({ length: 20_000 }, () => random.normal());
    expect(Math.abs(mean(normals))).toBeLessThan(0.03);
    expect(Math.abs(standardDeviation(normals) - 1)).toBeLessThan(0.03);
  });

  test.each([-1, 1.5, Number.NaN, 2 ** 53])("refuses seed %s", (seed) => {
    expect(() => createRandom(seed)).toThrow(InputError);
  });
});

describe("draws", () => {
  test("a permutation holds every number once", () => {
    expect([...permutation(createRandom(3), 50)].sort((a, b) => a - b)).toEqual([
      ...Array(50).keys(),
    ]);
    expect(shuffled(createRandom(3), ["a", "b", "c"]).toSorted()).toEqual(["a", "b", "c"]);
  });

  test("drawing without replacement reaches every number equally often and none twice", () => {
    const random = createRandom(5);
    const seen = new Float64Array(10);
    for (let trial = 0; trial < 5000; trial++) {
      const drawn = drawWithoutReplacement(random, 10, 4);
      expect(new Set(drawn).size).toBe(4);
      for (const value of drawn) seen[value]! += 1;
    }
    for (const count of seen) expect(Math.abs(count - 2000)).toBeLessThan(200);
  });

  test("refuses to draw more than there are", () => {
    expect(() => drawWithoutReplacement(createRandom(1), 3, 4)).toThrow(
      "cannot draw 4 different ones of 3",
    );
  });

  test("derived seeds differ by part and by parent", () => {
    const seeds = [deriveSeed(1, "a"), deriveSeed(1, "b"), deriveSeed(2, "a"), deriveSeed(1, 0)];
    expect(new Set(seeds).size).toBe(4);
    expect(deriveSeed(1, "a")).toBe(seeds[0]);
  });
});
