// ONNX files made to harm: each is refused with words that say what is wrong, in little time and memory.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { SamaraError } from "../src/errors.js";
import { attributeType, tensorType } from "../src/onnx/proto.js";
import { readOnnx } from "../src/onnx/read.js";
import { convolutions, field, integers, ints, modelOf, node, readingOf } from "./hostile-onnx.js";

/** A graph within an attribute, within a graph, and so on. */
function nested(depth: number): Uint8Array {
  let graph: Uint8Array = new Uint8Array(0);
  for (let i = 0; i < depth; i++) graph = field(1, field(5, field(6, graph)));
  return field(7, graph);
}

const wide = (n: number) =>
  Array.from({ length: n }, (_, i) =>
    node("Relu", [i === 0 ? "x" : `t${i - 1}`], [i === n - 1 ? "y" : `t${i}`]),
  );

const value = (dims: number[], given: object = {}) => ({
  name: "w",
  dims,
  dataType: tensorType.float32,
  ...given,
});
const external = (location: string, more: { key: string; value: string }[] = []) =>
  modelOf([node("Relu", ["x"], ["y"])], {
    initializer: [
      value([2], {
        dataLocation: 1,
        externalData: [{ key: "location", value: location }, ...more],
      }),
    ],
  });

/** What was made, what it would do, and what must be said. */
const hostile: readonly (readonly [string, () => Uint8Array, RegExp])[] = [
  ["nothing", () => new Uint8Array(0), /is empty/],
  ["a gzip file", () => gzipSync(convolutions()), /is a gzip file.*not an ONNX file/],
  ["a zip archive", () => Buffer.from("PK\u0003\u0004rest"), /is a zip archive/],
  ["half a file", () => convolutions().subarray(0, 300), /damaged/],
  ["a length beyond the end", () => Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x07), /damaged/],
  ["an endless varint", () => new Uint8Array(64).fill(0xff), /damaged/],
  ["a group", () => Uint8Array.of(0x3b, 0x3c), /group/],
  ["graphs nested 2,000 deep", () => nested(2000), /nested deeper than 60 levels/],
  [
    "a packed list in an odd number of bytes",
    () => field(7, field(5, field(4, new Uint8Array(7)))),
    /7 bytes of float values/,
  ],
  ["more nodes than may be", () => modelOf(wide(2001)), /limit nodes of 2000/],
  [
    "more messages than may be",
    () => modelOf(wide(2), { valueInfo: Array.from({ length: 20_000 }, () => ({})) }),
    /limit messages/,
  ],
  [
    "more inputs than may be",
    () => modelOf([node("Concat", new Array(2000).fill("x"), ["y"])]),
    /limit operands/,
  ],
  [
    "more attribute values than may be",
    () =>
      modelOf([
        node(
          "Relu",
          ["x"],
          ["y"],
          [{ name: "a", type: attributeType.floats, floats: new Float32Array(300_000) }],
        ),
      ]),
    /limit attributeValues/,
  ],
  [
    "more integers than may be",
    () =>
      modelOf([node("Relu", ["x"], ["y"])], {
        initializer: [integers("w", new Array(60_000).fill(1))],
      }),
    /limit items/,
  ],
  [
    "a name of 5,000 letters",
    () => modelOf([node("a".repeat(5000), ["x"], ["y"])]),
    /limit nameBytes/,
  ],
  [
    "a circle",
    () =>
      modelOf([
        node("Add", ["x", "b"], ["a"]),
        node("Relu", ["a"], ["b"]),
        node("Relu", ["a"], ["y"]),
      ]),
    /circle/,
  ],
  [
    "a tensor of two producers",
    () => modelOf([node("Relu", ["x"], ["y"]), node("Relu", ["x"], ["y"])]),
    /two producers/,
  ],
  ["a tensor of no producer", () => modelOf([node("Relu", ["nothing"], ["y"])]), /nobody makes/],
  [
    "two weights of one name",
    () =>
      modelOf([node("Relu", ["x"], ["y"])], {
        initializer: [integers("w", [1]), integers("w", [1])],
      }),
    /two inputs or weights of one name/,
  ],
  [
    "an input beyond 2^53 elements",
    () => modelOf([node("Relu", ["x"], ["y"])], {}, [2 ** 30, 2 ** 30]),
    /too many elements/,
  ],
  [
    "an input of a petabyte",
    () => modelOf([node("Relu", ["x"], ["y"])], {}, [2 ** 50]),
    /limit tensorElements/,
  ],
  [
    "an input of 1,000 dimensions",
    () => modelOf([node("Relu", ["x"], ["y"])], {}, new Array(1000).fill(1)),
    /more than 64 dimensions/,
  ],
  [
    "weights of a negative size",
    () => modelOf([node("Relu", ["x"], ["y"])], { initializer: [value([-1])] }),
    /integer >= 0/,
  ],
  [
    "weights of 1,000 dimensions",
    () => modelOf([node("Relu", ["x"], ["y"])], { initializer: [value(new Array(1000).fill(1))] }),
    /1000 dimensions/,
  ],
  [
    "weights without values",
    () => modelOf([node("Relu", ["x"], ["y"])], { initializer: [value([1000, 1000])] }),
    /must have 1000000/,
  ],
  [
    "a tensor spread to a petabyte",
    () =>
      modelOf([node("Expand", ["one", "s"], ["y"])], {
        initializer: [
          value([1], { name: "one", floatData: [1] }),
          integers("s", [2 ** 25, 2 ** 25]),
        ],
      }),
    /limit tensorElements/,
  ],
  [
    "a tensor spread to 1,000 dimensions",
    () =>
      modelOf([node("Expand", ["x", "s"], ["y"])], {
        initializer: [integers("s", new Array(1000).fill(1))],
      }),
    /1000 dimensions/,
  ],
  [
    "zeros of a petabyte",
    () =>
      modelOf([node("ConstantOfShape", ["s"], ["y"])], { initializer: [integers("s", [2 ** 50])] }),
    /limit tensorElements/,
  ],
  [
    "a range of 2^60",
    () =>
      modelOf([node("Range", ["a", "b", "c"], ["y"])], {
        initializer: ["a", "b", "c"].map((name, i) => ({
          ...integers(name, [[0, 2 ** 60, 1][i]!]),
          dims: [],
        })),
      }),
    /too many elements|integer >= 0/,
  ],
  [
    "a slice in steps of 10^-12",
    () =>
      modelOf(
        [
          node("Shape", ["x"], ["v"]),
          node("Slice", ["v", "z", "e", "a", "s"], ["cut"]),
          node("Reshape", ["x", "cut"], ["y"]),
        ],
        {
          initializer: [
            integers("z", [0, 0]),
            integers("e", [4, 4]),
            integers("a", [0, 0]),
            { name: "s", dims: [2], dataType: tensorType.float32, floatData: [1e-12, 1] },
          ],
        },
      ),
    /new shape|steps/,
  ],
  [
    "a constant of half an integer",
    () =>
      modelOf([
        node("Constant", [], ["y"], [{ name: "value_int", type: attributeType.float, f: 0.5 }]),
      ]),
    /no numbers/,
  ],
  [
    "a convolution of integers that the file's word would excuse",
    () =>
      modelOf(
        [node("Conv", ["x", "i"], ["y"], [{ name: "strides", type: attributeType.int, i: 5 }])],
        {
          input: [
            {
              name: "x",
              type: {
                tensorType: {
                  elemType: 1,
                  shape: { dim: [1, 4, 8, 8].map((dimValue) => ({ dimValue })) },
                },
              },
            },
            {
              name: "i",
              type: {
                tensorType: {
                  elemType: 7,
                  shape: { dim: [4, 4, 3, 3].map((dimValue) => ({ dimValue })) },
                },
              },
            },
          ],
          output: [
            { name: "y", type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 1 }] } } } },
          ],
        },
      ),
    /strides must be a list/,
  ],
  [
    "a loop",
    () =>
      modelOf([node("Loop", ["x"], ["y"], [{ name: "body", type: attributeType.graph, g: {} }])]),
    /control flow/,
  ],
  ["data in the folder above", () => external("../secret"), /must lie in the folder/],
  ["data at an absolute path", () => external("/etc/hostname"), /must lie in the folder/],
  ["data at a Windows path", () => external("C:\\secret"), /must lie in the folder/],
  [
    "data of another length than stated",
    () => external("w", [{ key: "length", value: "9" }]),
    /9 bytes, its shape and type need 8/,
  ],
  [
    "data in another file, without a folder to look in",
    () => external("w"),
    /keeps data in another file/,
  ],
];

describe("readOnnx() on files made to harm", () => {
  test.each(hostile)("refuses %s", (_, make, message) => {
    const result = readingOf(make());
    expect(result).toBeInstanceOf(SamaraError);
    expect((result as SamaraError).message).toMatch(message);
    expect((result as SamaraError).message.length).toBeLessThan(1500);
  });

  test("refuses external data behind a link out of the folder", () => {
    const folder = mkdtempSync(join(tmpdir(), "samara-hostile-"));
    try {
      symlinkSync("/etc/hostname", join(folder, "w"));
      const path = join(folder, "m.onnx");
      writeFileSync(path, external("w"));
      expect(() => readOnnx(path)).toThrow(/link out of it/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("shapes computed over and over are counted", () => {
    const list = integers("v", new Array(1024).fill(1));
    const nodes = Array.from({ length: 300 }, (_, i) =>
      node("Add", [i === 0 ? "v" : `s${i - 1}`, "v"], [`s${i}`]),
    );
    const result = readingOf(
      modelOf([...nodes, node("Relu", ["x"], ["y"])], { initializer: [list] }),
    );
    expect((result as SamaraError).message).toMatch(/limit foldedValues/);
  });

  test("a name may be `__proto__`", () => {
    const graph = readOnnx(
      modelOf([
        node("Relu", ["x"], ["__proto__"], [ints("__proto__", [1])]),
        node("Relu", ["__proto__"], ["y"]),
      ]),
    );
    expect(graph.operators).toHaveLength(2);
    expect(({} as Record<string, unknown>)["1"]).toBeUndefined();
  });
});
