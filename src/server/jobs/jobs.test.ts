// Jobs with commands that are stand-ins: queue, states, what is kept, what resuming runs, what readers get.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BusyError, InputError, NotFoundError } from "../../errors.js";
import type { JobEvent, JobRequest } from "../api/schemas.js";
import { OverloadedError } from "../kernel/kernel.js";
import { ConflictError } from "../refusals.js";
import type { CommandEnd, CommandSinks, StartCommand } from "./command.js";
import { Jobs, type JobsOptions } from "./jobs.js";
import { MachineFacts } from "./machine.js";

/** A command that a test ends. */
interface Started {
  readonly args: readonly string[];
  readonly sinks: CommandSinks;
  readonly end: (end: CommandEnd) => void;
  nInterrupts: number;
  nKills: number;
}

const platform = "here-2c.fake1-t1.fp32";
const platforms = JSON.stringify({
  context: {},
  results: [
    {
      ...{ id: platform, name: "fake1-t1.fp32", family: "fake", runtime: "fake", version: "1" },
      ...{ threads: 1, reason: null, remedy: null },
    },
  ],
});

let home: string;
let started: Started[];
let open: Jobs[];

/** Questions about the machine are answered at once, jobs' commands are left to the test. */
const startCommand: StartCommand = (args, sinks) => {
  if (args[0] === "platforms" || args[0] === "doctor") {
    const results = args[0] === "platforms" ? platforms : '{"context":{},"results":[]}';
    sinks.stdout(results);
    return {
      ended: Promise.resolve({ exitCode: 0, signal: null }),
      interrupt() {},
      kill() {},
    };
  }
  let end!: (end: CommandEnd) => void;
  const ended = new Promise<CommandEnd>((fulfil) => {
    end = fulfil;
  });
  const command: Started = { args, sinks, end, nInterrupts: 0, nKills: 0 };
  started.push(command);
  return {
    ended,
    interrupt: () => {
      command.nInterrupts += 1;
    },
    kill: () => {
      command.nKills += 1;
      end({ exitCode: null, signal: "SIGKILL" });
    },
  };
};

function createJobs(options: Partial<JobsOptions> = {}): Jobs {
  const log = pino({ level: "silent" });
  const machine = new MachineFacts(startCommand);
  const jobs = new Jobs({ home, machine, startCommand, log, ...options });
  open.push(jobs);
  return jobs;
}

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "samara-jobs-"));
  started = [];
  open = [];
});
afterEach(async () => {
  for (const jobs of open) await jobs.close(1);
  rmSync(home, { recursive: true, force: true });
});

const measure = (networks = ["1462"]): JobRequest => ({ kind: "measure", platform, networks });
const settled = () => new Promise((fulfil) => setTimeout(fulfil, 20));
const states = (jobs: Jobs) => jobs.list(10).map(({ state }) => state);

async function eventsOf(jobs: Jobs, id: string, after = 0): Promise<JobEvent[]> {
  const follower = jobs.follow(id, after);
  const events: JobEvent[] = [];
  for (;;) {
    const next = await follower?.next(50);
    if (next === undefined || next.kind === "end" || next.kind === "idle") break;
    if (next.kind === "events") events.push(...next.events.map(({ event }) => event));
    else events.push(next.event);
  }
  follower?.close();
  return events;
}

describe("the queue", () => {
  test("runs one job at a time, in order, as commands that resume", async () => {
    const jobs = createJobs();
    await jobs.add(measure(["1462"]));
    const second = await jobs.add(measure(["fbnet/7818488874147327324245"]));
    await settled();
    expect(states(jobs)).toEqual(["queued", "running"]);
    expect(second.position).toBe(1);
    expect(started.map(({ args }) => args)).toEqual([
      ["measure", `--platform=${platform}`, "--resume", "--json", "--arch=nasbench201/1462"],
    ]);
    started[0]!.sinks.stdout('{"context":{},"results":[{"id":"nasbench201/1462"}]}');
    started[0]!.end({ exitCode: 0, signal: null });
    await settled();
    expect(states(jobs)).toEqual(["running", "succeeded"]);
    const first = jobs.list(10)[1]!;
    expect(jobs.get(first.id).results).toEqual([{ id: "nasbench201/1462" }]);
  });

  test("is bounded", async () => {
    const jobs = createJobs({ capacity: 1 });
    await jobs.add(measure());
    await settled();
    await jobs.add(measure());
    await expect(jobs.add(measure())).rejects.toThrow(OverloadedError);
  });

  test("refuses what it could not do, before it waits", async () => {
    const jobs = createJobs();
    await expect(jobs.add({ ...measure(), platform: "rpi9" } as JobRequest)).rejects.toThrow(
      NotFoundError,
    );
    await expect(jobs.add(measure(["99999"]))).rejects.toThrow(InputError);
    await expect(jobs.add(measure([]))).rejects.toThrow(/something to measure/);
    for (const pool of ["../evil", "/etc", "a/b", ""]) {
      const plan = `pool: "${pool}"\nplatforms: [fake1-t1]\ntrain: 2\ntest: 1\n`;
      await expect(jobs.add({ kind: "campaign", plan })).rejects.toThrow();
    }
    expect(jobs.list(10)).toEqual([]);
  });

  test("gives a campaign a pool of its own below the home", async () => {
    const jobs = createJobs();
    const plan = "pool: mine\nplatforms: [fake1-t1]\ntrain: 2\ntest: 1\n";
    await jobs.add({ kind: "campaign", plan });
    await settled();
    const [, path] = started[0]!.args;
    expect(path!.startsWith(home)).toBe(true);
    expect(JSON.parse(readFileSync(path!, "utf8"))).toMatchObject({
      pool: join(home, "pools", "mine"),
      platforms: [platform],
    });
  });
});

describe("stopping and resuming", () => {
  test("cancels what waits at once, and asks what runs to stop", async () => {
    const jobs = createJobs();
    const running = await jobs.add(measure());
    await settled();
    const waiting = await jobs.add(measure());
    expect(jobs.cancel(waiting.id).state).toBe("cancelled");
    jobs.cancel(running.id);
    expect(started[0]!.nInterrupts).toBe(1);
    expect(jobs.get(running.id).state).toBe("running");
    started[0]!.end({ exitCode: 130, signal: null });
    await settled();
    expect(jobs.get(running.id).state).toBe("cancelled");
    expect(() => jobs.cancel(running.id)).toThrow(ConflictError);
  });

  test("ends a command that does not stop, after the grace time or when asked again", async () => {
    const jobs = createJobs({ graceMs: 30 });
    const { id } = await jobs.add(measure());
    await settled();
    jobs.cancel(id);
    await settled();
    await settled();
    expect(started[0]!.nKills).toBe(1);
    expect(jobs.get(id)).toMatchObject({
      state: "cancelled",
      error: expect.stringContaining("SIGKILL"),
    });
  });

  test("resumes what did not succeed with the same command, and nothing else", async () => {
    const jobs = createJobs();
    const { id } = await jobs.add(measure());
    await settled();
    expect(() => jobs.resume(id)).toThrow(ConflictError);
    started[0]!.sinks.stderr("error[storage]: no space left on the device\n  free some space\n");
    started[0]!.end({ exitCode: 1, signal: null });
    await settled();
    expect(jobs.get(id)).toMatchObject({
      state: "failed",
      exitCode: 1,
      error: "error[storage]: no space left on the device\n  free some space",
    });
    jobs.resume(id);
    await settled();
    expect(started[1]!.args).toEqual(started[0]!.args);
    started[1]!.end({ exitCode: 0, signal: null });
    await settled();
    expect(jobs.get(id)).toMatchObject({ state: "succeeded", nAttempts: 2, error: null });
    expect(() => jobs.resume(id)).toThrow(ConflictError);
  });

  test("goes on with an onboarding that had begun", async () => {
    const jobs = createJobs();
    const { id } = await jobs.add({ kind: "onboard", platform, samples: 10 });
    await settled();
    const folder = started[0]!.args.find((arg) => arg.startsWith("--folder="))!.slice(9);
    expect(folder.startsWith(join(home, "onboard"))).toBe(true);
    started[0]!.end({ exitCode: 130, signal: null });
    await settled();
    expect(jobs.get(id).state).toBe("interrupted");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "onboarding.json"), "{}");
    jobs.resume(id);
    await settled();
    expect(started[1]!.args).toEqual(["onboard", `--resume=${folder}`, "--json"]);
  });

  test("a proposal is asked for once: measuring changes what would be proposed", async () => {
    const jobs = createJobs();
    const { id } = await jobs.add({ kind: "measure", platform, next: 2 });
    await settled();
    expect(started[0]!.args).toContain("--dry-run");
    started[0]!.sinks.stdout(
      JSON.stringify({
        context: { pool: join(home, "pool") },
        results: [{ id: "nasbench201/7" }, { id: "nasbench201/9" }],
      }),
    );
    started[0]!.end({ exitCode: 0, signal: null });
    await settled();
    const measuring = started[1]!.args;
    expect(measuring).toContain("--arch=nasbench201/7");
    started[1]!.end({ exitCode: 130, signal: null });
    await settled();
    jobs.resume(id);
    await settled();
    expect(started[2]!.args).toEqual(measuring);
  });
});

describe("what is kept", () => {
  test("outlives the service: what ran is interrupted, what waited waits on", async () => {
    const before = createJobs();
    const running = await before.add(measure());
    const waiting = await before.add(measure());
    await settled();
    // As after a kill: the lock's holder is gone, the records say what they said.
    rmSync(join(home, "jobs", ".lock"));
    const after = createJobs();
    expect(after.get(running.id)).toMatchObject({
      state: "interrupted",
      error: "the service ended while it ran",
    });
    expect(after.get(waiting.id).state).toBe("running");
    expect(states(after)).toHaveLength(2);
  });

  test("belongs to one service at a time", () => {
    createJobs();
    expect(() => createJobs()).toThrow(BusyError);
  });

  test("a record that is damaged costs itself only", async () => {
    const first = createJobs();
    const { id } = await first.add(measure());
    await settled();
    started[0]!.end({ exitCode: 0, signal: null });
    await settled();
    await first.close(1);
    writeFileSync(join(home, "jobs", id, "job.json"), "{");
    const second = createJobs();
    expect(second.list(10)).toEqual([]);
    expect((await second.add(measure())).state).not.toBe("failed");
  });

  test("is deleted when asked for, once it has ended", async () => {
    const jobs = createJobs();
    const { id } = await jobs.add(measure());
    await settled();
    expect(() => jobs.remove(id)).toThrow(ConflictError);
    started[0]!.end({ exitCode: 0, signal: null });
    await settled();
    jobs.remove(id);
    expect(existsSync(join(home, "jobs", id))).toBe(false);
    expect(() => jobs.get(id)).toThrow(NotFoundError);
  });
});

describe("events", () => {
  test("are replayed from any of them, and end with the job", async () => {
    const jobs = createJobs();
    const { id } = await jobs.add(measure());
    await settled();
    const { sinks, end } = started[0]!;
    sinks.stderr('{"type":"note","text":"one"}\n{"type":"progress","text":"1/2"}\n{"type":"no');
    sinks.stderr('te","text":"two"}\n');
    expect(await eventsOf(jobs, id)).toMatchObject([
      { type: "state", state: "queued" },
      { type: "state", state: "running" },
      { type: "note", text: "one" },
      { type: "note", text: "two" },
      { type: "progress", text: "1/2" },
    ]);
    end({ exitCode: 0, signal: null });
    await settled();
    expect(await eventsOf(jobs, id, 3)).toMatchObject([
      { type: "note", text: "two" },
      { type: "state", state: "succeeded" },
    ]);
    expect(jobs.follow(id, 5)).toBeUndefined();
    expect(jobs.nFollowers).toBe(0);
  });
});
