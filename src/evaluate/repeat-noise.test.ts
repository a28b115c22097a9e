import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { createRandom } from "../tensor/random.js";
import { standardDeviation } from "../tensor/stats.js";
import {
  noiseOfIntervals,
  noiseOfProcesses,
  processDeviations,
  repeatCeiling,
} from "./repeat-noise.js";

const sd = 0.05;
const random = createRandom(1);
const process = () => Math.exp(sd * random.normal());
const ratios = Array.from({ length: 400 }, (_, i) =>
  Array.from({ length: 2 + (i % 3) }, () => (1 + i) * process()),
);

describe("processDeviations()", () => {
  test("has the spread of single processes, whatever their number and size", () => {
    expect(standardDeviation(processDeviations(ratios))).toBeCloseTo(sd, 2);
  });

  test("leaves networks with one process out", () => {
    expect(processDeviations([[1], [2]])).toHaveLength(0);
    expect(() => noiseOfProcesses(new Float64Array(0), [1])).toThrow(InputError);
  });
});

describe("repeatCeiling()", () => {
  const measuredMs = Float64Array.from({ length: 100 }, (_, i) => 1 + i / 50);

  test("without noise nothing is lost", () => {
    const ceiling = repeatCeiling(measuredMs, () => 0, createRandom(2));
    expect(ceiling).toEqual({ spearman: 1, withinTenPercent: 1, intervalWidth: 0 });
  });

  test("is the share of normal noise within ten percent, and its 90 % width", () => {
    const noise = noiseOfIntervals(new Float64Array(100).fill(sd));
    const { withinTenPercent, intervalWidth, spearman } = repeatCeiling(
      measuredMs,
      noise,
      createRandom(3),
    );
    // Measured again within 10 %: |predicted - measured| <= 0.1 measured, log noise from -0.095 to 0.105 in 0.05.
    expect(withinTenPercent).toBeCloseTo(0.9537, 2);
    expect(intervalWidth).toBeCloseTo(2 * 1.645 * sd, 2);
    expect(spearman).toBeLessThan(0.995);
  });

  test("medians of more processes are steadier", () => {
    const deviations = processDeviations(ratios);
    const withProcesses = (n: number) =>
      repeatCeiling(
        measuredMs,
        noiseOfProcesses(deviations, new Array(100).fill(n)),
        createRandom(4),
      );
    const [one, five] = [withProcesses(1), withProcesses(5)];
    expect(five.withinTenPercent).toBeGreaterThan(one.withinTenPercent);
    expect(five.intervalWidth).toBeLessThan(0.6 * one.intervalWidth);
  });
});
