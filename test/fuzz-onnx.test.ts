// ONNX files from nobody's friend: whatever the bytes, reading ends in a graph or in an error that says what is wrong.
//
// SAMARA_FUZZ_SEED repeats a run (its seed is printed); SAMARA_FUZZ_S sets how long it looks, 8 s by default.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeModel, encodeModel } from "../src/onnx/proto.js";
import { convolutions, readingOf, shapeComputing } from "./hostile-onnx.js";

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
