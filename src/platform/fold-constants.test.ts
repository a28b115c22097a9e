import { describe, expect, test } from "vitest";
import { UnsupportedError } from "../errors.js";
import { createGraphBuilder } from "../graph/build.js";
import { foldConstants } from "./fold-constants.js";

const shape = [1, 2, 2, 2];

describe("foldConstants()", () => {
  test("returns a graph without operators on constants as it is", async () => {
    const b = createGraphBuilder("plain");
    const graph = b.finish([b.operator("Relu", [b.input("input", shape)])]);
    expect(await foldConstants(graph)).toBe(graph);
  });

  test("computes what depends on constants only, and keeps what nobody reads but the input reaches", async () => {
    const b = createGraphBuilder("folded");
    const x = b.input("input", shape);
    const values = Float32Array.of(-1, 2, -3, 4, -5, 6, -7, 8);
    const relu = b.operator("Relu", [b.constant("c", shape, { kind: "values", values })]);
    const sum = b.operator("Add", [relu, relu]);
    b.operator("Relu", [sum], {}, { name: "of constants, unread" });
    b.operator("Relu", [x], {}, { name: "unread" });
    const folded = await foldConstants(b.finish([b.operator("Add", [x, sum], {}, { name: "y" })]));
    expect(folded.operators.map(({ name }) => name)).toEqual(["unread", "y"]);
    expect([...folded.constants.keys()]).toEqual([sum]);
    expect(folded.constants.get(sum)).toMatchObject({
      shape,
      source: { kind: "values", values: Float32Array.of(0, 4, 0, 8, 0, 12, 0, 16) },
    });
  });

  test("refuses a network whose output does not depend on its input", async () => {
    const b = createGraphBuilder("constant");
    b.input("input", shape);
    const graph = b.finish([
      b.operator("Relu", [b.constant("c", shape, { kind: "fill", value: 1 })]),
    ]);
    await expect(foldConstants(graph)).rejects.toThrow(UnsupportedError);
  });
});
