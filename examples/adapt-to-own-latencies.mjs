// Adapt the shipped predictor to a device of your own from ten latencies, and predict everything else.
// The "device" here is made up, so that the example can check its own result.
//
//   node examples/adapt-to-own-latencies.mjs
import { join } from "node:path";
import { createPredictor, featuresOfCells, readPredictor } from "samara-latency";

const networks = featuresOfCells();

// 1. Ten measured latencies: yours. Here: what a device with these costs (ms) would take, 2 % noise.
const costOfGroup = {
  "Conv 3x3/1": 0.31,
  "Conv 1x1/1": 0.07,
  "AveragePool 3x3/1": 0.12,
  Add: 0.02,
  Relu: 0.01,
};
const { counts, signatures } = networks;
function latencyOf(row) {
  let latencyMs = 1.5;
  signatures.forEach(({ group }, column) => {
    latencyMs += (costOfGroup[group] ?? 0) * counts.backward[row * signatures.length + column];
  });
  return latencyMs * (1 + 0.02 * Math.sin(row));
}
const rows = Int32Array.from([9410, 1462, 5021, 14_900, 7500, 3300, 12_012, 800, 10_777, 6001]);
const latencyMs = Float64Array.from(rows, latencyOf);

// 2. Adapt what learned from other platforms.
const folder = join(import.meta.dirname, "..", "data", "predictors", "pool");
const { saved } = readPredictor(folder);
const fitted = await createPredictor(saved.method).load(saved);
const target = { platformId: "my-device.my-runtime.fp32", family: "my-runtime", rows, latencyMs };
const adapted = await fitted.adapt(target, networks, { seed: 0 });

// 3. Predict all 15,625 networks.
const predictions = await adapted.predict(networks, { coverage: 0.9 });

const tested = Array.from(networks.connected.keys()).filter((row) => networks.connected[row] === 1);
const within = tested.filter(
  (row) => Math.abs(predictions.latencyMs[row] / latencyOf(row) - 1) <= 0.1,
);
const share = within.length / tested.length;
console.log(
  `within ±10 % of the made-up device: ${(100 * share).toFixed(1)} % of ${tested.length} networks`,
);
if (share < 0.8) throw new Error("expected at least 80 %");
