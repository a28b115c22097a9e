import { describe, expect, test } from "vitest";
import { InputError } from "../../errors.js";
import { cellFromArchString, cellFromIndex, nCells } from "./cell.js";
import { networkFromCell } from "./network.js";
import { operatorNetworks } from "./operators.js";

const mixed = cellFromArchString(
  "|nor_conv_3x3~0|+|avg_pool_3x3~0|skip_connect~1|+|nor_conv_1x1~0|none~1|nor_conv_3x3~2|",
);
const empty = cellFromIndex(0);

function typesOf(graph: { operators: readonly { name: string; type: string }[] }, prefix: string) {
  return graph.operators
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ type }) => type)
    .join(" ");
}

describe("networkFromCell()", () => {
  test("emits edges in order, each with its own ReLU, and chains of Add", () => {
    const graph = networkFromCell(mixed);
    expect(typesOf(graph, "stage1.cell1.")).toBe(
      "Relu Conv AveragePool Identity Add Relu Conv Relu Conv Add",
    );
    expect(typesOf(graph, "reduction1.")).toBe("Relu Conv Relu Conv AveragePool Conv Add");
    expect(typesOf(graph, "head.")).toBe("BatchNormalization Relu GlobalAveragePool Flatten Gemm");
    expect(graph.tensors.get(graph.outputs[0]!)!.shape).toEqual([1, 10]);
  });

  test("makes none no edge when pruned, a multiplication by zero when traced", () => {
    const pruned = networkFromCell(empty);
    expect(typesOf(pruned, "stage1.")).toBe("");
    expect(pruned.operators.find(({ name }) => name === "head.bn")!.inputs[0]).toBe(
      "zeros.1x64x8x8",
    );
    const traced = networkFromCell(empty, { variant: "traced" });
    expect(typesOf(traced, "stage1.cell1.")).toBe("Mul Mul Mul Add Mul Mul Add Mul Add");
  });

  test("keeps operators whose result nobody reads", () => {
    const dead = cellFromArchString(
      "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
    );
    expect(typesOf(networkFromCell(dead), "stage2.cell3.")).toBe("Relu Conv Identity");
  });

  test("keeps batch norms when asked", () => {
    const graph = networkFromCell(mixed, { foldBatchNorm: false });
    expect(typesOf(graph, "reduction1.")).toBe(
      "Relu Conv BatchNormalization Relu Conv BatchNormalization AveragePool Conv Add",
    );
    expect(graph.constants.has("stem.bias")).toBe(false);
  });

  test("follows the input size, width, depth and number of classes", () => {
    const options = { inputSize: 224, channels: 8, cellsPerStage: 2, classes: 100 };
    const graph = networkFromCell(mixed, options);
    expect(graph.tensors.get("stage3.cell2.edge23.sum")!.shape).toEqual([1, 32, 56, 56]);
    expect(graph.tensors.has("stage1.cell3.edge23.sum")).toBe(false);
    expect(graph.tensors.get(graph.outputs[0]!)!.shape).toEqual([1, 100]);
  });

  test("records its choices and the encoding", () => {
    const graph = networkFromCell(mixed, { seed: 7 });
    expect(graph.metadata).toMatchObject({
      space: "nasbench201",
      index: "12053",
      inputSize: "32",
      batchNorm: "folded",
      variant: "pruned",
      seed: "7",
    });
    expect(graph.encoding!.values).toHaveLength(24);
  });

  test("builds every 31st cell in both variants", () => {
    for (let index = 0; index < nCells; index += 31) {
      for (const variant of ["pruned", "traced"] as const) {
        networkFromCell(cellFromIndex(index), { variant, cellsPerStage: 1 });
      }
    }
  });

  test.each([{ inputSize: 30 }, { inputSize: 0 }, { channels: 0 }, { classes: 1.5 }, { seed: -1 }])(
    "refuses %j",
    (options) => {
      expect(() => networkFromCell(mixed, options)).toThrow(InputError);
    },
  );
});

describe("operatorNetworks()", () => {
  test("has a row for each operation and stage, then the skeleton's", () => {
    const rows = operatorNetworks().map(({ operator }) => operator);
    expect(rows).toHaveLength(26);
    expect(rows.slice(0, 3)).toEqual(["none@16x32x32", "none@32x16x16", "none@64x8x8"]);
    expect(rows.slice(15)).toEqual([
      "relu@16x32x32",
      "relu@32x16x16",
      "relu@64x8x8",
      "add@16x32x32",
      "add@32x16x16",
      "add@64x8x8",
      "stem",
      "reduction_1",
      "reduction_2",
      "head",
      "overhead",
    ]);
  });

  test("has one input and one output each", () => {
    for (const { operator, graph } of operatorNetworks({ inputSize: 64, foldBatchNorm: false })) {
      expect([operator, graph.inputs.length, graph.outputs.length]).toEqual([operator, 1, 1]);
    }
  });
});
