// Predictions per second for 15,625 and 1 million networks, adaptation time and training time of each predictor, on a
// made-up pool (speed does not depend on the latencies' values).
import { availableParallelism, cpus, loadavg } from "node:os";
import { createPredictor, predictorNames } from "../dist/predict/registry.js";
import { featuresOfCells } from "../dist/space/nasbench201/features.js";
import { createRandom, drawWithoutReplacement } from "../dist/tensor/random.js";
import { median } from "../dist/tensor/stats.js";

const seed = 1;
const nPlatforms = 8;
const nSamples = 400;
const repetitions = 7;

const startedAt = performance.now();
const networks = featuresOfCells();
const featuresMs = performance.now() - startedAt;
const nSignatures = networks.signatures.length;
const random = createRandom(seed);

function samplesOf(platform, count) {
  const costs = networks.signatures.map(
    ({ macs, bytesMoved }) =>
      (macs / 2e10 + bytesMoved / 5e9) * Math.exp(0.3 * random.normal()) * 1e3,
  );
  const rows = drawWithoutReplacement(random, networks.ids.length, count);
  const latencyMs = Float64Array.from(rows, (row) => {
    let sum = 0.1;
    costs.forEach((cost, s) => {
      sum += cost * networks.counts.all[row * nSignatures + s];
    });
    return sum * Math.exp(0.02 * random.normal());
  });
  return { platformId: `p${platform}`, family: `f${platform >> 1}`, rows, latencyMs };
}

/** The table so many times over. */
function repeatedTable(times) {
  const repeat = (values) => {
    const all = new values.constructor(values.length * times);
    for (let i = 0; i < times; i++) all.set(values, i * values.length);
    return all;
  };
  const each = (record) =>
    Object.fromEntries(Object.entries(record).map(([key, values]) => [key, repeat(values)]));
  return {
    ids: Array.from({ length: times }, () => networks.ids).flat(),
    signatures: networks.signatures,
    counts: each(networks.counts),
    longestPath: each(networks.longestPath),
    heaviestPath: each(networks.heaviestPath),
    connected: repeat(networks.connected),
    encoding: { ...networks.encoding, values: repeat(networks.encoding.values) },
  };
}

async function medianMs(times, work) {
  const durations = [];
  for (let i = 0; i < times; i++) {
    const from = performance.now();
    await work();
    durations.push(performance.now() - from);
  }
  return median(durations);
}

console.log(
  `${cpus()[0].model}, ${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)}, Node ${process.version}; 1 thread`,
);
console.log(`features of 15,625 networks: ${featuresMs.toFixed(0)} ms`);
const platforms = Array.from({ length: nPlatforms }, (_, p) => samplesOf(p, nSamples));
const target = samplesOf(99, 10);
const large = repeatedTable(64);
for (const name of predictorNames) {
  const from = performance.now();
  const fitted = await createPredictor(name).fit({ networks, platforms }, { seed });
  const fitS = (performance.now() - from) / 1000;
  let adapted;
  const adaptMs = await medianMs(repetitions, async () => {
    adapted = await fitted.adapt(target, networks, { seed });
  });
  const all = await medianMs(repetitions, () => adapted.predict(networks, { coverage: 0.9 }));
  const million = await medianMs(1, () => adapted.predict(large, { coverage: 0.9 }));
  console.log(
    `${name}: train ${nPlatforms} x ${nSamples} samples ${fitS.toFixed(1)} s; adapt to 10 samples ${adaptMs.toFixed(1)} ms; ` +
      `predict 15,625 with intervals ${all.toFixed(0)} ms (${(15.625 / all).toFixed(2)} million/s), 1 million ${(million / 1000).toFixed(2)} s`,
  );
}
