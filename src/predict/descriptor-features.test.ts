import { describe, expect, test } from "vitest";
import { worldDescriptor, worldPlatforms } from "../../test/contract/synthetic-pool.js";
import type { Descriptor } from "../record/descriptor.js";
import {
  descriptorFeatures,
  descriptorFormOf,
  descriptorVector,
  descriptorWidth,
} from "./descriptor-features.js";
import { operatorsOf } from "./operator-costs.js";

const descriptors = worldPlatforms(2, 1).map((platform) => worldDescriptor(platform));
const operators = operatorsOf(descriptors[0]!);
const form = descriptorFormOf(descriptors, operators, true);
const nEntries = operators.length * 2;

function withoutCounters(descriptor: Descriptor): Descriptor {
  return { ...descriptor, rows: descriptor.rows.map((row) => ({ ...row, counters: [] })) };
}

describe("descriptorVector()", () => {
  test("has a name and a unit for every number", () => {
    const vector = descriptorVector(descriptors[0], form);
    expect(vector.length).toBe(descriptorWidth(form));
    expect(descriptorFeatures(form).length).toBe(vector.length);
  });

  test("centres entries over the sources", () => {
    const vectors = descriptors.map((descriptor) => descriptorVector(descriptor, form));
    for (let i = 0; i < nEntries; i++) {
      const sum = vectors.reduce((total, vector) => total + vector[i]!, 0);
      expect(Math.abs(sum)).toBeLessThan(1e-4);
    }
  });

  test("masks absent counters instead of calling them zero events", () => {
    const vector = descriptorVector(withoutCounters(descriptors[0]!), form);
    const counterEntries = [...vector.subarray(0, nEntries)].filter((_, i) => i % 2 === 1);
    expect(counterEntries.every((entry) => entry === 0)).toBe(true);
    expect([...vector.subarray(nEntries)]).toEqual([1, 0]);
    expect([...descriptorVector(descriptors[0], form).subarray(nEntries)]).toEqual([1, 1]);
  });

  test("is all absent without a descriptor", () => {
    expect(descriptorVector(undefined, form).every((entry) => entry === 0)).toBe(true);
  });

  test("divided counters do not depend on the platform's speed, undivided ones do", () => {
    const slower = (descriptor: Descriptor): Descriptor => ({
      ...descriptor,
      rows: descriptor.rows.map((row) => ({
        ...row,
        latencyNs: 3 * row.latencyNs,
        counters: row.counters.map((counter) => ({ ...counter, perRun: 3 * counter.perRun })),
      })),
    });
    const undivided = descriptorFormOf(descriptors, operators, false);
    const difference = (which: typeof form) => {
      const [a, b] = [descriptors[0]!, slower(descriptors[0]!)].map((d) =>
        descriptorVector(d, which),
      );
      return Math.max(...a!.map((value, i) => Math.abs(value - b![i]!)));
    };
    expect(difference(form)).toBeLessThan(1e-4);
    expect(difference(undivided)).toBeGreaterThan(0.1);
  });
});
