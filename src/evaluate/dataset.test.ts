import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FormatError, NotFoundError } from "../errors.js";
import { archStringFromCell, cellFromIndex, nCells } from "../space/nasbench201/cell.js";
import { readDataset, readPublishedLatencies } from "./dataset.js";

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "samara-dataset-"));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

function writeTable(folder: string, rows: number[][], head: object = {}): void {
  mkdirSync(folder, { recursive: true });
  const values = Float32Array.from(rows.flat());
  writeFileSync(join(folder, "latency.f32"), new Uint8Array(values.buffer));
  const description = {
    file: "latency.f32",
    dtype: "float32",
    shape: [rows.length, rows[0]!.length],
    unit: "ms",
    rows: rows.map((_, i) => ({ id: `p${i}` })),
    ...head,
  };
  writeFileSync(join(folder, "latency.json"), JSON.stringify(description));
}

/** Official index i is Samara's index nCells - 1 - i. */
function writeArchitectures(): void {
  const lines = Array.from(
    { length: nCells },
    (_, i) => `${i},${archStringFromCell(cellFromIndex(nCells - 1 - i))},x`,
  );
  mkdirSync(join(data, "nasbench201"));
  writeFileSync(
    join(data, "nasbench201", "architectures.csv.gz"),
    gzipSync(`index,arch,note\n${lines.join("\n")}\n`),
  );
}

describe("readPublishedLatencies()", () => {
  test("reads one row a platform, NaN where missing", () => {
    writeTable(join(data, "a"), [
      [1, 2, Number.NaN],
      [4, 5, 6],
    ]);
    const { platforms, nNetworks } = readPublishedLatencies(join(data, "a"));
    expect(nNetworks).toBe(3);
    expect(platforms.map(({ id }) => id)).toEqual(["p0", "p1"]);
    expect([...platforms[0]!.latencyMs]).toEqual([1, 2, Number.NaN]);
  });

  test("says which file is missing and how to name the folder", () => {
    expect(() => readPublishedLatencies(join(data, "none"))).toThrow(NotFoundError);
    expect(() => readPublishedLatencies(join(data, "none"))).toThrow("latency.json");
  });

  test("refuses a table shorter than its description says", () => {
    writeTable(join(data, "a"), [[1, 2, 3]], { shape: [1, 4] });
    expect(() => readPublishedLatencies(join(data, "a"))).toThrow(
      "must have 16 bytes (1 x 4 float32), got 12",
    );
  });

  test("refuses another unit and a description that is not JSON", () => {
    writeTable(join(data, "a"), [[1]], { unit: "mJ" });
    expect(() => readPublishedLatencies(join(data, "a"))).toThrow(FormatError);
    writeFileSync(join(data, "a", "latency.json"), "{");
    expect(() => readPublishedLatencies(join(data, "a"))).toThrow("is not JSON");
  });
});

/** Samara's index of each column. */
const cellsOf = (folder: string, dataFolder?: string) =>
  readDataset(folder, dataFolder).networks.texts.map(Number);

const archOf = (index: number) => archStringFromCell(cellFromIndex(index));

describe("readDataset() of NAS-Bench-201", () => {
  const whole = Array.from({ length: nCells }, (_, i) => i + 1);
  const head = { space: "nasbench201" };

  test("takes whole folders in the official order, joined by architecture string", () => {
    writeArchitectures();
    writeTable(join(data, "help"), [whole], head);
    const cells = cellsOf(join(data, "help"));
    expect(cells[0]).toBe(nCells - 1);
    expect(cells[nCells - 1]).toBe(0);
  });

  test("finds the official order in the data folder for a folder that lies elsewhere", () => {
    writeArchitectures();
    const elsewhere = join(data, "elsewhere", "mine");
    writeTable(elsewhere, [whole], head);
    expect(() => cellsOf(elsewhere)).toThrow(NotFoundError);
    expect(cellsOf(elsewhere, data)[0]).toBe(nCells - 1);
  });

  test("takes a folder's own table, its index as the published place", () => {
    const folder = join(data, "part");
    writeTable(folder, [[1, 2, 3]], head);
    const lines = [17, 4, 900].map((index) => `${index},${archOf(index + 1)}`);
    writeFileSync(join(folder, "architectures.csv"), `index,arch\n${lines.join("\n")}\n`);
    const { networks, name } = readDataset(folder);
    expect(name).toBe("part");
    expect(networks.texts).toEqual(["18", "5", "901"]);
    expect([...networks.publishedIndex]).toEqual([17, 4, 900]);
  });

  test("looks official indices up when the folder's own table has no architecture strings", () => {
    writeArchitectures();
    const folder = join(data, "part");
    writeTable(folder, [[1, 2]], head);
    writeFileSync(join(folder, "architectures.csv"), "index\n17\n900\n");
    expect(cellsOf(folder)).toEqual([nCells - 18, nCells - 901]);
  });

  test("puts a folder's own rows into the order of an index that counts them", () => {
    const folder = join(data, "shuffled");
    writeTable(folder, [[1, 2, 3]], head);
    const lines = [2, 0, 1].map((index) => `${index},${archOf(10 + index)}`);
    writeFileSync(join(folder, "architectures.csv"), `index,arch\n${lines.join("\n")}\n`);
    expect(cellsOf(folder)).toEqual([10, 11, 12]);
  });

  test("takes a shorter folder without a table for the first networks, and says so", () => {
    writeArchitectures();
    writeTable(join(data, "part"), [[1, 2, 3]], head);
    const { networks } = readDataset(join(data, "part"));
    expect(networks.texts).toEqual([1, 2, 3].map((i) => String(nCells - i)));
    expect(networks.assumption).toContain("taken for the first 3 of");
  });

  test("refuses more networks than the published order has", () => {
    writeArchitectures();
    writeTable(join(data, "more"), [[...whole, 1]], head);
    expect(() => readDataset(join(data, "more"))).toThrow(
      `has latencies of ${nCells + 1} networks, ${join(data, "nasbench201", "architectures.csv.gz")} lists ${nCells}`,
    );
  });

  test("refuses a table of architectures of another length, or with a network twice", () => {
    const folder = join(data, "part");
    writeTable(folder, [[1, 2]], head);
    writeFileSync(join(folder, "architectures.csv"), `index,arch\n0,${archOf(3)}\n`);
    expect(() => readDataset(folder)).toThrow("lists 1 networks, the latencies are of 2");
    const twice = `index,arch\n0,${archOf(3)}\n1,${archOf(3)}\n`;
    writeFileSync(join(folder, "architectures.csv"), twice);
    expect(() => readDataset(folder)).toThrow("rows 1 and 2 are the same");
    writeFileSync(join(folder, "architectures.csv"), `index,arch\n0,${archOf(3)}\n1,x\n`);
    expect(() => readDataset(folder)).toThrow("row 2");
  });
});

describe("readDataset()", () => {
  test("refuses a search space that is not known, and a folder that names none", () => {
    writeTable(join(data, "a"), [[1, 2]], { space: "darts" });
    expect(() => readDataset(join(data, "a"))).toThrow('got "darts"');
    writeTable(join(data, "a"), [[1, 2]]);
    expect(() => readDataset(join(data, "a"))).toThrow("space must be one of nasbench201");
  });

  test("refuses latencies that are none", () => {
    writeTable(join(data, "a"), [[1, -1]], { space: "fbnet" });
    expect(() => readDataset(join(data, "a"))).toThrow("got -1 for p0, network 1");
  });

  test("refuses a platform that is there twice", () => {
    writeTable(join(data, "a"), [[1], [2]], { rows: [{ id: "x" }, { id: "x" }] });
    expect(() => readDataset(join(data, "a"))).toThrow('platform "x" is there twice');
  });

  test("reads networks of FBNet from their 22 choices", () => {
    const folder = join(data, "mine");
    writeTable(folder, [[1, 2]], { space: "fbnet", rows: [{ id: "x", device: "Phone" }] });
    const choices = [0, 1].map((first) => [first, ...new Array(21).fill(8)]);
    const names = choices[0]!.map((_, place) => `b${place}`);
    const lines = choices.map((numbers, row) => [4000 + row, ...numbers].join());
    writeFileSync(
      join(folder, "architectures.csv.gz"),
      gzipSync(`index,${names}\n${lines.join("\n")}\n`),
    );
    const { networks, platforms } = readDataset(folder);
    expect(networks.texts).toEqual(choices.map((numbers) => numbers.join("")));
    expect([...networks.publishedIndex]).toEqual([4000, 4001]);
    expect(platforms[0]!.device).toBe("Phone");
  });
});
