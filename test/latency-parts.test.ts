// How predicted latencies add up over operators, and the file that Netron shows.
import { describe, expect, test } from "vitest";
import { chooseAdapted } from "../src/catalogue/predictors.js";
import { createGraphBuilder } from "../src/graph/build.js";
import { executionsOf } from "../src/graph/executions.js";
import { featuresOfGraphs } from "../src/graph/feature-table.js";
import type { OperatorGraph } from "../src/graph/graph.js";
import { decodeModel } from "../src/onnx/proto.js";
import { writeOnnx } from "../src/onnx/write.js";
import { createHypothesisMixture } from "../src/predict/hypothesis-mixture.js";
import { latencyPartsOf } from "../src/predict/latency-parts.js";
import { netronAttachment } from "../src/predict/netron.js";
import type { AdaptedPredictor } from "../src/predict/predictor.js";
import { createPredictor } from "../src/predict/registry.js";
import { netronAttachmentSchema, networkDetailSchema } from "../src/server/api/schemas.js";
import { cellFromArchString, cellFromIndex } from "../src/space/nasbench201/cell.js";
import { networkFromCell } from "../src/space/nasbench201/network.js";
import { architectureFromText } from "../src/space/registry.js";
import { createRandom } from "../src/tensor/random.js";
import { worldPlatforms, worldPool, worldSamples } from "./contract/synthetic-pool.js";

const seed = 5;
const ort = chooseAdapted(undefined, "amd-epyc-f26m2-2c.ort1.30-cpu-all-t1.fp32");
const plain = chooseAdapted(undefined, "amd-epyc-f26m2-2c.ort1.30-cpu-disabled-t1.fp32");

const sumOf = (values: Iterable<number>) => [...values].reduce((sum, value) => sum + value, 0);

/** Everything that must hold of any network and any additive predictor. */
async function checkParts(predictor: AdaptedPredictor, graph: OperatorGraph) {
  const parts = await latencyPartsOf(predictor, graph);
  const table = featuresOfGraphs([{ id: "x", graph }]);
  const { latencyMs } = await predictor.predict(table, { coverage: 0.9 });
  expect(parts.latencyMs).toBe(latencyMs[0]);
  expect(parts.operatorMs).toHaveLength(graph.operators.length);
  expect(Math.min(...parts.operatorMs!)).toBeGreaterThanOrEqual(0);
  expect(parts.overheadMs! + sumOf(parts.operatorMs!)).toBeCloseTo(parts.latencyMs, 9);
  const { operators } = networkDetailSchema.pick({ operators: true }).parse(parts);
  expect(parts.overheadMs! + sumOf(operators.map((part) => part.latencyMs!))).toBeCloseTo(
    parts.latencyMs,
    9,
  );
  expect(operators.flatMap(({ nodes }) => nodes).sort()).toEqual(
    graph.operators.map(({ name }) => name).sort(),
  );
  for (const { count, nodes } of operators) expect(nodes).toHaveLength(count);
  return parts;
}

describe("latencyPartsOf()", () => {
  test.each([1462, 15_624, 0, 7_811, 13_714])("adds up for cell %i", async (index) => {
    const graph = networkFromCell(cellFromIndex(index));
    await checkParts((await ort).predictor, graph);
    await checkParts((await plain).predictor, graph);
  });

  test("adds up for networks of other spaces", async () => {
    for (const text of ["fbnet/random", "ofa/random"]) {
      const { space, text: drawn } = architectureFromText(text, createRandom(seed));
      await checkParts((await ort).predictor, space.network(drawn));
    }
  });

  test("adds up for a network of one operator", async () => {
    const builder = createGraphBuilder("one");
    const x = builder.input("x", [1, 16, 32, 32]);
    const graph = builder.finish([builder.operator("Relu", [x])]);
    const parts = await checkParts((await ort).predictor, graph);
    expect(parts.operators).toHaveLength(1);
    expect(parts.operators[0]!.type).toBe("Relu");
  });

  test("gives an operator that the runtime takes along to its neighbour", async () => {
    const graph = networkFromCell(
      cellFromArchString(
        "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|",
      ),
    );
    const fused = executionsOf(graph).of["both+fused"];
    const taken = graph.operators.flatMap(({ type }, i) =>
      type === "Relu" && !fused.operators.includes(i) ? [i] : [],
    );
    expect(taken.length).toBeGreaterThan(0);
    const optimised = await checkParts((await ort).predictor, graph);
    const asIs = await checkParts((await plain).predictor, graph);
    const shareOf = ({ operatorMs, latencyMs }: typeof optimised) =>
      sumOf(taken.map((i) => operatorMs![i]!)) / latencyMs;
    expect(shareOf(asIs)).toBeGreaterThan(0.005);
    expect(shareOf(optimised)).toBeLessThan(0.2 * shareOf(asIs));
  });

  test("gives most of a network of convolutions to its convolutions", async () => {
    const convolutions = cellFromArchString(
      "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|",
    );
    const parts = await checkParts((await ort).predictor, networkFromCell(convolutions));
    const share = sumOf(
      parts.operators.filter(({ type }) => type === "Conv").map((part) => part.share!),
    );
    expect(share).toBeGreaterThan(0.7);
  });

  test("adds up for hypothesis-mixture", async () => {
    const pool = worldPool(4, 150, seed);
    const fitted = await createHypothesisMixture().fit(pool, { seed });
    const target = worldSamples(worldPlatforms(4, seed)[0]!, pool.networks, 10, 1);
    const adapted = await fitted.adapt(target, pool.networks, { seed });
    const { latencyMs } = await adapted.predict(pool.networks, { coverage: 0.9 });
    const views = adapted.costViews!(pool.networks, 0);
    const { signatures, counts } = pool.networks;
    const centres = views.map(
      ({ semantics, overheadMs, depthMs, operatorMs }) =>
        overheadMs +
        depthMs +
        sumOf(signatures.map((_, s) => counts[semantics][s]! * operatorMs[s]!)),
    );
    expect(sumOf(views.map(({ weight }) => weight))).toBeCloseTo(1);
    // Within the mixture's own spread: equal where all views agree.
    expect(latencyMs[0]).toBeGreaterThanOrEqual(0.8 * Math.min(...centres));
    expect(latencyMs[0]).toBeLessThanOrEqual(1.2 * Math.max(...centres));
    const graph = networkFromCell(cellFromIndex(1462));
    await checkParts(adapted, graph);
  });

  test("says nothing of operators where the method does not add them up", async () => {
    const pool = worldPool(4, 150, seed);
    const fitted = await createPredictor("flops-line").fit(pool, { seed });
    const target = worldSamples(worldPlatforms(4, seed)[0]!, pool.networks, 10, 1);
    const adapted = await fitted.adapt(target, pool.networks, { seed });
    const graph = networkFromCell(cellFromIndex(1462));
    const parts = await latencyPartsOf(adapted, graph);
    expect(parts.operatorMs).toBeNull();
    expect(
      parts.operators.every(({ latencyMs, share }) => latencyMs === null && share === null),
    ).toBe(true);
    expect(parts.sharesFrom).toContain("flops-line");
    expect(netronAttachment(graph, parts).metrics).toHaveLength(1);
  });
});

describe("netronAttachment()", () => {
  test("names the nodes that the ONNX file has, each once a metric, and adds up", async () => {
    const graph = networkFromCell(cellFromIndex(1462));
    const attachment = netronAttachment(graph, await latencyPartsOf((await ort).predictor, graph));
    netronAttachmentSchema.parse(attachment);
    const file = decodeModel(writeOnnx(graph)).graph!;
    const names = file.node!.map(({ name }) => name!);
    const ofNodes = attachment.metrics.filter(
      ({ kind, name }) => kind === "node" && name === "latencyMs",
    );
    expect(ofNodes.map(({ target }) => target)).toEqual(names);
    expect(new Set(names).size).toBe(names.length);
    const ofGraph = (wanted: string) =>
      attachment.metrics.find(({ kind, name }) => kind === "graph" && name === wanted)!;
    expect(ofGraph("latencyMs").target).toBe(file.name);
    const total = ofGraph("overheadMs").value + sumOf(ofNodes.map(({ value }) => value));
    expect(total / ofGraph("latencyMs").value).toBeCloseTo(1, 4);
  });
});
