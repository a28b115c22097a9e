import { describe, expect, test } from "vitest";
import { createGraphBuilder } from "../graph/build.js";
import { networkFromFbnet } from "../space/fbnet/network.js";
import { cellFromArchString, cellFromIndex } from "../space/nasbench201/cell.js";
import { networkFromCell } from "../space/nasbench201/network.js";
import { createRandom } from "../tensor/random.js";
import { writeNcnnParam } from "./write.js";

/** A `.param` file as ncnn's loader takes it apart. */
function parse(text: string) {
  const [magic, counts, ...lines] = text.trimEnd().split("\n");
  const layers = lines.map((line) => {
    const [type, name, nInputs, nOutputs, ...words] = line.split(" ");
    const inputs = words.slice(0, Number(nInputs));
    const outputs = words.slice(inputs.length, inputs.length + Number(nOutputs));
    const parameters = Object.fromEntries(
      words
        .slice(inputs.length + outputs.length)
        .map((word) => word.split("=") as [string, string]),
    );
    return { type: type!, name: name!, inputs, outputs, parameters };
  });
  return { magic, counts: counts!.split(" ").map(Number), layers };
}

/** What ncnn's loader relies on: counts, unique names, blobs made before they are read, and read once. */
function expectLoadable(text: string) {
  const { magic, counts, layers } = parse(text);
  expect(magic).toBe("7767517");
  const blobs = layers.flatMap(({ outputs }) => outputs);
  expect(counts).toEqual([layers.length, blobs.length]);
  expect(new Set(layers.map(({ name }) => name)).size).toBe(layers.length);
  expect(new Set(blobs).size).toBe(blobs.length);
  const open = new Set<string>();
  for (const { inputs, outputs } of layers) {
    for (const blob of inputs)
      expect(open.delete(blob), `${blob} is made before and read once`).toBe(true);
    for (const blob of outputs) open.add(blob);
  }
  return { layers, unread: [...open] };
}

const arch = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|nor_conv_1x1~1|none~2|";

describe("writeNcnnParam()", () => {
  test("writes one line a layer, as ncnn documents them", () => {
    const b = createGraphBuilder("tiny");
    const data = b.input("data", [1, 3, 8, 6]);
    const weights = b.constant("w", [4, 3, 3, 3], { kind: "random", seed: 1, scale: 1 });
    const bias = b.constant("b", [4], { kind: "fill", value: 0 });
    const conv = b.operator(
      "Conv",
      [data, weights, bias],
      { kernel_shape: [3, 3], strides: [2, 1], pads: [1, 0, 1, 0] },
      { name: "conv" },
    );
    const relu = b.operator("Relu", [conv], {}, { name: "relu" });
    const sum = b.operator("Add", [relu, conv], {}, { name: "sum" });
    expect(writeNcnnParam(b.finish([sum]))).toBe(
      [
        "7767517",
        "5 6",
        "Input data 0 1 data 0=6 1=8 2=3",
        "Convolution conv 1 1 data conv 0=4 1=3 2=1 3=1 4=0 5=1 6=108 11=3 12=1 13=2 14=1 15=0 16=1",
        "Split splitncnn_0 1 2 conv conv_splitncnn_0 conv_splitncnn_1",
        "ReLU relu 1 1 conv_splitncnn_0 relu",
        "BinaryOp sum 2 1 relu conv_splitncnn_1 sum 0=0",
        "",
      ].join("\n"),
    );
  });

  test("writes a cell in its skeleton: one output, every blob read once", () => {
    const graph = networkFromCell(cellFromArchString(arch));
    const { layers, unread } = expectLoadable(writeNcnnParam(graph));
    expect(unread).toEqual(graph.outputs);
    const count = (type: string) => layers.filter((layer) => layer.type === type).length;
    expect(count("Convolution")).toBe(1 + 15 * 2 + 2 * 3);
    expect(count("InnerProduct")).toBe(1);
    expect(layers.at(-1)).toMatchObject({
      type: "InnerProduct",
      parameters: { 0: "10", 2: "640" },
    });
  });

  test.each(["pruned", "traced"] as const)("writes any cell in the form %s", (variant) => {
    const dice = createRandom(3);
    for (let i = 0; i < 40; i++) {
      const cell = cellFromIndex(dice.integer(15_625));
      const { unread } = expectLoadable(
        writeNcnnParam(networkFromCell(cell, { variant, cellsPerStage: 1 })),
      );
      // The input of a cell without a path is read by nobody.
      expect(unread.filter((blob) => blob !== "input")).toEqual(["head.linear"]);
    }
  });

  test("writes batch norms and multiplications by zero with floats that ncnn reads as floats", () => {
    const text = writeNcnnParam(
      networkFromCell(cellFromIndex(0), { foldBatchNorm: false, variant: "traced" }),
    );
    expect(text).toMatch(/^BatchNorm \S+ 1 1 \S+ \S+ 0=16 1=1\.000000e-5$/m);
    expect(text).toMatch(/^BinaryOp \S+ 1 1 \S+ \S+ 0=2 1=1 2=0\.000000e\+0$/m);
  });

  test("leaves out what reaches no output: benchncnn would run it", () => {
    // Edge 0>1 is a convolution whose node nobody reads.
    const dead = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|";
    const { layers } = expectLoadable(writeNcnnParam(networkFromCell(cellFromArchString(dead))));
    expect(layers.filter(({ type }) => type === "Convolution")).toHaveLength(1 + 2 * 3);
  });

  test("keeps names apart that differ only in what a word cannot hold", () => {
    const b = createGraphBuilder("names");
    const first = b.operator("Relu", [b.input("a b", [1, 1, 2, 2])], {}, { name: "x:1" });
    const graph = b.finish([b.operator("Relu", [first], {}, { name: "x 1" })]);
    const { layers } = expectLoadable(writeNcnnParam(graph));
    expect(layers.map(({ outputs }) => outputs[0])).toEqual(["a_b", "x_1", "x_1_2"]);
  });

  test("writes depthwise convolutions by their groups", () => {
    const text = writeNcnnParam(
      networkFromFbnet([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    );
    expectLoadable(text);
    expect(text).toMatch(/^ConvolutionDepthWise .* 7=16 /m);
  });

  test.each([
    ["an operator without a form", "Sigmoid", [[1, 2, 4, 4]], '"op" (Sigmoid)'],
    [
      "a sum that broadcasts",
      "Add",
      [
        [1, 2, 4, 4],
        [1, 2, 1, 1],
      ],
      "shapes 1x2x4x4 and 1x2x1x1",
    ],
  ])("refuses %s by name", (_, type, shapes, message) => {
    const b = createGraphBuilder("refused");
    const data = b.input("data", shapes[0]!);
    const others = shapes
      .slice(1)
      .map((shape, i) => b.constant(`c${i}`, shape, { kind: "fill", value: 1 }));
    const graph = b.finish([b.operator(type, [data, ...others], {}, { name: "op" })]);
    expect(() => writeNcnnParam(graph)).toThrow(message);
  });

  test("refuses batches", () => {
    const b = createGraphBuilder("batch");
    const graph = b.finish([b.operator("Relu", [b.input("data", [2, 1, 2, 2])])]);
    expect(() => writeNcnnParam(graph)).toThrow("an image of batch 1");
  });
});
