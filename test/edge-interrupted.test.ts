// Ctrl-C while a tool runs on a device: what was measured is kept, the device is left clean, and nothing goes on
// running. Needs the build (`npm test` makes it).
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Pool } from "../src/store/pool.js";
import { type Running, startSamara } from "./command-line.js";
import { EdgePlace } from "./edge-device.js";

const timeout = 120_000;
let place: EdgePlace;
let pool: Pool;
let running: Running | undefined;
beforeEach(() => {
  place = new EdgePlace();
  pool = new Pool(place.path("pool"));
});
afterEach(() => {
  running?.child.kill("SIGKILL");
  place.remove();
});

const archs = ["1462", "9410", "77"].flatMap((arch) => ["--arch", arch]);

function measure(device: string): Running {
  running = startSamara(["measure", "--device", device, ...archs, "-o", pool.folder, "--json"], {
    env: { PATH: place.searchPath },
  });
  return running;
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let i = 0; i < 3000 && !isTrue(); i++) await sleep(10);
  expect(isTrue()).toBe(true);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("Ctrl-C", () => {
  test.each([
    ["here", {}],
    ["by ssh", { via: "ssh", host: "board" }],
  ])(
    "%s: the invocation in progress ends, exit code 130, and the next run goes on",
    { timeout },
    async (_, how) => {
      place.behave("slow");
      const device = place.device("benchmark_app", how);
      const stopped = measure(device);
      await until(() => pool.runs().lines.length >= 2);
      stopped.child.kill("SIGINT");
      const { code, stderr } = await stopped.ended;
      expect(code).toBe(130);
      expect(stderr).toMatch(
        /error\[interrupted\]: stopped after \d of 9 processes; all of them are/,
      );
      expect(stderr).toContain("go on with: the same command");
      const kept = pool.runs().lines;
      expect(kept.length).toBe(place.invocations().length);
      expect(await pool.measurements()).not.toEqual([]);
      for (const { cwd } of place.invocations()) expect(existsSync(cwd)).toBe(false);
      place.behave();
      expect((await measure(device).ended).code).toBe(0);
      expect(pool.runs().lines.slice(0, kept.length)).toEqual(kept);
      expect(pool.runs().lines).toHaveLength(9);
    },
  );

  test("twice: the tool is killed, exit code 130", { timeout }, async () => {
    place.behave("hang");
    const stopped = measure(place.device("trtexec"));
    await until(() => place.invocations().length === 1);
    stopped.child.kill("SIGINT");
    await until(() => stopped.stderr().includes("stopping"));
    stopped.child.kill("SIGINT");
    expect((await stopped.ended).code).toBe(130);
    const { pid } = place.invocations()[0]!;
    await until(() => !isAlive(pid));
    for (const { cwd } of place.invocations()) expect(existsSync(cwd)).toBe(false);
  });
});
