// Random weights must leave outputs that depend on the input, or agreement across runtimes would mean nothing.
import { expect, test } from "vitest";
import { randomValues } from "../src/graph/values.js";
import { writeOnnx } from "../src/onnx/write.js";
import { createOrtSession } from "../src/ort/session.js";
import { cellFromArchString } from "../src/space/nasbench201/cell.js";
import { networkFromCell } from "../src/space/nasbench201/network.js";
import { operatorNetworks } from "../src/space/nasbench201/operators.js";
import { mobileNetworks } from "./networks.js";

const rms = (values: readonly number[]) =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

async function outputs(model: Uint8Array, shape: readonly number[], seeds: readonly number[]) {
  const session = await createOrtSession(model);
  const results: number[][] = [];
  for (const seed of seeds) {
    const data = randomValues(
      seed,
      shape.reduce((n, dim) => n * dim, 1),
      1,
    );
    const output = await session.run({ input: { data, dims: shape } });
    results.push(Array.from(Object.values(output)[0]!.data, Number));
  }
  await session.dispose();
  return results;
}

test.each([
  "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|",
  "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|",
  "|avg_pool_3x3~0|+|none~0|avg_pool_3x3~1|+|none~0|none~1|avg_pool_3x3~2|",
  "|none~0|+|none~0|nor_conv_1x1~1|+|nor_conv_1x1~0|nor_conv_1x1~1|nor_conv_1x1~2|",
  "|nor_conv_1x1~0|+|none~0|nor_conv_1x1~1|+|none~0|none~1|nor_conv_3x3~2|",
])("the output of %s depends on the input", async (arch) => {
  for (const foldBatchNorm of [true, false]) {
    const graph = networkFromCell(cellFromArchString(arch), { foldBatchNorm });
    const [a, b] = await outputs(writeOnnx(graph), [1, 3, 32, 32], [1, 2]);
    const change = rms(a!.map((value, i) => value - b![i]!)) / rms(a!);
    expect(rms(a!)).toBeGreaterThan(0.05);
    expect(rms(a!)).toBeLessThan(100);
    expect(change).toBeGreaterThan(1e-3);
  }
});

test.each(Object.entries(mobileNetworks))(
  "the output of %s depends on the input",
  async (_, { graph }) => {
    const [a, b] = await outputs(writeOnnx(graph), graph.inputs[0]!.shape, [1, 2]);
    const change = rms(a!.map((value, i) => value - b![i]!)) / rms(a!);
    expect(rms(a!)).toBeGreaterThan(0.05);
    expect(rms(a!)).toBeLessThan(100);
    expect(change).toBeGreaterThan(1e-3);
  },
);

test("every operator network runs", async () => {
  for (const { operator, graph } of operatorNetworks()) {
    const [values] = await outputs(writeOnnx(graph), graph.inputs[0]!.shape, [1]);
    expect([operator, values!.every(Number.isFinite)]).toEqual([operator, true]);
  }
});
