// Two commands that would measure into one pool at once: the second is told so and disturbs nothing. Needs the build.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Pool } from "../src/store/pool.js";
import { startSamara, Workplace } from "./command-line.js";

let place: Workplace;
beforeEach(() => {
  place = new Workplace();
});
afterEach(() => place.remove());

test("the second is refused, names the first, and leaves its log alone", async () => {
  const folder = place.path("pool");
  const argv = ["measure", "--platform", "fake1-t1", "--samples", "6", "-o", folder];
  const first = startSamara([...argv, "--processes", "2", "--pairs", "3", "--json"]);
  try {
    while (!existsSync(join(folder, ".lock"))) await sleep(5);
    const second = await startSamara([...argv, "--seed", "2"]).ended;
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(
      new RegExp(`error\\[busy\\]: .* is in use: process ${first.child.pid}`),
    );
    const { code, stdout } = await first.ended;
    expect(code).toBe(0);
    const { lines } = new Pool(folder).runs();
    const measured = new Set(lines.map(({ subjectId }) => subjectId));
    expect(measured.size).toBe(6);
    expect(JSON.parse(stdout).results).toHaveLength(6);
    expect(existsSync(join(folder, ".lock"))).toBe(false);
    expect(readFileSync(join(folder, "runs.jsonl"), "utf8").endsWith("\n")).toBe(true);
  } finally {
    first.child.kill("SIGKILL");
  }
});
