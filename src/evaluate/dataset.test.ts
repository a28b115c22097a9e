import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FormatError, InputError, NotFoundError } from "../errors.js";
import { archStringFromCell, cellFromIndex, nCells } from "../space/nasbench201/cell.js";
import { readNasbench201Latencies, readOfficialOrder, readPublishedLatencies } from "./dataset.js";

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

describe("readNasbench201Latencies()", () => {
  test("joins the official order with Samara's by architecture string", () => {
    writeArchitectures();
    writeTable(join(data, "help"), [Array.from({ length: nCells }, (_, i) => i + 1)], {
      space: "nasbench201",
    });
    const { platforms } = readNasbench201Latencies(join(data, "help"));
    expect(platforms[0]!.latencyMs[0]).toBe(nCells);
    expect(platforms[0]!.latencyMs[nCells - 1]).toBe(1);
  });

  test("refuses another search space", () => {
    writeTable(join(data, "fbnet"), [[1, 2]], { space: "fbnet" });
    expect(() => readNasbench201Latencies(join(data, "fbnet"))).toThrow(InputError);
  });

  test("refuses an architecture table with a missing row", () => {
    mkdirSync(join(data, "nasbench201"));
    writeFileSync(join(data, "nasbench201", "architectures.csv.gz"), gzipSync("index,arch\n0,x\n"));
    expect(() => readOfficialOrder(data)).toThrow(FormatError);
  });
});
