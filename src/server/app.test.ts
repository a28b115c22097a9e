// The service in this process, its workers from the build, on the shipped pool.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { z } from "zod";
import { shippedPool } from "../store/paths.js";
import { Pool } from "../store/pool.js";
import { envelopeOf } from "./api/envelope.js";
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
} from "./api/schemas.js";
import { createApp } from "./app.js";
import { Kernel } from "./kernel/kernel.js";

const host = "127.0.0.1";
const platforms = new Pool(shippedPool).platforms();
const id = platforms.find((one) => one.id.endsWith("f26m2-2c.ort1.30-cpu-all-t1.fp32"))!.id;
let home: string;
let kernel: Kernel;
let app: ReturnType<typeof createApp>;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "samara-app-"));
  vi.stubEnv("SAMARA_HOME", home);
  kernel = new Kernel({ accuracies: [] });
  app = createApp({
    kernel,
    log: pino({ level: "silent" }),
    security: { host, token: undefined, allowedHosts: [] },
  });
});
afterAll(async () => {
  await kernel.close();
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

const ask = (path: string, init: RequestInit = {}, to = app) =>
  to.request(`http://${host}${path}`, { ...init, headers: { host, ...init.headers } });

async function results<S extends z.ZodType>(
  schema: S,
  path: string,
  init?: RequestInit,
): Promise<z.infer<S>[]> {
  const response = await ask(`/api/v1${path}`, init);
  const body = await response.json();
  expect(body).toMatchObject({ schema: expect.stringMatching(/^samara\/[a-z-]+\/1$/) });
  expect(response.status).toBe(200);
  return envelopeOf(schema).parse(body).results;
}

async function problem(path: string, init?: RequestInit) {
  const response = await ask(path, init);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const body = problemSchema.parse(await response.json());
  expect(body.status).toBe(response.status);
  return body;
}

const json = (value: unknown): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(value),
});
const octets = (body: string | ArrayBuffer): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/octet-stream" },
  body,
});

describe("platforms", () => {
  test("are those of the shipped pool", async () => {
    const all = await results(platformSummarySchema, "/platforms");
    expect(all.map(({ platform }) => platform.id).sort()).toEqual(
      platforms.map((one) => one.id).sort(),
    );
  });

  test("have details, a descriptor and measurements", async () => {
    const [detail] = await results(platformDetailSchema, `/platforms/${id}`);
    expect(detail!.platform.id).toBe(id);
    expect(detail!.nTest).toBe(100);
    const [descriptor] = await results(descriptorDocumentSchema, `/platforms/${id}/descriptor`);
    expect(descriptor!.rows).toHaveLength(detail!.nOperators);
    const rows = await results(measurementRowSchema, `/platforms/${id}/measurements?split=test`);
    expect(rows.every(({ split }) => split === "test")).toBe(true);
    expect(rows.length).toBeGreaterThanOrEqual(100);
  });

  test("that do not exist are a problem that names those that do", async () => {
    const { status, code, hint } = await problem("/api/v1/platforms/rpi9");
    expect({ status, code }).toEqual({ status: 404, code: "not-found" });
    expect(hint).toContain(id);
  });
});

describe("predictors", () => {
  test("are one a platform and the general one", async () => {
    const all = await results(predictorSummarySchema, "/predictors");
    expect(all.map((one) => one.id)).toContain("pool");
    expect(all).toHaveLength(platforms.length + 1);
    const [one] = await results(predictorSummarySchema, `/predictors/${id}`);
    expect(all).toContainEqual(one);
  });

  test("are held against the measurements of test networks", async () => {
    const [evaluation] = await results(evaluationSchema, `/predictors/${id}/evaluation`);
    expect(evaluation!.networks).toHaveLength(evaluation!.scores.nTest);
    const within = evaluation!.networks.filter(
      ({ predictedMs, measuredMs }) => Math.abs(predictedMs - measuredMs) <= 0.1 * measuredMs,
    );
    expect(within.length / evaluation!.scores.nTest).toBeCloseTo(
      evaluation!.scores.withinTenPercent,
      10,
    );
  });

  test("have a learning curve of a predictor that has not seen the family", async () => {
    const [curve] = await results(learningCurveSchema, `/predictors/${id}/learning-curve`);
    expect(curve!.heldOutFamilies).toEqual(["onnxruntime"]);
    const shares = curve!.points.map(({ withinTenPercent }) => withinTenPercent);
    expect(curve!.points.map(({ samples }) => samples)).toEqual([5, 10, 20, 50, 100]);
    expect(shares.at(-1)!).toBeGreaterThan(shares[0]!);
  });

  test("say what to measure next: nothing that is measured already", async () => {
    const measured = await results(measurementRowSchema, `/platforms/${id}/measurements`);
    const [next] = await results(nextSchema, `/predictors/${id}/next?count=4`);
    expect(next!.networks).toHaveLength(4);
    const known = new Set(measured.map((row) => row.id));
    expect(next!.networks.filter((network) => known.has(network.id))).toEqual([]);
  });
});

describe("networks and predictions", () => {
  test("agree wherever they are asked for", async () => {
    const [columns] = await results(networkColumnsSchema, `/predictors/${id}/networks`);
    const predictions = await results(
      predictionSchema,
      "/predictions",
      json({ predictor: id, networks: ["1462", "fbnet/7818488874147327324245", "7"] }),
    );
    const [detail] = await results(
      networkDetailSchema,
      `/networks/nasbench201/1462?predictor=${id}`,
    );
    expect(predictions.map((one) => one.id)).toEqual([
      "nasbench201/1462",
      "fbnet/7818488874147327324245",
      "nasbench201/7",
    ]);
    expect(columns!.latencyMs[1462]).toBeCloseTo(predictions[0]!.latencyMs, 4);
    expect(detail!.latencyMs).toBeCloseTo(predictions[0]!.latencyMs, 10);
    expect(predictions[1]!.withinKnownRange).toBe(false);
    expect(detail!.neighbours).toHaveLength(24);
    const neighbour = detail!.neighbours[5]!;
    const index = Number(neighbour.id.split("/")[1]);
    expect(columns!.latencyMs[index]).toBeCloseTo(neighbour.latencyMs, 4);
    const shares = detail!.operators.map(({ share }) => share ?? 0);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(1 + 1e-9);
    expect(Math.max(...shares)).toBeGreaterThan(0.02);
  });

  test("hold a budget against the one-sided bound", async () => {
    const [wide] = await results(predictionSchema, "/predictions", json({ networks: ["1462"] }));
    const budgets = [wide!.lowerMs / 2, wide!.latencyMs, wide!.upperMs * 2];
    const verdicts = [];
    for (const budgetMs of budgets) {
      const request = json({ networks: ["1462"], budgetMs, confidence: 0.95 });
      const [one] = await results(predictionSchema, "/predictions", request);
      verdicts.push(one!.verdict);
    }
    expect(verdicts).toEqual(["no", "undecided", "yes"]);
  });

  test("name all networks that are none", async () => {
    const { status, errors } = await problem(
      "/api/v1/predictions",
      json({ networks: ["99999", "1462", "fbnet/1"] }),
    );
    expect(status).toBe(400);
    expect(errors).toHaveLength(2);
  });

  test("come as lines for lines; a wrong line is answered in its place", async () => {
    const lines = ['"1462"', "nonsense", '{"network":"7"}', "", '{"network":"99999"}'];
    const response = await ask(`/api/v1/predictions?predictor=${id}`, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: lines.join("\n"),
    });
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    const answers = (await response.text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(answers).toMatchObject([
      { id: "nasbench201/1462" },
      { line: 2, error: { code: "format" } },
      { id: "nasbench201/7" },
      { line: 4, error: { code: "input" } },
    ]);
  });

  test("say of which platform they are, and warn where nobody named one", async () => {
    const document = async (request: object) =>
      (await ask("/api/v1/predictions", json(request))).json();
    expect(await document({ networks: ["7"], predictor: id })).toMatchObject({
      context: { platform: id },
      warnings: [],
    });
    const [standard] = (await results(predictorSummarySchema, "/predictors")).filter(
      ({ isDefault }) => isDefault,
    );
    expect(await document({ networks: ["7"] })).toMatchObject({
      context: { platform: standard!.id },
      warnings: [{ code: "shipped-predictor", message: expect.stringContaining(standard!.id) }],
    });
  });

  test("refuse a coverage beside a budget", async () => {
    const request = { networks: ["7"], budgetMs: 1, coverage: 0.9 };
    const { status, detail } = await problem("/api/v1/predictions", json(request));
    expect(status).toBe(400);
    expect(detail).toBe("coverage and budgetMs exclude each other");
  });

  test("answer a line that is too long in its place, however it comes", async () => {
    const lines = `"7"\n${"a".repeat(9000)}\n"8"\n`;
    for (const cuts of [[], [4], [1000, 6000]]) {
      const parts = [0, ...cuts].map((from, i) => lines.slice(from, cuts[i] ?? lines.length));
      const response = await ask(`/api/v1/predictions?predictor=${id}`, {
        method: "POST",
        headers: { "content-type": "application/x-ndjson" },
        body: ReadableStream.from(parts.map((part) => new TextEncoder().encode(part))),
        duplex: "half",
      } as RequestInit);
      const answers = (await response.text()).trim().split("\n");
      expect(answers.map((line) => JSON.parse(line))).toMatchObject([
        { id: "nasbench201/7" },
        { line: 2, error: { detail: "a line may have 4096 characters, this one has more" } },
        { id: "nasbench201/8" },
      ]);
    }
  });

  test("refuse an unknown predictor before the answer begins", async () => {
    const headers = { "content-type": "application/x-ndjson" };
    const unknown = await ask("/api/v1/predictions?predictor=rpi9", {
      ...{ method: "POST", headers },
      body: '"1"',
    });
    expect(unknown.status).toBe(404);
  });
});

describe("models", () => {
  test("are predicted on every platform, and have latencies of layers", async () => {
    const response = await ask("/api/v1/networks/nasbench201/1462/model");
    const bytes = await response.arrayBuffer();
    const path = "/models?name=mine.onnx";
    const [model] = await results(modelPredictionsSchema, path, octets(bytes));
    expect(model!.results).toHaveLength(platforms.length);
    expect(model!.results.every(({ withinKnownRange }) => withinKnownRange)).toBe(true);
    expect(model!.unknownOperators).toEqual([]);
    const [own] = await results(
      predictionSchema,
      "/predictions",
      json({ predictor: id, networks: ["1462"] }),
    );
    const here = model!.results.find(({ platform }) => platform === id)!;
    expect(here.latencyMs).toBeCloseTo(own!.latencyMs, 6);
    const layers = await ask(`/api/v1/models/layers?predictor=${id}`, octets(bytes));
    const { metrics } = netronAttachmentSchema.parse(await layers.json());
    expect(metrics.filter(({ kind }) => kind === "node").length).toBeGreaterThan(100);
  });

  test("outside the known range: operators and shapes are named", async () => {
    const response = await ask("/api/v1/networks/fbnet/7818488874147327324245/model");
    const [model] = await results(
      modelPredictionsSchema,
      "/models",
      octets(await response.arrayBuffer()),
    );
    expect(model!.results.some(({ withinKnownRange }) => withinKnownRange)).toBe(false);
    expect(model!.unknownOperators.map(({ key }) => key)).toContain("Conv 1x1/1 16x32x32>96x32x32");
  });

  test("that are none are refused with what is wrong", async () => {
    const zip = await problem("/api/v1/models", octets("PK\u0003\u0004 and so on"));
    expect(zip).toMatchObject({ status: 422, code: "format" });
    expect(zip.detail).toMatch(/zip/i);
    expect(await problem("/api/v1/models", octets(""))).toMatchObject({ status: 400 });
    expect(await problem("/api/v1/models", json({}))).toMatchObject({
      status: 415,
      code: "media-type",
    });
    const zipped = octets("x");
    zipped.headers = { ...zipped.headers, "content-encoding": "gzip" };
    expect(await problem("/api/v1/models", zipped)).toMatchObject({ status: 415 });
    const large = octets("x");
    large.headers = { ...large.headers, "content-length": String(2 ** 27) };
    expect(await problem("/api/v1/models", large)).toMatchObject({
      status: 413,
      code: "too-large",
    });
  });
});

describe("accuracies and search", () => {
  const put = (name: string, body: string) => ({
    path: `/accuracies/${name}`,
    init: { method: "PUT", headers: { "content-type": "text/csv" }, body },
  });

  test("of several columns one is kept, when it is named", async () => {
    const text = "network,cifar10_acc,cifar100_acc\n1462,90,70\n7,80,60\n";
    const { path, init } = put("several", text);
    expect((await problem(`/api/v1${path}`, init)).detail).toContain("several columns");
    const [kept] = await results(accuracyTableSchema, `${path}?column=cifar100_acc`, init);
    expect(kept).toMatchObject({ name: "several", column: "cifar100_acc", nNetworks: 2 });
    const request = json({ predictor: id, budgetMs: 1000, accuracy: "several" });
    const [found] = await results(searchResponseSchema, "/search", request);
    expect(found!.winner).toMatchObject({ id: "nasbench201/1462", merit: 70 });
    expect((await ask(`/api/v1${path}`, { method: "DELETE" })).status).toBe(204);
  });

  test("a table is kept, searched by, and taken away", async () => {
    const { path, init } = put("mine", "network,accuracy\n1462,70\n7,60\n9410,65\n");
    const [table] = await results(accuracyTableSchema, path, init);
    expect(table).toMatchObject({ name: "mine", nNetworks: 3, unit: "%", isFixed: false });
    const [answer] = await results(
      searchResponseSchema,
      "/search",
      json({ predictor: id, budgetMs: 1000, accuracy: "mine" }),
    );
    expect(answer!.winner).toMatchObject({ id: "nasbench201/1462", merit: 70 });
    expect(answer!.nEvaluated).toBe(3);
    const tight = json({ predictor: id, budgetMs: 1e-6, accuracy: "mine" });
    const [none] = await results(searchResponseSchema, "/search", tight);
    expect(none!.winner).toBeNull();
    expect((await ask("/api/v1/accuracies/mine", { method: "DELETE" })).status).toBe(204);
    expect(await results(accuracyTableSchema, "/accuracies")).toEqual([]);
  });

  test("a table with wrong lines is refused whole, each line named", async () => {
    const { path, init } = put("bad", "network,accuracy\n1462,170\nnope,60\n7,61\n");
    const { status, errors } = await problem(`/api/v1${path}`, init);
    expect(status).toBe(400);
    expect(errors!.map(({ detail }) => detail)).toEqual([
      expect.stringContaining("line 2"),
      expect.stringContaining("line 3"),
    ]);
    expect(await results(accuracyTableSchema, "/accuracies")).toEqual([]);
  });

  test("a name cannot leave the folder", async () => {
    const { init } = put("x", "network,accuracy\n1,1\n");
    for (const name of ["..%2F..%2Fevil", ".hidden", "a%00b"]) {
      expect((await problem(`/api/v1/accuracies/${name}`, init)).status).toBe(400);
    }
  });

  test("unknown fields, wrong types and wrong numbers are named", async () => {
    const wrong = await problem("/api/v1/search", json({ budgetMs: -1, budgetMS: 3 }));
    expect(wrong.status).toBe(400);
    expect(wrong.errors!.map(({ detail }) => detail).join()).toMatch(/budgetMs.*budgetMS/s);
    const broken = { ...json(0), body: "{" };
    expect(await problem("/api/v1/search", broken)).toMatchObject({ status: 400, code: "input" });
  });
});

describe("who may ask", () => {
  test("no other site, and nobody by another name", async () => {
    expect((await ask("/healthz", { headers: { host: "evil.example" } })).status).toBe(403);
    const origin = (value: string) => ask("/api/v1/platforms", { headers: { origin: value } });
    expect((await origin("http://evil.example")).status).toBe(403);
    expect((await origin("null")).status).toBe(403);
    expect((await origin(`http://${host}`)).status).toBe(200);
  });

  test("with a token, only who has it", async () => {
    const token = "a-token-of-some-length";
    const guarded = createApp({
      kernel,
      log: pino({ level: "silent" }),
      security: { host, token, allowedHosts: [] },
    });
    const status = async (path: string, authorization?: string) =>
      (await ask(path, { headers: authorization ? { authorization } : {} }, guarded)).status;
    expect(await status("/api/v1/predictors")).toBe(401);
    expect(await status("/api/v1/predictors", "Bearer wrong")).toBe(401);
    expect(await status("/metrics")).toBe(401);
    expect(await status("/healthz")).toBe(200);
    expect(await status("/api/v1/predictors", `Bearer ${token}`)).toBe(200);
  });

  test("every answer forbids foreign scripts", async () => {
    for (const path of ["/", "/healthz", "/nothing"]) {
      const policy = (await ask(path)).headers.get("content-security-policy");
      expect(policy).toMatch(/script-src 'self'/);
      expect(policy).toMatch(/default-src 'none'/);
    }
  });
});

describe("the interface", () => {
  test("describes every route as OpenAPI 3.1", async () => {
    const document = (await (await ask("/openapi.json")).json()) as {
      openapi: string;
      paths: Record<string, object>;
    };
    expect(document.openapi).toBe("3.1.0");
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const routed = app.routes
      .filter(({ path, method }) => path.startsWith("/api/v1") && !["ALL"].includes(method))
      .map(({ path, method }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
    expect(new Set(described)).toEqual(new Set(routed));
    expect(described.length).toBeGreaterThan(18);
  });

  test("says what a path takes", async () => {
    const response = await ask("/api/v1/platforms", { method: "DELETE" });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET");
    expect((await problem("/api/v1/nothing")).status).toBe(404);
  });

  test("counts for Prometheus", async () => {
    const text = await (await ask("/metrics")).text();
    expect(text).toMatch(/samara_predictions_total [1-9]/);
    expect(text).toMatch(
      /samara_http_request_duration_seconds_count\{.*route="\/api\/v1\/platforms"/,
    );
  });
});
