// Latencies from files of the user's: CSV, JSON lines, and what `samara measure` itself printed. What is wrong with
// CSV and Parquet is in bad-input.test.ts.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Pool } from "../src/store/pool.js";
import { samara, samaraJson, Workplace } from "./command-line.js";
import { labPlatform } from "./fake-lab.js";
import { fakeMeasurement } from "./fake-pool.js";

vi.mock("../src/platform/sampler.js", async () => {
  const { createLab } = await import("./fake-lab.js");
  return { startSampler: createLab().startSampler };
});

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
});
afterAll(() => place.remove());

const indices = Array.from({ length: 10 }, (_, i) => 700 + i * 1300);
const latencyOf = (i: number) => 2 + 0.3 * i;
const adapt = (file: string, ...more: string[]) =>
  samaraJson("adapt", "--measurements", file, "-o", place.path("adapted"), ...more);
const predict = async (arch: string) =>
  (await samaraJson("predict", "--predictor", place.path("adapted"), "--arch", arch)).document
    .results[0];
const jsonl = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).join("\n");

describe("JSON lines", () => {
  test("give the same predictor as the same CSV", async () => {
    const csv = ["network,latencyMs", ...indices.map((index, i) => `${index},${latencyOf(i)}`)];
    expect((await adapt(place.file("a.csv", csv.join("\n")))).code).toBe(0);
    const byCsv = await predict("1462");
    const rows = indices.map((index, i) => ({ network: index, latencyMs: latencyOf(i) }));
    const { document } = await adapt(place.file("a.jsonl", `${jsonl(rows)}\n`));
    expect(document.results[0]).toMatchObject({ platform: "imported", nSamples: 10 });
    expect(await predict("1462")).toEqual(byCsv);
  });

  test("take a platform, its precision, and doubts", async () => {
    const id = "phone.tflite2.16-bench-gpu-t1.fp16";
    const rows = indices.map((index, i) => ({
      network: `nasbench201/${index}`,
      latencyMs: latencyOf(i),
      platform: id,
      device: "whatever else is there",
    }));
    const doubted = rows.map((row, i) => ({
      ...row,
      ...(i % 2
        ? { relativeSd: 0.2 }
        : { lowerMs: row.latencyMs * 0.9, upperMs: row.latencyMs * 1.1 }),
    }));
    const { code, document } = await adapt(place.file("b.jsonl", jsonl(doubted)));
    expect(code).toBe(0);
    expect(document.results[0].platform).toBe(id);
    const predicted = await predict("1462");
    await adapt(place.file("c.jsonl", jsonl(rows)));
    expect(await predict("1462")).not.toEqual(predicted);
  });

  test("with wrong lines: all are named, by their number in the file", async () => {
    const file = place.file(
      "wrong.jsonl",
      [
        '{"network": 1462, "latencyMs": 2}',
        "",
        '{"network": 1462, "latencyMs": ',
        "[1, 2]",
        '{"latencyMs": 2}',
        '{"network": "fbnet/random", "latencyMs": 2}',
        '{"network": "resnet/18", "latencyMs": 2}',
        '{"network": 1, "latencyMs": "fast"}',
        '{"network": 1, "latencyMs": 2, "relativeSd": -1}',
        '{"network": 1, "latencyMs": 2, "lowerMs": 2.5, "upperMs": 3}',
        '{"network": 1, "latencyMs": 2, "platform": 7}',
      ].join("\n"),
    );
    const { code, stderr } = await samara("adapt", "--measurements", file);
    expect(code).toBe(2);
    for (const message of [
      "line 3: is not JSON",
      "line 4: must be a JSON object",
      'line 5: network must name an architecture, got ""',
      "line 6: a measured network must be named",
      'line 7: unknown search space "resnet"',
      'line 8: latencyMs must be a number greater than 0, got "fast"',
      "line 9: relativeSd must be a fraction between 0 and 1, got -1",
      "line 10: lowerMs 2.5 and upperMs 3 must enclose latencyMs",
      "line 11: platform must be an id, got 7",
    ]) {
      expect(stderr).toContain(message);
    }
    expect(stderr.match(/^error\[format\]/gm)).toHaveLength(9);
  });
});

describe("what `samara measure` printed", () => {
  test.each(["csv", "jsonl", "json"])("as %s is what adapt takes", async (form) => {
    const printed = await samara(
      ...["measure", "--platform", "fake1-t1", "--samples", "10", "--output", form],
      ...["-o", place.path(`pool-${form}`)],
    );
    expect(printed.code).toBe(0);
    const { code, document } = await adapt(place.file(`printed.${form}`, printed.stdout));
    expect(code).toBe(0);
    expect(document.results[0].platform).toMatch(/\.fake1-t1\.fp32$/);
    expect(document.results[0].nSamples).toBe(10);
  });

  test("may hold networks of files and bad grades: they are left out, and it is said", async () => {
    const rows = [
      ...indices.map((index, i) => ({ id: `nasbench201/${index}`, latencyMs: latencyOf(i) })),
      { id: "file/own.onnx#0123456789abcdef", latencyMs: 3 },
      { id: "nasbench201/1", latencyMs: 3, grade: "X" },
    ];
    const { document } = await adapt(place.file("mixed.jsonl", jsonl(rows)));
    expect(document.results[0].nSamples).toBe(10);
    expect(document.warnings[0]).toMatchObject({ code: "rows-left-out" });
    expect(document.warnings[0].message).toContain("left out networks of files: 1, graded X: 1");
    const only = place.file("only.jsonl", jsonl(rows.slice(10)));
    const { code, stderr } = await samara("adapt", "--measurements", only);
    expect(code).toBe(2);
    expect(stderr).toContain("(left out: networks of files: 1, graded X: 1)");
  });

  test("as JSON must be such a document", async () => {
    for (const text of ["{}", "[1]", '{"results": [1]}']) {
      const { code, stderr } = await samara("adapt", "--measurements", place.file("no.json", text));
      expect(code).toBe(2);
      expect(stderr).toContain("must be a document of `samara measure --json`");
    }
  });
});

describe("networks of other search spaces", () => {
  const fbnet = Array.from(
    { length: 10 },
    (_, i) => `fbnet/${"7818488874147327324245".slice(i)}${"1234567801".slice(0, i)}`,
  );
  const rows = fbnet.map((network, i) => ({ network, latencyMs: latencyOf(i) }));

  test("are samples like others", async () => {
    const { code, document } = await adapt(place.file("fbnet.jsonl", jsonl(rows)));
    expect(code).toBe(0);
    expect(document.results[0].nSamples).toBe(10);
    expect((await predict(fbnet[3]!)).latencyMs).toBeGreaterThan(0);
    const evaluated = await samaraJson(
      ...["evaluate", "--predictor", place.path("adapted")],
      ...["--measurements", place.path("fbnet.jsonl")],
    );
    expect(evaluated.document.results[0].nTest).toBe(10);
  });

  test("are not mixed with cells in one file", async () => {
    const file = place.file("two.jsonl", jsonl([...rows, { network: 1462, latencyMs: 2 }]));
    const { code, stderr } = await samara("adapt", "--measurements", file);
    expect(code).toBe(2);
    expect(stderr).toContain("holds networks of fbnet and nasbench201: samples must be of one");
  });

  test("in a pool stand back behind its cells, and it is said", async () => {
    const pool = new Pool(place.path("both"));
    const platform = labPlatform("fake1-t2");
    pool.addPlatform(platform);
    pool.writeMeasurements([
      ...indices.map((index, i) => fakeMeasurement(platform, `nasbench201/${index}`, latencyOf(i))),
      fakeMeasurement(platform, fbnet[0]!, 4),
    ]);
    const { code, document } = await adapt(join(pool.folder, "measurements.parquet"));
    expect(code).toBe(0);
    expect(document.results[0]).toMatchObject({ platform: platform.id, nSamples: 10 });
    const messages = document.warnings.map((one: { message: string }) => one.message);
    expect(messages[0]).toContain("left out networks of other search spaces: 1");
  });
});
