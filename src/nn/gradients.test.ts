// Gradients of what the tape emits against finite differences, in float64.
import { describe, expect, test } from "vitest";
import { createOrtSession } from "../ort/session.js";
import { createRandom } from "../tensor/random.js";
import { denseLayer, layerNorm, type Network } from "./layers.js";
import { smoothAbsoluteError, squaredError } from "./losses.js";
import type { Value } from "./tape.js";
import { initialWeights } from "./trainer.js";
import { gradientGraph, type Task } from "./training-graph.js";

const nRows = 6;

/** Largest difference between a block's gradients and central differences, by block. */
async function worstByBlock(task: Task): Promise<Map<string, number>> {
  const { bytes, parameters } = gradientGraph(task, nRows, "float64");
  const session = await createOrtSession(bytes);
  const random = createRandom(9);
  const feeds = Object.fromEntries(
    Object.entries(task.columns).map(([name, width]) => {
      const data = Float64Array.from({ length: nRows * width }, () => random.normal());
      return [`data.${name}`, { data, dims: [nRows, width] }];
    }),
  );
  const theta = Float64Array.from(initialWeights(parameters, 1), (value) => value + 0.05);
  const lossAt = async (at: Float64Array) => {
    const outputs = await session.run({ theta: { data: at, dims: [at.length] }, ...feeds });
    return {
      loss: outputs.loss!.data[0] as number,
      gradient: outputs.gradient!.data as Float64Array,
    };
  };
  const { gradient } = await lossAt(theta);
  const worst = new Map<string, number>();
  let offset = 0;
  for (const { name, size } of parameters) {
    let largest = 0;
    for (let i = offset; i < offset + size; i++) {
      const h = 1e-5;
      const at = async (value: number) => (await lossAt(theta.with(i, value))).loss;
      const difference = ((await at(theta[i]! + h)) - (await at(theta[i]! - h))) / (2 * h);
      largest = Math.max(largest, Math.abs(difference - gradient[i]!));
    }
    expect(gradient.subarray(offset, offset + size).some((value) => value !== 0)).toBe(true);
    worst.set(name, largest);
    offset += size;
  }
  await session.dispose();
  return worst;
}

const perceptronParts: Network = (tape, { x, z }) => {
  const left = tape.relu(denseLayer(tape, x!, "left", 4));
  const right = layerNorm(tape, denseLayer(tape, z!, "right", 3), "norm");
  const joined = tape.concat([left, right]);
  const gate = tape.parameter("gate", [1, 7], { kind: "uniform", fan: 7 });
  const ratio = tape.divide(joined, tape.add(tape.square(gate), tape.scalar(0.7)));
  const centred = tape.subtract(ratio, tape.sum(tape.multiply(ratio, gate), 1));
  return denseLayer(tape, centred, "head", 1);
};

/** Two nodes of three features a row, attention between them, and the elementwise functions. */
const graphParts: Network = (tape, { x }) => {
  const nodes = tape.reshape(x!, [-1, 2, 3]);
  const key = tape.parameter("key", [3, 4], { kind: "normal", deviation: 0.5 });
  const query = tape.parameter("query", [1, 3, 4], { kind: "uniform", fan: 3 });
  const keys = tape.matmul(nodes, key);
  const scores = tape.matmul(tape.matmul(nodes, query), tape.transpose(keys));
  const mixed = tape.matmul(tape.softmax(scores), keys);
  const first = tape.slice(tape.permute(mixed, [1, 0, 2]), 0, 0, 1);
  const row = tape.reshape(first, [-1, 4]);
  const squashed = tape.multiply(tape.sigmoid(row), tape.softplus(row));
  const positive = tape.add(tape.absolute(row), tape.scalar(0.3));
  return denseLayer(tape, tape.concat([squashed, tape.logarithm(positive)]), "head", 1);
};

/** Two inner steps with learned rates, differentiated through (Finn et al. 2017; Li et al. 2017). */
const innerSteps: Network = (tape, { x, y }) => {
  const weight = tape.parameter("weight", [3, 2], { kind: "uniform", fan: 3 });
  const head = tape.parameter("head", [2, 1], { kind: "uniform", fan: 2 });
  const rates = ["weight", "head"].map((name, i) =>
    tape.parameter(`${name}.rate`, i === 0 ? [3, 2] : [2, 1], { kind: "fill", value: 0.1 }),
  );
  const predict = ([w, h]: readonly Value[]) => {
    const hidden = tape.softplus(tape.matmul(tape.relu(x!), w!));
    return tape.matmul(hidden, h!);
  };
  let weights: Value[] = [weight, head];
  for (let step = 0; step < 2; step++) {
    const loss = tape.mean(tape.square(tape.subtract(predict(weights), y!)));
    const gradients = tape.gradients(loss, weights, { isDifferentiable: true });
    weights = weights.map((value, i) =>
      tape.subtract(value, tape.multiply(rates[i]!, gradients[i]!)),
    );
  }
  return predict(weights);
};

describe("gradients", () => {
  test.each<[string, Task]>([
    [
      "of a perceptron's parts",
      {
        network: perceptronParts,
        loss: (tape, predicted, { y }) => smoothAbsoluteError(tape, predicted, y!, { delta: 0.5 }),
        columns: { x: 3, z: 2, y: 1 },
      },
    ],
    [
      "of a graph network's parts",
      {
        network: graphParts,
        loss: (tape, predicted, { y }) => squaredError(tape, predicted, y!),
        columns: { x: 6, y: 1 },
      },
    ],
    [
      "through gradients",
      {
        network: innerSteps,
        loss: (tape, predicted, { other }) => squaredError(tape, predicted, other!),
        columns: { x: 3, y: 1, other: 1 },
      },
    ],
  ])("%s agree with finite differences in every block of parameters", async (_, task) => {
    for (const [name, difference] of await worstByBlock(task)) {
      expect(difference, name).toBeLessThan(1e-8);
    }
  });
});
