/**
 * The check that a platform computes what ONNX Runtime without optimisations computes, on many networks.
 */
import { afterAll, describe, expect, test } from "vitest";
import type { OperatorGraph } from "../../src/graph/graph.js";
import { randomValues } from "../../src/graph/values.js";
import { writeOnnx } from "../../src/onnx/write.js";
import type { AvailablePlatform } from "../../src/platform/registry.js";
import { writeTflite } from "../../src/tflite/write.js";
import { cellNetwork, cells, mobileNetworks, smallGraphs } from "../networks.js";

/** Largest difference allowed, as a share of the largest output. */
const tolerance = 1e-4;

async function outputOf(
  { runtime, platform }: AvailablePlatform,
  graph: OperatorGraph,
  input: Float32Array,
): Promise<Float32Array> {
  const model = runtime.modelFormat === "onnx" ? writeOnnx(graph) : writeTflite(graph);
  const session = await runtime.load(model, platform.runtime);
  try {
    expect(session.inputShape).toEqual(graph.inputs[0]!.shape);
    expect(session.outputShape).toEqual(graph.tensors.get(graph.outputs[0]!)!.shape);
    await session.setInput(input);
    // Twice: memory that runtimes reuse must not carry over.
    await session.run();
    await session.run();
    return (await session.output()).slice();
  } finally {
    await session.dispose();
  }
}

async function expectAgreement(
  reference: AvailablePlatform,
  platform: AvailablePlatform,
  graph: OperatorGraph,
): Promise<void> {
  const n = graph.inputs[0]!.shape.reduce((product, dim) => product * dim, 1);
  const input = randomValues(3, n, 1);
  const expected = await outputOf(reference, graph, input);
  const actual = await outputOf(platform, graph, input);
  const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  // A comparison that NaN fails.
  const isClose = (value: number, i: number) =>
    Math.abs(value - expected[i]!) <= tolerance * largest;
  expect(largest).toBeGreaterThan(0);
  expect(actual).toHaveLength(expected.length);
  expect([...actual].filter((value, i) => !isClose(value, i))).toEqual([]);
}

/** Tests of one platform against the reference. */
export function checkOutputsAgree(platform: AvailablePlatform, reference: AvailablePlatform): void {
  describe(platform.platform.id, () => {
    afterAll(async () => {
      await platform.runtime.close?.();
    });

    test.each([...smallGraphs])("agrees on: %s", async (_name, graph) => {
      await expectAgreement(reference, platform, graph);
    });

    test.each(Object.entries(cells))("agrees on the cell: %s", async (_name, operations) => {
      for (const options of [{}, { foldBatchNorm: false }, { variant: "traced" as const }]) {
        await expectAgreement(reference, platform, cellNetwork(operations, options));
      }
    });

    test("agrees on a whole network", async () => {
      const size = { channels: 16, cellsPerStage: 5 };
      await expectAgreement(reference, platform, cellNetwork(cells.mixed!, size));
    });

    for (const [name, { graph, notInTflite }] of Object.entries(mobileNetworks)) {
      if (platform.runtime.modelFormat === "tflite" && notInTflite !== null) {
        test(`cannot hold, and says why: ${name}`, () => {
          expect(() => writeTflite(graph)).toThrow(notInTflite);
        });
      } else {
        test(`agrees on: ${name}`, async () => {
          await expectAgreement(reference, platform, graph);
        });
      }
    }
  });
}
