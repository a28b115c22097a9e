// ONNX files from nobody's friend: whatever the bytes, reading ends in a graph or in an error that says what is wrong.
//
// SAMARA_FUZZ_SEED repeats a run (its seed is printed); SAMARA_FUZZ_S sets how long it looks, 8 s by default.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InternalError, SamaraError } from "../src/errors.js";
import { featuresOfGraphs } from "../src/graph/feature-table.js";
import type { OperatorGraph } from "../src/graph/graph.js";
import { uploadLimits } from "../src/onnx/limits.js";
import { attributeType, decodeModel, encodeModel, tensorType } from "../src/onnx/proto.js";
import { readOnnx } from "../src/onnx/read.js";
import {
  convolutions,
  field,
  integers,
  ints,
  modelOf,
  node,
  shapeComputing,
} from "./hostile-onnx.js";

/** Small enough that a case is read in milliseconds. */
const limits = { ...uploadLimits, messages: 20_000, nodes: 2000, items: 50_000 };

/** Reads and takes features; gives the error if there is one that users may see, and throws any other. */
function readingOf(bytes: Uint8Array): OperatorGraph | SamaraError {
  try {
    const graph = readOnnx(bytes, { limits });
    const table = featuresOfGraphs([{ id: "fuzz", graph }]);
    for (const { key, macs, bytesMoved } of table.signatures) {
      if (!(macs >= 0 && bytesMoved >= 0)) throw new TypeError(`costs of ${key} are no numbers`);
    }
    return graph;
  } catch (error) {
    if (error instanceof SamaraError && !(error instanceof InternalError)) return error;
    throw error;
  }
}

const originals = [convolutions(), shapeComputing()];

/** A change of bytes, by places that wrap around the file's end. */
const byteChange = fc.oneof(
  fc.record({ kind: fc.constant("flip" as const), at: fc.nat(), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant("set" as const), at: fc.nat(), value: fc.nat(255) }),
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }),
  fc.record({ kind: fc.constant("remove" as const), at: fc.nat(), length: fc.nat(16) }),
  fc.record({
    kind: fc.constant("insert" as const),
    at: fc.nat(),
    bytes: fc.uint8Array({ maxLength: 12 }),
  }),
  fc.record({
    kind: fc.constant("copy" as const),
    at: fc.nat(),
    from: fc.nat(),
    length: fc.nat(64),
  }),
);
type ByteChange = typeof byteChange extends fc.Arbitrary<infer T> ? T : never;

function changeBytes(bytes: Uint8Array, change: ByteChange): Uint8Array {
  const at = change.at % (bytes.length + 1);
  const join2 = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
  switch (change.kind) {
    case "flip":
      return bytes.map((byte, i) => (i === at ? byte ^ (1 << change.bit) : byte));
    case "set":
      return bytes.map((byte, i) => (i === at ? change.value : byte));
    case "cut":
      return bytes.slice(0, at);
    case "remove":
      return join2(bytes.subarray(0, at), bytes.subarray(at + change.length));
    case "insert":
      return join2(bytes.subarray(0, at), change.bytes, bytes.subarray(at));
    case "copy": {
      const from = change.from % (bytes.length + 1);
      return join2(
        bytes.subarray(0, at),
        bytes.subarray(from, from + change.length),
        bytes.subarray(at),
      );
    }
    default:
      return change satisfies never;
  }
}

/** Numbers at the edges of what can be written. */
const nastyNumber = fc.constantFrom(
  ...[
    0,
    -1,
    1,
    2,
    3,
    7,
    64,
    65,
    1024,
    1025,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    -(2 ** 53),
    2 ** 62,
    2 ** 63,
    -(2 ** 63),
  ],
);
const nastyText = fc.constantFrom(
  "",
  "x",
  "y",
  "s",
  "__proto__",
  "constructor",
  "Conv",
  "Loop",
  "\0",
  "\u001b[2J",
  "a".repeat(5000),
);
const leafChange = fc.record({
  leaf: fc.nat(),
  number: nastyNumber,
  text: nastyText,
  /** Instead of changing a value: repeat or drop it, or give it to another place. */
  list: fc.constantFrom("keep", "keep", "double", "drop"),
});
type LeafChange = typeof leafChange extends fc.Arbitrary<infer T> ? T : never;

interface Leaf {
  readonly parent: Record<string, unknown> | unknown[];
  readonly key: string | number;
}

/** Every number, text and list entry of a decoded model. */
function leavesOf(value: unknown, leaves: Leaf[] = []): Leaf[] {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return leaves;
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? value.map((item, i) => [i, item])
    : Object.entries(value);
  for (const [key, item] of entries) {
    leaves.push({ parent: value as Leaf["parent"], key });
    leavesOf(item, leaves);
  }
  return leaves;
}

function changeLeaf(model: object, { leaf, number, text, list }: LeafChange): void {
  const leaves = leavesOf(model);
  const { parent, key } = leaves[leaf % leaves.length]!;
  if (Array.isArray(parent) && list === "double") parent.push(structuredClone(parent[Number(key)]));
  else if (Array.isArray(parent) && list === "drop") parent.splice(Number(key), 1);
  else {
    const place = parent as Record<string | number, unknown>;
    if (typeof place[key] === "number") place[key] = number;
    else if (typeof place[key] === "string") place[key] = text;
  }
}

function structured(original: number, changes: readonly LeafChange[]): Uint8Array {
  const model = structuredClone(decodeModel(originals[original % originals.length]!));
  for (const change of changes) changeLeaf(model, change);
  return encodeModel(model);
}

describe("readOnnx() on damaged files", () => {
  const seed = Number(process.env.SAMARA_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const totalMs = 1000 * Number(process.env.SAMARA_FUZZ_S ?? 8);

  const cases = [
    ["random bytes", fc.uint8Array({ maxLength: 400 })],
    [
      "changed bytes",
      fc
        .tuple(fc.nat(1), fc.array(byteChange, { minLength: 1, maxLength: 6 }))
        .map(([original, changes]) => changes.reduce(changeBytes, originals[original]!)),
    ],
    [
      "changed values",
      fc
        .tuple(fc.nat(1), fc.array(leafChange, { minLength: 1, maxLength: 6 }))
        .map(([original, changes]) => structured(original, changes)),
    ],
    [
      "both",
      fc
        .tuple(
          fc.nat(1),
          fc.array(leafChange, { maxLength: 3 }),
          fc.array(byteChange, { maxLength: 2 }),
        )
        .map(([original, leaves, bytes]) =>
          bytes.reduce(changeBytes, structured(original, leaves)),
        ),
    ],
  ] as const;

  test.each(cases)(
    `${"%s"} end in a graph or a clear error (seed ${seed})`,
    { timeout: 60_000 },
    (_, files) => {
      let nRead = 0;
      fc.assert(
        fc.property(files, (bytes) => {
          nRead++;
          try {
            readingOf(bytes);
          } catch (error) {
            throw new Error(
              `${String(error)}; the file in base64: ${Buffer.from(bytes).toString("base64")}`,
              {
                cause: error,
              },
            );
          }
        }),
        { seed, numRuns: 1_000_000, interruptAfterTimeLimit: totalMs / cases.length },
      );
      expect(nRead).toBeGreaterThan(20);
    },
  );

  test("the undamaged ones are read", () => {
    for (const bytes of originals) expect(readingOf(bytes)).not.toBeInstanceOf(Error);
  });
});

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
