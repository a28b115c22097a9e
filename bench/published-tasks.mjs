// Transfer tasks of NASFLAT on published NAS-Bench-201 latencies (HELP, LatBench): learn from the source platforms,
// read a few latencies of each target, predict the rest. Tasks and platform names: Akhauri and Abdelfattah 2024.
// Usage: node bench/published-tasks.mjs [--data DIR] [--tasks ND,N1] [--predictor NAME] [--samples 10] [--trials 5]
import { parseArgs } from "node:util";
import { readNasbench201Latencies } from "../dist/evaluate/dataset.js";
import { scorePredictions, withinShare } from "../dist/evaluate/metrics.js";
import { createPredictor } from "../dist/predict/registry.js";
import { featuresOfCells } from "../dist/space/nasbench201/features.js";
import { createRandom, deriveSeed, drawWithoutReplacement } from "../dist/tensor/random.js";
import { mean } from "../dist/tensor/stats.js";

const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: process.env.SAMARA_DATA ?? "../shared/data" },
    tasks: { type: "string", default: "ND" },
    predictor: { type: "string", default: "operator-sum" },
    samples: { type: "string", default: "10" },
    trials: { type: "string", default: "5" },
  },
});

const edgeTpu = "embedded-tpu-edge-tpu-int8";
const nano16 = "embedded-gpu-jetson-nano-fp16";
const gpu675 = "mobile-gpu-snapdragon-675-adreno-612-int8";
const gpu855 = "mobile-gpu-snapdragon-855-adreno-640-int8";
const dsp675 = "mobile-dsp-snapdragon-675-hexagon-685-int8";
const dsp855 = "mobile-dsp-snapdragon-855-hexagon-690-int8";
const desktopGpu = "desktop-gpu-gtx-1080ti-fp32";
/** Source and target platforms; those that the data lacks are left out. */
const tasks = {
  ND: [
    "1080ti_1 1080ti_32 1080ti_256 silver_4114 silver_4210r samsung_a50 pixel3 essential_ph_1 samsung_s7",
    "titan_rtx_256 gold_6226 fpga pixel2 raspi4 eyeriss",
  ],
  N1: [
    `${edgeTpu} eyeriss ${gpu675} ${gpu855} pixel3`,
    "1080ti_1 titan_rtx_32 titanxp_1 2080ti_32 titan_rtx_1",
  ],
  N2: [
    "1080ti_1 1080ti_32 titanxp_1 titanxp_32",
    `${nano16} ${edgeTpu} ${dsp675} ${dsp855} pixel3`,
  ],
  N3: [
    `${desktopGpu} ${nano16} eyeriss ${dsp675} ${gpu855}`,
    "1080ti_1 2080ti_1 titanxp_1 2080ti_32 titanxp_32",
  ],
  N4: [
    `desktop-cpu-core-i7-7820x-fp32 embedded-gpu-jetson-nano-fp32 ${edgeTpu} eyeriss mobile-cpu-snapdragon-855-kryo-485-int8 ${dsp675} ${dsp855} ${gpu675} ${gpu855} pixel2`,
    "1080ti_1 2080ti_1 titan_rtx_1",
  ],
  NA: [
    "titan_rtx_1 titan_rtx_32 titanxp_1 2080ti_1 1080ti_1 titanxp_32 2080ti_32 1080ti_32 gold_6226 samsung_s7 silver_4114 silver_4210r samsung_a50 pixel2",
    `eyeriss ${desktopGpu} ${edgeTpu}`,
  ],
};
const sourceSamples = 512;

const networks = featuresOfCells();
const latencies = new Map(
  ["help-nasbench201", "latbench-nasbench201"].flatMap((folder) =>
    readNasbench201Latencies(`${options.data}/${folder}`).platforms.map((platform) => [
      platform.id,
      platform.latencyMs,
    ]),
  ),
);

function draw(id, count, seed) {
  const all = latencies.get(id);
  const present = [...all.keys()].filter((row) => !Number.isNaN(all[row]));
  const random = createRandom(deriveSeed(seed, id));
  const rows = Int32Array.from(
    drawWithoutReplacement(random, present.length, count),
    (place) => present[place],
  );
  return {
    platformId: id,
    family: id,
    rows,
    latencyMs: Float64Array.from(rows, (row) => all[row]),
  };
}

function scoreOf(id, predictions, read) {
  const measured = latencies.get(id);
  const test = [...measured.keys()].filter((row) => !Number.isNaN(measured[row]) && !read.has(row));
  const pick = (values, rows) => rows.map((row) => values[row]);
  const scores = scorePredictions({
    measuredMs: pick(measured, test),
    predictedMs: pick(predictions.latencyMs, test),
    lowerMs: pick(predictions.lowerMs, test),
    upperMs: pick(predictions.upperMs, test),
    coverage: predictions.coverage,
  });
  const connected = test.filter((row) => networks.connected[row] === 1);
  const withinTenPercentConnected = withinShare(
    pick(measured, connected),
    pick(predictions.latencyMs, connected),
    0.1,
  );
  return { ...scores, withinTenPercentConnected };
}

const columns = [
  "spearman",
  "withinTenPercent",
  "withinFivePercent",
  "withinTenPercentConnected",
  "coverage",
  "intervalWidth",
];
const trials = Number(options.trials);
console.log(
  `${options.predictor}, ${options.samples} random samples a target, ${trials} trials, ${sourceSamples} networks a source`,
);
console.log(["task", "target", ...columns].join("\t"));
for (const task of options.tasks.split(",")) {
  const [sources, targets] = tasks[task].map((ids) => ids.split(" "));
  const scores = new Map(targets.map((id) => [id, []]));
  for (let trial = 0; trial < trials; trial++) {
    const platforms = sources.map((id) => draw(id, sourceSamples, trial));
    const fitted = await createPredictor(options.predictor).fit(
      { networks, platforms },
      { seed: trial },
    );
    for (const id of targets) {
      const samples = draw(id, Number(options.samples), deriveSeed(trial, "target"));
      const adapted = await fitted.adapt(samples, networks, { seed: trial });
      const predictions = await adapted.predict(networks, { coverage: 0.9 });
      scores.get(id).push(scoreOf(id, predictions, new Set(samples.rows)));
    }
  }
  const row = (of) => columns.map((column) => mean(of.map((score) => score[column])).toFixed(3));
  for (const [id, of] of scores) console.log([task, id, ...row(of)].join("\t"));
  const byTarget = [...scores.values()].flat();
  console.log([task, "mean", ...row(byTarget)].join("\t"));
}
