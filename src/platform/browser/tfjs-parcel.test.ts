import { describe, expect, test } from "vitest";
import { cellFromIndex } from "../../space/nasbench201/cell.js";
import { networkFromCell } from "../../space/nasbench201/network.js";
import { lowerForTfjs } from "./tfjs-lowering.js";
import type { TfjsNetwork } from "./tfjs-network.js";
import { packTfjsNetwork, unpackTfjsNetwork } from "./tfjs-parcel.js";

const small = (name: string): TfjsNetwork => ({
  constants: [
    { shape: [], values: Float32Array.of(Number.NaN) },
    { shape: [2, 1], values: Float32Array.of(-0, Number.POSITIVE_INFINITY) },
  ],
  inputShape: [1, 2],
  output: 3,
  outputShape: [1, 2],
  steps: [
    { operation: { kind: "relu" }, inputs: [2], output: 3, frees: [] },
    // Headers of four lengths in a row: values must lie at multiples of 4.
    {
      operation: { kind: "clipByValue", min: name.length, max: 9 },
      inputs: [2],
      output: 3,
      frees: [],
    },
  ],
});

describe("packTfjsNetwork()", () => {
  test.each(["", "1234567890", "x".repeat(100), "x".repeat(1000)])(
    "gives back what it was given, whatever the length of the header: %#",
    (name) => {
      const network = small(name);
      expect(unpackTfjsNetwork(packTfjsNetwork(network))).toEqual(network);
    },
  );

  test("gives back a whole network", () => {
    const graph = networkFromCell(cellFromIndex(7341), { cellsPerStage: 1, channels: 4 });
    const network = lowerForTfjs(graph);
    expect(network.constants.length).toBeGreaterThan(10);
    expect(unpackTfjsNetwork(packTfjsNetwork(network))).toEqual(network);
  });
});
