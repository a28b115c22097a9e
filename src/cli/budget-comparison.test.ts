// Searches on published latencies: what is read is counted, and nothing else of a target moves an answer.
import { describe, expect, test } from "vitest";
import { fitSources } from "../evaluate/transfer.js";
import type { MeasuredPlatform, TransferTask } from "../evaluate/transfer-task.js";
import { createPredictor } from "../predict/registry.js";
import { megaMacsOf } from "../search/candidates.js";
import { featuresOfCells } from "../space/nasbench201/features.js";
import { createRandom } from "../tensor/random.js";
import { answerBudgets, bestWithin, type NamedList } from "./budget-comparison.js";

const networks = featuresOfCells(Array.from({ length: 1500 }, (_, i) => 10 * i));
const macs = megaMacsOf(networks);
const random = createRandom(4);
const accuracies = macs.map((mega) => 60 + 5 * Math.log10(mega) + random.normal());

function platformOf(id: string, msPerMegaMac: number): MeasuredPlatform {
  const noise = createRandom(id.length);
  const places = Int32Array.from(networks.ids.keys());
  return {
    id,
    dataset: "test",
    family: id,
    rows: places,
    publishedIndex: places,
    latencyMs: macs.map((mega) => (1 + msPerMegaMac * mega) * (1 + 0.04 * noise.normal())),
  };
}

const target = platformOf("target", 0.05);
const task: TransferTask = {
  name: "test",
  space: "nasbench201",
  networks,
  sources: [platformOf("a", 0.02), platformOf("bb", 0.04), platformOf("ccc", 0.1)],
  targets: [target],
};
const list: NamedList = {
  name: "all",
  candidates: {
    space: "nasbench201",
    merit: { kind: "accuracy", source: "test", unit: "%" },
    tables: [{ features: networks, merit: accuracies, written: (row) => networks.ids[row]! }],
  },
};
const settings = { protocol: "all", select: "random", samples: 10, seed: 2, trial: 0 } as const;
const questions = {
  budgetsMs: [4, 8],
  lists: [list],
  ways: [
    { confidence: 0.9, nVerify: 0 },
    { confidence: 0.9, nVerify: 5 },
  ],
};
const { fitted } = await fitSources(
  createPredictor("hypothesis-mixture"),
  task,
  { protocol: "all", seed: 2 },
  0,
);

describe("answerBudgets()", () => {
  test("counts what it reads, and is never better than the best there is", async () => {
    const answers = await answerBudgets(fitted, task, target, settings, questions);
    expect(answers.map(({ readIds }) => readIds.length)).toEqual([10, 15, 10, 15]);
    for (const { budgetMs, merit, trueMs, id, nVerify, readIds } of answers) {
      const best = bestWithin(list, task, target, budgetMs);
      if (trueMs! <= budgetMs) expect(merit).toBeLessThanOrEqual(best);
      if (nVerify > 0) {
        expect(readIds).toContain(id);
        expect(trueMs).toBeLessThanOrEqual(budgetMs);
      }
    }
  });

  test("answers the same whatever the latencies that it has not read", async () => {
    const answers = await answerBudgets(fitted, task, target, settings, questions);
    const read = new Set(answers.flatMap(({ readIds }) => readIds));
    const disturbed = {
      ...target,
      latencyMs: target.latencyMs.map((latency, place) =>
        read.has(networks.ids[place]!) ? latency : latency * Math.exp(2 * random.normal()),
      ),
    };
    const after = await answerBudgets(fitted, task, disturbed, settings, questions);
    const picked = ({ id, merit, readIds }: (typeof answers)[number]) => ({ id, merit, readIds });
    expect(after.map(picked)).toEqual(answers.map(picked));
  });
});
