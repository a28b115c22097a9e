import { describe, expect, test } from "vitest";
import { featuresOfFbnet } from "../../space/fbnet/features.js";
import { featuresOfCells } from "../../space/nasbench201/features.js";
import { createRandom } from "../../tensor/random.js";
import { columnsOfNetworks, createMixtureDesign } from "./columns.js";

const cells = featuresOfCells(Array.from({ length: 300 }, (_, i) => i * 52));
const rowsOf = (n: number) => Array.from({ length: n }, (_, i) => i);

describe("columnsOfNetworks()", () => {
  test("has a column for each group of NAS-Bench-201's operations and none twice", () => {
    const { names, kinds } = columnsOfNetworks(cells, rowsOf(300));
    expect(names).toEqual([
      ...["overhead", "skeleton", "macs", "bytes", "operators", "launches"],
      ...["Add", "AveragePool 3x3/1", "Conv 1x1/1", "Conv 3x3/1", "Identity", "Relu"],
      ...["longest path", "heaviest path"],
    ]);
    expect(kinds[names.indexOf("Add")]).toBe("elementwise");
    expect(kinds[names.indexOf("AveragePool 3x3/1")]).toBe("group");
  });

  test("counts operators of a group apart where their shapes vary", () => {
    const random = createRandom(3);
    const networks = featuresOfFbnet(
      Array.from({ length: 100 }, () =>
        Array.from({ length: 22 }, () => Math.floor(9 * random.uniform())),
      ),
    );
    const { names } = columnsOfNetworks(networks, rowsOf(100));
    expect(names).toContain("Conv 1x1/1");
    expect(names).toContain("number of Conv 1x1/1");
  });

  test("scales every column to a root mean square of 1 over connected networks", () => {
    const connected = rowsOf(300).filter((row) => cells.connected[row] === 1);
    const columns = columnsOfNetworks(cells, connected);
    const design = createMixtureDesign(columns, cells).of("all", connected);
    for (let j = 1; j < design.columns; j++) {
      let sum = 0;
      for (let i = 0; i < design.rows; i++) sum += design.values[i * design.columns + j]! ** 2;
      expect(Math.sqrt(sum / design.rows)).toBeCloseTo(1, 6);
    }
  });
});

describe("createMixtureDesign()", () => {
  test("counts operators of groups that nobody learned from in the totals", () => {
    const columns = columnsOfNetworks(cells, rowsOf(300));
    const fbnet = featuresOfFbnet([new Array(22).fill(3)]);
    const design = createMixtureDesign(columns, fbnet).of("all", [0]);
    const at = (name: string) => design.values[columns.names.indexOf(name)]!;
    expect(at("macs")).toBeGreaterThan(0);
    expect(at("launches")).toBeGreaterThan(0);
    expect(at("AveragePool 3x3/1")).toBe(0);
  });
});
