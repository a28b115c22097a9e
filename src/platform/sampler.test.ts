// The process around the sampler: needs the build (`npm test` makes it), and the fake runtime that misbehaves.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { tinyConvNet } from "../../test/contract/tiny-models.js";
import {
  FormatError,
  InputError,
  InterruptedError,
  MeasurementError,
  TimeoutError,
} from "../errors.js";
import { packageRoot } from "../package.js";
import { createPlatform } from "../record/platform.js";
import { readDevice } from "./device.js";
import { runtime as reference, referenceLatencyNs } from "./runtimes/reference.js";
import { type SamplerOptions, startSampler } from "./sampler.js";
import type { Sampler } from "./sampler-types.js";

const variant = reference.variants("1.0.0", 1)[0]!;
const platform = createPlatform(readDevice(), variant.info, variant.slug);
const model = tinyConvNet(30, 32);
const faulty = (fault: string) => tinyConvNet(1, 4, 8, `fault:${fault}`);

let sampler: Sampler | undefined;

async function start(options?: SamplerOptions): Promise<Sampler> {
  sampler = await startSampler(platform, options);
  return sampler;
}

afterEach(async () => {
  await sampler?.close();
  sampler = undefined;
});

describe("startSampler()", () => {
  test("times networks in another process", async () => {
    const { info, load, ...rest } = bind(await start());
    expect(info.clock.resolutionNs).toBeGreaterThan(0);
    const loaded = await load("n", model);
    expect(loaded).toMatchObject({ inputShape: [1, 32, 8, 8], outputShape: [1, 32, 8, 8] });
    expect(await rest.warmUp("n", { mode: "bulk", minRuns: 3 })).toMatchObject({ runs: 3 });
    const timings = await rest.timePairs({ target: "n", reference: "n", nPairs: 10 });
    const expectedNs = referenceLatencyNs(model, platform.runtime);
    expect(timings.target.wallNs).toHaveLength(10);
    expect(timings.reference.correctedNs).toHaveLength(11);
    for (const wallNs of timings.target.wallNs) expect(wallNs).toBeGreaterThan(0.99 * expectedNs);
    const output = await rest.runOnce("n", new Float32Array(32 * 64).fill(2));
    expect(output[0]).toBeCloseTo(2, 6);
  });

  test("gives each process its own id", async () => {
    const first = await start();
    const second = await startSampler(platform);
    expect(second.info.processId).not.toBe(first.info.processId);
    await second.close();
  });

  test("keeps the class of the caller's and the model's errors and names where they come from", async () => {
    const { load, warmUp } = bind(await start());
    await expect(load("bad", Uint8Array.of(1, 2, 3))).rejects.toThrow(FormatError);
    await expect(load("bad", Uint8Array.of(1, 2, 3))).rejects.toThrow(
      `${platform.id}, loading "bad"`,
    );
    await expect(warmUp("bad", { mode: "bulk" })).rejects.toThrow(InputError);
    await expect(load("n", model)).resolves.toBeDefined();
  });

  test("turns a failing run into a MeasurementError", async () => {
    const { load } = bind(await start());
    const loading = load("n", faulty("run-error"));
    await expect(loading).rejects.toThrow(MeasurementError);
    await expect(loading).rejects.toThrow("the model asked for an error");
  });

  test("survives a crash of the process, which names platform and network", async () => {
    const { load } = bind(await start());
    const loading = load("wild", faulty("load-crash"));
    await expect(loading).rejects.toThrow(MeasurementError);
    await expect(loading).rejects.toThrow(`${platform.id} ended (SIGABRT) while loading "wild"`);
    await expect(load("other", model)).rejects.toThrow(MeasurementError);
    await expect((await start()).load("n", model)).resolves.toBeDefined();
  });

  test("kills a process that hangs", async () => {
    const { load } = bind(await start({ commandTimeoutMs: 1000 }));
    const loading = load("stuck", faulty("run-hang"));
    await expect(loading).rejects.toThrow(TimeoutError);
    await expect(loading).rejects.toThrow('no answer within 1 s while loading "stuck"');
  });

  test("stops at once when the signal is aborted", async () => {
    const controller = new AbortController();
    const { load } = bind(await start({ signal: controller.signal }));
    const loading = load("stuck", faulty("run-hang"));
    setTimeout(() => controller.abort(), 50);
    await expect(loading).rejects.toThrow(InterruptedError);
    await expect(start({ signal: controller.signal })).rejects.toThrow(InterruptedError);
  });

  test("can be closed twice", async () => {
    const started = await start();
    await started.close();
    await started.close();
  });
});

describe("a sampler process whose parent dies", () => {
  const isThere = (pid: number) => {
    try {
      // A zombie that nobody has waited for is gone as well.
      return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
    } catch {
      return false;
    }
  };

  test.skipIf(!existsSync("/proc/self/stat"))("ends too, even in the middle of a run", async () => {
    const distModule = (path: string) => JSON.stringify(join(packageRoot, "dist", path));
    const program = `
      const { startSampler } = await import(${distModule("platform/sampler.js")});
      const sampler = await startSampler(${JSON.stringify(platform)});
      sampler.load("stuck", Buffer.from("${Buffer.from(faulty("run-hang")).toString("base64")}", "base64"));
      console.log("loading");
    `;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => parent.stdout.once("data", resolve));
    const children = execFileSync("cat", [`/proc/${parent.pid}/task/${parent.pid}/children`]);
    const child = Number(children.toString().trim());
    expect(isThere(child)).toBe(true);
    parent.kill("SIGKILL");
    const limit = Date.now() + 5000;
    while (isThere(child) && Date.now() < limit) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(isThere(child)).toBe(false);
  });
});

/** The methods of a sampler as functions. */
function bind(from: Sampler) {
  return {
    info: from.info,
    load: from.load.bind(from),
    warmUp: from.warmUp.bind(from),
    runOnce: from.runOnce.bind(from),
    timePairs: from.timePairs.bind(from),
  };
}
