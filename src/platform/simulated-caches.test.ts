import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { simulatedCacheOptions } from "./simulated-caches.js";

let folder: string;
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function cachesOf(...caches: [level: number, type: string, size: string, ways: number][]): string {
  folder = mkdtempSync(join(tmpdir(), "samara-caches-"));
  caches.forEach(([level, type, size, ways], i) => {
    const path = join(folder, `index${i}`);
    mkdirSync(path);
    const facts = { level, type, size, ways_of_associativity: ways, coherency_line_size: 64 };
    for (const [name, value] of Object.entries(facts)) {
      writeFileSync(join(path, name), `${value}\n`);
    }
  });
  return folder;
}

describe("simulatedCacheOptions()", () => {
  test("takes the first and the last level, and leaves out what lies between", () => {
    const path = cachesOf(
      [1, "Data", "48K", 12],
      [1, "Instruction", "32K", 8],
      [2, "Unified", "1024K", 16],
      [3, "Unified", "32M", 16],
    );
    expect(simulatedCacheOptions(path)).toEqual([
      "--I1=32768,8,64",
      "--D1=49152,12,64",
      "--LL=33554432,16,64",
    ]);
  });

  test("takes the second level as the last where there is no third", () => {
    const path = cachesOf([1, "Data", "32K", 2], [2, "Unified", "1M", 16]);
    expect(simulatedCacheOptions(path)).toEqual(["--D1=32768,2,64", "--LL=1048576,16,64"]);
  });

  test("leaves the choice to callgrind where sets are no power of two, or nothing is told", () => {
    expect(simulatedCacheOptions(cachesOf([3, "Unified", "36M", 16]))).toEqual([]);
    expect(simulatedCacheOptions(join(folder, "nowhere"))).toEqual([]);
  });
});
