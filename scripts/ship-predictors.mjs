// Trains what the package ships in data/predictors from the pool in data/pool: the general predictor, the baselines
// that onboarding compares with, and one predictor adapted to each platform of the pool. Same pool, same result.
//
//   node scripts/ship-predictors.mjs [--hold-out tflite] [--seed 0]
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  folderNameOf,
  shippedAdapted,
  shippedBaseline,
  shippedPredictor,
} from "../dist/catalogue/predictors.js";
import { loadPool, trainingPool } from "../dist/catalogue/training.js";
import { scorePredictions } from "../dist/evaluate/metrics.js";
import { holdOutFamilies } from "../dist/evaluate/protocol.js";
import { createPredictor } from "../dist/predict/registry.js";
import { shippedPool, shippedPredictors } from "../dist/store/paths.js";
import { Pool } from "../dist/store/pool.js";
import { writePredictor } from "../dist/store/predictors.js";

const { values } = parseArgs({
  options: {
    "hold-out": { type: "string", default: "tflite" },
    seed: { type: "string", default: "0" },
  },
});
const heldOut = [values["hold-out"]];
const seed = Number(values.seed);
const shippedMethod = "operator-sum";
const loaded = await loadPool(new Pool(shippedPool));

async function train(name, families, options) {
  const pool = trainingPool(loaded, families, options);
  const fitted = await createPredictor(name).fit(pool, { seed });
  const nSamples = pool.platforms.reduce((sum, { rows }) => sum + rows.length, 0);
  return {
    fitted,
    provenance: {
      poolHash: loaded.hash,
      seed,
      trainedFamilies: fitted.trainedFamilies,
      heldOutFamilies: families,
      platform: null,
      nSamples,
    },
  };
}

/** How the method does on families that it has not learned from, one after the other. */
async function accuracyCard(name) {
  const nSamples = 10;
  const nTrials = 10;
  const platforms = loaded.platforms.map(({ id }) => ({
    train: loaded.samples(id, loaded.trainIds),
    test: loaded.samples(id, loaded.testIds),
  }));
  const scores = await holdOutFamilies({
    networks: loaded.networks,
    platforms,
    predictor: createPredictor(name),
    nSamples,
    nTrials,
    seed,
    onProgress: (text) => process.stderr.write(`\r${text.slice(0, 100).padEnd(100)}`),
  });
  process.stderr.write("\n");
  return {
    how: "each platform without any of its runtime family in the pool, random samples, the pool's test networks; node scripts/ship-predictors.mjs",
    nSamples,
    nTrials,
    seed,
    platforms: scores.map(({ platformId, family, nTest, mean, sd }) => ({
      platformId,
      family,
      nTest,
      withinTenPercent: mean.withinTenPercent,
      withinTenPercentSd: sd.withinTenPercent,
      mape: mean.mape,
      spearman: mean.spearman,
      coverage90: mean.coverage,
    })),
  };
}

async function ship(folder, name, options, card) {
  const { fitted, provenance } = await train(name, heldOut, options);
  writePredictor(folder, fitted.save(), { ...provenance, ...(card ? { card } : {}) });
  console.log(
    `${folder}: ${name}, ${provenance.nSamples} latencies of ${provenance.trainedFamilies.join(", ")}`,
  );
}

await ship(shippedPredictor(), shippedMethod, {}, await accuracyCard(shippedMethod));
await ship(shippedBaseline("operator-sum"), "operator-sum", { descriptors: false });
await ship(shippedBaseline("flops-line"), "flops-line");

const fittedWithout = new Map();
for (const platform of loaded.platforms) {
  const { family } = platform.runtime;
  if (!fittedWithout.has(family)) fittedWithout.set(family, await train(shippedMethod, [family]));
  const { fitted, provenance } = fittedWithout.get(family);
  const samples = loaded.samples(platform.id, loaded.trainIds);
  const test = loaded.samples(platform.id, loaded.testIds);
  const adapted = await fitted.adapt(samples, loaded.networks, { seed });
  const predictions = await adapted.predict(loaded.networks, { coverage: 0.9 });
  const at = (column) => Array.from(test.rows, (row) => column[row]);
  const scores = scorePredictions({
    measuredMs: test.latencyMs,
    predictedMs: at(predictions.latencyMs),
    lowerMs: at(predictions.lowerMs),
    upperMs: at(predictions.upperMs),
    coverage: 0.9,
  });
  const folder = join(shippedAdapted(), folderNameOf(platform.id));
  writePredictor(folder, adapted.save(), {
    ...provenance,
    platform,
    nSamples: samples.rows.length,
    accuracy: {
      withinTenPercent: scores.withinTenPercent,
      mape: scores.mape,
      coverage90: scores.coverage,
      nTest: test.rows.length,
      how: "the pool's test networks, none of them used to learn or adapt",
    },
  });
  console.log(`${folder}: within ±10 % ${(100 * scores.withinTenPercent).toFixed(1)} %`);
}
console.log(`saved in ${shippedPredictors}`);
