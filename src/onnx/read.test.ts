import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FormatError, InputError, NotFoundError, ShapeError, UnsupportedError } from "../errors.js";
import { createGraphBuilder } from "../graph/build.js";
import {
  attributeType,
  encodeModel,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  tensorType,
  type ValueInfoProto,
} from "./proto.js";
import { type ReadOptions, readOnnx } from "./read.js";
import { writeOnnx } from "./write.js";

type Dim = number | string;

function info(name: string, dims: readonly Dim[], elemType: number = tensorType.float32) {
  const dim = dims.map((d) => (typeof d === "number" ? { dimValue: d } : { dimParam: d }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } } satisfies ValueInfoProto;
}

const node = (opType: string, input: string[], output: string[], more: NodeProto = {}) => ({
  opType,
  name: output[0]!,
  input,
  output,
  ...more,
});

const ints = (name: string, ...values: number[]): TensorProto => ({
  name,
  dims: [values.length],
  dataType: tensorType.int64,
  int64Data: values,
});

function model(graph: GraphProto, opset = 13): Uint8Array {
  const opsetImport = [{ domain: "", version: opset }];
  const whole = { name: "g", input: [info("x", [1, 2, 4, 4])], output: [{ name: "y" }], ...graph };
  return encodeModel({ irVersion: 8, opsetImport, graph: whole });
}

const relu = [node("Relu", ["x"], ["y"])];

describe("readOnnx()", () => {
  test("gives back the graph that was written", () => {
    const b = createGraphBuilder("net");
    const x = b.input("x", [1, 2, 4, 4]);
    const w = b.constant("w", [3, 2, 3, 3], { kind: "random", seed: 1, scale: 0.1 });
    const y = b.operator("Conv", [x, w], { pads: [1, 1, 1, 1] });
    const graph = b.finish([y], { metadata: { space: "none" } });
    const read = readOnnx(writeOnnx(graph));
    expect(read.constants.get("w")!.source).toEqual({ kind: "unread" });
    expect(read.operators).toEqual(graph.operators);
    expect(read.metadata).toEqual(graph.metadata);
    expect(read.tensors.get(y)).toEqual(graph.tensors.get(y));
  });

  test("keeps an opset other than the usual, and writes it again", () => {
    const graph = readOnnx(model({ node: relu }, 17));
    expect(graph.metadata).toEqual({ "onnx.opset": "17" });
    expect(readOnnx(writeOnnx(graph)).metadata).toEqual(graph.metadata);
  });

  test("sorts operators that are out of order", () => {
    const nodes = [node("Relu", ["a"], ["y"]), node("Sigmoid", ["x"], ["a"])];
    expect(readOnnx(model({ node: nodes })).operators.map(({ type }) => type)).toEqual([
      "Sigmoid",
      "Relu",
    ]);
  });

  test("names nameless operators and tells equal names apart", () => {
    const nodes = [
      node("Relu", ["x"], ["a"], { name: "" }),
      node("Relu", ["a"], ["b"], { name: "same" }),
      node("Relu", ["b"], ["y"], { name: "same" }),
    ];
    const names = readOnnx(model({ node: nodes })).operators.map(({ name }) => name);
    expect(names).toEqual(["Relu_0", "same", "same_2"]);
  });

  test("does not count initializers listed as inputs", () => {
    const w: TensorProto = { name: "w", dims: [1], dataType: tensorType.float32, floatData: [2] };
    const graph = readOnnx(
      model({
        node: [node("Mul", ["x", "w"], ["y"])],
        initializer: [w],
        input: [info("x", [1, 2]), info("w", [1])],
      }),
    );
    expect(graph.inputs.map(({ name }) => name)).toEqual(["x"]);
    expect(graph.constants.get("w")!.source).toEqual({
      kind: "values",
      values: Float32Array.of(2),
    });
  });

  test("turns computations of shapes into constants", () => {
    // What PyTorch writes for x.view(x.size(0), -1).
    const nodes = [
      node("Shape", ["x"], ["shape"]),
      node("Constant", [], ["zero"], {
        attribute: [{ name: "value", type: attributeType.tensor, t: { ...ints("", 0), dims: [] } }],
      }),
      node("Gather", ["shape", "zero"], ["batch"]),
      node("Unsqueeze", ["batch", "axes"], ["first"]),
      node("Concat", ["first", "rest"], ["wanted"], {
        attribute: [{ name: "axis", type: attributeType.int, i: 0 }],
      }),
      node("Reshape", ["x", "wanted"], ["y"]),
    ];
    const graph = readOnnx(
      model({ node: nodes, initializer: [ints("axes", 0), ints("rest", -1)] }),
    );
    expect(graph.operators.map(({ type }) => type)).toEqual(["Reshape"]);
    expect(graph.tensors.get("y")!.shape).toEqual([1, 32]);
    expect(graph.constants.get("wanted")!.source).toEqual({
      kind: "values",
      values: BigInt64Array.of(1n, -1n),
    });
    expect(graph.constants.has("shape")).toBe(false);
  });

  test("uses the shapes a file states for operators it does not know", () => {
    const nodes = [node("Fancy", ["x"], ["y"], { domain: "my.domain" })];
    const graph = readOnnx(model({ node: nodes, output: [info("y", [1, 7])] }));
    expect(graph.operators[0]!.type).toBe("my.domain.Fancy");
    expect(graph.tensors.get("y")!.shape).toEqual([1, 7]);
  });

  test("takes 1 for a free batch, and sizes of other free dimensions from the caller", () => {
    const bytes = model({ node: relu, input: [info("x", ["batch", 3, "height", "width"])] });
    const dimensions = { height: 8, width: 6 };
    expect(readOnnx(bytes, { dimensions }).tensors.get("y")!.shape).toEqual([1, 3, 8, 6]);
    expect(readOnnx(bytes, { dimensions: { ...dimensions, batch: 4 } }).inputs[0]!.shape[0]).toBe(
      4,
    );
    expect(() => readOnnx(bytes, { dimensions: { height: 8 } })).toThrow("free size: width");
    expect(() => readOnnx(bytes, { dimensions: { ...dimensions, depth: 2 } })).toThrow('"depth"');
    expect(() => readOnnx(bytes, { dimensions: { height: 0, width: 1 } })).toThrow(InputError);
  });
});

describe("readOnnx() refuses", () => {
  const attribute = [{ name: "body", type: attributeType.graph, g: {} }];
  const float = tensorType.float32;
  const chain = (depth: number): GraphProto =>
    depth === 0
      ? { node: relu }
      : {
          node: [
            node("If", ["x"], ["y"], { attribute: [{ ...attribute[0]!, g: chain(depth - 1) }] }),
          ],
        };

  const whole = model({ node: relu });
  const cases: [string, Uint8Array, new (...args: never[]) => Error, string][] = [
    ["a truncated file", whole.subarray(0, whole.length - 3), FormatError, "damaged at"],
    ["an empty file", new Uint8Array(0), FormatError, "is empty"],
    [
      "a file that is not ONNX",
      Buffer.from("\x89PNG\r\n\x1a\n, a picture"),
      FormatError,
      "damaged",
    ],
    ["a graph without operators", model({ node: [] }), FormatError, "without operators"],
    [
      "an unknown operator",
      model({ node: [node("Fancy", ["x"], ["y"])] }),
      UnsupportedError,
      '"y" (Fancy)',
    ],
    [
      "control flow",
      model({ node: [node("Loop", ["x"], ["y"], { attribute })] }),
      UnsupportedError,
      "control flow",
    ],
    ["deep nesting", model(chain(200)), FormatError, "nested deeper"],
    [
      "operators in a circle",
      model({ node: [node("Add", ["x", "b"], ["y"]), node("Relu", ["y"], ["b"])] }),
      FormatError,
      "circle",
    ],
    [
      "a tensor nobody makes",
      model({ node: [node("Relu", ["ghost"], ["y"])] }),
      FormatError,
      '"ghost"',
    ],
    [
      "two producers",
      model({ node: [...relu, node("Sigmoid", ["x"], ["y"])] }),
      FormatError,
      "two producers",
    ],
    ["an output nobody makes", model({ node: relu, output: [{ name: "z" }] }), FormatError, '"z"'],
    [
      "a shape that differs from the stated",
      model({ node: relu, output: [info("y", [1, 9])] }),
      ShapeError,
      "states 1x9",
    ],
    [
      "weights that do not fit",
      model({
        node: [node("Conv", ["x", "w"], ["y"])],
        initializer: [
          { name: "w", dims: [3, 5, 1, 1], dataType: float, floatData: new Array(15).fill(0) },
        ],
      }),
      ShapeError,
      "do not fit",
    ],
    [
      "weights shorter than their shape",
      model({
        node: [node("Add", ["x", "w"], ["y"])],
        initializer: [{ name: "w", dims: [4, 4], dataType: float, rawData: new Uint8Array(60) }],
      }),
      FormatError,
      "60 bytes",
    ],
    [
      "a shape too large to count",
      model({ node: relu, input: [info("x", [2 ** 40, 2 ** 40])] }),
      ShapeError,
      "too many elements",
    ],
    [
      "weights too large to count",
      model({
        node: relu,
        initializer: [{ name: "w", dims: [2 ** 31, 2 ** 31], dataType: float }],
      }),
      ShapeError,
      '"w"',
    ],
    [
      "a negative dimension",
      model({
        node: relu,
        initializer: [{ name: "w", dims: [-4], dataType: float }],
      }),
      ShapeError,
      '"w"',
    ],
    [
      "element types we do not have",
      model({ node: relu, input: [info("x", [1], 8)] }),
      UnsupportedError,
      "element type 8",
    ],
    [
      "two inputs of one name",
      model({ node: relu, input: [info("x", [1]), info("x", [1])] }),
      FormatError,
      "one name",
    ],
    [
      "a file without opset",
      encodeModel({ graph: { node: relu, output: [{ name: "y" }] } }),
      FormatError,
      "operator set",
    ],
  ];
  test.each(cases)("%s", (_what, bytes, type, part) => {
    const read = () => readOnnx(bytes, { path: "some/file.onnx" });
    expect(read).toThrow(type);
    expect(read).toThrow(part);
    expect(read).toThrow("some/file.onnx");
  });

  test("a path that does not exist, or is a folder", () => {
    expect(() => readOnnx("no/such/file.onnx")).toThrow(NotFoundError);
    expect(() => readOnnx(tmpdir())).toThrow(InputError);
  });
});

describe("external data", () => {
  let folder: string;
  let path: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "samara-onnx-"));
    mkdirSync(join(folder, "in/sub"), { recursive: true });
    path = join(folder, "in/model.onnx");
    const values = Float32Array.from({ length: 33 }, (_, i) => i);
    writeFileSync(join(folder, "in/w.bin"), new Uint8Array(values.buffer));
    writeFileSync(join(folder, "secret.bin"), new Uint8Array(32 * 4));
    symlinkSync(join(folder, "secret.bin"), join(folder, "in/link.bin"));
    symlinkSync(folder, join(folder, "in/sub/up"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function read(
    fields: Record<string, string>,
    options: ReadOptions = { values: true },
    where: string | null = path,
  ) {
    const externalData = Object.entries(fields).map(([key, value]) => ({ key, value }));
    const w = {
      name: "w",
      dims: [32],
      dataType: tensorType.float32,
      dataLocation: 1,
      externalData,
    };
    const bytes = model({
      node: [node("Add", ["x", "w"], ["y"])],
      initializer: [w],
      input: [info("x", [32])],
    });
    if (where === null) return readOnnx(bytes, options);
    writeFileSync(where, bytes);
    return readOnnx(where, options);
  }

  test("is not needed: values inside a file read by its path are its own", () => {
    // A Buffer's slice() is a view of the pool it lies in; values once came from the file's beginning.
    const b = createGraphBuilder("net");
    const values = Float32Array.of(1.5, -2.5);
    const w = b.constant("w", [2], { kind: "values", values });
    const y = b.operator("Add", [b.input("x", [2]), w]);
    const file = join(folder, "inside.onnx");
    writeFileSync(file, writeOnnx(b.finish([y])));
    expect(readOnnx(file).constants.get("w")!.source).toEqual({ kind: "values", values });
  });

  test("is read at its offset, from the file's folder", () => {
    const { source } = read({ location: "w.bin", offset: "4", length: "128" }).constants.get("w")!;
    expect(source).toEqual({
      kind: "values",
      values: Float32Array.from({ length: 32 }, (_, i) => i + 1),
    });
  });

  test("need not be there when weights are not wanted", () => {
    expect(read({ location: "missing.bin" }, {}).constants.get("w")!.source.kind).toBe("unread");
    expect(() => read({ location: "missing.bin" })).toThrow(NotFoundError);
  });

  test.each([
    "/etc/passwd",
    "../secret.bin",
    "sub/../../secret.bin",
    "..\\secret.bin",
    "C:\\secret.bin",
    "C:secret.bin",
    "\\\\server\\share",
    "w.bin\0",
    "",
  ])("outside its folder is refused even when not read: %j", (location) => {
    expect(() => read({ location }, {})).toThrow(FormatError);
    expect(() => read({ location }, {})).toThrow("folder of the file");
  });

  test.each(["link.bin", "sub/up/secret.bin"])("is not read through a link out: %s", (location) => {
    expect(() => read({ location })).toThrow("link out");
  });

  test("of a wrong length is refused", () => {
    expect(() => read({ location: "w.bin", length: "64" })).toThrow("need 128");
    expect(() => read({ location: "w.bin", offset: "8" })).toThrow(FormatError);
    expect(() => read({ location: "w.bin", offset: "-4" })).toThrow("offset");
    expect(() => read({ location: "sub" })).toThrow("no file");
  });

  test("needs a path", () => {
    expect(() => read({ location: "w.bin" }, { values: true }, null)).toThrow(UnsupportedError);
  });
});
