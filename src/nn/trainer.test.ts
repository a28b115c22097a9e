import { describe, expect, test } from "vitest";
import { InputError, InterruptedError, ShapeError } from "../errors.js";
import { createRandom } from "../tensor/random.js";
import { perceptron } from "./layers.js";
import { squaredError } from "./losses.js";
import { createForward } from "./prediction.js";
import { cosineSchedule, initialWeights, train } from "./trainer.js";
import { type Task, trainingGraph } from "./training-graph.js";

const regression: Task = {
  network: perceptron(["x"], [8, 8, 1]),
  loss: (tape, predicted, { y, w }) => squaredError(tape, predicted, y!, w),
  columns: { x: 5, y: 1, w: 1 },
};

function drawData(nRows: number, seed: number) {
  const random = createRandom(seed);
  const x = Float32Array.from({ length: nRows * 5 }, () => random.normal());
  const y = new Float32Array(nRows);
  const w = new Float32Array(nRows);
  for (let i = 0; i < nRows; i++) {
    y[i] = Math.abs(x[5 * i]!) + 0.5 * x[5 * i + 1]! * x[5 * i + 2]!;
    w[i] = 0.5 + random.uniform();
  }
  return { x, y, w };
}

const options = {
  seed: 3,
  steps: 40,
  batchSize: 16,
  learningRate: () => 1e-3,
} as const;

/** The same training in float64, by hand: perceptron 5-8-8-1, weighted squared error, Adam. */
function referenceTraining(
  theta: Float64Array,
  batches: { x: number[][]; y: number[]; w: number[] }[],
) {
  const widths = [5, 8, 8, 1];
  const m = new Float64Array(theta.length);
  const v = new Float64Array(theta.length);
  batches.forEach(({ x, y, w }, step) => {
    const gradient = new Float64Array(theta.length);
    x.forEach((row, r) => {
      const layers: number[][] = [row];
      const starts: number[] = [];
      let offset = 0;
      for (let l = 0; l < 3; l++) {
        starts.push(offset);
        const [inputs, outputs] = [widths[l]!, widths[l + 1]!];
        const before = layers[l]!;
        layers.push(
          Array.from({ length: outputs }, (_, o) => {
            let sum = theta[offset + inputs * outputs + o]!;
            for (let i = 0; i < inputs; i++) sum += before[i]! * theta[offset + i * outputs + o]!;
            return l < 2 ? Math.max(0, sum) : sum;
          }),
        );
        offset += inputs * outputs + outputs;
      }
      let delta = [(2 * w[r]! * (layers[3]![0]! - y[r]!)) / x.length];
      for (let l = 2; l >= 0; l--) {
        const [inputs, outputs] = [widths[l]!, widths[l + 1]!];
        const start = starts[l]!;
        const back = new Array<number>(inputs).fill(0);
        for (let o = 0; o < outputs; o++) {
          gradient[start + inputs * outputs + o]! += delta[o]!;
          for (let i = 0; i < inputs; i++) {
            gradient[start + i * outputs + o]! += delta[o]! * layers[l]![i]!;
            back[i]! += delta[o]! * theta[start + i * outputs + o]!;
          }
        }
        delta = back.map((value, i) => (layers[l]![i]! > 0 ? value : 0));
      }
    });
    const t = step + 1;
    for (let i = 0; i < theta.length; i++) {
      m[i] = 0.9 * m[i]! + 0.1 * gradient[i]!;
      v[i] = 0.999 * v[i]! + 0.001 * gradient[i]! ** 2;
      const mHat = m[i]! / (1 - 0.9 ** t);
      const vHat = v[i]! / (1 - 0.999 ** t);
      theta[i]! -= (1e-3 * mHat) / (Math.sqrt(vHat) + 1e-8);
    }
  });
  return theta;
}

describe("train()", () => {
  test("agrees with a float64 step written by hand over 40 steps", async () => {
    const nRows = 16;
    const data = drawData(nRows, 1);
    // One batch holds all rows, so that the order does not matter.
    const result = await train(regression, data, options);
    const theta = Float64Array.from(
      initialWeights(trainingGraph(regression, nRows, { beta1: 0.9, beta2: 0.999 }).parameters, 3),
    );
    const batch = {
      x: Array.from({ length: nRows }, (_, i) => [...data.x.subarray(5 * i, 5 * i + 5)]),
      y: [...data.y],
      w: [...data.w],
    };
    const expected = referenceTraining(
      theta,
      Array.from({ length: 40 }, () => batch),
    );
    let worst = 0;
    result.theta.forEach((value, i) => {
      worst = Math.max(worst, Math.abs(value - expected[i]!));
    });
    expect(worst).toBeLessThan(5e-7);
    expect(result.step).toBe(40);
  });

  test("gives bitwise the same weights with 1 and 2 threads, and in any cut into calls", async () => {
    const data = drawData(300, 2);
    const one = await train(regression, data, { ...options, threads: 1 });
    const two = await train(regression, data, { ...options, threads: 2, callMs: 0.2 });
    expect([...two.theta]).toEqual([...one.theta]);
    expect([...two.losses]).toEqual([...one.losses]);
  });

  test("learns", async () => {
    const data = drawData(400, 4);
    const { losses } = await train(regression, data, {
      ...options,
      steps: 400,
      batchSize: 64,
      learningRate: cosineSchedule(1e-2),
    });
    const mean = (values: Float32Array) =>
      values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(losses.subarray(-20))).toBeLessThan(0.1 * mean(losses.subarray(0, 5)));
  });

  test("reads the rows that an order of one's own names", async () => {
    const data = drawData(16, 5);
    const rows = [3, 3, 7, 9];
    const chosen = {
      x: Float32Array.from(rows.flatMap((row) => [...data.x.subarray(5 * row, 5 * row + 5)])),
      y: Float32Array.from(rows, (row) => data.y[row]!),
      w: Float32Array.from(rows, (row) => data.w[row]!),
    };
    const steps = { ...options, steps: 7, batchSize: 4 };
    const order = (count: number) => Int32Array.from({ length: count }, (_, i) => rows[i % 4]!);
    const named = await train(regression, data, { ...steps, order });
    const direct = await train(regression, chosen, {
      ...steps,
      order: (count) => Int32Array.from({ length: count }, (_, i) => i % 4),
    });
    expect([...named.theta]).toEqual([...direct.theta]);
  });

  test("goes on from a checkpoint's weights and state", async () => {
    const data = drawData(16, 5);
    const whole = await train(regression, data, options);
    const half = await train(regression, data, { ...options, steps: 20 });
    const rest = await train(regression, data, { ...options, steps: 20, from: half });
    expect(rest.step).toBe(40);
    rest.theta.forEach((value, i) => {
      expect(value).toBeCloseTo(whole.theta[i]!, 5);
    });
  });

  test("stops between calls when it is told to, and reports progress", async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const attempt = train(regression, drawData(100, 6), {
      ...options,
      steps: 100_000,
      signal: controller.signal,
      onProgress: (step) => {
        seen.push(step);
        if (seen.length === 3) controller.abort();
      },
    });
    await expect(attempt).rejects.toThrow(InterruptedError);
    expect(seen.length).toBe(3);
  });

  test("refuses missing and misshapen columns and weights of another network", async () => {
    const { x, y, w } = drawData(10, 7);
    await expect(train(regression, { x, y }, options)).rejects.toThrow(InputError);
    await expect(train(regression, { x, y: y.slice(1), w }, options)).rejects.toThrow(ShapeError);
    await expect(
      train(regression, { x, y, w }, { ...options, from: { theta: new Float32Array(3) } }),
    ).rejects.toThrow("has 129 parameters");
  });
});

describe("createForward()", () => {
  test("predicts in chunks what the training graph's network computes", async () => {
    const nRows = 10_000;
    const data = drawData(nRows, 8);
    const { theta } = await train(regression, data, { ...options, steps: 5 });
    const forward = await createForward(regression.network, { x: 5 }, theta);
    const all = await forward.predict({ x: data.x });
    expect(all.length).toBe(nRows);
    const few = await forward.predict({ x: data.x.subarray(5 * 9000, 5 * 9003) });
    expect([...few]).toEqual([...all.subarray(9000, 9003)]);
    await expect(forward.predict({ z: data.x })).rejects.toThrow(InputError);
    await forward.dispose();
  });
});
