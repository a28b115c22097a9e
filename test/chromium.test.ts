// Browsers of sampler processes leave with them, however those end. Needs Chromium, /proc and the build.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MeasurementError } from "../src/errors.js";
import { writeOnnx } from "../src/onnx/write.js";
import { readDevice } from "../src/platform/device.js";
import { runtime } from "../src/platform/runtimes/chromium-tfjs.js";
import { startSampler } from "../src/platform/sampler.js";
import type { Sampler } from "../src/platform/sampler-types.js";
import { createPlatform } from "../src/record/platform.js";
import { cellNetwork, cells } from "./networks.js";

const availability = await runtime.probe();
const missing = availability.available ? undefined : availability.reason;
const reason = existsSync("/proc/self/stat") ? missing : "there is no /proc";
const skipped = reason === undefined ? "" : `: skipped, ${reason}`;

const model = writeOnnx(cellNetwork(cells.mixed!, {}));
const folder = mkdtempSync(join(tmpdir(), "samara-test-"));
let sampler: Sampler | undefined;

beforeEach(() => void vi.stubEnv("TMPDIR", folder));
afterEach(async () => {
  vi.unstubAllEnvs();
  await sampler?.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(): Promise<Sampler> {
  const { slug, info } = runtime.variants("1.0.0", 1)[0]!;
  sampler = await startSampler(createPlatform(readDevice(), info, slug), { counters: false });
  await sampler.load("n", model);
  return sampler;
}

const read = (path: string) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // it has ended meanwhile
  }
};

/** Processes whose arguments contain a text. */
function processesWith(text: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => read(`/proc/${name}/cmdline`).includes(text))
    .map(Number);
}

/** The sampler process: a child of this one. */
function samplerPid(): number {
  const isChild = (pid: number) =>
    new RegExp(`^PPid:\\s*${process.pid}$`, "m").test(read(`/proc/${pid}/status`));
  return processesWith("sampler-main.js").find(isChild)!;
}

/** Browsers of this test, by the folder of their profiles, and the folder itself. */
const remains = () => ({
  nProcesses: processesWith(folder).length,
  folders: readdirSync(folder).filter((name) => name.startsWith("samara-chromium-")),
});

async function expectNothingRemains(): Promise<void> {
  const limit = Date.now() + 10_000;
  while (JSON.stringify(remains()) !== '{"nProcesses":0,"folders":[]}' && Date.now() < limit) {
    await sleep(50);
  }
  expect(remains()).toEqual({ nProcesses: 0, folders: [] });
}

describe.skipIf(reason !== undefined)(`Chromium of a sampler process${skipped}`, () => {
  test("is one for all networks, and gone after closing", async () => {
    const started = await start();
    const { nProcesses, folders } = remains();
    expect(nProcesses).toBeGreaterThan(1);
    expect(folders).toHaveLength(1);
    await started.load("second", model);
    expect(remains().folders).toEqual(folders);
    await started.close();
    expect(remains()).toEqual({ nProcesses: 0, folders: [] });
  });

  test("ends when the process is killed", async () => {
    await start();
    process.kill(samplerPid(), "SIGKILL");
    await expectNothingRemains();
  });

  test("ends when the process is killed in the middle of timed runs", async () => {
    const started = await start();
    const timing = started.timePairs({
      target: "n",
      reference: "n",
      nPairs: 3,
      runsPerBlock: 1_000_000,
    });
    const outcome = expect(timing).rejects.toThrow("SIGKILL");
    await sleep(500);
    process.kill(samplerPid(), "SIGKILL");
    await outcome;
    await expectNothingRemains();
  });

  test("costs what was asked of it when its page crashes", async () => {
    const started = await start();
    for (const pid of processesWith(folder)) {
      if (read(`/proc/${pid}/cmdline`).includes("--type=renderer")) process.kill(pid, "SIGKILL");
    }
    const loading = started.load("second", model);
    await expect(loading).rejects.toThrow(MeasurementError);
    await expect(loading).rejects.toThrow('loading "second": the page crashed');
    await started.close();
    await expectNothingRemains();
  });

  test("refuses the platform of another version", async () => {
    const { slug, info } = runtime.variants("1.0.0", 1)[0]!;
    const settings = { ...info.settings, browserVersion: 1 };
    const platform = createPlatform(readDevice(), { ...info, settings }, slug);
    sampler = await startSampler(platform, { counters: false });
    await expect(sampler.load("n", model)).rejects.toThrow("the platform is of Chromium 1,");
    expect(remains()).toEqual({ nProcesses: 0, folders: [] });
  });
});
