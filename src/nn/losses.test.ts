import { describe, expect, test } from "vitest";
import { createOrtSession } from "../ort/session.js";
import { mean } from "../tensor/stats.js";
import { pairwiseHinge } from "./losses.js";
import { createForward } from "./prediction.js";
import { train } from "./trainer.js";
import { gradientGraph, type Task } from "./training-graph.js";

describe("pairwiseHinge()", () => {
  const task: Task = {
    network: (tape, { x }) =>
      tape.multiply(x!, tape.parameter("scale", [1, 1], { kind: "fill", value: 1 })),
    loss: (tape, predicted, { y }) => pairwiseHinge(tape, predicted, y!, 0.1),
    columns: { x: 1, y: 1 },
  };

  async function lossOf(scores: readonly number[], targets: readonly number[]): Promise<number> {
    const session = await createOrtSession(gradientGraph(task, scores.length, "float64").bytes);
    const column = (values: readonly number[]) => ({
      data: Float64Array.from(values),
      dims: [values.length, 1],
    });
    const { loss } = await session.run({
      theta: { data: Float64Array.of(1), dims: [1] },
      "data.x": column(scores),
      "data.y": column(targets),
    });
    await session.dispose();
    return loss!.data[0] as number;
  }

  test("is 0 when all are in order and a margin apart", async () => {
    expect(await lossOf([0, 0.2, 0.4], [1, 5, 6])).toBe(0);
  });

  test("is what misses from the margin, averaged over pairs that differ", async () => {
    // In order but 0.05 apart: 0.05 misses. In the wrong order by 0.2: 0.3. By 0.15: 0.25.
    expect(await lossOf([0, 0.05, -0.15], [1, 2, 3])).toBeCloseTo((0.05 + 0.3 + 0.25) / 3, 6);
    // The last two are equal and no pair.
    expect(await lossOf([0, 0.05, -0.15], [1, 3, 3])).toBeCloseTo((0.05 + 0.25) / 2, 6);
  });
});

describe("dropout()", () => {
  const width = 200;
  const task: Task = {
    network: (tape, { x }) => {
      const scale = tape.parameter("scale", [1, 1], { kind: "fill", value: 1 });
      return tape.dropout(tape.multiply(x!, scale), 0.25, 3);
    },
    loss: (tape, predicted) => tape.mean(predicted),
    columns: { x: width },
  };
  const data = { x: new Float32Array(20 * width).fill(1) };
  const options = { seed: 1, steps: 30, batchSize: 20, learningRate: () => 0 };

  test("leaves out other entries in each step and keeps the mean", async () => {
    const { losses } = await train(task, data, options);
    expect(new Set(losses).size).toBeGreaterThan(20);
    expect(mean(losses)).toBeCloseTo(1, 1);
    const again = await train(task, data, { ...options, callMs: 0.1 });
    expect([...again.losses]).toEqual([...losses]);
  });

  test("leaves nothing out in predictions", async () => {
    const forward = await createForward(task.network, { x: width }, Float32Array.of(1));
    const predicted = await forward.predict(data);
    expect(predicted.every((value) => value === 1)).toBe(true);
    await forward.dispose();
  });
});
