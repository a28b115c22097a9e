import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SamaraError } from "../errors.js";
import { createGraphBuilder, type GraphBuilder } from "../graph/build.js";
import type { Constant, OperatorGraph, TensorInfo } from "../graph/graph.js";
import { constantValues } from "../graph/values.js";
import { cellFromIndex } from "../space/nasbench201/cell.js";
import { networkFromCell } from "../space/nasbench201/network.js";
import { readOnnx } from "./read.js";
import { writeOnnx } from "./write.js";

/** The graph with its constants' values written out, as a reader sees them. */
function withValues(graph: OperatorGraph): OperatorGraph {
  const written = (constant: Constant): Constant => ({
    ...constant,
    source: { kind: "values", values: constantValues(constant) },
  });
  const constants = new Map([...graph.constants].map(([name, c]) => [name, written(c)] as const));
  const tensors = new Map<string, TensorInfo>(
    [...graph.tensors].map(([name, tensor]) => [name, constants.get(name) ?? tensor] as const),
  );
  return { ...graph, constants, tensors };
}

/** Adds an operator to an image; the number decides on details. */
type Step = (b: GraphBuilder, x: string, detail: number) => string;

const attributesOf = (kernel: number, stride: number) => {
  const pad = (kernel - 1) / 2;
  return { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad] };
};

const steps: Readonly<Record<string, Step>> = {
  conv(b, x, detail) {
    const kernel = 1 + 2 * (detail % 2);
    const channels = b.shapeOf(x)[1]!;
    const out = 1 + (detail % 5);
    const name = `w${detail}.${x}`;
    const w = b.constant(name, [out, channels, kernel, kernel], {
      kind: "random",
      seed: detail,
      scale: 0.1,
    });
    return b.operator("Conv", [x, w], attributesOf(kernel, 1 + (detail % 2)));
  },
  relu: (b, x) => b.operator("Relu", [x]),
  sum: (b, x) => b.operator("Add", [x, x]),
  pool: (b, x) => b.operator("AveragePool", [x], { ...attributesOf(3, 1), count_include_pad: 0 }),
  norm(b, x, detail) {
    const shape = [b.shapeOf(x)[1]!];
    const parts = ["scale", "shift", "mean", "variance"].map((part) =>
      b.constant(`${part}.${x}`, shape, { kind: "fill", value: 1 + detail / 4 }),
    );
    return b.operator("BatchNormalization", [x, ...parts], { epsilon: detail % 2 ? 1e-5 : 0.5 });
  },
  leaky: (b, x, detail) => b.operator("LeakyRelu", [x], { alpha: detail / 8 }),
  reshape(b, x) {
    const [n, channels] = b.shapeOf(x) as [number, number];
    const values = BigInt64Array.of(BigInt(n), BigInt(channels), -1n, 1n);
    const shape = b.constant(`shape.${x}`, [4], { kind: "values", values }, "int64");
    return b.operator("Reshape", [x, shape]);
  },
};

const graphs = fc
  .record({
    channels: fc.integer({ min: 1, max: 4 }),
    size: fc.integer({ min: 1, max: 9 }),
    chain: fc.array(fc.tuple(fc.constantFrom(...Object.keys(steps)), fc.nat(7)), {
      minLength: 1,
      maxLength: 8,
    }),
    metadata: fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
    encoding: fc.option(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }))),
  })
  .map(({ channels, size, chain, metadata, encoding }) => {
    const b = createGraphBuilder("random");
    let x = b.input("x", [1, channels, size, size]);
    for (const [step, detail] of chain) x = steps[step]!(b, x, detail);
    return b.finish([x], {
      metadata,
      // JSON has no -0.
      ...(encoding ? { encoding: { space: "some", values: encoding.map((v) => v + 0) } } : {}),
    });
  });

describe("writeOnnx() and readOnnx()", () => {
  test("give back any graph, with all its values", () => {
    fc.assert(
      fc.property(graphs, fc.boolean(), (graph, hasShapes) => {
        const read = readOnnx(writeOnnx(graph, { hasShapes }), { values: true });
        expect(read).toEqual(withValues(graph));
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test.each([0, 1, 1462, 9999, 15_624])("give back the NAS-Bench-201 network %i", (index) => {
    for (const variant of ["pruned", "traced"] as const) {
      for (const foldBatchNorm of [true, false]) {
        const options = { variant, foldBatchNorm, channels: 4, cellsPerStage: 2 };
        const graph = networkFromCell(cellFromIndex(index), options);
        expect(readOnnx(writeOnnx(graph), { values: true })).toEqual(withValues(graph));
      }
    }
  });
});

/** Reads damaged bytes: a graph or an error of ours, in bounded time. */
function expectGraphOrError(bytes: Uint8Array): void {
  try {
    readOnnx(bytes, { values: true });
  } catch (error) {
    if (!(error instanceof SamaraError)) throw error;
  }
}

describe("readOnnx() of damaged files", () => {
  const damage = fc.record({
    graph: graphs,
    cut: fc.double({ min: 0, max: 1, noNaN: true }),
    changes: fc.array(
      fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.integer({ min: 0, max: 255 })),
      { maxLength: 8 },
    ),
  });

  test("gives a graph or an error of ours, whatever bytes were changed or cut off", () => {
    const start = performance.now();
    fc.assert(
      fc.property(damage, ({ graph, cut, changes }) => {
        const bytes = writeOnnx(graph, { hasShapes: true });
        for (const [place, value] of changes) bytes[Math.floor(place * bytes.length)] = value;
        expectGraphOrError(
          bytes.subarray(0, Math.ceil(cut < 0.5 ? bytes.length : cut * bytes.length)),
        );
      }),
      { numRuns: 3000, seed: 1 },
    );
    expect(performance.now() - start).toBeLessThan(30_000);
  });

  test("gives a graph or an error of ours for any bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), expectGraphOrError), {
      numRuns: 3000,
      seed: 1,
    });
  });

  test("survives every single cut of a file", () => {
    const b = createGraphBuilder("cut");
    const y = steps.norm!(b, steps.conv!(b, b.input("x", [1, 2, 4, 4]), 3), 2);
    const bytes = writeOnnx(b.finish([y]));
    for (let length = 0; length < bytes.length; length++)
      expectGraphOrError(bytes.subarray(0, length));
  });

  test("counts huge tensors without making them", () => {
    const b = createGraphBuilder("huge");
    const shape = (name: string, ...dims: bigint[]) =>
      b.constant(
        name,
        [dims.length],
        { kind: "values", values: BigInt64Array.from(dims) },
        "int64",
      );
    const zeros = b.operator("ConstantOfShape", [shape("a", 2n ** 20n, 2n ** 20n)]);
    const wide = b.operator("Expand", [b.input("x", [1]), shape("b", 2n ** 20n, 2n ** 20n)]);
    const bytes = writeOnnx(b.finish([b.operator("Add", [zeros, wide])]));
    const before = process.memoryUsage().arrayBuffers;
    expect(readOnnx(bytes, { values: true }).tensors.get("Add_2")!.shape).toEqual([
      2 ** 20,
      2 ** 20,
    ]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  });
});
