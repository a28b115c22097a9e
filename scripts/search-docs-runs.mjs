// The searches of docs/search.md on published latencies: every device of HELP's table 4, its constraints, some trials.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { answerBudgets, bestWithin } from "../dist/cli/budget-comparison.js";
import { readDataset } from "../dist/evaluate/dataset.js";
import { helpSearches } from "../dist/evaluate/published-scores.js";
import { publishedTasks } from "../dist/evaluate/tasks.js";
import { fitSources } from "../dist/evaluate/transfer.js";
import { assembleTask } from "../dist/evaluate/transfer-task.js";
import { createPredictor } from "../dist/predict/registry.js";
import { accuraciesFromCsv, candidatesWithAccuracies } from "../dist/search/accuracy.js";

export const seed = 0;
export const nSamples = 10;
export const nVerify = 5;
export const confidence = 0.9;
const plainWays = [
  { confidence, nVerify: 0 },
  { confidence, nVerify },
];
const allWays = [{ confidence: 0.75, nVerify: 0 }, ...plainWays, { confidence: 0.99, nVerify: 0 }];
/** Learns in seconds; the first is the one that docs/benchmarks.md is about. */
export const methods = ["hypothesis-mixture", "operator-sum"];
export const selections = ["designed", "random"];
const column = "cifar100_test_acc";

/** HELP's candidates name networks by the published numbering, which the table of architectures explains. */
function readLists(data) {
  const folder = join(data, "nasbench201");
  const text = gunzipSync(readFileSync(join(folder, "architectures.csv.gz"))).toString();
  const [header, ...lines] = text.trim().split(/\r?\n/);
  const names = header.split(",");
  const rows = lines.map((line) => line.split(","));
  const at = (name) => names.indexOf(name);
  const archOf = new Map(rows.map((row) => [row[at("index")], row[at("arch")]]));
  const chosen = readFileSync(join(folder, "metad2a-candidates.csv"), "utf8")
    .trim()
    .split(/\r?\n/)
    .slice(1)
    .map((line) => line.split(","));
  const help = ["arch,accuracy", ...chosen.map(([index, acc]) => `"${archOf.get(index)}",${acc}`)];
  const listOf = (name, csv, options) => ({
    name,
    candidates: candidatesWithAccuracies(accuraciesFromCsv(csv, options)),
  });
  return [
    listOf("help", help.join("\n"), { source: "metad2a-candidates.csv" }),
    listOf("all", text, { source: "architectures.csv.gz", column }),
  ];
}

function readTask(data) {
  const dataset = readDataset(join(data, "help-nasbench201"), data);
  const published = publishedTasks.find(({ name }) => name === "ND");
  const row = ({ id }) => ({ dataset, platform: dataset.platforms.find((one) => one.id === id) });
  return assembleTask("ND", published.sources.map(row), published.targets.map(row));
}

/** All answers, one entry a device, method, selection, trial, list, budget, confidence and verification. */
export async function searchAll(data, { nTrials, say }) {
  const task = readTask(data);
  const lists = readLists(data);
  const devices = [...new Set(helpSearches.map(({ device }) => device))];
  const targets = devices.map((device) => task.targets.find(({ id }) => id === device));
  const answers = [];
  for (const method of methods) {
    for (let trial = 0; trial < nTrials; trial++) {
      say(`${method}, trial ${trial + 1} of ${nTrials}`);
      const { fitted } = await fitSources(
        createPredictor(method),
        task,
        { protocol: "all", seed },
        trial,
      );
      for (const target of targets) {
        const budgetsMs = helpSearches
          .filter(({ device }) => device === target.id)
          .map(({ constraintMs }) => constraintMs);
        for (const select of selections) {
          const settings = { protocol: "all", samples: nSamples, select, seed, trial };
          const found = await answerBudgets(fitted, task, target, settings, {
            ...{ budgetsMs, lists, ways: method === methods[0] ? allWays : plainWays },
          });
          const place = { method, device: target.id, select, trial };
          answers.push(...found.map((answer) => ({ ...place, ...answer })));
        }
      }
    }
  }
  const best = helpSearches.flatMap(({ device, constraintMs }) =>
    lists.map((list) => ({
      ...{ device, budgetMs: constraintMs, list: list.name },
      merit: bestWithin(
        list,
        task,
        task.targets.find(({ id }) => id === device),
        constraintMs,
      ),
    })),
  );
  return {
    answers,
    best,
    nCandidates: lists.map(({ candidates }) => candidates.tables[0].merit.length),
  };
}
