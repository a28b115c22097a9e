// Networks a second that `samara search` looks at: all of NAS-Bench-201, and by evolution in each larger space; where the
// time goes. With the shipped predictors, on one thread.
import { availableParallelism, cpus, loadavg } from "node:os";
import { loadFitted, shippedPredictor } from "../dist/catalogue/predictors.js";
import { loadPool } from "../dist/catalogue/training.js";
import { createPredictor } from "../dist/predict/registry.js";
import { accuraciesFromCsv } from "../dist/search/accuracy.js";
import { allByMacs, spaceNamed, tableByMacs } from "../dist/search/candidates.js";
import { searchCandidates, searchPlace, searchSpace } from "../dist/search/search.js";
import { spaces } from "../dist/space/registry.js";
import { shippedPool } from "../dist/store/paths.js";
import { Pool } from "../dist/store/pool.js";
import { createRandom } from "../dist/tensor/random.js";
import { median } from "../dist/tensor/stats.js";

const seed = 1;
const repetitions = 5;
const evaluations = 20_000;
const confidence = 0.9;

/** The median duration, and what the last repetition gave. */
async function timed(work) {
  const durations = [];
  let result;
  for (let i = 0; i < repetitions; i++) {
    const from = performance.now();
    result = await work();
    durations.push(performance.now() - from);
  }
  return { ms: median(durations), result };
}

console.log(
  `${cpus()[0].model}, ${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)}, Node ${process.version}; median of ${repetitions}`,
);

const loaded = await loadPool(new Pool(shippedPool));
const ten = [...loaded.testIds].slice(0, 10);
const target = loaded.samples(loaded.platforms[0].id, new Set(ten));
const shipped = (await loadFitted(shippedPredictor())).predictor;
const sources = loaded.platforms.slice(1).map(({ id }) => loaded.samples(id, loaded.trainIds));
const others = ["hypothesis-mixture", "operator-sum"].filter((name) => name !== shipped.name);
const fitted = [shipped];
for (const name of others) {
  const platforms = sources.map(({ descriptor: _, ...samples }) => samples);
  const pool = { networks: loaded.networks, platforms };
  fitted.push(await createPredictor(name).fit(pool, { seed }));
}

const cells = spaceNamed("nasbench201");
const features = await timed(async () => allByMacs(cells));
console.log(`features and MACs of 15,625 cells: ${features.ms.toFixed(0)} ms`);
const csv = [
  "network,accuracy",
  ...Array.from(
    { length: 15_625 },
    (_, i) => `${cells.written(String(i))},${60 + (i % 1300) / 100}`,
  ),
].join("\n");
const parsed = await timed(async () => accuraciesFromCsv(csv, { source: "table.csv" }));
console.log(`read a table of 15,625 accuracies: ${parsed.ms.toFixed(0)} ms`);

for (const predictor of fitted) {
  const adapted = await predictor.adapt(target, loaded.networks, { seed });
  const { latencyMs } = await adapted.predict(loaded.networks, { coverage: 0.8 });
  const budgetMs = median(latencyMs);
  const options = { predictor: adapted, budgetMs, confidence, seed };
  const known = await timed(() => searchCandidates(features.result, options));
  const whole = await timed(() => searchPlace({}, options));
  const byAccuracy = await timed(() => searchPlace({ accuracies: parsed.result }, options));
  console.log(
    `${adapted.name}: all of nasbench201 ${whole.ms.toFixed(0)} ms with its features, ${known.ms.toFixed(0)} ms without; by accuracies ${byAccuracy.ms.toFixed(0)} ms`,
  );
  for (const space of spaces.slice(1)) {
    const dice = createRandom(seed);
    const drawn = Array.from({ length: 250 }, () => space.draw(dice));
    const batch = tableByMacs(space, drawn);
    const { latencyMs: some } = await adapted.predict(batch.features, { coverage: 0.8 });
    const searched = await timed(() =>
      searchSpace(space, { ...options, budgetMs: median(some), evaluations }),
    );
    const made = await timed(async () => tableByMacs(space, drawn));
    const predicted = await timed(() => adapted.predict(batch.features, { coverage: 0.8 }));
    const share = (ms) => `${((100 * ms * (evaluations / 250)) / searched.ms).toFixed(0)} %`;
    console.log(
      `${adapted.name}: ${space.name}, ${evaluations} networks in ${(searched.ms / 1000).toFixed(2)} s: ${Math.round((1000 * evaluations) / searched.ms)}/s (features ${share(made.ms)}, prediction ${share(predicted.ms)}); best ${searched.result.winner?.merit.toFixed(1)} of ${searched.result.bestUnconstrained.merit.toFixed(1)} MMAC`,
    );
  }
}
