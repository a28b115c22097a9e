// `samara serve` as its users meet it: a process of its own, asked over sockets, on the shipped pool.
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { z } from "zod";
import { envelopeOf } from "../src/server/api/envelope.js";
import {
  accuracyTableSchema,
  descriptorDocumentSchema,
  evaluationSchema,
  learningCurveSchema,
  measurementRowSchema,
  modelPredictionsSchema,
  netronAttachmentSchema,
  networkColumnsSchema,
  networkDetailSchema,
  nextSchema,
  platformDetailSchema,
  platformSummarySchema,
  predictionSchema,
  predictorSummarySchema,
  problemSchema,
  searchResponseSchema,
} from "../src/server/api/schemas.js";
import { startService } from "../src/server/service.js";
import { shippedPool } from "../src/store/paths.js";
import { Pool } from "../src/store/pool.js";
import { type Running, samaraJson, serve, startSamara, Workplace } from "./command-line.js";

const id = new Pool(shippedPool)
  .platforms()
  .find((one) => one.id.endsWith("f26m2-2c.ort1.30-cpu-all-t1.fp32"))!.id;
const fbnet = "7818488874147327324245";

let workplace: Workplace;
let running: Running;
let url: string;

beforeAll(async () => {
  workplace = new Workplace();
  ({ running, url } = await serve());
});
afterAll(async () => {
  running.child.kill("SIGKILL");
  await running.ended;
  workplace.remove();
});

const api = (path: string) => new URL(`api/v1${path}`, url);
const ask = (path: string, init?: RequestInit) => fetch(api(path), init);
const post = (type: string, body: NonNullable<RequestInit["body"]>): RequestInit => ({
  ...{ method: "POST", body },
  headers: { "content-type": type },
});
const json = (value: unknown) => post("application/json", JSON.stringify(value));
const csv = (body: string): RequestInit => ({ ...post("text/csv", body), method: "PUT" });

async function problem(response: Response) {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const document = problemSchema.parse(await response.json());
  expect(document.status).toBe(response.status);
  return document;
}

/** A request by hand, with any headers, in as many chunks as there are. */
function askRaw(
  path: string,
  headers: Readonly<Record<string, string>>,
  chunks: readonly Uint8Array[] = [],
): Promise<{ status: number; text: string }> {
  return new Promise((fulfil, reject) => {
    const method = chunks.length > 0 ? "POST" : "GET";
    const request = httpRequest(api(path), { method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => fulfil({ status: response.statusCode!, text }));
    });
    request.on("error", reject);
    for (const chunk of chunks) request.write(chunk);
    request.end();
  });
}

async function modelBytes(path = "nasbench201/1462"): Promise<ArrayBuffer> {
  return (await ask(`/networks/${path}/model`)).arrayBuffer();
}

describe("every route", () => {
  const octets = async () => post("application/octet-stream", await modelBytes());
  const table = "network,accuracy\n1462,70\n7,60\n";
  type Case = readonly [
    operation: string,
    schema: z.ZodType | null,
    query?: string,
    init?: () => RequestInit | Promise<RequestInit>,
  ];
  const cases: readonly Case[] = [
    ["GET /platforms", envelopeOf(platformSummarySchema)],
    ["GET /platforms/{platform}", envelopeOf(platformDetailSchema)],
    ["GET /platforms/{platform}/descriptor", envelopeOf(descriptorDocumentSchema)],
    ["GET /platforms/{platform}/measurements", envelopeOf(measurementRowSchema), "?split=train"],
    ["GET /predictors", envelopeOf(predictorSummarySchema)],
    ["GET /predictors/{predictor}", envelopeOf(predictorSummarySchema)],
    ["GET /predictors/{predictor}/evaluation", envelopeOf(evaluationSchema)],
    [
      "GET /predictors/{predictor}/learning-curve",
      envelopeOf(learningCurveSchema),
      "?select=designed",
    ],
    ["GET /predictors/{predictor}/next", envelopeOf(nextSchema), "?count=2"],
    ["GET /predictors/{predictor}/networks", envelopeOf(networkColumnsSchema), "?coverage=0.5"],
    ["GET /networks/{space}/{architecture}", envelopeOf(networkDetailSchema)],
    ["GET /networks/{space}/{architecture}/model", null],
    ["GET /networks/{space}/{architecture}/layers", netronAttachmentSchema],
    [
      "POST /predictions",
      envelopeOf(predictionSchema),
      "",
      () => json({ networks: ["1462", `fbnet/${fbnet}`], budgetMs: 1 }),
    ],
    ["POST /models", envelopeOf(modelPredictionsSchema), "?name=mine.onnx", octets],
    ["POST /models/layers", netronAttachmentSchema, "", octets],
    ["POST /search", envelopeOf(searchResponseSchema), "", () => json({ budgetMs: 0.5 })],
    ["PUT /accuracies/{name}", envelopeOf(accuracyTableSchema), "", () => csv(table)],
    ["GET /accuracies", envelopeOf(accuracyTableSchema)],
    ["DELETE /accuracies/{name}", null, "", () => ({ method: "DELETE" })],
  ];
  const values: Readonly<Record<string, string>> = {
    ...{ platform: id, predictor: id, name: "table" },
    ...{ space: "nasbench201", architecture: "1462" },
  };

  test("of /openapi.json is asked below", async () => {
    const document = (await (await fetch(new URL("openapi.json", url))).json()) as {
      paths: Record<string, object>;
    };
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(
        (method) => `${method.toUpperCase()} ${path.replace("/api/v1", "")}`,
      ),
    );
    // Jobs and the machine are asked in jobs.test.ts.
    const others = operations.filter((operation) => !/ \/(jobs|machine)/.test(operation));
    expect(others.sort()).toEqual(cases.map(([operation]) => operation).sort());
  });

  test.each(cases.map((one) => ({ operation: one[0], one })))(
    "$operation answers as its schema says",
    async ({ operation, one }) => {
      const [, schema, query = "", init] = one;
      const path = operation
        .replace(/^\w+ /, "")
        .replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name]!));
      const response = await ask(`${path}${query}`, await init?.());
      const text = await response.text();
      expect(response.ok, text).toBe(true);
      expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
      if (schema === null) return;
      expect(response.headers.get("content-type")).toBe("application/json");
      const document = schema.parse(JSON.parse(text));
      if ("results" in (document as object)) {
        expect((document as { results: unknown[] }).results).not.toEqual([]);
      }
    },
  );

  test("for programs that watch it answers", async () => {
    for (const path of ["healthz", "readyz", "metrics", "", "explore"]) {
      expect((await fetch(new URL(path, url))).status, path).toBe(200);
    }
  });
});

describe("what is wrong with a request", () => {
  const predictions =
    (body: NonNullable<RequestInit["body"]>, type = "application/json") =>
    () =>
      ask("/predictions", post(type, body));
  test.each([
    ["an unknown platform", 404, "not-found", () => ask("/platforms/rpi9")],
    ["an unknown predictor", 404, "not-found", () => ask("/predictors/rpi9/evaluation")],
    ["an unknown space", 400, "input", () => ask("/networks/cifar/1")],
    ["an unknown network", 400, "input", () => ask("/networks/nasbench201/99999")],
    ["an unknown table", 404, "not-found", () => ask("/accuracies/x", { method: "DELETE" })],
    ["an unknown path", 404, "not-found", () => ask("/nothing")],
    ["another method", 405, "method-not-allowed", () => ask("/predictions")],
    ["another media type", 415, "media-type", predictions("{}", "text/plain")],
    ["half a document", 400, "input", predictions('{"networks":')],
    ["bytes that are no text", 400, "input", predictions(new Uint8Array([0xff, 0xfe, 0, 1]))],
    ["another document", 400, "input", predictions("[]")],
    ["no network", 400, "input", predictions('{"networks":[]}')],
    ["a misspelt field", 400, "input", predictions('{"networks":["1"],"budget":1}')],
    ["a coverage of 1", 400, "input", predictions('{"networks":["1"],"coverage":1}')],
    ["a count of 0", 400, "input", () => ask(`/predictors/${id}/next?count=0`)],
    [
      "too many networks",
      400,
      "input",
      predictions(JSON.stringify({ networks: Array(20_001).fill("1") })),
    ],
    ["too large a body", 413, "too-large", predictions(`{"networks":["${"1".repeat(2 ** 21)}"]}`)],
    ["no model", 422, "format", () => ask("/models", post("application/octet-stream", "onnx"))],
    ["a table without a header", 422, "format", () => ask("/accuracies/bad", csv("1,2\n3,4\n"))],
  ] as const)("%s: %i %s", async (_what, status, code, request) => {
    const response = await request();
    const document = await problem(response);
    expect({ status: document.status, code: document.code }).toEqual({ status, code });
    expect(document.detail).not.toMatch(/\n\s+at |node_modules/);
  });

  test("a body whose size is not told is cut off at the limit, too", async () => {
    const mebibyte = new Uint8Array(2 ** 20).fill(0x20);
    const headers = { "content-type": "application/json", "transfer-encoding": "chunked" };
    const { status } = await askRaw("/predictions", headers, [mebibyte, mebibyte, mebibyte]);
    expect(status).toBe(413);
  });

  test("another name or another site", async () => {
    expect((await askRaw("/platforms", { host: "evil.example" })).status).toBe(403);
    expect((await askRaw("/platforms", { origin: "http://evil.example" })).status).toBe(403);
    expect((await askRaw("/platforms", { origin: new URL(url).origin })).status).toBe(200);
  });

  test("a table with wrong lines names each, and nothing is kept", async () => {
    const document = await problem(
      await ask("/accuracies/wrong", csv("network,accuracy\n1,101\n2,50\nzzz,50\n")),
    );
    expect(document.errors!.map(({ detail }) => /line \d+/.exec(detail)?.[0])).toEqual([
      "line 2",
      "line 4",
    ]);
    const { results } = envelopeOf(accuracyTableSchema).parse(
      await (await ask("/accuracies")).json(),
    );
    expect(results).toEqual([]);
  });
});

describe("predictions", () => {
  const ids = ["1462", "7", "15624", `fbnet/${fbnet}`];

  test("are those of the command line and of the columns", async () => {
    const { document } = await samaraJson("predict", ...ids.flatMap((one) => ["--arch", one]));
    const told = envelopeOf(predictionSchema).parse(
      await (await ask("/predictions", json({ networks: ids }))).json(),
    ).results;
    const figures = ({ id, latencyMs, lowerMs, upperMs }: z.infer<typeof predictionSchema>) => ({
      ...{ id, latencyMs, lowerMs, upperMs },
    });
    expect(told.map(figures)).toEqual(document.results.map(figures));
    const platform = document.context.platform ?? document.results[0].platform;
    const response = await ask(`/predictors/${encodeURIComponent(platform)}/networks`);
    const [columns] = envelopeOf(networkColumnsSchema).parse(await response.json()).results;
    for (const { id: name, latencyMs, lowerMs, upperMs } of told.slice(0, 3)) {
      const cell = Number(name.split("/")[1]);
      expect(columns!.latencyMs[cell]! / latencyMs).toBeCloseTo(1, 5);
      expect(columns!.lowerMs[cell]! / lowerMs).toBeCloseTo(1, 5);
      expect(columns!.upperMs[cell]! / upperMs).toBeCloseTo(1, 5);
    }
  });

  test("of 50,000 lines come in order, broken ones answered in their place", async () => {
    const lines = Array.from({ length: 50_000 }, (_, i) =>
      i % 1009 === 5
        ? '{"network":'
        : i % 2 === 0
          ? `"${i % 15_625}"`
          : `{"network":"${i % 15_625}"}`,
    );
    const response = await ask("/predictions", post("application/x-ndjson", lines.join("\n")));
    const answers = (await response.text()).trimEnd().split("\n");
    const wanted = lines.map((line, i) =>
      line === '{"network":' ? `line ${i + 1}: format` : `nasbench201/${i % 15_625}`,
    );
    const got = answers.map((text) => {
      const { id: name, line, error } = JSON.parse(text);
      return error === undefined ? name : `line ${line}: ${error.code}`;
    });
    expect(got).toEqual(wanted);
  });

  test("begin before all lines are sent", async () => {
    let give: (text: string | null) => void = () => {};
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        give = (text) =>
          text === null ? controller.close() : controller.enqueue(new TextEncoder().encode(text));
      },
    });
    give('"1"\n"2"\n');
    const response = await ask("/predictions", {
      ...post("application/x-ndjson", body),
      duplex: "half",
    } as RequestInit);
    const reader = response.body!.getReader();
    const first = await reader.read();
    expect(new TextDecoder().decode(first.value)).toMatch(/^\{"id":"nasbench201\/1"/);
    give(null);
    while (!(await reader.read()).done);
  });
});

async function metric(at: string, name: string): Promise<number> {
  const text = await (await fetch(new URL("metrics", at))).text();
  return Number(new RegExp(`^${name} (\\S+)`, "m").exec(text)![1]);
}

describe("many and bad clients", () => {
  test("2,000 connections that say nothing keep nobody from an answer", async () => {
    const { hostname, port } = new URL(url);
    const sockets: Socket[] = [];
    try {
      for (let i = 0; i < 2000; i++) {
        const socket = connect(Number(port), hostname).on("error", () => {});
        sockets.push(socket);
        await once(socket, "connect");
      }
      const response = await ask("/predictions", json({ networks: ["1462"] }));
      expect(response.status).toBe(200);
      expect(sockets.filter(({ destroyed }) => destroyed)).toEqual([]);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  test("a client that stops reading is cut off, and nothing piles up for it", async () => {
    const idleTimeoutMs = 500;
    const service = await startService({
      ...{ host: "127.0.0.1", port: 0, idleTimeoutMs },
      log: pino({ level: "silent" }),
    });
    try {
      const nLines = 1_000_000;
      const body = Buffer.from('"1462"\n'.repeat(nLines));
      // A turn for the worker to load its predictor, which takes longer than the timeout that is tested.
      for (let isReady = false; !isReady; ) {
        isReady = await fetch(new URL("api/v1/predictions", service.url), json({ networks: ["1"] }))
          .then(({ ok }) => ok)
          .catch(() => false);
      }
      const before = await metric(service.url, "samara_predictions_total");
      const rssBytes = process.memoryUsage().rss;
      const socket = connect(service.port, "127.0.0.1").pause();
      const failed = new Promise<Error>((fulfil) => socket.once("error", fulfil));
      socket.write(
        `POST /api/v1/predictions HTTP/1.1\r\nhost: 127.0.0.1:${service.port}\r\n` +
          `content-type: application/x-ndjson\r\ncontent-length: ${body.length}\r\n\r\n`,
      );
      // Broken off while it still writes: that is how it gets to know.
      socket.write(body);
      expect(await failed).toMatchObject({ code: expect.stringMatching(/ECONNRESET|EPIPE/) });
      const nPredicted = (await metric(service.url, "samara_predictions_total")) - before;
      expect(nPredicted).toBeGreaterThan(0);
      expect(nPredicted).toBeLessThan(nLines / 2);
      expect(process.memoryUsage().rss - rssBytes).toBeLessThan(150 * 2 ** 20);
    } finally {
      await service.stop();
    }
  });
});

describe("who may ask", () => {
  test("beyond this machine it needs a token", async () => {
    const { ended } = startSamara(["serve", "--host", "0.0.0.0", "--port", "0"], {
      env: { SAMARA_TOKEN: "" },
    });
    const { code, stderr } = await ended;
    expect(code).toBe(2);
    expect(stderr).toContain("token");
  });

  test("a short token is none", async () => {
    const file = workplace.file("short", "secret\n");
    const { ended } = startSamara(["serve", "--port", "0", "--token-file", file]);
    expect(await ended).toMatchObject({ code: 2, stderr: expect.stringContaining("16") });
  });

  test("with a token, only who sends it; and it stops when told", async () => {
    const token = "0123456789abcdef-token";
    const guarded = await serve(
      ...["--host", "0.0.0.0", "--token-file", workplace.file("token", `${token}\n`)],
    );
    const status = async (path: string, authorization?: string) => {
      const headers: Record<string, string> = authorization ? { authorization } : {};
      return (await fetch(new URL(path, guarded.url), { headers })).status;
    };
    expect(await status("api/v1/accuracies")).toBe(401);
    expect(await status("api/v1/accuracies", `Bearer ${token}x`)).toBe(401);
    expect(await status("openapi.json")).toBe(401);
    expect(await status("healthz")).toBe(200);
    expect(await status("api/v1/accuracies", `Bearer ${token}`)).toBe(200);
    guarded.running.child.kill("SIGINT");
    const { code, stdout, stderr } = await guarded.running.ended;
    expect({ code, isTokenTold: `${stdout}${stderr}`.includes(token) }).toEqual({
      ...{ code: 0, isTokenTold: false },
    });
  });
});

test("SIGINT lets an answer be finished, then ends it with 0", async () => {
  const own = await serve();
  const answer = fetch(new URL("api/v1/search", own.url), json({ budgetMs: 0.5 }));
  // Sent before the signal, or there would be nothing to finish.
  while ((await metric(own.url, "samara_http_requests_in_flight")) < 2);
  own.running.child.kill("SIGINT");
  const response = await answer;
  expect(response.status).toBe(200);
  envelopeOf(searchResponseSchema).parse(await response.json());
  expect((await own.running.ended).code).toBe(0);
  await expect(fetch(own.url)).rejects.toThrow();
});

test("two services cannot listen on the same port", async () => {
  const { ended } = startSamara(["serve", "--port", new URL(url).port]);
  expect(await ended).toMatchObject({ code: 2, stderr: expect.stringContaining("--port 0") });
});
