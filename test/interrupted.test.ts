// Campaigns of real processes that end in the middle: kill -9, Ctrl-C, a full disk. Nothing that was measured is
// lost, and the next run measures only what is missing. Needs the build (`npm test` makes it).
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { profileProtocol } from "../src/measure/profile.js";
import type { ProcessSummary } from "../src/record/measurement.js";
import { Pool } from "../src/store/pool.js";
import { type Running, startSamara, Workplace } from "./command-line.js";

const timeout = 240_000;
let place: Workplace;
let pool: Pool;
let running: Running | undefined;
beforeEach(() => {
  place = new Workplace();
  pool = new Pool(place.path("pool"));
});
afterEach(() => {
  running?.child.kill("SIGKILL");
  place.remove();
});

const nNetworks = 6;
const nProcesses = 2;
/** Extra processes for bad grades come on top of these on a busy machine. */
const nPlanned = nNetworks * nProcesses;

const start = (...argv: string[]) => {
  running = startSamara(argv);
  return running;
};

/** `measure`, as the shortest command that runs a campaign: no profile before it. */
const measure = (folder = pool.folder) =>
  start(
    ...["measure", "--platform", "fake1-t1", "--samples", String(nNetworks), "-o", folder],
    ...["--processes", String(nProcesses), "--pairs", "3", "--json"],
  );

/** Lines of a log as far as it has been written. */
function linesOf(path: string): string[] {
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];
}

async function waitForLines(path: string, count: number, { ended }: Running): Promise<void> {
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  while (linesOf(path).length < count) {
    if (hasEnded) throw new Error(`ended before ${count} lines: ${(await ended).stderr}`);
    await sleep(5);
  }
}

/** In how many processes each subject was measured. */
function countsOf(lines: readonly ProcessSummary[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { subjectId } of lines) counts.set(subjectId, (counts.get(subjectId) ?? 0) + 1);
  return counts;
}

/** Every planned network was measured in its planned processes, none more often than grades ask for. */
function expectComplete(lines: readonly ProcessSummary[]): void {
  const counts = countsOf(lines);
  expect(counts.size).toBe(nNetworks);
  for (const count of counts.values()) {
    expect(count).toBeGreaterThanOrEqual(nProcesses);
    expect(count).toBeLessThanOrEqual(nProcesses + 2);
  }
}

describe("kill -9 in the middle of a campaign", () => {
  test("loses no line, and the next run measures only what is missing", { timeout }, async () => {
    const killed = measure();
    await waitForLines(pool.log.path, 4, killed);
    killed.child.kill("SIGKILL");
    expect(await killed.ended).toMatchObject({ signal: "SIGKILL", stdout: "" });
    const before = linesOf(pool.log.path);
    expect(before.length).toBeGreaterThanOrEqual(4);
    expect(before.length).toBeLessThan(nPlanned);
    // Cut as if the machine had lost power while a line was being written.
    writeFileSync(pool.log.path, `${before.join("\n")}\n${before[0]!.slice(0, 100)}`);

    const resumed = await measure().ended;
    expect(resumed.code).toBe(0);
    const { lines, nDamaged } = pool.runs();
    expect(nDamaged).toBe(1);
    expect(lines.slice(0, before.length)).toEqual(before.map((line) => JSON.parse(line)));
    expectComplete(lines);
    const keys = lines.map(({ processId, subjectId }) => `${processId} ${subjectId}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(JSON.parse(resumed.stdout).results).toHaveLength(nNetworks);

    const nDone = lines.length;
    const third = await measure().ended;
    expect(third.code).toBe(0);
    expect(pool.runs().lines).toHaveLength(nDone);
    expect(JSON.parse(third.stdout).results).toEqual(JSON.parse(resumed.stdout).results);
  });

  test("also while the operators of a plan are profiled", { timeout }, async () => {
    const plan = place.file(
      "plan.yaml",
      `pool: ${pool.folder}\nplatforms: [fake1-t1]\ntrain: 2\ntest: 1\nprocesses: 1\npairs: 3\n`,
    );
    const killed = start("campaign", plan);
    await waitForLines(pool.log.path, 10, killed);
    killed.child.kill("SIGKILL");
    await killed.ended;
    const before = pool.runs().lines;
    expect(pool.descriptors()).toEqual([]);

    const resumed = await start("campaign", plan, "--json").ended;
    // On a busy machine too many operators may grade X; the campaign goes on and says so.
    expect([0, 1]).toContain(resumed.code);
    const { lines } = pool.runs();
    expect(lines.slice(0, before.length)).toEqual(before);
    const operators = countsOf(lines.filter(({ kind }) => kind === "operator"));
    expect(new Set(operators.values())).toEqual(new Set([profileProtocol.nProcesses]));
    expect(pool.descriptors()).toHaveLength(1);
    expect(JSON.parse(resumed.stdout).results[0].nNetworks).toBe(3);
  });
});

describe("Ctrl-C", () => {
  test("keeps what is measured, says how to go on, exit code 130", { timeout }, async () => {
    const stopped = measure();
    await waitForLines(pool.log.path, 3, stopped);
    stopped.child.kill("SIGINT");
    const { code, stderr, stdout } = await stopped.ended;
    expect(code).toBe(130);
    expect(stdout).toBe("");
    expect(stderr).toContain("stopping: finishing the run in progress");
    expect(stderr).toMatch(/error\[interrupted\]: stopped after \d+ of 12 processes; all of them/);
    expect(stderr).toContain("go on with: the same command");
    const kept = pool.runs().lines;
    expect(kept.length).toBeGreaterThanOrEqual(3);
    expect(await pool.measurements()).not.toEqual([]);
    expect((await measure().ended).code).toBe(0);
    expect(pool.runs().lines.slice(0, kept.length)).toEqual(kept);
    expectComplete(pool.runs().lines);
  });

  test("while operators are profiled says what to do, exit code 130", { timeout }, async () => {
    const log = new Pool(place.path("home", "pool")).log.path;
    const stopped = start("profile", "--platform", "fake1-t1");
    await waitForLines(log, 2, stopped);
    stopped.child.kill("SIGINT");
    const { code, stderr } = await stopped.ended;
    expect(code).toBe(130);
    expect(stderr).toContain("error[interrupted]: stopped while profiling");
    expect(stderr).toContain("start again with: samara profile --platform fake1-t1");
  });

  test("twice stops at once, exit code 130", { timeout }, async () => {
    const stopped = measure();
    await waitForLines(pool.log.path, 1, stopped);
    stopped.child.kill("SIGINT");
    stopped.child.kill("SIGTERM");
    const { code } = await stopped.ended;
    expect(code).toBe(130);
    expect(pool.runs().lines.length).toBeGreaterThanOrEqual(1);
  });
});

describe("a full disk in the middle of a campaign", () => {
  test("stops with exit code 1; with room, the next run goes on", { timeout }, async (context) => {
    const disk = place.path("disk");
    mkdirSync(disk);
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=36k", "tmpfs", disk]);
    if (mounted.status !== 0) context.skip("needs the right to mount a small tmpfs");
    try {
      const onDisk = new Pool(join(disk, "pool"));
      writeFileSync(join(disk, "other"), new Uint8Array(18_000));
      const { code, stderr } = await measure(onDisk.folder).ended;
      expect(code).toBe(1);
      expect(stderr).toContain("error[storage]: cannot");
      expect(stderr).toContain("no space left on the device");
      expect(stderr).toContain("free some space, then run the same command again");
      const kept = onDisk.runs().lines;
      expect(kept.length).toBeGreaterThan(0);
      expect(kept.length).toBeLessThan(nPlanned);
      rmSync(join(disk, "other"));
      spawnSync("mount", ["-o", "remount,size=1m", disk]);
      expect((await measure(onDisk.folder).ended).code).toBe(0);
      const { lines } = onDisk.runs();
      expect(lines.slice(0, kept.length)).toEqual(kept);
      expectComplete(lines);
    } finally {
      spawnSync("umount", [disk]);
    }
  });
});
