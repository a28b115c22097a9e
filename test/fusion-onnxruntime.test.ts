// The fused semantics against the graphs that ONNX Runtime saves after all its optimisations.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession } from "onnxruntime-node";
import { afterAll, describe, expect, test } from "vitest";
import { subjectFromIndex } from "../src/measure/subject.js";
import { decodeModel } from "../src/onnx/proto.js";
import { nCells } from "../src/space/nasbench201/cell.js";
import { featuresOfCells } from "../src/space/nasbench201/features.js";
import { createRandom, drawWithoutReplacement } from "../src/tensor/random.js";
import { mean } from "../src/tensor/stats.js";

const folder = mkdtempSync(join(tmpdir(), "samara-fusion-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Layouts in blocks of channels are chosen on x64 only. */
const isBlocked = process.arch === "x64";
if (!isBlocked) console.warn(`skipped: ONNX Runtime chooses other layouts on ${process.arch}`);

const indices = [...drawWithoutReplacement(createRandom(7), nCells, 25)];

/** Types of the operators that ONNX Runtime keeps of a network. */
async function optimised(index: number): Promise<string[]> {
  const path = join(folder, `${index}.onnx`);
  const session = await InferenceSession.create(subjectFromIndex(index).modelFile("onnx"), {
    optimizedModelFilePath: path,
    graphOptimizationLevel: "all",
    logSeverityLevel: 4,
  });
  await session.release();
  return decodeModel(readFileSync(path)).graph!.node!.map(({ opType }) => opType!);
}

describe.skipIf(!isBlocked)("forward+fused", () => {
  const table = featuresOfCells(indices);
  const width = table.signatures.length;
  const countOf = (row: number, group: RegExp) =>
    table.signatures.reduce(
      (sum, signature, s) =>
        group.test(signature.group) ? sum + table.counts["forward+fused"][row * width + s]! : sum,
      0,
    );

  test("launches and copies what ONNX Runtime does", async () => {
    const differences: Record<string, number[]> = {
      add: [],
      pool: [],
      relu: [],
      conv: [],
      copy: [],
    };
    for (const [row, index] of indices.entries()) {
      const types = await optimised(index);
      const differ = (what: string, group: RegExp, type: RegExp) => {
        const n = types.filter((other) => type.test(other)).length;
        differences[what]!.push(Math.abs(countOf(row, group) - n));
      };
      differ("add", /^Add/, /^Add$/);
      differ("pool", /^AveragePool/, /^AveragePool$/);
      differ("relu", /^Relu/, /^Relu$/);
      differ("conv", /^Conv/, /^Conv$/);
      differ("copy", /^Identity/, /^Reorder/);
    }
    expect(differences.pool!.every((difference) => difference === 0)).toBe(true);
    const nEqual = differences.add!.filter((difference) => difference === 0).length;
    expect(nEqual).toBeGreaterThanOrEqual(0.9 * indices.length);
    // Of 20 to 70 operators each. The head's batch norm becomes a convolution, which takes its ReLU along.
    expect(mean(differences.conv!)).toBeLessThanOrEqual(1);
    expect(mean(differences.relu!)).toBeLessThan(2);
    expect(mean(differences.copy!)).toBeLessThan(3);
  }, 60_000);
});
