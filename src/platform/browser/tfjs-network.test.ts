import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cellNetwork, cells, mobileNetworks, smallGraphs } from "../../../test/networks.js";
import { UnsupportedError } from "../../errors.js";
import { createGraphBuilder } from "../../graph/build.js";
import { lowerForTfjs } from "./tfjs-lowering.js";
import { createTfjsNetwork, type Tfjs, type TfjsTensor } from "./tfjs-network.js";

/** Stands in for TensorFlow.js: computes nothing, and knows which tensors are alive. */
function createBookkeeper() {
  const alive = new Set<TfjsTensor>();
  const calls: string[] = [];
  const make = (): TfjsTensor => {
    const tensor: TfjsTensor = {
      dataSync: () => new Float32Array(1),
      data: async () => new Float32Array(1),
      dispose() {
        if (!alive.delete(tensor)) throw new Error("disposed of twice");
      },
    };
    alive.add(tensor);
    return tensor;
  };
  const check = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if ("dispose" in value) {
      if (!alive.has(value as TfjsTensor)) throw new Error("used after it was disposed of");
    } else if (!ArrayBuffer.isView(value)) {
      for (const part of Object.values(value)) check(part);
    }
  };
  const operation =
    (name: string) =>
    (...values: unknown[]) => {
      for (const value of values) check(value);
      calls.push(name);
      return make();
    };
  const operations = { get: (_: object, name: string) => operation(name) };
  const fused = new Proxy({}, operations);
  const tf = new Proxy({ fused }, {
    get: (target, name) => (name === "fused" ? target.fused : operation(String(name))),
  } as ProxyHandler<{ fused: object }>) as unknown as Tfjs;
  return { tf, alive, calls };
}

const graphs = new Map([
  ...smallGraphs,
  ["a cell with dead operations", cellNetwork(cells["dead operations"]!, {})],
  ["a cell without connection", cellNetwork(cells["not connected"]!, {})],
  ["groups and shuffles", mobileNetworks["FBNet, every block with groups"]!.graph],
]);

describe("createTfjsNetwork()", () => {
  test.each([...graphs])(
    "keeps weights, input and output between runs, no more: %s",
    (_, graph) => {
      const network = lowerForTfjs(graph);
      const { tf, alive } = createBookkeeper();
      const executor = createTfjsNetwork(tf, network);
      const nKept = network.constants.length + 1;
      expect(alive.size).toBe(nKept);
      expect(executor.output()).toBeUndefined();
      for (let i = 0; i < 3; i++) {
        executor.setInput(new Float32Array(4));
        executor.run();
        expect(alive.size).toBe(nKept + 1);
      }
      expect(executor.output()).toHaveLength(1);
      executor.dispose();
      executor.dispose();
      expect(alive.size).toBe(0);
    },
  );

  test("can be served to a page: its file imports nothing", () => {
    const text = readFileSync(join(import.meta.dirname, "tfjs-network.ts"), "utf8");
    expect(text).toContain("export function createTfjsNetwork");
    expect(text).not.toMatch(/^import |\bimport\(|\brequire\(|\bprocess\.|\bBuffer\b/m);
  });
});

describe("lowerForTfjs()", () => {
  test("describes a network in values that can be sent", () => {
    const network = lowerForTfjs(smallGraphs.get("depthwise convolution")!);
    expect(structuredClone(network)).toEqual(network);
  });

  test("keeps operators whose result nobody reads", () => {
    const b = createGraphBuilder("dead");
    const x = b.input("x", [1, 3, 4, 4]);
    b.operator("Relu", [b.operator("Relu", [x])]);
    const network = lowerForTfjs(b.finish([b.operator("Add", [x, x])]));
    expect(network.steps.map(({ operation }) => operation.kind)).toEqual(["relu", "relu", "add"]);
    const { tf, calls } = createBookkeeper();
    const executor = createTfjsNetwork(tf, network);
    calls.length = 0;
    executor.run();
    expect(calls).toEqual(["relu", "relu", "add"]);
  });

  test("copies an output that no operator makes", () => {
    const b = createGraphBuilder("nothing");
    const x = b.input("x", [1, 3]);
    b.operator("Relu", [x]);
    const { steps, output } = lowerForTfjs(b.finish([x]));
    expect(steps.at(-1)).toMatchObject({ operation: { kind: "identity" }, output });
  });

  test("turns images to NHWC, and nothing else", () => {
    const b = createGraphBuilder("shapes");
    const x = b.input("x", [1, 3, 4, 5]);
    const network = lowerForTfjs(b.finish([b.operator("Flatten", [x])]));
    expect(network.inputShape).toEqual([1, 4, 5, 3]);
    expect(network.outputShape).toEqual([1, 60]);
    expect(network.steps.map(({ operation }) => operation.kind)).toEqual(["transpose", "reshape"]);
  });

  test("names the operator that cannot be run", () => {
    const b = createGraphBuilder("unknown");
    const x = b.input("x", [1, 3]);
    const graph = b.finish([b.operator("Softmax", [x], {}, { name: "last" })]);
    expect(() => lowerForTfjs(graph)).toThrow(UnsupportedError);
    expect(() => lowerForTfjs(graph)).toThrow('"last" (Softmax) cannot be run by TensorFlow.js');
  });

  test("refuses two inputs", () => {
    const b = createGraphBuilder("two");
    const sum = b.operator("Add", [b.input("x", [1, 3]), b.input("y", [1, 3])]);
    expect(() => lowerForTfjs(b.finish([sum]))).toThrow("one input to be measured, this one has 2");
  });
});
