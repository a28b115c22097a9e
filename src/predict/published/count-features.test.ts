import { describe, expect, test } from "vitest";
import { worldTable } from "../../../test/contract/synthetic-pool.js";
import {
  columnsOfView,
  countFeaturesOf,
  countMatrix,
  describeCountFeatures,
} from "./count-features.js";

const networks = worldTable(300, 1);
const rows = [...networks.ids.keys()];
const features = countFeaturesOf(networks, rows, 1);
const counts = countMatrix(features, networks, rows);
const columns = features.columns.map((_, j) =>
  Float64Array.from(rows, (_row, i) => counts.values[i * counts.columns + j]!),
);

describe("countFeaturesOf()", () => {
  test("leaves out what is the same for all networks", () => {
    // Every network of the world runs two additions and one strided convolution of the skeleton alike.
    const names = features.columns.map(({ group }) => group);
    expect(names).toContain("Conv 3x3/1");
    expect(names).not.toContain("Conv 3x3/2");
  });

  test("keeps no two columns that say the same", () => {
    for (let a = 0; a < counts.columns; a++) {
      for (let b = 0; b < a; b++) {
        const product = columns[a]!.reduce((sum, value, i) => sum + value * columns[b]![i]!, 0);
        expect(Math.abs(product) / rows.length).toBeLessThan(0.9995);
      }
    }
  });

  test("gives semantics that differ views of their own, the first one that of all operators", () => {
    // The world prunes alike under backward and both, shares alike in all: four views.
    expect(features.views).toHaveLength(4);
    expect(features.views[0]!.every((j) => features.columns[j]!.semantics === "all")).toBe(true);
    expect(new Set(features.views.map(String)).size).toBe(4);
  });

  test("gives networks that are all alike one column", () => {
    const alike = countFeaturesOf(networks, [3, 3, 3], 1);
    expect(alike.columns).toHaveLength(1);
    expect(alike.views).toEqual([[0]]);
  });
});

describe("countMatrix()", () => {
  test("standardises amounts of work", () => {
    const place = features.columns.findIndex(({ group }) => group === "Conv 1x1/1");
    const signature = networks.signatures.findIndex(({ group }) => group === "Conv 1x1/1");
    const { macs } = networks.signatures[signature]!;
    const { centre, spread } = features.columns[place]!;
    const count = networks.counts.all[7 * networks.signatures.length + signature]!;
    expect(counts.values[7 * counts.columns + place]).toBeCloseTo(
      (count * macs - centre) / spread,
      10,
    );
    const values = columns[place]!;
    expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(0, 10);
  });

  test("cuts what lies far outside the networks learned from", () => {
    const larger = worldTable(20, 1, { timesLarger: 50 });
    const far = countMatrix(features, larger, [0, 1, 2]);
    expect(Math.max(...far.values)).toBe(5);
  });
});

test("columnsOfView() takes the columns of one view, describeCountFeatures() names them", () => {
  const view = features.views.at(-1)!;
  const part = columnsOfView(counts, view);
  expect(part.columns).toBe(view.length);
  expect(part.values[view.length]).toBe(counts.values[counts.columns + view[0]!]);
  expect(describeCountFeatures(features).map(({ name }) => name)).toContain("Conv 1x1/1 (all)");
});
