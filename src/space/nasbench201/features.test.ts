import { describe, expect, test } from "vitest";
import { InputError } from "../../errors.js";
import { featuresOfGraphs } from "../../graph/feature-table.js";
import { cellFromArchString, cellFromIndex, indexFromCell, nCells } from "./cell.js";
import { featuresOfCells, isConnected } from "./features.js";
import { type NetworkOptions, networkFromCell } from "./network.js";

function expectEqualTables(indices: readonly number[], options: NetworkOptions = {}): void {
  const graphs = indices.map((index) => ({
    id: `nasbench201/${index}`,
    graph: networkFromCell(cellFromIndex(index), options),
  }));
  const expected = featuresOfGraphs(graphs);
  const table = featuresOfCells(indices, options);
  expect(table.signatures).toEqual(expected.signatures);
  for (const [semantics, counts] of Object.entries(expected.counts)) {
    const width = table.signatures.length;
    const actual = table.counts[semantics as keyof typeof table.counts];
    const wrong = counts.findIndex((count, i) => count !== actual[i]);
    const index = indices[Math.floor(wrong / width)];
    expect([semantics, index, table.signatures[wrong % width]?.key]).toEqual([
      semantics,
      undefined,
      undefined,
    ]);
  }
  expect(table.longestPath).toEqual(expected.longestPath);
  expect(table.heaviestPath).toEqual(expected.heaviestPath);
  expect(table.connected).toEqual(expected.connected);
  expect(table.encoding).toEqual(expected.encoding);
  expect(table.ids).toEqual(expected.ids);
}

/** Every 43rd cell from `start`: 364 of them. */
const spread = (start: number, step = 43) =>
  Array.from({ length: Math.ceil((nCells - start) / step) }, (_, i) => start + i * step);

const unconnected = Array.from({ length: nCells }, (_, i) => i).filter(
  (index) => !isConnected(cellFromIndex(index)),
);

describe("featuresOfCells()", () => {
  test("equals featuresOfGraphs on cells of all kinds", () => {
    expectEqualTables(spread(7));
  });

  test("equals featuresOfGraphs on unconnected cells", () => {
    expect(unconnected).toHaveLength(341);
    expectEqualTables(unconnected.filter((_, i) => i % 3 === 0));
  });

  test("equals featuresOfGraphs with batch norms kept, other sizes and depths", () => {
    expectEqualTables([...spread(11, 311), ...unconnected.slice(0, 20)], {
      foldBatchNorm: false,
      inputSize: 64,
      channels: 8,
      cellsPerStage: 2,
    });
    expectEqualTables(spread(5, 499), { cellsPerStage: 1, inputSize: 4, channels: 1 });
  });

  test("has only signatures that occur", () => {
    expectEqualTables([0]);
    expectEqualTables([1, nCells - 1]);
  });

  test("joins a reduction's ReLU with one in the stage", () => {
    const arch = "|skip_connect~0|+|none~0|nor_conv_3x3~1|+|none~0|skip_connect~1|none~2|";
    expectEqualTables([indexFromCell(cellFromArchString(arch))]);
  });

  test("covers all 15,625 cells in less time than a tenth of them takes as graphs", () => {
    const nGraphs = 40;
    const someGraphs = () =>
      featuresOfGraphs(
        Array.from({ length: nGraphs }, (_, i) => ({
          id: String(i),
          graph: networkFromCell(cellFromIndex(i * 390)),
        })),
      );
    // Processor time, not the clock: other programs may be running. Both once before, to be compiled.
    const timeOf = <T>(work: () => T) => {
      work();
      const before = process.cpuUsage();
      const result = work();
      const { user, system } = process.cpuUsage(before);
      return { result, time: user + system };
    };
    const all = timeOf(() => featuresOfCells());
    expect(all.result.connected.reduce((sum, value) => sum + value, 0)).toBe(15_284);
    expect(all.time).toBeLessThan((timeOf(someGraphs).time / nGraphs) * 1562);
  });

  test("refuses the traced variant and indices out of range", () => {
    expect(() => featuresOfCells([0], { variant: "traced" })).toThrow(InputError);
    expect(() => featuresOfCells([15_625])).toThrow(InputError);
  });
});
