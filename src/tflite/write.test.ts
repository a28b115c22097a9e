import { describe, expect, test } from "vitest";
import { UnsupportedError } from "../errors.js";
import { createGraphBuilder, type GraphBuilder } from "../graph/build.js";
import { writeTflite } from "./write.js";

function graphOf(add: (b: GraphBuilder, x: string) => string, shape = [1, 4, 8, 8]) {
  const b = createGraphBuilder("graph");
  return b.finish([add(b, b.input("x", shape))], { metadata: { space: "none" } });
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const random = { kind: "random", seed: 1, scale: 1 } as const;

describe("writeTflite()", () => {
  test("marks the file and keeps the graph's metadata", () => {
    const bytes = writeTflite(graphOf((b, x) => b.operator("Relu", [x])));
    expect(text(bytes.subarray(4, 8))).toBe("TFL3");
    expect(text(bytes)).toContain('{"metadata":{"space":"none"}}');
  });

  test("gives the same bytes every time", () => {
    const graph = graphOf((b, x) => b.operator("Conv", [x, b.constant("w", [4, 4, 3, 3], random)]));
    expect(Buffer.compare(writeTflite(graph), writeTflite(graph))).toBe(0);
  });

  test("aligns constants to 16 bytes", () => {
    const mark = Float32Array.of(1.25, 2.5, 3.75, 5.125);
    const graph = graphOf((b, x) => {
      const bias = b.constant("mark", [4], { kind: "values", values: mark });
      return b.operator("Conv", [x, b.constant("w", [4, 4, 1, 1], random), bias]);
    });
    const at = text(writeTflite(graph)).indexOf(text(new Uint8Array(mark.buffer)));
    expect(at).toBeGreaterThan(0);
    expect(at % 16).toBe(0);
  });

  test("leaves out operators whose result reaches no output", () => {
    const graph = graphOf((b, x) => {
      b.operator("Sigmoid", [x], {}, { name: "nobody-reads-me" });
      return b.operator("Relu", [x]);
    });
    expect(text(writeTflite(graph))).not.toContain("nobody-reads-me");
  });

  test("copies an output that no operator makes", () => {
    expect(text(writeTflite(graphOf((_b, x) => x)))).toContain("x:copy");
  });

  test.each<[string, string, (b: GraphBuilder, x: string) => string]>([
    ["an unknown operator", "(Sigmoid)", (b, x) => b.operator("Sigmoid", [x])],
    [
      "a grouped convolution",
      "2 groups",
      (b, x) => b.operator("Conv", [x, b.constant("w", [4, 2, 1, 1], random)], { group: 2 }),
    ],
    [
      "uneven padding that is not counted",
      "padding",
      (b, x) => b.operator("AveragePool", [x], { kernel_shape: [3, 3], pads: [2, 2, 0, 0] }),
    ],
    [
      "weights left in a file",
      '"w"',
      (b, x) => b.operator("Add", [x, b.constant("w", [1, 4, 1, 1], { kind: "unread" })]),
    ],
  ])("refuses %s and says where", (_what, part, add) => {
    const graph = graphOf(add);
    expect(() => writeTflite(graph)).toThrow(UnsupportedError);
    expect(() => writeTflite(graph)).toThrow(part);
  });
});
