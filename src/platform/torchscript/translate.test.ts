import { describe, expect, test } from "vitest";
import { UnsupportedError } from "../../errors.js";
import { createGraphBuilder } from "../../graph/build.js";
import { floatLiteral } from "./source.js";
import { torchBytes, torchModule } from "./translate.js";

const image = [1, 2, 5, 5];

describe("torchModule()", () => {
  test("translates one operator a line, constants as parameters, and copies as nothing", () => {
    const b = createGraphBuilder("net");
    const x = b.input("image; import os", image);
    const weights = b.constant("w'", [3, 2, 3, 3], { kind: "random", seed: 1, scale: 1 });
    const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
    const relu = b.operator("Relu", [b.operator("Identity", [x])]);
    const conv = b.operator("Conv", [relu, weights], attributes);
    const zero = b.constant("zero", [], { kind: "fill", value: 0 });
    const { source, parameters } = torchModule(b.finish([b.operator("Mul", [conv, zero])]));
    expect(source).toBe(
      [
        "def forward(self, x: Tensor) -> Tensor:",
        "  v0 = torch.relu(x)",
        "  v1 = torch.conv2d(v0, self.p0, None, [1, 1], [1, 1], [1, 1], 1)",
        "  v2 = torch.mul(v1, 0.0)",
        "  return v2",
        "",
      ].join("\n"),
    );
    expect(parameters.map(({ name, shape }) => [name, shape])).toEqual([["p0", [3, 2, 3, 3]]]);
  });

  test("pads by an operator of its own where PyTorch's convolution cannot", () => {
    const b = createGraphBuilder("net");
    const weights = b.constant("w", [3, 2, 3, 3], { kind: "random", seed: 1, scale: 1 });
    const inputs = [b.input("x", image), weights];
    const { source } = torchModule(b.finish([b.operator("Conv", inputs, { pads: [2, 0, 1, 1] })]));
    expect(source).toContain(
      "torch.conv2d(torch.constant_pad_nd(x, [0, 1, 2, 1], 0.0), self.p0, None, [1, 1], [0, 0]",
    );
  });

  test("refuses by name what it does not know", () => {
    const b = createGraphBuilder("net");
    const graph = b.finish([b.operator("Erf", [b.input("x", image)], {}, { name: "e" })]);
    expect(() => torchModule(graph)).toThrow(UnsupportedError);
    expect(() => torchModule(graph)).toThrow(
      'operator "e" (Erf) cannot be translated to TorchScript: known are Add,',
    );
  });
});

test("floatLiteral() never writes an integer", () => {
  expect([1, -2, 0.5, 1e-5, 1e21].map(floatLiteral)).toEqual([
    "1.0",
    "-2.0",
    "0.5",
    "0.00001",
    "1e+21",
  ]);
  expect(floatLiteral(Number.NEGATIVE_INFINITY)).toBe('-float("inf")');
});

test("torchBytes() writes what native/torch.cc describes", () => {
  const bytes = torchBytes({
    inputShape: [1, 2],
    outputShape: [3],
    source: "pass",
    parameters: [{ name: "p0", shape: [1], values: Float32Array.of(1) }],
  });
  expect(Buffer.from(bytes.subarray(0, 4)).toString("latin1")).toBe("SATS");
  const words = new Uint32Array(bytes.slice(4).buffer);
  const text = (value: string) => Buffer.from(value.padEnd(4, "\0")).readUInt32LE();
  expect([...words]).toEqual([
    1,
    ...[2, 1, 2],
    ...[1, 3],
    ...[4, text("pass")],
    ...[1, 2, text("p0"), 1, 1, 0x3f800000],
  ]);
});
