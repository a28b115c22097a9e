// Leave-one-family-out over the shipped pool: siblings leave together, every predictor learns from the rest, adapts
// with a few samples, and is scored on the pool's test networks. Prints the tables of docs/results.md.
//
//   node bench/held-out.mjs [--samples 10] [--trials 10] [--seed 0] [--predictors a,b] [--families a,b] [--select random|designed] [--pool DIR]
import { parseArgs } from "node:util";
import { loadPool, withoutDescriptor } from "../dist/catalogue/training.js";
import { holdOutFamilies } from "../dist/evaluate/protocol.js";
import { createPredictor, predictorNames } from "../dist/predict/registry.js";
import { runtimePartOf } from "../dist/record/platform.js";
import { shippedPool } from "../dist/store/paths.js";
import { Pool } from "../dist/store/pool.js";
import { mean, median } from "../dist/tensor/stats.js";

const { values } = parseArgs({
  options: {
    samples: { type: "string", default: "10" },
    trials: { type: "string", default: "10" },
    seed: { type: "string", default: "0" },
    predictors: {
      type: "string",
      default: [...predictorNames, "operator-sum without descriptor"].join(","),
    },
    families: { type: "string" },
    select: { type: "string", default: "random" },
    pool: { type: "string", default: shippedPool },
  },
});
const nSamples = Number(values.samples);
const nTrials = Number(values.trials);
const seed = Number(values.seed);
const loaded = await loadPool(new Pool(values.pool));
const platforms = loaded.platforms.map(({ id }) => ({
  train: loaded.samples(id, loaded.trainIds),
  test: loaded.samples(id, loaded.testIds),
}));
const bare = platforms.map(({ train, test }) => ({ train: withoutDescriptor(train), test }));

const percent = (value, digits = 1) => (100 * value).toFixed(digits);
/** Median relative width of the test measurements' own 90 % intervals: the noise floor. */
const noiseWidths = new Map(
  platforms.map(({ test }) => [
    test.platformId,
    median(Array.from(test.relativeSd, (sd) => 2 * 1.645 * sd)),
  ]),
);

console.log(
  `Pool ${loaded.hash}, ${nSamples} target samples (${values.select}), ${nTrials} trials (mean ± sd over trials), seed ${seed},`,
);
console.log(
  "test networks that nobody learned from (grade X left out); siblings leave together.\n",
);
console.log(
  "| predictor | target | test networks | ±10 % | ±5 % | MAPE % | Spearman | coverage of 90 % | width % | noise floor's width % |",
);
console.log("|---|---|---|---|---|---|---|---|---|---|");
const summaries = [];
for (const name of values.predictors.split(",")) {
  const isBare = name.endsWith(" without descriptor");
  const results = await holdOutFamilies({
    networks: loaded.networks,
    platforms: isBare ? bare : platforms,
    predictor: createPredictor(name.replace(" without descriptor", "")),
    nSamples,
    nTrials,
    seed,
    select: values.select,
    ...(values.families ? { families: values.families.split(",") } : {}),
    onProgress: (text) => process.stderr.write(`\r${text.padEnd(100)}`),
  });
  process.stderr.write("\r");
  for (const { platformId, nTest, mean: m, sd } of results) {
    console.log(
      `| ${name} | ${runtimePartOf(platformId)} | ${nTest} | ${percent(m.withinTenPercent)} ± ${percent(sd.withinTenPercent)} | ${percent(m.withinFivePercent)} | ${percent(m.mape)} ± ${percent(sd.mape)} | ${m.spearman.toFixed(3)} ± ${sd.spearman.toFixed(3)} | ${percent(m.coverage)} | ${percent(m.intervalWidth)} | ${percent(noiseWidths.get(platformId))} |`,
    );
  }
  summaries.push([name, results]);
}
console.log(
  "\n| predictor | mean ±10 % | worst ±10 % | mean MAPE % | mean Spearman | mean coverage |",
);
console.log("|---|---|---|---|---|---|");
for (const [name, results] of summaries) {
  const all = (key) => results.map((r) => r.mean[key]);
  console.log(
    `| ${name} | ${percent(mean(all("withinTenPercent")))} | ${percent(Math.min(...all("withinTenPercent")))} | ${percent(mean(all("mape")))} | ${mean(all("spearman")).toFixed(3)} | ${percent(mean(all("coverage")))} |`,
  );
}
