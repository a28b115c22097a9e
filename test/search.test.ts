// `samara search` from end to end on the fake runtime: answers, exit codes, tables of accuracies, files, verification.
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { writeOnnx } from "../src/onnx/write.js";
import { type SearchResult, searchResultSchema } from "../src/record/search.js";
import { archStringFromCell, cellFromIndex } from "../src/space/nasbench201/cell.js";
import { networkFromCell } from "../src/space/nasbench201/network.js";
import { Pool } from "../src/store/pool.js";
import { envelope, samara, samaraJson, Workplace } from "./command-line.js";
import { poolPlatforms, writeFakePool } from "./fake-pool.js";

vi.mock("../src/platform/sampler.js", async () => {
  const { createLab } = await import("./fake-lab.js");
  return { startSampler: createLab().startSampler };
});

const platform = "fake1-t1";
const archOf = (index: number) => archStringFromCell(cellFromIndex(index));
let place: Workplace;

/** A search, its document checked. */
async function search(...argv: string[]) {
  const ran = await samaraJson("search", "--platform", platform, ...argv);
  const document = envelope.parse(ran.document);
  expect(document.schema).toBe("samara/search/1");
  const [result, ...others] = z.array(searchResultSchema).parse(document.results);
  expect(others).toEqual([]);
  return {
    ...ran,
    document,
    result: result as SearchResult,
    codes: document.warnings.map(({ code }) => code),
  };
}

/** Some cells with accuracies, which are looked at faster than all. */
let someCells: string[];
const budget = (latencyMs: number) => ["--budget", `${latencyMs}ms`];

beforeAll(async () => {
  place = new Workplace();
  writeFakePool(place.path("source"), 60, 0);
  const fitted = place.path("fitted");
  const cells = Array.from({ length: 120 }, (_, i) => 130 * i + 25);
  // Late cells have larger convolutions: better and slower, by and large.
  const rows = cells.map((index, i) => `${index},${40 + (i % 40) + i / 100}`);
  someCells = ["--accuracy", place.file("cells.csv", ["network,accuracy", ...rows].join("\n"))];
  for (const argv of [
    ["train", "--pool", place.path("source"), "--predictor", "hypothesis-mixture", "-o", fitted],
    ["measure", "--platform", platform, "--samples", "10", "--processes", "2", "--pairs", "3"],
    ["adapt", "--platform", platform, "--predictor", fitted],
  ]) {
    const ran = await samara(...argv);
    expect(ran.code, ran.stderr).toBe(0);
  }
}, 120_000);
afterAll(() => place.remove());

describe("search", { timeout: 60_000 }, () => {
  let fastest: SearchResult["front"][number];
  let slowest: SearchResult["front"][number];

  beforeAll(async () => {
    const { front } = (await search(...budget(1000), ...someCells)).result;
    expect(front.length).toBeGreaterThan(5);
    [fastest, slowest] = [front[0]!, front.at(-1)!];
  });

  test("ranks NAS-Bench-201 by MACs and says that this is a stand-in", async () => {
    const { code, result, codes } = await search(...budget(1000));
    expect(code).toBe(0);
    expect(codes).toEqual(["proxy-merit"]);
    expect(result).toMatchObject({
      ...{ merit: { kind: "macs" }, nEvaluated: 15_625, method: "exhaustive", confidence: 0.9 },
      winner: { network: archOf(11_718), id: "nasbench201/11718" },
    });
  });

  test("exit code 0: a network fits for sure; 4: only perhaps; 3: none can", async () => {
    const middle = Math.sqrt(fastest.upperMs * slowest.upperMs);
    const found = await search(...budget(middle), ...someCells);
    expect(found.code).toBe(0);
    expect(found.result.winner!.upperMs).toBeLessThanOrEqual(middle);
    expect(found.result.bestUnconstrained!.merit).toBeGreaterThan(found.result.winner!.merit);

    const undecided = await search(...budget(fastest.latencyMs), ...someCells);
    expect(undecided.code).toBe(4);
    expect(undecided.result).toMatchObject({ winner: null, bestUncertain: { id: fastest.id } });

    const none = await search(...budget(fastest.lowerMs / 10), ...someCells);
    expect(none.code).toBe(3);
    expect(none.result).toMatchObject({ winner: null, bestUncertain: null, nPossible: 0 });
  });

  test("a higher confidence asks for more room", async () => {
    const middle = Math.sqrt(fastest.upperMs * slowest.upperMs);
    const [bold, careful] = [
      (await search(...budget(middle), ...someCells, "--confidence", "0.6")).result,
      (await search(...budget(middle), ...someCells, "--confidence", "0.999")).result,
    ];
    expect(careful.nFeasible).toBeLessThan(bold.nFeasible);
    expect(careful.winner!.withinBudget).toBeGreaterThanOrEqual(0.999);
  });

  test("chooses from a table of accuracies, packed or not", async () => {
    const rows = [
      "arch,accuracy",
      ...[25, 1462, 11_718].map((index, i) => `${archOf(index)},${60 + i}`),
    ];
    const plain = place.file("table.csv", rows.join("\n"));
    const packed = place.file("table.csv.gz", gzipSync(rows.join("\n")));
    for (const file of [plain, packed]) {
      const { code, result, codes } = await search(...budget(1000), "--accuracy", file);
      expect({ code, codes }).toEqual({ code: 0, codes: [] });
      expect(result).toMatchObject({
        ...{ nEvaluated: 3, space: "nasbench201", winner: { merit: 62, network: archOf(11_718) } },
        merit: { kind: "accuracy", source: `${file}: accuracy`, unit: "%" },
      });
    }
  });

  test("chooses from model files, named beside the table or on the command line", async () => {
    for (const index of [25, 11_718]) {
      place.file(`net${index}.onnx`, writeOnnx(networkFromCell(cellFromIndex(index))));
    }
    const table = place.file("files.csv", "file,top1\nnet25.onnx,60\nnet11718.onnx,70\n");
    const listed = await search(...budget(1000), "--accuracy", table);
    expect(listed.result).toMatchObject({ space: "files", winner: { merit: 70 } });
    expect(listed.result.winner!.network).toBe("net11718.onnx");
    const paths = [place.path("net25.onnx"), place.path("net11718.onnx")];
    const named = await search(...budget(1000), ...paths, "--accuracy", table);
    expect(named.result.winner).toMatchObject({ network: paths[1], merit: 70 });
    const byMacs = await search(...budget(1000), ...paths);
    expect(byMacs).toMatchObject({ codes: ["proxy-merit"], result: { space: "files" } });
    expect(byMacs.result.winner!.network).toBe(paths[1]);
  });

  test("evolves a large space, the same by seed, and marks what it knows nothing of", async () => {
    const argv = [...budget(1000), "--space", "fbnet", "--evaluations", "400", "--seed", "7"];
    const first = await search(...argv);
    expect(first.result).toMatchObject({ method: "evolution", nEvaluated: 400, seed: 7 });
    expect(first.codes).toEqual(["proxy-merit", "outside-known-range"]);
    expect(first.result.winner).toMatchObject({ withinKnownRange: false });
    const again = await search(...argv);
    expect({ ...again.result, durationMs: 0 }).toEqual({ ...first.result, durationMs: 0 });
  });

  test("prints the winner, what is given up and how sure; the whole front as CSV", async () => {
    const middle = Math.sqrt(fastest.upperMs * slowest.upperMs);
    const argv = ["search", "--platform", platform, ...budget(middle), ...someCells];
    const { stdout, stderr, code } = await samara(...argv);
    expect(code).toBe(0);
    for (const words of [
      "Winner ",
      "How sure ",
      "Given up ",
      "what the budget costs",
      "Looked at ",
    ]) {
      expect(stdout).toContain(words);
    }
    expect(stderr).toBe("");
    const { result } = await search(...budget(middle), ...someCells);
    const csv = await samara(...argv, "--output", "csv");
    const [header, ...lines] = csv.stdout.trim().split("\n");
    expect(header).toMatch(/^role,id,network,latencyMs,lowerMs,upperMs,merit,withinBudget/);
    expect(lines).toHaveLength(result.front.length);
    expect(lines.filter((line) => line.startsWith("winner,"))).toHaveLength(1);
  });

  test.each([
    [[], "search needs a budget"],
    [["--budget", "12"], "a duration is a number with a unit"],
    [["--budget", "1ms", "--confidence", "0.5"], "--confidence must be above 0.5"],
    [["--budget", "1ms", "--space", "resnet"], 'unknown search space "resnet"'],
    [["--budget", "1ms", "--accuracy-column", "x"], "--accuracy-column needs --accuracy"],
    [["--budget", "1ms", "--adapt-from", "x"], "--adapt-from needs --verify"],
    [["--budget", "1ms", "--accuracy", "none.csv"], "none.csv"],
    [["--budget", "1ms", "--space", "ofa", "none.onnx"], "--space and ONNX files exclude"],
    [["--budget", "1ms", "none.onnx"], "none.onnx"],
  ])("exit code 2 for %j", async (argv, message) => {
    const { code, stderr } = await samara("search", "--platform", platform, ...argv);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  test("names all that is wrong at once, lines of a table included", async () => {
    const table = place.file("bad.csv", "id,acc\n1,x\n1,70\n1,71\n");
    const { code, stderr } = await samara("search", "--accuracy", table, "--platform", "nowhere");
    expect(code).toBe(2);
    for (const words of [
      "needs a budget",
      "line 2: ",
      "line 4: ",
      'no predictor is adapted to "nowhere"',
    ]) {
      expect(stderr).toContain(words);
    }
  });
});

describe("search --verify", { timeout: 120_000 }, () => {
  const verify = (latencyMs: number, n: number) => [
    ...budget(latencyMs),
    ...["--verify", String(n), "--adapt-from", place.path("fitted")],
  ];

  test("measures the networks that decide, adapts with them, and answers with a measured one", async () => {
    const { front } = (await search(...budget(1000), ...someCells)).result;
    const middle = front[Math.floor(front.length / 2)]!.latencyMs * 1.01;
    const pool = new Pool(place.path("home", "pool"));
    const nBefore = (await pool.measurements()).length;
    const before = await search(...budget(middle), ...someCells);
    const { code, result, document } = await search(...verify(middle, 4), ...someCells);
    expect(code).toBe(0);
    expect(result.winner!.measuredMs).toBeLessThanOrEqual(middle);
    const { verification } = document.context as { verification: Record<string, unknown> };
    expect(verification).toMatchObject({
      winnerBefore: before.result.winner?.id ?? null,
      winnerAfter: result.winner!.id,
      winnerChanged: before.result.winner?.id !== result.winner!.id,
      nTargetSamples: nBefore + 4,
      pool: pool.folder,
    });
    expect(verification.networks).toHaveLength(4);
    expect((await pool.measurements()).length).toBe(nBefore + 4);
    const { stdout } = await samara(
      "search",
      "--platform",
      platform,
      ...verify(middle, 1),
      ...someCells,
    );
    for (const words of [
      "verified",
      "predicted before",
      "The winner ",
      "samara adapt --platform ",
    ]) {
      expect(stdout).toContain(words);
    }
  });

  test("measures model files and networks of other spaces as well", async () => {
    const table = place.file(
      "mixed.csv",
      `network,accuracy\nnet25.onnx,60\nofa/128-3333-3333-3333-3333-3333,75\n1462,65\n`,
    );
    place.file("net25.onnx", writeOnnx(networkFromCell(cellFromIndex(25))));
    const { code, result } = await search(...verify(1000, 3), "--accuracy", table);
    expect(code).toBe(0);
    expect(result).toMatchObject({ space: "ofa+nasbench201+files", nEvaluated: 3 });
    expect(result.winner).toMatchObject({ merit: 75, measuredMs: expect.any(Number) });
  });

  test("exit code 6 and what to do where the platform cannot be measured", async () => {
    const foreign = poolPlatforms[0]!.id;
    const rows = [25, 1462, 11_718, 9000, 5000, 777].map((index, i) => `${index},${0.2 + i / 10}`);
    const measurements = place.file("foreign.csv", ["network,latencyMs", ...rows].join("\n"));
    const folder = place.path("foreign");
    const adapted = await samara(
      ...["adapt", "--predictor", place.path("fitted"), "--measurements", measurements],
      ...["--platform", foreign, "-o", folder],
    );
    expect(adapted.code, adapted.stderr).toBe(0);
    const { code, stderr } = await samara("search", "--predictor", folder, ...verify(1000, 2));
    expect(stderr).toContain(`--verify cannot measure ${foreign} here`);
    expect(stderr).toContain("samara measure");
    expect(code).toBe(6);
  });

  test("refuses to adapt another predictor than the one in use came from", async () => {
    const { code, stderr } = await samara(
      ...["search", "--platform", platform, ...budget(1000), "--verify", "2", ...someCells],
    );
    expect(stderr).toContain("the predictor was not adapted from the one in ");
    expect(stderr).toContain("--adapt-from");
    expect(code).toBe(2);
  });
});
