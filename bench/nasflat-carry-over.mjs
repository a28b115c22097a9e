// What NASFLAT's published figures owe to weights that carry over. Its code (main_trf.py, github.com/abdelfattah-lab/
// nasflat_latency) keeps `model.state_dict()` and loads it again before it tunes to the next number of samples and the
// next target; without a copy these are the very tensors that were tuned, and nothing is reset. Here both are done with
// our rebuild: starting every target from the sources' weights, and going on from the last target and sample number.
// Usage: node bench/nasflat-carry-over.mjs [--data DIR] [--task N3] [--sizes 5,10,15,20] [--seed 0]
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readDataset } from "../dist/evaluate/dataset.js";
import { publishedTasks } from "../dist/evaluate/tasks.js";
import { fitSources, scoreTransfer, transferTo } from "../dist/evaluate/transfer.js";
import { assembleTask } from "../dist/evaluate/transfer-task.js";
import { createPredictor } from "../dist/predict/registry.js";
import { mean } from "../dist/tensor/stats.js";

const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: process.env.SAMARA_DATA ?? "../shared/data" },
    task: { type: "string", default: "N3" },
    sizes: { type: "string", default: "5,10,15,20" },
    seed: { type: "string", default: "0" },
  },
});
const sizes = options.sizes.split(",").map(Number);
const { sources, targets } = publishedTasks.find(({ name }) => name === options.task);

const datasets = new Map();
function rowsOf(names) {
  return names.flatMap(({ dataset: folder, id }) => {
    if (!datasets.has(folder)) datasets.set(folder, readDataset(join(options.data, folder)));
    const dataset = datasets.get(folder);
    const platform = dataset.platforms.find((each) => each.id === id);
    return platform === undefined ? [] : [{ dataset, platform }];
  });
}
const task = assembleTask(options.task, rowsOf(sources), rowsOf(targets));
const settings = { protocol: "all", select: "random", seed: Number(options.seed) };
const predictor = createPredictor("nasflat");
const { fitted } = await fitSources(predictor, task, { ...settings, samples: 20 }, 0);

/** A fitted predictor that goes on from the weights of an adapted one, by their saved forms. */
async function goingOnFrom(adapted) {
  const saved = fitted.save();
  const theta = adapted.save().tensors.get("theta");
  return predictor.load({ ...saved, tensors: new Map([["theta", theta]]) });
}

/** `fitted` with an `adapt` that keeps what it returned. */
function watched(inner, keep) {
  return {
    ...inner,
    async adapt(...parameters) {
      const adapted = await inner.adapt(...parameters);
      keep(adapted);
      return adapted;
    },
  };
}

console.log(["weights", ...task.targets.map(({ id }) => id), "mean"].join("\t"));
for (const [what, used, carries] of [
  ["reset", sizes.slice(-1), false],
  ["carried over targets", sizes.slice(-1), true],
  ["carried over targets and sample numbers", sizes, true],
]) {
  let current = fitted;
  const scores = [];
  for (const target of task.targets) {
    let outcome;
    for (const [trial, samples] of used.entries()) {
      let adapted;
      const seen = watched(current, (value) => {
        adapted = value;
      });
      outcome = await transferTo(seen, task, target, { ...settings, samples }, trial);
      if (carries) current = await goingOnFrom(adapted);
    }
    scores.push(scoreTransfer(task, target, "all", outcome).spearman);
  }
  console.log([what, ...[...scores, mean(scores)].map((value) => value.toFixed(3))].join("\t"));
}
