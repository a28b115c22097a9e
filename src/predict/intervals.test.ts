import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { createRandom } from "../tensor/random.js";
import { normalQuantile } from "../tensor/stats.js";
import { calibrateIntervals, intervalHalfWidth } from "./intervals.js";

const random = createRandom(3);
const drawn = (n: number, scale: number) =>
  Float64Array.from({ length: n }, () => Math.abs(scale * random.normal()));

describe("calibrateIntervals()", () => {
  test("finds the scale of normal errors, and that their tails are light", () => {
    const { scale, degreesOfFreedom, n } = calibrateIntervals(drawn(5000, 1.4), 10);
    expect(scale).toBeGreaterThan(1.3);
    expect(scale).toBeLessThan(1.5);
    expect(degreesOfFreedom).toBe(30);
    expect(n).toBe(5000);
  });

  test("finds heavy tails", () => {
    const errors = drawn(5000, 1).map((error, i) => (i % 10 === 0 ? 8 * error : error));
    expect(calibrateIntervals(errors, 10).degreesOfFreedom).toBeLessThan(4);
  });

  test("is wide when too little was held out", () => {
    const { scale, n } = calibrateIntervals(new Float64Array(20), 10);
    expect(scale).toBeGreaterThan(1);
    expect(n).toBe(20);
  });
});

describe("intervalHalfWidth()", () => {
  const scales = [
    { samples: 10, scale: 2, degreesOfFreedom: 1e6, n: 1 },
    { samples: 50, scale: 1, degreesOfFreedom: 1e6, n: 1 },
  ];

  test("takes the calibration nearest in samples, as a ratio", () => {
    const z = normalQuantile(0.95);
    expect(intervalHalfWidth(scales, 5, 0.9)).toBeCloseTo(2 * z, 3);
    expect(intervalHalfWidth(scales, 20, 0.9)).toBeCloseTo(2 * z, 3);
    expect(intervalHalfWidth(scales, 500, 0.9)).toBeCloseTo(z, 3);
  });

  test("has a calibration of its own without samples, wide where there is none", () => {
    const none = { samples: 0, scale: 3, degreesOfFreedom: 1e6, n: 1 };
    const z = normalQuantile(0.95);
    expect(intervalHalfWidth([none, ...scales], 0, 0.9)).toBeCloseTo(3 * z, 3);
    expect(intervalHalfWidth([none, ...scales], 1, 0.9)).toBeCloseTo(2 * z, 3);
    expect(intervalHalfWidth(scales, 0, 0.9)).toBeGreaterThan(2 * z);
  });

  test.each([0, 1, Number.NaN])("refuses coverage %s", (coverage) => {
    expect(() => intervalHalfWidth(scales, 10, coverage)).toThrow(InputError);
  });
});
