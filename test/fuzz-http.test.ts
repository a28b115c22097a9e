// Requests from nobody's friend: whatever the bytes, the service answers with what is wrong, never with a fault of its own,
// and lives on.
//
// SAMARA_FUZZ_SEED repeats a run (its seed is printed); SAMARA_FUZZ_S sets how long it looks, 5 s by default.
import fc from "fast-check";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { problemSchema } from "../src/server/api/schemas.js";
import { type RunningService, startService } from "../src/server/service.js";
import { Workplace } from "./command-line.js";

const seed = Number(process.env.SAMARA_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
const totalMs = 1000 * Number(process.env.SAMARA_FUZZ_S ?? 5);

let workplace: Workplace;
let service: RunningService;
let model: Uint8Array;

const ask = (path: string, init?: RequestInit) =>
  fetch(new URL(`api/v1${path}`, service.url), init);
const predictOne = () =>
  ask("/predictions", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"networks":["1462"]}',
  });

beforeAll(async () => {
  workplace = new Workplace();
  service = await startService({ host: "127.0.0.1", port: 0, log: pino({ level: "silent" }) });
  model = new Uint8Array(await (await ask("/networks/nasbench201/0/model")).arrayBuffer());
  expect((await predictOne()).status).toBe(200);
  // Every thread of it has begun: the time that follows is for what is sent.
  const octets = { "content-type": "application/octet-stream" };
  const known = await ask("/models?name=known.onnx", {
    ...{ method: "POST", headers: octets },
    body: new Blob([model as Uint8Array<ArrayBuffer>]),
  });
  expect(known.status).toBe(200);
  // Searches are fast in a small table: without one each takes a second.
  const table = { method: "PUT", headers: { "content-type": "text/csv" } };
  const { status } = await ask("/accuracies/small", { ...table, body: "network,accuracy\n1,2\n" });
  expect(status).toBe(200);
});
afterAll(async () => {
  await service.stop();
  workplace.remove();
});

const text = (value: string) => new TextEncoder().encode(value);
const nasty = fc.constantFrom<unknown>(
  ...[null, true, -1, 0, 1e-300, 1e308, 2 ** 53, "", "\0", "__proto__", "../..", "pool"],
  ...["fbnet/", "nasbench201/-1", "nasbench201/1e3", "ofa/x", "random", "a".repeat(500), [], {}],
);
const bytes = fc.uint8Array({ maxLength: 300 });
const anyJson = fc.json({ maxDepth: 3 }).map(text);

/** A document with one of its fields given another value, or one that it must not have. */
const changedFields = (valid: Readonly<Record<string, unknown>>) =>
  fc
    .tuple(fc.constantFrom(...Object.keys(valid), "more"), fc.oneof(nasty, fc.jsonValue()))
    .map(([key, value]) => text(JSON.stringify({ ...valid, [key]: value })));
/** Bytes, some of which are others. */
const changedBytes = (valid: () => Uint8Array) =>
  fc
    .tuple(
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      fc.nat(),
    )
    .map(([changes, isCut, at]) => {
      const changed = valid().slice();
      for (const [place, value] of changes) changed[place % changed.length] = value;
      return isCut ? changed.slice(0, at % changed.length) : changed;
    });

const prediction = {
  networks: ["1462", "fbnet/7818488874147327324245"],
  confidence: 0.9,
  budgetMs: 1,
};
const search = { budgetMs: 1, confidence: 0.9, accuracy: "small", seed: 1 };
const table = text(
  "network,accuracy\n1462,70\n7,60\n|none~0|+|none~0|none~1|+|none~0|none~1|none~2|,5\n",
);
const lines = text('"1462"\n{"network":"7"}\n17\n');

const cases = [
  {
    what: "POST /predictions",
    type: "application/json",
    body: fc.oneof(
      bytes,
      anyJson,
      changedFields(prediction),
      changedBytes(() => text(JSON.stringify(prediction))),
    ),
  },
  {
    what: "POST /predictions?confidence=0.8&budgetMs=1",
    type: "application/x-ndjson",
    body: fc.oneof(
      bytes,
      anyJson,
      changedBytes(() => lines),
    ),
  },
  {
    what: "POST /search",
    type: "application/json",
    body: fc.oneof(
      bytes,
      anyJson,
      changedFields(search),
      changedBytes(() => text(JSON.stringify(search))),
    ),
  },
  {
    what: "POST /models",
    type: "application/octet-stream",
    body: fc.oneof(
      bytes,
      changedBytes(() => model),
    ),
  },
  {
    what: "PUT /accuracies/fuzzed",
    type: "text/csv",
    body: fc.oneof(
      bytes,
      anyJson,
      changedBytes(() => table),
    ),
  },
];

describe(`the service on broken bodies (seed ${seed})`, () => {
  test.each(cases)("$what never fails by itself", async ({ what, type, body }) => {
    const [method, path] = what.split(" ") as [string, string];
    let nAsked = 0;
    await fc.assert(
      fc.asyncProperty(body, async (sent) => {
        const response = await ask(path, { method, headers: { "content-type": type }, body: sent });
        const answer = await response.text();
        nAsked += 1;
        expect(response.status, answer).toBeLessThan(500);
        expect(answer).not.toContain('"internal"');
        if (!response.ok) problemSchema.parse(JSON.parse(answer));
      }),
      { seed, numRuns: 1_000_000, interruptAfterTimeLimit: totalMs / cases.length },
    );
    expect(nAsked).toBeGreaterThan(0);
    expect((await predictOne()).status).toBe(200);
  });
});
