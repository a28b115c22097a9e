// The published tasks on the published data: what others report of a line through multiply-accumulates comes out.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { planBenchmark } from "../src/cli/benchmark-plan.js";
import { publishedTasks } from "../src/evaluate/tasks.js";
import {
  fitSources,
  scoreTransfer,
  type TransferSettings,
  transferTo,
} from "../src/evaluate/transfer.js";
import { createPredictor } from "../src/predict/registry.js";

const data = process.env.SAMARA_DATA ?? resolve(import.meta.dirname, "../../shared/data");
const isThere = existsSync(join(data, "help-nasbench201"));
if (!isThere) console.warn(`skipped: no ${data}; set SAMARA_DATA to the folder of published data`);

const settings: TransferSettings = { protocol: "help", select: "random", samples: 10, seed: 0 };

test("the tasks are those of NASFLAT: numbers of platforms, none twice, none both source and target", () => {
  const counts = publishedTasks.map(({ name, sources, targets }) => {
    const ids = [...sources, ...targets].map(({ dataset, id }) => `${dataset}/${id}`);
    expect(new Set(ids).size).toBe(ids.length);
    return `${name} ${sources.length}>${targets.length}`;
  });
  expect(counts.join(" ")).toBe(
    "ND 9>6 N1 5>5 N2 5>5 N3 5>5 N4 10>3 NA 17>3 FD 9>3 F1 5>5 F2 5>5 F3 5>5 F4 10>3 FA 15>4",
  );
});

describe.skipIf(!isThere)("published data", () => {
  test("has the targets of all tasks; sources that it lacks are named", () => {
    const plan = planBenchmark({ data, sources: [], targets: [], settings });
    expect(plan.tasks.map(({ task }) => task.name)).toEqual(publishedTasks.map(({ name }) => name));
    for (const [i, { task, missing }] of plan.tasks.entries()) {
      const { sources, targets } = publishedTasks[i]!;
      expect(task.targets.map(({ id }) => id)).toEqual(targets.map(({ id }) => id));
      expect(task.sources.length + missing.length).toBe(sources.length);
      for (const id of missing) expect(id).toMatch(/^(titanx_\d+|gold_6240)$/);
    }
  }, 60_000);

  // Figures of the data's own card, computed there by another program: multiply-accumulates in HELP's test window. Eyeriss
  // has 38 distinct latencies, so which of the equal ones are trimmed counts for .002.
  test("a line through multiply-accumulates ranks HELP's test windows as it should", async () => {
    const plan = planBenchmark({ data, tasks: ["ND"], sources: [], targets: [], settings });
    const { task } = plan.tasks[0]!;
    const { fitted } = await fitSources(createPredictor("flops-line"), task, settings, 0);
    const found: Record<string, number> = {};
    for (const target of task.targets) {
      const outcome = await transferTo(fitted, task, target, settings, 0);
      const scores = scoreTransfer(task, target, "help", outcome);
      expect(scores.nTest).toBe(800);
      found[target.id] = scores.spearman;
    }
    expect(found).toEqual({
      titan_rtx_256: expect.closeTo(0.951, 3),
      gold_6226: expect.closeTo(0.83, 3),
      fpga: expect.closeTo(0.895, 3),
      pixel2: expect.closeTo(0.766, 3),
      raspi4: expect.closeTo(0.871, 3),
      eyeriss: expect.closeTo(0.386, 2),
    });
  }, 60_000);
});
