/**
 * A pool of the fake runtime's relatives: latencies follow from graphs and costs, so nothing is measured. Families
 * differ in their costs; none of them is `fake`, whose platforms can be measured on any machine.
 */

import type { OperatorGraph } from "../src/graph/graph.js";
import { elementCount } from "../src/graph/size.js";
import { takeContext } from "../src/measure/environment.js";
import { descriptorFromMeasurements } from "../src/measure/profile.js";
import { subjectFromIndex } from "../src/measure/subject.js";
import { type ReferenceCosts, referenceLatencyNs } from "../src/platform/runtimes/reference.js";
import type { Context, Measurement } from "../src/record/measurement.js";
import type { Platform } from "../src/record/platform.js";
import { cellFromIndex, nCells, networkId } from "../src/space/nasbench201/cell.js";
import { networkFromCell } from "../src/space/nasbench201/network.js";
import { operatorNetworks } from "../src/space/nasbench201/operators.js";
import { Pool } from "../src/store/pool.js";
import { createRandom, deriveSeed, drawWithoutReplacement } from "../src/tensor/random.js";
import { labPlatform } from "./fake-lab.js";

/** Platforms of four families, two siblings each. */
export const poolPlatforms: readonly Platform[] = ["alpha", "beta", "gamma", "delta"].flatMap(
  (family, i) =>
    [1, 1.4].map((factor, sibling) => {
      const costs: ReferenceCosts = {
        overheadNs: 30_000 * (1 + i),
        nodeNs: 1500 * factor * (1 + 0.6 * i),
        poolNs: 9000 / (1 + i),
        weightNs: 0.3 * factor * (1 + ((2 * i) % 3)),
      };
      return labPlatform(`${family}1-t${sibling + 1}`, costs, family);
    }),
);

/** The fake runtime's latency of a graph on a platform, ms; equal to that of its ONNX file. */
export function graphLatencyMs(graph: OperatorGraph, { runtime }: Platform): number {
  const cost = (name: keyof ReferenceCosts) => Number(runtime.settings[name]);
  const nPools = graph.operators.filter(({ type }) => type.includes("Pool")).length;
  let nWeights = 0;
  for (const { shape } of graph.constants.values()) nWeights += elementCount(shape);
  const latencyNs =
    cost("overheadNs") +
    cost("nodeNs") * graph.operators.length +
    cost("poolNs") * nPools +
    cost("weightNs") * nWeights;
  return latencyNs / 1e6;
}

/** The same from the model file, for a test that both agree. */
export const fileLatencyMs = (index: number, { runtime }: Platform): number =>
  referenceLatencyNs(subjectFromIndex(index).modelFile("onnx"), runtime) / 1e6;

/** A measurement that could have been. */
export function fakeMeasurement(
  platform: Platform,
  subjectId: string,
  latencyMs: number,
  changes: Partial<Measurement> = {},
): Measurement {
  return {
    platformId: platform.id,
    kind: subjectId.startsWith("operator/") ? "operator" : "network",
    subjectId,
    modelHash: "0000000000000000",
    latencyMs,
    lowerMs: latencyMs * 0.98,
    upperMs: latencyMs * 1.02,
    medianWallMs: latencyMs,
    nProcesses: 3,
    nRuns: 30,
    grade: "A",
    reasons: [],
    contextId: "none",
    counters: [],
    ...changes,
  };
}

const context: Context = {
  ...takeContext("1.0.0", { read: () => null, now: () => new Date(0) }),
  id: "none",
  loadAverage: null,
};

/** Fill a folder with a pool of `nNetworks` networks; the last `nTest` are its test set. */
export function writeFakePool(folder: string, nNetworks: number, nTest: number, seed = 1): Pool {
  const pool = new Pool(folder);
  const indices = Array.from(drawWithoutReplacement(createRandom(seed), nCells, nNetworks));
  const graphs = indices.map((index) => networkFromCell(cellFromIndex(index)));
  const operators = operatorNetworks();
  pool.addContext(context);
  const measurements: Measurement[] = [];
  for (const platform of poolPlatforms) {
    const random = createRandom(deriveSeed(seed, platform.id));
    const noise = () => Math.exp(0.01 * random.normal());
    pool.addPlatform(platform);
    pool.writeDescriptor(
      descriptorFromMeasurements(
        platform,
        operators.map(({ operator, graph }) =>
          fakeMeasurement(
            platform,
            `operator/${operator}`,
            graphLatencyMs(graph, platform) * noise(),
          ),
        ),
        context,
      ),
    );
    indices.forEach((index, i) => {
      const latencyMs = graphLatencyMs(graphs[i]!, platform) * noise();
      measurements.push(fakeMeasurement(platform, networkId(index), latencyMs));
    });
  }
  pool.writeMeasurements(measurements);
  const ids = indices.map(networkId);
  pool.writeSplit({
    schema: "samara/split/1",
    seed,
    how: "made up",
    train: ids.slice(0, nNetworks - nTest),
    test: ids.slice(nNetworks - nTest),
  });
  return pool;
}
