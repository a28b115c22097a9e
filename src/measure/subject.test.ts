import { describe, expect, test } from "vitest";
import { costOfGraph } from "../graph/analysis.js";
import { hashOf } from "../onnx/file-id.js";
import { readOnnx } from "../onnx/read.js";
import { referenceSubject, subjectFromIndex } from "./subject.js";

describe("subjectFromIndex()", () => {
  test("writes the same model file every time, another for another architecture", () => {
    const hash = (index: number) => hashOf(subjectFromIndex(index).modelFile("onnx"));
    expect(subjectFromIndex(1462).id).toBe("nasbench201/1462");
    expect(hash(1462)).toBe(hash(1462));
    expect(hash(1462)).not.toBe(hash(1463));
    expect(hash(1462)).toMatch(/^[0-9a-f]{16}$/);
  });

  test("writes both formats", () => {
    const bytes = subjectFromIndex(1462).modelFile("tflite");
    expect(Buffer.from(bytes.subarray(4, 8)).toString()).toBe("TFL3");
  });
});

describe("referenceSubject()", () => {
  test("has convolutions, pools, additions and the documented 47 million MACs", () => {
    const reference = referenceSubject();
    const graph = readOnnx(reference.modelFile("onnx"));
    expect(Math.round(costOfGraph(graph).macs / 1e6)).toBe(47);
    const hash = hashOf(reference.modelFile("onnx"));
    expect(hash).toBe(hashOf(subjectFromIndex(9410).modelFile("onnx")));
    const types = new Set(graph.operators.map(({ type }) => type));
    expect([...types]).toEqual(expect.arrayContaining(["Conv", "AveragePool", "Add", "Relu"]));
  });
});
