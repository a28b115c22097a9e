// Jobs of a real service with real commands on the runtime of tests: watched, stopped, killed, gone on with.
// Needs the build.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { envelopeOf } from "../src/server/api/envelope.js";
import {
  type Job,
  type JobEvent,
  type JobRequest,
  jobEventSchema,
  jobSchema,
  machineSchema,
  problemSchema,
} from "../src/server/api/schemas.js";
import { Pool } from "../src/store/pool.js";
import { type Running, serve, Workplace } from "./command-line.js";

const timeout = 120_000;
let place: Workplace;
let running: Running;
let url: string;

beforeEach(async () => {
  place = new Workplace();
  ({ running, url } = await serve());
});
afterEach(async () => {
  running.child.kill("SIGKILL");
  await running.ended;
  place.remove();
});

const ask = (path: string, init?: RequestInit) => fetch(new URL(`api/v1${path}`, url), init);
const post = (path: string, value: unknown = {}) =>
  ask(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(value),
  });

async function jobOf(response: Response): Promise<Job> {
  const body = await response.json();
  expect(response.status, JSON.stringify(body)).toBeLessThan(300);
  return envelopeOf(jobSchema).parse(body).results[0]!;
}

const getJob = async (id: string) => jobOf(await ask(`/jobs/${id}`));
const start = async (request: JobRequest) => jobOf(await post("/jobs", request));

interface Received {
  readonly id: number | null;
  readonly event: JobEvent;
}

/** Read a job's events until they end, or until one of them is what is waited for. */
async function follow(
  id: string,
  { after, until }: { after?: number; until?: (event: JobEvent) => boolean } = {},
): Promise<Received[]> {
  const headers = after === undefined ? {} : { "last-event-id": String(after) };
  const response = await ask(`/jobs/${id}/events`, { headers });
  if (response.status === 204) return [];
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const received: Received[] = [];
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (text + chunk).split("\n\n");
    text = blocks.pop()!;
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data === undefined) continue;
      const number = /^id: (\d+)$/m.exec(block)?.[1];
      const event = jobEventSchema.parse(JSON.parse(data));
      received.push({ id: number === undefined ? null : Number(number), event });
      if (until?.(event)) return received;
    }
  }
  return received;
}

const isState = (state: Job["state"]) => (event: JobEvent) =>
  event.type === "state" && event.state === state;
const isFinal = (event: JobEvent) =>
  event.type === "state" && event.state !== "queued" && event.state !== "running";

const pool = () => new Pool(join(place.home, "pool"));
const linesOf = ({ log }: Pool) =>
  existsSync(log.path) ? readFileSync(log.path, "utf8").split("\n").filter(Boolean) : [];

async function waitForLines(count: number): Promise<void> {
  while (linesOf(pool()).length < count) await sleep(10);
}

const request: JobRequest = { kind: "measure", platform: "fake1-t1", samples: 8, seed: 3 };

describe("jobs", { timeout }, () => {
  test("are asked for, watched and deleted; every route of theirs", async () => {
    const document = (await (await fetch(new URL("openapi.json", url))).json()) as {
      paths: Record<string, object>;
    };
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path.replace("/api/v1", "")}`),
    );
    expect(operations.filter((one) => / \/(jobs|machine)/.test(one)).sort()).toEqual([
      "delete /jobs/{id}",
      "get /jobs",
      "get /jobs/{id}",
      "get /jobs/{id}/events",
      "get /jobs/{id}/report",
      "get /machine",
      "post /jobs",
      "post /jobs/{id}/cancel",
      "post /jobs/{id}/resume",
    ]);
    const machine = envelopeOf(machineSchema).parse(await (await ask("/machine")).json());
    expect(machine.results[0]!.available.map(({ id }) => id).join()).toContain("fake1-t1");
    const { id } = await start({ ...request, samples: 2 });
    const events = await follow(id);
    expect(events.map(({ id: number }) => number).filter(Boolean)).toEqual(
      Array.from({ length: events.filter((one) => one.id !== null).length }, (_, i) => i + 1),
    );
    expect(events.at(-1)!.event).toMatchObject({ type: "state", state: "succeeded" });
    expect(await follow(id, { after: 1 })).toEqual(
      events.filter((one) => one.id !== null && one.id > 1),
    );
    const job = await getJob(id);
    expect(job).toMatchObject({ state: "succeeded", exitCode: 0, nAttempts: 1 });
    expect(job.results).toHaveLength(2);
    const list = envelopeOf(jobSchema).parse(await (await ask("/jobs")).json());
    expect(list.results.map((one) => one.id)).toEqual([id]);
    const report = await ask(`/jobs/${id}/report`);
    expect(problemSchema.parse(await report.json())).toMatchObject({ status: 404 });
    expect((await post(`/jobs/${id}/resume`)).status).toBe(409);
    expect((await ask(`/jobs/${id}`, { method: "DELETE" })).status).toBe(204);
    expect((await ask(`/jobs/${id}`)).status).toBe(404);
  });

  test("are cancelled with what they have measured, and go on from there", async () => {
    const { id } = await start(request);
    await waitForLines(3);
    await post(`/jobs/${id}/cancel`);
    await follow(id, { until: isFinal });
    expect(await getJob(id)).toMatchObject({ state: "cancelled", exitCode: 130 });
    const before = linesOf(pool());
    expect(before.length).toBeGreaterThanOrEqual(3);
    await post(`/jobs/${id}/resume`);
    await follow(id, { until: isState("succeeded") });
    const after = linesOf(pool());
    expect(after.slice(0, before.length)).toEqual(before);
    const keys = pool()
      .runs()
      .lines.map((line) => `${line.processId} ${line.subjectId}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect((await getJob(id)).results).toHaveLength(8);
  });

  test("lose nothing when the service is killed, and leave nothing running", async () => {
    const { id } = await start(request);
    await waitForLines(3);
    const holder = JSON.parse(readFileSync(join(place.home, "pool", ".lock"), "utf8")).pid;
    running.child.kill("SIGKILL");
    await running.ended;
    const isAlive = () => {
      try {
        process.kill(holder, 0);
        return true;
      } catch {
        return false;
      }
    };
    while (isAlive()) await sleep(20);
    const before = linesOf(pool());
    await sleep(300);
    expect(linesOf(pool())).toEqual(before);

    ({ running, url } = await serve());
    expect(await getJob(id)).toMatchObject({
      state: "interrupted",
      error: "the service ended while it ran",
    });
    await post(`/jobs/${id}/resume`);
    await follow(id, { until: isState("succeeded") });
    expect(linesOf(pool()).slice(0, before.length)).toEqual(before);
    expect((await getJob(id)).nAttempts).toBe(2);
  });

  test("are interrupted when the service stops, which waits for them to save", async () => {
    const { id } = await start(request);
    await waitForLines(2);
    running.child.kill("SIGINT");
    expect((await running.ended).code).toBe(0);
    ({ running, url } = await serve());
    expect(await getJob(id)).toMatchObject({ state: "interrupted" });
  });

  test("that cannot be done are refused, with all that is wrong", async () => {
    const refused = async (value: unknown, type = "application/json") => {
      const response = await ask("/jobs", {
        method: "POST",
        headers: { "content-type": type },
        body: JSON.stringify(value),
      });
      return problemSchema.parse(await response.json());
    };
    expect(await refused({ ...request, platform: "rpi9" })).toMatchObject({ status: 404 });
    expect(await refused({ kind: "format-disk" })).toMatchObject({ status: 400 });
    expect(await refused({ ...request, samples: 0, seed: -1 })).toMatchObject({ status: 400 });
    expect(await refused(request, "text/plain")).toMatchObject({ status: 415 });
    const plan = "pool: ../elsewhere\nplatforms: [fake1-t1]\ntrain: 2\ntest: 1\n";
    expect(await refused({ kind: "campaign", plan })).toMatchObject({ status: 400 });
    expect((await ask("/jobs/nothing/events")).status).toBe(404);
  });
});
