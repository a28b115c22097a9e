import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ScoredUnit } from "../evaluate/transfer-summary.js";
import type { MeasuredPlatform, TransferTask } from "../evaluate/transfer-task.js";
import { featuresOfFbnet } from "../space/fbnet/features.js";
import { hashTask, keyOfUnit, type UnitIdentity, UnitLog } from "./benchmark-units.js";

const platform = (id: string, latencyMs: readonly number[]): MeasuredPlatform => ({
  id,
  dataset: "d",
  family: "f",
  rows: Int32Array.from(latencyMs.keys()),
  latencyMs: Float64Array.from(latencyMs),
  publishedIndex: Int32Array.from(latencyMs.keys()),
});

const task: TransferTask = {
  name: "t",
  space: "fbnet",
  networks: featuresOfFbnet([new Array(22).fill(0), new Array(22).fill(1)]),
  sources: [platform("a", [1, 2])],
  targets: [platform("b", [3, 4]), platform("c", [5, 6])],
};

const identity: UnitIdentity = {
  predictor: "p",
  code: "0",
  settings: { protocol: "all", samples: 10, select: "random", seed: 0 },
  draw: 0,
  trial: 0,
  sources: "s",
  target: "t",
};

describe("keyOfUnit()", () => {
  test("differs by everything that scores depend on", () => {
    const { settings } = identity;
    const others: UnitIdentity[] = [
      { ...identity, predictor: "q" },
      { ...identity, code: "1" },
      { ...identity, draw: 1 },
      { ...identity, trial: 1 },
      { ...identity, sources: "other" },
      { ...identity, target: "other" },
      { ...identity, settings: { ...settings, protocol: "help" } },
      { ...identity, settings: { ...settings, samples: 11 } },
      { ...identity, settings: { ...settings, select: "designed" } },
      { ...identity, settings: { ...settings, seed: 1 } },
    ];
    const keys = [identity, ...others].map(keyOfUnit);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keyOfUnit({ ...identity })).toBe(keys[0]);
  });
});

describe("hashTask()", () => {
  test("changes with any latency of the sources, and for each target with its own", () => {
    const before = hashTask(task);
    const source = hashTask({ ...task, sources: [platform("a", [1, 2.5])] });
    expect(source.sources).not.toBe(before.sources);
    expect(source.targets).toEqual(before.targets);
    const target = hashTask({ ...task, targets: [task.targets[0]!, platform("c", [5, 7])] });
    expect(target.sources).toBe(before.sources);
    expect(target.targets[0]).toBe(before.targets[0]);
    expect(target.targets[1]).not.toBe(before.targets[1]);
  });

  test("changes with the networks", () => {
    const networks = featuresOfFbnet([new Array(22).fill(0), new Array(22).fill(2)]);
    expect(hashTask({ ...task, networks }).sources).not.toBe(hashTask(task).sources);
  });
});

describe("UnitLog", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "samara-units-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const unit: ScoredUnit = {
    ...{ task: "t", predictor: "p", target: "b", trial: 0, nTest: 5, nUnconnected: 0 },
    ...{ samples: 10, protocol: "all", select: "random", isDesigned: false },
    ...{ spearman: Number.NaN, kendall: Number.NaN, withinFivePercent: 0.5, mape: 0.1 },
    ...{ withinTenPercent: 0.5, coverage90: 1, intervalWidth: 0.2, intervalScore: 0.3 },
    ...{ mapeConnected: 0.1, withinTenPercentConnected: 0.5, targetLatenciesRead: 10 },
    ...{ trainS: 1, adaptMs: 2, predictPerS: 3 },
  };

  test("gives back what was appended, undefined scores as NaN, the last of two", () => {
    const log = new UnitLog(folder);
    log.append("k", unit);
    log.append("l", { ...unit, trial: 1 });
    log.append("k", { ...unit, mape: 0.2 });
    const units = new UnitLog(folder).read();
    expect(units.size).toBe(2);
    expect(units.get("k")).toEqual({ ...unit, mape: 0.2 });
  });

  test("skips lines that are cut short or of another form", () => {
    const log = new UnitLog(folder);
    log.append("k", unit);
    appendFileSync(log.path, '{"schema":"samara/benchmark-unit/2","key":"x"}\n{"schema":"sam');
    log.append("l", unit);
    expect([...log.read().keys()]).toEqual(["k", "l"]);
  });
});
