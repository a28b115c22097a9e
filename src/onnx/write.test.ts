import { describe, expect, test } from "vitest";
import { UnsupportedError } from "../errors.js";
import { createGraphBuilder } from "../graph/build.js";
import { createOrtSession } from "../ort/session.js";
import { attributeType, decodeModel, encodeModel, tensorType } from "./proto.js";
import { writeOnnx } from "./write.js";

function smallGraph() {
  const build = createGraphBuilder("small");
  const x = build.input("x", [1, 2, 4, 4]);
  const values = Float32Array.from({ length: 2 }, (_, i) => i + 1);
  const weights = build.constant("w", [2, 2, 1, 1], { kind: "fill", value: 1 });
  const bias = build.constant("b", [2], { kind: "values", values });
  const conv = build.operator("Conv", [x, weights, bias], { pads: [0, 0, 0, 0] });
  const pooled = build.operator("GlobalAveragePool", [conv]);
  const flat = build.operator("Flatten", [pooled], { axis: 1 });
  const head = build.constant("h", [3, 2], { kind: "random", seed: 5, scale: 0.1 });
  const y = build.operator("Gemm", [flat, head], { alpha: 1, transB: 1 }, { name: "y" });
  return build.finish([y], { metadata: { space: "none" } });
}

describe("writeOnnx()", () => {
  test("makes a file that ONNX Runtime runs", async () => {
    const build = createGraphBuilder("sum");
    const x = build.input("x", [1, 2, 2, 2]);
    const weights = build.constant("w", [1, 2, 1, 1], { kind: "fill", value: 2 });
    const bias = build.constant("b", [1], { kind: "values", values: Float32Array.of(10) });
    const y = build.operator("Conv", [x, weights, bias]);
    const session = await createOrtSession(writeOnnx(build.finish([y])));
    const data = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const outputs = await session.run({ x: { data, dims: [1, 2, 2, 2] } });
    expect([...outputs[y]!.data]).toEqual([22, 26, 30, 34]);
    await session.dispose();
  });

  test("keeps metadata, and whole numbers of float attributes as floats", () => {
    const model = decodeModel(writeOnnx(smallGraph()));
    expect(model.metadataProps).toEqual([{ key: "space", value: "none" }]);
    const gemm = model.graph!.node!.find(({ opType }) => opType === "Gemm")!;
    expect(gemm.attribute).toEqual([
      { name: "alpha", type: attributeType.float, f: 1 },
      { name: "transB", type: attributeType.int, i: 1 },
    ]);
  });

  test("gives the same bytes every time", () => {
    expect(Buffer.compare(writeOnnx(smallGraph()), writeOnnx(smallGraph()))).toBe(0);
  });

  test("states inner shapes when asked", () => {
    const { graph } = decodeModel(writeOnnx(smallGraph(), { hasShapes: true }));
    expect(graph!.valueInfo!.map(({ name }) => name)).toEqual([
      "Conv_0",
      "GlobalAveragePool_1",
      "Flatten_2",
    ]);
  });

  test("refuses weights that are not in memory", () => {
    const build = createGraphBuilder("unread");
    const weights = build.constant("w", [1], { kind: "unread" });
    const y = build.operator("Add", [build.input("x", [1]), weights]);
    expect(() => writeOnnx(build.finish([y]))).toThrow(UnsupportedError);
  });
});

describe("encodeModel()", () => {
  test("keeps every kind of value through decodeModel()", () => {
    const body = { name: "body", node: [{ opType: "Identity", input: ["a"], output: ["b"] }] };
    const model = {
      irVersion: 8,
      opsetImport: [{ domain: "", version: 17 }],
      graph: {
        name: "g",
        node: [
          {
            opType: "Loop",
            name: "loop",
            input: ["n", ""],
            output: ["y"],
            attribute: [
              { name: "body", type: attributeType.graph, g: body },
              { name: "f", type: attributeType.float, f: 0.5 },
              { name: "negative", type: attributeType.int, i: -7 },
              { name: "ints", type: attributeType.ints, ints: [-1, 0, 2 ** 40] },
              { name: "s", type: attributeType.string, s: new TextEncoder().encode("é") },
            ],
          },
        ],
        initializer: [
          {
            name: "t",
            dims: [2],
            dataType: tensorType.float32,
            externalData: [{ key: "location", value: "w.bin" }],
            dataLocation: 1,
          },
        ],
      },
    };
    expect(decodeModel(encodeModel(model))).toEqual(model);
  });
});
