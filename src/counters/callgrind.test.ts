import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FormatError } from "../errors.js";
import { packageRoot } from "../package.js";
import { parseCallgrind, readingsFromTotals } from "./callgrind.js";

// Ten runs of a 3x3 convolution with its ReLU on XNNPACK, written by callgrind 3.19.0.
const path = join(packageRoot, "test", "golden", "callgrind-3.19.0.out");
const recorded = readFileSync(path, "utf8");

describe("parseCallgrind()", () => {
  test("reads the totals and what triggered them", () => {
    expect(parseCallgrind(recorded, path)).toEqual({
      trigger: "0",
      totals: {
        Ir: 10454045,
        Dr: 4658581,
        Dw: 400267,
        I1mr: 2,
        D1mr: 33900,
        D1mw: 18483,
        ILmr: 2,
        DLmr: 0,
        DLmw: 2,
      },
    });
  });

  test("takes totals that are left out at the end of the line as zeros", () => {
    const { totals } = parseCallgrind(recorded.replace(/totals: .*/, "totals: 7 3"), path);
    expect(totals).toMatchObject({ Ir: 7, Dr: 3, Dw: 0, DLmw: 0 });
  });

  test("knows the dump at the end of a program, which nobody asked for", () => {
    const atEnd = recorded.replace(/desc: Trigger: .*/, "desc: Trigger: Program termination");
    expect(parseCallgrind(atEnd, path).trigger).toBeUndefined();
  });

  const totals = /totals: .*/;
  test.each([
    ["nothing", "", "is no output of callgrind"],
    ["another program's output", `perf\n${recorded}`, "is no output of callgrind"],
    ["an output cut short", recorded.replace(/totals: .*\n/, ""), 'one line "totals:", it has 0'],
    ["two outputs in one file", recorded + recorded, 'one line "version:", it has 2'],
    ["another version", recorded.replace("version: 1", "version: 2"), "is not of version 1"],
    ["no caches", recorded.replace(/events: .*/, "events: Ir"), "it counts Ir"],
    ["too many totals", recorded.replace(totals, "totals: 1 2 3 4 5 6 7 8 9 10"), "10 totals"],
    ["a negative total", recorded.replace(totals, "totals: 1 -2"), "no count: Dr -2"],
    [
      "a total that overflowed",
      recorded.replace(totals, "totals: 18446744073702956374"),
      "no count",
    ],
    ["a total that is no number", recorded.replace(totals, "totals: many"), "no count: Ir many"],
  ])("refuses %s", (_what, text, problem) => {
    expect(() => parseCallgrind(text, "out.1")).toThrow(FormatError);
    expect(() => parseCallgrind(text, "out.1")).toThrow(problem);
  });
});

describe("readingsFromTotals()", () => {
  test("gives perf's names per run, all marked as simulated, and no cycles", () => {
    const readings = readingsFromTotals(parseCallgrind(recorded, path).totals, 10);
    const perRun = Object.fromEntries(readings.map((reading) => [reading.name, reading.perRun]));
    expect(perRun).toMatchObject({
      instructions: 1045404.5,
      "L1-dcache-loads": 465858.1,
      "L1-dcache-load-misses": 3390,
      "LLC-loads": 3390,
      "LLC-load-misses": 0,
      "cache-references": (2 + 33900 + 18483) / 10,
    });
    expect(new Set(readings.map(({ source }) => source))).toEqual(new Set(["simulated"]));
    expect(Object.keys(perRun)).not.toContain("cpu-cycles");
  });
});
