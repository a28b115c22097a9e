import { describe, expect, test } from "vitest";
import { withDistinctArrays } from "../../../test/distinct-arrays.js";
import { InputError } from "../../errors.js";
import { costOfGraph } from "../../graph/analysis.js";
import { featuresOfGraphs } from "../../graph/feature-table.js";
import type { OperatorGraph } from "../../graph/graph.js";
import { createRandom } from "../../tensor/random.js";
import {
  drawOfa,
  encodingWidth,
  numbersOfOfa,
  type OfaArchitecture,
  ofaFromNumbers,
  ofaFromText,
  textOfOfa,
  writeEncoding,
} from "./architecture.js";
import { featuresOfOfa } from "./features.js";
import { networkFromOfa, ofaId } from "./network.js";

const dice = createRandom(5);
const drawn = Array.from({ length: 40 }, () => drawOfa(dice));

const uniform = (inputSize: number, depth: number, kernel: number, expansion: number) => ({
  inputSize,
  stages: Array.from({ length: 5 }, () =>
    Array.from({ length: depth }, () => ({ kernel, expansion })),
  ),
});
const largest = uniform(224, 4, 7, 6);
const smallest = uniform(128, 2, 3, 3);

const typesOf = (graph: OperatorGraph, prefix: string) =>
  graph.operators.filter(({ name }) => name.startsWith(prefix)).map(({ type }) => type);

describe("once-for-all architectures", () => {
  test("are text, numbers and back", () => {
    expect(textOfOfa(smallest)).toBe("128-3333-3333-3333-3333-3333");
    for (const architecture of drawn) {
      expect(ofaFromText(textOfOfa(architecture))).toEqual(architecture);
      expect(ofaFromNumbers(numbersOfOfa(architecture))).toEqual(architecture);
    }
  });

  test("as numbers may say anything of blocks that are not there", () => {
    const numbers = numbersOfOfa(smallest);
    const [inactiveKernel, inactiveExpansion] = [6 + 2, 6 + 20 + 3];
    numbers[inactiveKernel] = 7;
    numbers[inactiveExpansion] = 99;
    expect(ofaFromNumbers(numbers)).toEqual(smallest);
  });

  test("are drawn from the whole space", () => {
    const many = Array.from({ length: 300 }, () => drawOfa(dice));
    expect(new Set(many.map(({ inputSize }) => inputSize)).size).toBe(25);
    const blocks = many.flatMap(({ stages }) => stages.flat());
    expect(new Set(blocks.map(({ kernel, expansion }) => `${kernel} ${expansion}`)).size).toBe(9);
    const depths = many.flatMap(({ stages }) => stages.map(({ length }) => length));
    expect([...new Set(depths)].sort()).toEqual([2, 3, 4]);
  });

  test("are encoded with zeros where there is no block", () => {
    const values = new Array<number>(encodingWidth).fill(0);
    writeEncoding(uniform(176, 2, 5, 6), values);
    expect(values[0]).toBe(0.5);
    const blocks = Array.from({ length: 20 }, (_, i) => values.slice(1 + 6 * i, 7 + 6 * i));
    blocks.forEach((block, i) => {
      expect(block).toEqual(i % 4 < 2 ? [0, 1, 0, 0, 0, 1] : [0, 0, 0, 0, 0, 0]);
    });
  });

  test.each<[string, OfaArchitecture, string]>([
    ["an input size", { ...smallest, inputSize: 226 }, "must be one of 128, 132"],
    ["a stage more", { ...smallest, stages: [...smallest.stages, []] }, "5 stages, got 6"],
    ["an empty stage", { ...smallest, stages: [[], ...smallest.stages.slice(1)] }, "2 to 4 blocks"],
    ["a kernel", uniform(128, 2, 9, 3), "the kernel of block 1 of stage 1 must be one of 3, 5, 7"],
    ["an expansion", uniform(128, 3, 3, 5), "the expansion of block 1 of stage 1 must be one of"],
  ])("are refused for %s that is no choice", (_, architecture, message) => {
    expect(() => networkFromOfa(architecture)).toThrow(InputError);
    expect(() => networkFromOfa(architecture)).toThrow(message);
  });

  test("are refused with the row that is wrong", () => {
    const good = numbersOfOfa(smallest);
    expect(() => featuresOfOfa([good, good.slice(1)])).toThrow(
      "OFA architecture 1 must have 46 numbers, got 45",
    );
    const deep = good.with(2, 5);
    expect(() => featuresOfOfa([deep])).toThrow("architecture 0: stage 2 must have 2 to 4 blocks");
    expect(() => ofaFromText("128-33x")).toThrow("an input size and 5 stages");
  });
});

describe("networkFromOfa()", () => {
  // Counted by test/golden/ofa_macs.py (Python 3), which knows nothing of Samara.
  test.each<[string, OfaArchitecture, number, number]>([
    ["largest", largest, 566.170656, 7.643848],
    ["smallest", smallest, 41.476224, 3.404824],
  ])("the %s network has its MACs and parameters", (_, architecture, macs, parameters) => {
    const cost = costOfGraph(networkFromOfa(architecture));
    expect(cost.macs / 1e6).toBeCloseTo(macs, 6);
    expect(cost.parameters / 1e6).toBeCloseTo(parameters, 6);
  });

  test("has squeeze and excite in stages 2, 4 and 5, h-swish from stage 3 on", () => {
    const graph = networkFromOfa(smallest);
    const gates = (stage: number) =>
      typesOf(graph, `stage${stage}.`).filter((type) => type === "HardSigmoid").length;
    const pools = (stage: number) =>
      typesOf(graph, `stage${stage}.`).filter((type) => type === "GlobalAveragePool").length;
    expect([1, 2, 3, 4, 5].map(pools)).toEqual([0, 2, 0, 2, 2]);
    // Two h-swishes a block and one gate a squeeze.
    expect([1, 2, 3, 4, 5].map(gates)).toEqual([0, 2, 4, 6, 6]);
  });

  test("rounds the squeezed channels as the field does", () => {
    const graph = networkFromOfa(smallest);
    const reduced = (block: string) =>
      graph.tensors.get(`${block}.squeeze.reduce`)?.shape.slice(0, 2);
    // 24 * 3 / 4 = 18: 16 would be below nine tenths of it.
    expect(reduced("stage2.block1")).toEqual([1, 24]);
    expect(reduced("stage2.block2")).toEqual([1, 32]);
  });

  test("shrinks the image by 32, rounding up", () => {
    const graph = networkFromOfa({ ...smallest, inputSize: 132 });
    expect(graph.tensors.get("stage5.block2.sum")?.shape).toEqual([1, 160, 5, 5]);
  });
});

describe("featuresOfOfa()", () => {
  test.each([true, false])("equals featuresOfGraphs, batch norm folded: %s", (foldBatchNorm) => {
    const architectures = [...drawn, largest, smallest];
    const graphs = architectures.map((architecture) => ({
      id: ofaId(architecture),
      graph: networkFromOfa(architecture, { foldBatchNorm }),
    }));
    const table = featuresOfOfa(architectures.map(numbersOfOfa), { foldBatchNorm });
    expect(withDistinctArrays(table)).toEqual(withDistinctArrays(featuresOfGraphs(graphs)));
  });
});
