/**
 * The check that a platform computes what ONNX Runtime without optimisations computes, on many networks.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UnsupportedError } from "../../src/errors.js";
import type { OperatorGraph } from "../../src/graph/graph.js";
import { elementCount } from "../../src/graph/size.js";
import { randomValues } from "../../src/graph/values.js";
import { writeOnnx } from "../../src/onnx/write.js";
import type { AvailablePlatform } from "../../src/platform/registry.js";
import { startSampler } from "../../src/platform/sampler.js";
import type { Sampler } from "../../src/platform/sampler-types.js";
import { writeTflite } from "../../src/tflite/write.js";
import { cellNetwork, cells, mobileNetworks, refusals, smallGraphs } from "../networks.js";

/** Largest difference allowed, as a share of the largest output. */
const tolerance = 1e-4;

/** The output of a graph's second run: memory that runtimes reuse must not carry over. */
type Compute = (graph: OperatorGraph, input: Float32Array) => Promise<Float32Array>;

function expectShapes(
  of: { inputShape: readonly number[]; outputShape: readonly number[] },
  graph: OperatorGraph,
): void {
  expect(of.inputShape).toEqual(graph.inputs[0]!.shape);
  expect(of.outputShape).toEqual(graph.tensors.get(graph.outputs[0]!)!.shape);
}

const modelOf = ({ runtime }: AvailablePlatform, graph: OperatorGraph): Uint8Array =>
  runtime.modelFormat === "onnx" ? writeOnnx(graph) : writeTflite(graph);

/** Outputs of a platform in this process. */
export const computeHere =
  (available: AvailablePlatform): Compute =>
  async (graph, input) => {
    const { runtime, platform } = available;
    const session = await runtime.load(modelOf(available, graph), platform.runtime);
    try {
      expectShapes(session, graph);
      await session.setInput(input);
      await session.run();
      await session.run();
      return (await session.output()).slice();
    } finally {
      await session.dispose();
    }
  };

const computeIn =
  (available: AvailablePlatform, sampler: () => Sampler): Compute =>
  async (graph, input) => {
    const key = graph.name;
    expectShapes(await sampler().load(key, modelOf(available, graph)), graph);
    try {
      await sampler().runOnce(key, input);
      return await sampler().runOnce(key, input);
    } finally {
      await sampler().unload(key);
    }
  };

const inputFor = (graph: OperatorGraph) => randomValues(3, elementCount(graph.inputs[0]!.shape), 1);

/** That two ways to compute a graph give the same. */
export async function expectAgreement(
  reference: Compute,
  compute: Compute,
  graph: OperatorGraph,
): Promise<void> {
  const input = inputFor(graph);
  const expected = await reference(graph, input);
  const actual = await compute(graph, input);
  const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  // A comparison that NaN fails.
  const isClose = (value: number, i: number) =>
    Math.abs(value - expected[i]!) <= tolerance * largest;
  expect(largest).toBeGreaterThan(0);
  expect(actual).toHaveLength(expected.length);
  expect([...actual].filter((value, i) => !isClose(value, i))).toEqual([]);
}

/** That a graph is refused with this in the message. */
export async function expectRefusal(
  compute: Compute,
  graph: OperatorGraph,
  message: string,
): Promise<void> {
  const error: unknown = await compute(graph, inputFor(graph)).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(UnsupportedError);
  expect((error as Error).message).toContain(message);
}

/** Tests of one platform against the reference. */
export function checkOutputsAgree(
  platform: AvailablePlatform,
  referencePlatform: AvailablePlatform,
): void {
  describe(platform.platform.id, () => {
    const reference = computeHere(referencePlatform);
    let compute = computeHere(platform);
    let sampler: Sampler | undefined;
    if (platform.runtime.isOnePerProcess) {
      beforeAll(async () => {
        sampler = await startSampler(platform.platform, { counters: false });
      });
      compute = computeIn(platform, () => sampler!);
    }
    afterAll(async () => {
      await sampler?.close();
      await platform.runtime.close?.();
    });

    const refused = refusals[platform.runtime.name] ?? {};
    const checkGraph = (name: string, graph: OperatorGraph) => {
      const message = refused[name];
      if (message !== undefined) {
        test(`refuses, and says why: ${name}`, async () => {
          await expectRefusal(compute, graph, message);
        });
      } else {
        test(`agrees on: ${name}`, async () => {
          await expectAgreement(reference, compute, graph);
        });
      }
    };

    for (const [name, graph] of smallGraphs) checkGraph(name, graph);

    test.each(Object.entries(cells))("agrees on the cell: %s", async (name, operations) => {
      const message = refused[name];
      for (const options of [{}, { foldBatchNorm: false }]) {
        const graph = cellNetwork(operations, options);
        if (message === undefined) await expectAgreement(reference, compute, graph);
        else await expectRefusal(compute, graph, message);
      }
      // Multiplications by zero depend on the input.
      await expectAgreement(reference, compute, cellNetwork(operations, { variant: "traced" }));
    });

    test("agrees on a whole network", async () => {
      const size = { channels: 16, cellsPerStage: 5 };
      await expectAgreement(reference, compute, cellNetwork(cells.mixed!, size));
    });

    for (const [name, { graph, notInTflite }] of Object.entries(mobileNetworks)) {
      if (platform.runtime.modelFormat === "tflite" && notInTflite !== null) {
        test(`cannot hold, and says why: ${name}`, () => {
          expect(() => writeTflite(graph)).toThrow(notInTflite);
        });
      } else {
        checkGraph(name, graph);
      }
    }
  });
}
