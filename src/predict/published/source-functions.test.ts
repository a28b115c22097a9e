import { describe, expect, test } from "vitest";
import {
  trueLatencies,
  worldPlatforms,
  worldSamples,
  worldTable,
} from "../../../test/contract/synthetic-pool.js";
import { spearman } from "../../tensor/stats.js";
import { fitSourceFunctions, functionsOf, logLatencies } from "./source-functions.js";

const networks = worldTable(400, 2);
const world = worldPlatforms(2, 3);
const samples = world.map((platform) => worldSamples(platform, networks, 150, 4));
const functions = fitSourceFunctions(networks, samples, 5);

describe("fitSourceFunctions()", () => {
  test.each(world.map((platform, p) => [platform.id, p] as const))(
    "predicts networks that %s was not measured on",
    (_, p) => {
      const measured = new Set(samples[p]!.rows);
      const rows = [...networks.ids.keys()].filter((row) => !measured.has(row));
      const truth = trueLatencies(world[p]!, networks);
      const logs = logLatencies(functions, networks, rows)[p]!;
      const errors = rows.map((row, i) => Math.abs(logs[i]! - Math.log(truth[row]!)));
      expect(errors.sort((a, b) => a - b)[Math.floor(0.9 * errors.length)]).toBeLessThan(0.1);
      expect(
        spearman(
          logs,
          rows.map((row) => truth[row]!),
        ),
      ).toBeGreaterThan(0.98);
    },
  );

  test("gives a platform that is equally fast on all networks a level", () => {
    const flat = { ...samples[0]!, latencyMs: samples[0]!.latencyMs.map(() => 3) };
    const fitted = fitSourceFunctions(networks, [flat], 5);
    const [logs] = logLatencies(fitted, networks, [0, 1, 2]);
    for (const log of logs!) expect(Math.exp(log)).toBeCloseTo(3, 6);
  });
});

test("functionsOf() keeps the functions of the platforms named, in their order", () => {
  const kept = functionsOf(functions, [world[2]!.id, world[0]!.id]);
  expect(kept.platforms.map(({ platformId }) => platformId)).toEqual([world[0]!.id, world[2]!.id]);
  expect(logLatencies(kept, networks, [5])[1]).toEqual(logLatencies(functions, networks, [5])[2]);
});
