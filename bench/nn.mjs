// Training samples per second and prediction rows per second of the engine; figures to hold against: engine design
// notes (153–198 thousand samples/s and 0.93 million rows/s on 2 quiet cores).
// Task: perceptron 300-256-256-1, Adam, batch 1024, 100,000 rows.
import { availableParallelism, cpus, loadavg } from "node:os";
import { perceptron } from "../dist/nn/layers.js";
import { squaredError } from "../dist/nn/losses.js";
import { createForward } from "../dist/nn/prediction.js";
import { train } from "../dist/nn/trainer.js";
import { createRandom } from "../dist/tensor/random.js";

const nRows = 100_000;
const width = 300;
const batchSize = 1024;
const steps = 200;
const random = createRandom(1);
const x = Float32Array.from({ length: nRows * width }, () => random.uniform() - 0.5);
const y = Float32Array.from({ length: nRows }, (_, i) => x[i * width] + x[i * width + 1]);
const network = perceptron(["x"], [256, 256, 1]);
const task = {
  network,
  loss: (tape, predicted, columns) => squaredError(tape, predicted, columns.y),
  columns: { x: width, y: 1 },
};

console.log(
  `${cpus()[0].model}, ${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)}, Node ${process.version}`,
);
for (const threads of [1, 2]) {
  let longestMs = 0;
  let last = Number.POSITIVE_INFINITY;
  const { theta, durationMs } = await train(
    task,
    { x, y },
    {
      seed: 1,
      steps,
      batchSize,
      threads,
      learningRate: () => 1e-3,
      onProgress: () => {
        longestMs = Math.max(longestMs, performance.now() - last);
        last = performance.now();
      },
    },
  );
  console.log(
    `training, ${threads} threads: ${Math.round((steps * batchSize) / (durationMs / 1000) / 1000)} thousand samples/s (longest call ${longestMs.toFixed(0)} ms)`,
  );
  const forward = await createForward(network, { x: width }, theta, { threads });
  await forward.predict({ x });
  const startedAt = performance.now();
  await forward.predict({ x });
  const tookS = (performance.now() - startedAt) / 1000;
  console.log(`prediction, ${threads} threads: ${(nRows / tookS / 1e6).toFixed(2)} million rows/s`);
  await forward.dispose();
}
const few = { x: x.slice(0, 10 * width), y: y.slice(0, 10) };
const from = await train(task, few, { seed: 1, steps: 1, batchSize: 10, learningRate: () => 1e-3 });
const { durationMs } = await train(task, few, {
  seed: 1,
  steps: 100,
  batchSize: 10,
  learningRate: () => 1e-3,
  from,
});
console.log(`adapting all weights, 10 rows x 100 steps: ${durationMs.toFixed(0)} ms`);
