// Native libraries against broken bytes and misuse, the script that builds them, and counters by simulation. What is
// not built here is skipped with its reason in the name.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FormatError, UnsupportedError } from "../src/errors.js";
import { addSimulatedCounters, checkSimulation } from "../src/measure/simulated.js";
import { writeOnnx } from "../src/onnx/write.js";
import { packageRoot } from "../src/package.js";
import { flattenGraph } from "../src/platform/flat-network.js";
import { loadNative } from "../src/platform/native-library.js";
import { type AvailablePlatform, listPlatforms, runtimes } from "../src/platform/registry.js";
import { simulateCounters } from "../src/platform/simulate.js";
import type { RuntimeInfo } from "../src/record/platform.js";
import { createRandom } from "../src/tensor/random.js";
import { worldDescriptor, worldPlatforms } from "./contract/synthetic-pool.js";
import { cellNetwork, cells, smallGraphs } from "./networks.js";

const { available } = await listPlatforms();
const nativeOnes = available.filter(({ runtime }) => runtime.native !== undefined);
const graph = cellNetwork(cells.mixed!, {});

/** Runtimes that read flat networks; others read ONNX and have their own checks. */
const ofFlatNetworks = ["onednn", "xnnpack"];

for (const name of ofFlatNetworks) {
  const found = nativeOnes.find(({ platform }) => platform.runtime.family === name);
  if (found === undefined) {
    describe.skip(`${name}: not built here (node scripts/build-native.mjs ${name})`, () => {
      test("refuses broken bytes", () => {});
    });
    continue;
  }
  const { platform, runtime } = found;
  const load = (model: Uint8Array, info: RuntimeInfo = platform.runtime) =>
    loadNative({ name, title: runtime.title, model, info });

  describe(`${name}, given bytes that are no network`, () => {
    const whole = flattenGraph(graph);

    test("refuses every shorter piece of a network", async () => {
      const step = 4 * Math.ceil(whole.length / 4 / 300);
      for (let size = 0; size < whole.length; size += step) {
        await expect(load(whole.slice(0, size)), `${size} bytes`).rejects.toThrow(FormatError);
      }
    });

    test("refuses a network that goes on after its end", async () => {
      const longer = new Uint8Array(whole.length + 4);
      longer.set(whole);
      await expect(load(longer)).rejects.toThrow("goes on after its end");
    });

    test("survives words changed at random", async () => {
      const small = flattenGraph(smallGraphs.get("average pool, padding counted")!);
      const random = createRandom(1);
      for (let i = 0; i < 500; i++) {
        const changed = new Int32Array(small.slice().buffer);
        const value = Math.floor(random.uniform() * 40) - 4;
        changed[Math.floor(random.uniform() * changed.length)] = value;
        const loading = load(new Uint8Array(changed.buffer));
        const error: unknown = await loading.then(
          (session) => session.dispose(),
          (thrown) => thrown,
        );
        if (error !== undefined) {
          expect(
            error instanceof FormatError || error instanceof UnsupportedError,
            `${error}`,
          ).toBe(true);
        }
      }
    });

    test("refuses to be another version than the platform says", async () => {
      const info = { ...platform.runtime, version: "0.0.0" };
      await expect(load(whole, info)).rejects.toThrow("not 0.0.0");
    });
  });
}

const oneDnn = nativeOnes.filter(({ runtime }) => runtime.name === "onednn");
describe.skipIf(oneDnn.length < 2)("oneDNN (skipped where fewer than two variants are)", () => {
  test("refuses a second instruction set or thread count in the same process", async () => {
    const [first, ...others] = oneDnn as [AvailablePlatform, ...AvailablePlatform[]];
    const model = writeOnnx(graph);
    await (await first.runtime.load(model, first.platform.runtime)).dispose();
    for (const { runtime, platform } of others) {
      await expect(runtime.load(model, platform.runtime)).rejects.toThrow("already");
    }
  });
});

describe("scripts/build-native.mjs", () => {
  const script = join(packageRoot, "scripts", "build-native.mjs");
  const run = (args: string[], folder: string) =>
    spawnSync(process.execPath, [script, ...args], {
      encoding: "utf8",
      env: { ...process.env, SAMARA_NATIVE: folder },
    });
  const has = (program: string) => spawnSync(program, ["--version"]).error === undefined;

  test("names the runtimes when asked for another", () => {
    const { status, stderr } = run(["nosuch"], "/nowhere");
    expect(status).toBe(1);
    expect(stderr).toContain('no native runtime "nosuch"; there are: onednn, xnnpack');
  });

  test.skipIf(!has("g++") || !has("valgrind"))(
    "builds what is missing and leaves alone what is up to date (skipped without g++ and valgrind)",
    () => {
      const folder = mkdtempSync(join(tmpdir(), "samara-build-"));
      try {
        const first = run(["simulate"], folder);
        expect(first.stdout).toMatch(/^simulate: version \S+, built in \d+ s\n$/);
        expect(first.status).toBe(0);
        expect(existsSync(join(folder, "samara_simulate"))).toBe(true);
        expect(run(["simulate"], folder).stdout).toBe("simulate: up to date\n");
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});

describe("simulated counters", () => {
  const runtimeOfName = (name: string) => runtimes.find((runtime) => runtime.name === name)!;
  const info: RuntimeInfo = { family: "any", version: "1", threads: 1, settings: {} };

  test("are refused where a runtime is not native, or has several threads", async () => {
    const inNode = simulateCounters(runtimeOfName("fake"), info, []);
    await expect(inNode).rejects.toThrow(UnsupportedError);
    await expect(inNode).rejects.toThrow("runs inside Node only");
    const ofTwo = simulateCounters(runtimeOfName("onednn"), { ...info, threads: 2 }, []);
    await expect(ofTwo).rejects.toThrow("one thread only");
  });

  for (const name of ofFlatNetworks) {
    const platform = nativeOnes.find(
      (one) => one.runtime.name === name && one.platform.runtime.threads === 1,
    );
    const problem = problemOf(name, platform);
    if (platform === undefined || problem !== undefined) {
      test.skip(`of ${name} repeat exactly: skipped, ${problem}`, () => {});
      continue;
    }
    const { runtime } = platform;
    const simulate = (graphs: { name: string; graph: typeof graph }[]) =>
      simulateCounters(runtime, platform.platform.runtime, graphs, { nRuns: 3 });

    test(`of ${name} repeat exactly, and grow with the work`, async () => {
      const graphs = ["ReLU", "3x3 convolution"].map((of) => ({
        name: of,
        graph: smallGraphs.get(of)!,
      }));
      const first = await simulate(graphs);
      expect(await simulate(graphs)).toEqual(first);
      const instructions = (of: string) =>
        first.get(of)!.find((reading) => reading.name === "instructions")!.perRun;
      expect(instructions("ReLU")).toBeGreaterThan(50);
      expect(instructions("3x3 convolution")).toBeGreaterThan(instructions("ReLU"));
    });

    test.runIf(name === "xnnpack")("name the graph that cannot be run", async () => {
      const refused = { name: "refused", graph: smallGraphs.get("flatten an image")! };
      await expect(simulate([refused])).rejects.toThrow("XNNPACK (native) cannot run refused");
    });

    test(`of ${name} stand beside counters of the processor`, async () => {
      checkSimulation(platform);
      const world = worldDescriptor(worldPlatforms(1, 1)[0]!);
      const { rows } = world;
      const kept = { ...rows[0]!, operator: "relu@64x8x8" };
      const descriptor = { ...world, platform: platform.platform, rows: [kept] };
      const [row] = (await addSimulatedCounters(descriptor, platform, { nRuns: 1 })).rows;
      const readings = row!.counters.filter((reading) => reading.name === "instructions");
      expect(readings.map(({ source }) => source)).toEqual(["pmu", "simulated"]);
      expect(readings[0]).toEqual(kept.counters[0]);
    });
  }
});

/** Why a platform's counters cannot be simulated here. */
function problemOf(name: string, platform: AvailablePlatform | undefined): string | undefined {
  if (platform === undefined) return `${name} is not built here`;
  try {
    checkSimulation(platform);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
