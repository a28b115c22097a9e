/**
 * What every runtime must do, alone and in a sampler process. A runtime that cannot run here is skipped with its
 * reason. The sampler process is the build's: `npm test` makes it.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FormatError, UnsupportedError } from "../../src/errors.js";
import { randomValues } from "../../src/graph/values.js";
import { writeOnnx } from "../../src/onnx/write.js";
import { readDevice } from "../../src/platform/device.js";
import type { Runtime, RuntimeVariant, Session } from "../../src/platform/runtime.js";
import { startSampler } from "../../src/platform/sampler.js";
import { createPlatform } from "../../src/record/platform.js";
import { cellFromIndex } from "../../src/space/nasbench201/cell.js";
import { networkFromCell } from "../../src/space/nasbench201/network.js";
import { writeTflite } from "../../src/tflite/write.js";

/** A cell with all five operations (index 7,341 is 2,1,3,3,3,1 in base 5; any live cell would do). */
const cellIndex = 7341;
const inputShape = [1, 3, 32, 32];
const outputShape = [1, 10];
const nInputs = 3 * 32 * 32;

function modelFor(runtime: Runtime, cellsPerStage = 1): Uint8Array {
  const graph = networkFromCell(cellFromIndex(cellIndex), { cellsPerStage });
  return runtime.modelFormat === "onnx" ? writeOnnx(graph) : writeTflite(graph);
}

/** Samplers and sessions that hold threads are too slow to start for the default limit on a busy machine. */
const slow = 120_000;

async function variantsHere(runtime: Runtime): Promise<readonly RuntimeVariant[] | string> {
  const availability = await runtime.probe();
  if (!availability.available) return availability.reason;
  return runtime.variants(availability.version, readDevice().nCores);
}

/** Tests of one runtime; `probe` is asked before the tests are made, to name the reason of a skip. */
export async function checkRuntime(runtime: Runtime): Promise<void> {
  const variants = await variantsHere(runtime);
  if (typeof variants === "string") {
    describe.skip(`${runtime.title}: skipped, ${variants}`, () => {
      test("fulfils the contract", () => {});
    });
    return;
  }
  describe(runtime.title, () => {
    checkVariants(runtime, variants);
    checkSessions(runtime, variants[0]!);
    describe.each(variants.map((variant) => [variant.slug, variant] as const))(
      "%s in a sampler process",
      (_slug, variant) => checkSampler(runtime, variant),
    );
  });
}

function checkVariants(runtime: Runtime, variants: readonly RuntimeVariant[]): void {
  test("probes again with the same answer", async () => {
    expect(await runtime.probe()).toEqual(await runtime.probe());
  });

  test("offers variants with distinct slugs that fit into a platform id", () => {
    const slugs = variants.map(({ slug }) => slug);
    expect(new Set(slugs).size).toBe(slugs.length);
    for (const { slug, info } of variants) {
      expect(slug).toMatch(/^[a-z0-9.-]+-t\d+$/);
      expect(slug).toMatch(new RegExp(`-t${info.threads}$`));
      expect(info.family).toBe(runtime.family);
      expect(info.name ?? info.family).toBe(runtime.name);
    }
  });

  test("offers no more threads than there are cores", () => {
    for (const { info } of runtime.variants(variants[0]!.info.version, 1)) {
      expect(info.threads).toBe(1);
    }
  });
}

function checkSessions(runtime: Runtime, { info }: RuntimeVariant): void {
  const input = randomValues(1, nInputs, 1);
  let session: Session;

  beforeAll(async () => {
    session = await runtime.load(modelFor(runtime), info);
  });
  afterAll(async () => {
    await session.dispose();
    await runtime.close?.();
  });

  async function outputFor(values: Float32Array, of = session): Promise<Float32Array> {
    await of.setInput(values);
    await of.run();
    return of.output();
  }

  test("tells the model's shapes in NCHW order", () => {
    expect(session.inputShape).toEqual(inputShape);
    expect(session.outputShape).toEqual(outputShape);
  });

  test("gives the same output for the same input, another for another", async () => {
    const first = await outputFor(input);
    expect(first).toHaveLength(10);
    expect([...first].every(Number.isFinite)).toBe(true);
    const other = await outputFor(input.map((value) => -2 * value));
    expect(other).not.toEqual(first);
    expect(await outputFor(input)).toEqual(first);
  });

  test("keeps an output that was taken from changing with the next run", async () => {
    const first = await outputFor(input);
    const copy = first.slice();
    await outputFor(input.map((value) => -2 * value));
    expect(first).toEqual(copy);
  });

  test("holds two sessions that do not disturb each other", async () => {
    const expected = await outputFor(input);
    const second = await runtime.load(modelFor(runtime), info);
    expect(await outputFor(input, second)).toEqual(expected);
    await second.dispose();
    expect(await outputFor(input)).toEqual(expected);
  });

  test("can be disposed of twice", async () => {
    const second = await runtime.load(modelFor(runtime), info);
    await second.dispose();
    await second.dispose();
  });

  test.each([
    ["no bytes", new Uint8Array(0)],
    ["text", new TextEncoder().encode("this is not a model file, it is a sentence")],
    ["noise", new Uint8Array(randomValues(7, 256, 1).buffer)],
  ])("refuses %s with a typed error", async (_what, bytes) => {
    const error: unknown = await runtime.load(bytes, info).catch((thrown: unknown) => thrown);
    expect(error instanceof FormatError || error instanceof UnsupportedError).toBe(true);
    expect((error as Error).message).not.toBe("");
  });
}

function checkSampler(runtime: Runtime, { slug, info }: RuntimeVariant): void {
  const platform = createPlatform(readDevice(), info, slug);
  const input = randomValues(1, nInputs, 1);

  test("loads, warms up, times and runs", { timeout: slow }, async () => {
    const sampler = await startSampler(platform);
    try {
      const loaded = await sampler.load("reference", modelFor(runtime, 2));
      expect(loaded.inputShape).toEqual(inputShape);
      await sampler.load("target", modelFor(runtime));
      if (info.threads > 1 && runtime.family !== "fake" && process.platform === "linux") {
        expect(loaded.nThreadsCreated).toBeGreaterThanOrEqual(info.threads - 1);
      }
      expect(await sampler.warmUp("reference", { mode: "bulk", minRuns: 3 })).toMatchObject({
        runs: 3,
      });
      await sampler.warmUp("target", { mode: "bulk", minRuns: 3 });
      const timings = await sampler.timePairs({
        target: "target",
        reference: "reference",
        nPairs: 4,
      });
      expect(timings.ratios).toHaveLength(4);
      expect(timings.reference.wallNs).toHaveLength(5);
      for (const ratio of timings.ratios) expect(ratio).toBeGreaterThan(0);
      for (const { name, perRun } of timings.counters) {
        expect(sampler.info.counters.available.map((counter) => counter.name)).toContain(name);
        expect(perRun).toBeGreaterThanOrEqual(0);
      }
      const output = await sampler.runOnce("target", input);
      expect(output).toHaveLength(10);
      expect(await sampler.runOnce("target", input)).toEqual(output);
      await sampler.unload("target");
      await expect(sampler.runOnce("target", input)).rejects.toThrow('no network "target"');
    } finally {
      await sampler.close();
    }
    // Libraries that are not taken down in order crash at the exit.
    await expect(sampler.unload("reference")).rejects.toThrow("exit code 0");
  });

  test("outlives a model that is none", { timeout: slow }, async () => {
    const sampler = await startSampler(platform, { counters: false });
    try {
      const loading = sampler.load("garbage", Uint8Array.of(9, 8, 7, 6));
      await expect(loading).rejects.toThrow(`${platform.id}, loading "garbage"`);
      await sampler.load("target", modelFor(runtime));
      expect(sampler.info.counters.available).toEqual([]);
    } finally {
      await sampler.close();
    }
  });
}
