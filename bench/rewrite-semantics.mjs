// Whether a few samples tell which operators a runtime executes: the view that gets most weight from few samples
// against the one that gets it from many, on published platforms and on the shipped pool (its family held out).
//
//   node bench/rewrite-semantics.mjs [--data DIR] [--samples 10] [--trials 20] [--many 300] [--select random|designed]
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { loadPool } from "../dist/catalogue/training.js";
import { readDataset } from "../dist/evaluate/dataset.js";
import { assembleTask } from "../dist/evaluate/transfer-task.js";
import { createHypothesisMixture } from "../dist/predict/hypothesis-mixture.js";
import { pickSamples } from "../dist/predict/samples.js";
import { shippedPool } from "../dist/store/paths.js";
import { Pool } from "../dist/store/pool.js";
import { createRandom, deriveSeed, drawWithoutReplacement } from "../dist/tensor/random.js";

const { values } = parseArgs({
  options: {
    data: { type: "string", default: process.env.SAMARA_DATA ?? "../shared/data" },
    samples: { type: "string", default: "10" },
    trials: { type: "string", default: "20" },
    many: { type: "string", default: "300" },
    select: { type: "string", default: "random" },
  },
});
const nSamples = Number(values.samples);
const nTrials = Number(values.trials);
const nMany = Number(values.many);

/** Weight of each view (what is pruned), whatever is shared within it; what is dead and unread is dead. */
function viewWeights(adapted) {
  const weights = new Map();
  for (const { semantics, weight } of adapted.save().settings.views) {
    const [view] = semantics.split("+");
    const kind = view === "unread" ? "backward" : view;
    weights.set(kind, (weights.get(kind) ?? 0) + weight);
  }
  return weights;
}
const likeliest = (adapted) =>
  [...viewWeights(adapted)].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];

async function recover(fitted, networks, platform) {
  const draw = (count, seed) =>
    drawWithoutReplacement(createRandom(seed), platform.rows.length, count);
  const many = Math.min(nMany, platform.rows.length);
  const truth = likeliest(
    await fitted.adapt(pickSamples(platform, draw(many, 0)), networks, { seed: 0 }),
  );
  let recovered = 0;
  for (let trial = 0; trial < nTrials; trial++) {
    const seed = deriveSeed(trial, platform.platformId);
    let places = draw(nSamples, seed);
    if (values.select === "designed") {
      const rows = fitted.chooseSamples(networks, {
        count: nSamples,
        seed,
        candidates: platform.rows,
      });
      places = rows.map((row) => platform.rows.indexOf(row));
    }
    const adapted = await fitted.adapt(pickSamples(platform, places), networks, { seed: trial });
    if (likeliest(adapted) === truth) recovered++;
  }
  return { truth, recovered };
}

console.log(
  `${nSamples} ${values.select} samples, ${nTrials} trials, against ${nMany} samples (seed 0)\n`,
);
console.log("| platform | view from many samples | recovered |\n|---|---|---|");
const row = (id, { truth, recovered }) =>
  console.log(`| ${id} | ${truth} | ${recovered} of ${nTrials} |`);

const folder = `${values.data}/help-nasbench201`;
if (existsSync(folder)) {
  const dataset = readDataset(folder, values.data);
  const rows = dataset.platforms.map((platform) => ({ dataset, platform }));
  const task = assembleTask("rewrites", rows, []);
  const sourceIds =
    "1080ti_1 1080ti_32 1080ti_256 silver_4114 silver_4210r samsung_a50 pixel3 essential_ph_1 samsung_s7";
  const targetIds =
    "raspi4 pixel3 1080ti_1 1080ti_32 2080ti_1 2080ti_32 titan_rtx_1 titan_rtx_32 titan_rtx_256 titanxp_1 titanxp_32 titanxp_256 gold_6226 fpga eyeriss";
  const samplesOf = ({ id, family, rows, latencyMs }) => ({
    platformId: id,
    family,
    rows,
    latencyMs,
  });
  for (const id of targetIds.split(" ")) {
    const target = task.sources.find((platform) => platform.id === id);
    const sources = task.sources.filter(
      (platform) => sourceIds.split(" ").includes(platform.id) && platform.family !== target.family,
    );
    const platforms = sources.map((platform) => {
      const places = drawWithoutReplacement(
        createRandom(deriveSeed(0, platform.id)),
        platform.rows.length,
        512,
      );
      return pickSamples(samplesOf(platform), places);
    });
    const fitted = await createHypothesisMixture().fit(
      { networks: task.networks, platforms },
      { seed: 0 },
    );
    row(id, await recover(fitted, task.networks, samplesOf(target)));
  }
} else {
  console.log(`| (published platforms: ${folder} not found) | | |`);
}

const pool = await loadPool(new Pool(shippedPool));
const platforms = pool.platforms.map(({ id }) => pool.samples(id, pool.trainIds));
for (const target of platforms) {
  const sources = platforms.filter(({ family }) => family !== target.family);
  const fitted = await createHypothesisMixture().fit(
    { networks: pool.networks, platforms: sources },
    { seed: 0 },
  );
  row(target.platformId, await recover(fitted, pool.networks, target));
}
