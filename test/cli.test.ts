// What every command line promises: options and where they come from, output forms, exit codes of answers.
// Sampler processes are replaced by a laboratory of exact latencies; real ones run in interrupted.test.ts.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { readOnnx } from "../src/onnx/read.js";
import { tool } from "../src/package.js";
import { descriptorSchema } from "../src/record/descriptor.js";
import { archStringFromCell, cellFromIndex, networkId } from "../src/space/nasbench201/cell.js";
import { networkFromCell } from "../src/space/nasbench201/network.js";
import { Pool } from "../src/store/pool.js";
import { readPredictor } from "../src/store/predictors.js";
import { samara, samaraJson, samaraWithInput, Workplace } from "./command-line.js";
import { labPlatform } from "./fake-lab.js";
import { fileLatencyMs, graphLatencyMs, poolPlatforms, writeFakePool } from "./fake-pool.js";

vi.mock("../src/platform/sampler.js", async () => {
  const { createLab } = await import("./fake-lab.js");
  return { startSampler: createLab().startSampler };
});

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
});
afterAll(() => place.remove());

const envelope = z.strictObject({
  schema: z.string().regex(/^samara\/[a-z-]+\/1$/),
  tool: z.strictObject({ name: z.literal("samara"), version: z.literal(tool.version) }),
  context: z.record(z.string(), z.unknown()),
  results: z.array(z.record(z.string(), z.unknown())),
  warnings: z.array(
    z.strictObject({ code: z.string(), message: z.string(), hint: z.string().optional() }),
  ),
});

const archOf = (index: number) => archStringFromCell(cellFromIndex(index));
const graphOf = (index: number) => networkFromCell(cellFromIndex(index));

describe("samara", () => {
  test("--help lists the commands, --version says which this is: exit code 0", async () => {
    const help = await samara("--help");
    expect(help.code).toBe(0);
    for (const command of ["onboard", "platforms", "measure", "predict", "doctor"]) {
      expect(help.stdout).toContain(`\n  ${command} `);
    }
    expect(await samara("--version")).toEqual({
      code: 0,
      stdout: `${tool.version}\n`,
      stderr: "",
    });
  });

  test.each(["onboard", "predict", "campaign"])("%s --help shows options", async (command) => {
    const { code, stdout } = await samara(command, "--help");
    expect(code).toBe(0);
    expect(stdout).toContain("--seed <n>");
    expect(stdout).toContain("env: SAMARA_SEED");
  });

  test("suggests the command and the flag that were meant: exit code 2", async () => {
    const command = await samara("onbord");
    expect(command.code).toBe(2);
    expect(command.stderr).toContain("error[input]: unknown command 'onbord'");
    expect(command.stderr).toContain("Did you mean onboard?");
    const flag = await samara("predict", "--archs", "1");
    expect(flag.code).toBe(2);
    expect(flag.stderr).toContain("error[input]: unknown option '--archs'");
    expect(flag.stderr).toContain("Did you mean --arch?");
    expect(flag.stdout).toBe("");
  });

  test.each([
    ["a value that is missing", ["predict", "--arch"], "argument missing"],
    ["an argument too many", ["platforms", "more"], "too many arguments"],
    ["an argument too few", ["campaign"], "missing required argument 'plan'"],
  ])("refuses %s: exit code 2", async (_, argv, message) => {
    const { code, stderr } = await samara(...argv);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe("options", () => {
  const seedOf = async (...argv: string[]) =>
    (await samaraJson("platforms", ...argv)).document.context.seed;
  const config = (value: unknown) =>
    place.file("home/config.json", typeof value === "string" ? value : JSON.stringify(value));

  test("take --flag value and --flag=value", async () => {
    expect(await seedOf("--seed", "7")).toBe(7);
    expect(await seedOf("--seed=8")).toBe(8);
  });

  test("come from flags before environment before config file before default", async () => {
    expect(await seedOf()).toBe(0);
    config({ seed: 11, somethingOfALaterVersion: true });
    expect(await seedOf()).toBe(11);
    vi.stubEnv("SAMARA_SEED", "12");
    expect(await seedOf()).toBe(12);
    expect(await seedOf("--seed", "13")).toBe(13);
    vi.stubEnv("SAMARA_SEED", undefined);
    config({});
  });

  test("of the output come from the environment too", async () => {
    vi.stubEnv("SAMARA_OUTPUT", "jsonl");
    const { stdout } = await samara("platforms");
    expect(JSON.parse(stdout.split("\n")[0]!)).toHaveProperty("available");
    vi.stubEnv("SAMARA_OUTPUT", undefined);
  });

  test("that are lists may be lists in the config file", async () => {
    config({ arch: ["1462", 9410, "nonsense", 99_999] });
    const { stderr } = await samara("predict");
    expect(stderr).toContain('got 1 in "nonsense"');
    expect(stderr).toContain("got 99999");
    config({});
  });

  test.each([
    ["no JSON", "{", "is not JSON"],
    ["no object", [1], "must hold one JSON object"],
    ["a wrong type", { seed: true }, '"seed" must be a string or number, got true'],
    ["a wrong flag", { quiet: "yes" }, '"quiet" must be true or false, got "yes"'],
    ["a wrong value", { seed: -1 }, '--seed must be an integer >= 0, got "-1"'],
    [
      "an unknown format",
      { output: "xml" },
      '--output is one of table, json, jsonl, csv, got "xml"',
    ],
  ])("refuse a config file with %s: exit code 2", async (_, content, message) => {
    config(content);
    const { code, stderr } = await samara("platforms");
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    config({});
  });

  test("without a value are not set by a variable that says no", async () => {
    const arch = ["generate", "--arch", "1462", "-o", place.path("quiet.onnx")];
    for (const [value, verbose] of [
      ["0", false],
      ["false", false],
      ["1", true],
    ] as const) {
      vi.stubEnv("SAMARA_ALL", value);
      const { stderr } = await samara("predict", "--predictor", place.path("nowhere"));
      expect(stderr.includes("predict needs something to predict")).toBe(!verbose);
    }
    vi.stubEnv("SAMARA_ALL", undefined);
    expect((await samara(...arch)).code).toBe(0);
  });

  test("that deny another have no variable: the other's must not turn them on", async () => {
    vi.stubEnv("SAMARA_FOLD_BATCH_NORM", "1");
    const { document } = await samaraJson(
      "generate",
      "--arch=1462",
      "-o",
      place.path("folded.onnx"),
    );
    expect(document.results[0].nOperators).toBe(graphOf(1462).operators.length);
    vi.stubEnv("SAMARA_FOLD_BATCH_NORM", undefined);
    const kept = await samaraJson(
      "generate",
      "--arch=1462",
      "--no-fold-batch-norm",
      "-o",
      place.path("kept.onnx"),
    );
    expect(kept.document.results[0].nOperators).toBeGreaterThan(graphOf(1462).operators.length);
  });

  test("that are wrong are all reported at once", async () => {
    const { code, stderr } = await samara(
      "measure",
      "--seed=-3",
      "--pairs=1",
      "--processes=x",
      "--arch=1",
    );
    expect(code).toBe(2);
    expect(stderr.match(/^error\[input\]/gm)).toHaveLength(3);
    for (const option of ["--seed", "--pairs", "--processes"]) expect(stderr).toContain(option);
  });
});

describe("output", () => {
  test("--json is one document in the common envelope", async () => {
    const { document, code } = await samaraJson("platforms");
    expect(code).toBe(0);
    expect(envelope.parse(document)).toEqual(document);
    expect(document.schema).toBe("samara/platforms/1");
    expect(document.context).toMatchObject({ command: "platforms", seed: 0 });
    const fake = document.results.filter((one: { family: string }) => one.family === "fake");
    expect(fake.length).toBeGreaterThan(0);
    expect(fake[0]).toMatchObject({ available: true, threads: 1, reason: null });
    expect(fake[0].id).toMatch(/\.fake1-t1\.fp32$/);
  });

  test("--output json is the same, jsonl one result a line", async () => {
    const json = await samara("platforms", "--output", "json");
    const jsonl = await samara("platforms", "--output=jsonl");
    const { results } = JSON.parse(json.stdout);
    expect(
      jsonl.stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(results);
  });

  test("csv has a header, quotes what needs it, and nested fields as JSON", async () => {
    const { stdout } = await samara("platforms", "--output", "csv");
    const [header, ...rows] = stdout.trimEnd().split("\n");
    expect(header).toMatch(/^id,name,available,family,/);
    const fake = rows.find((row) => row.includes("fake1-t1"))!;
    expect(fake).toContain('"{""overheadNs"":40000,');
  });

  test("table is for people, without colours where nobody sees them", async () => {
    const { stdout } = await samara("platforms");
    expect(stdout).toMatch(/^platform\s+runtime\s+threads\s+status\n/);
    expect(stdout).toContain("fake1-t1.fp32");
    expect(stdout).not.toContain("\u001b[");
  });

  test("in an unknown format is refused: exit code 2", async () => {
    const { code, stderr, stdout } = await samara("platforms", "--output", "xml");
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain("--output is one of table, json, jsonl, csv");
  });
});

describe("doctor", () => {
  test("finds something to say and never fails", { timeout: 60_000 }, async () => {
    const { document, code } = await samaraJson("doctor");
    expect(code).toBe(0);
    expect(envelope.parse(document).schema).toBe("samara/doctor/1");
    const codes = document.results.map((finding: { code: string }) => finding.code);
    expect(codes).toEqual(expect.arrayContaining(["load", "wait", "speed", "clock", "counters"]));
    for (const finding of document.results) {
      expect(["ok", "note", "warning"]).toContain(finding.severity);
      if (finding.severity === "warning") expect(finding.remedy).not.toBeNull();
    }
  });
});

describe("generate", () => {
  test.each(["onnx", "tflite"])("writes .%s", async (format) => {
    const file = place.path("new", `net.${format}`);
    const { document, code } = await samaraJson("generate", "--arch", archOf(1462), "-o", file);
    expect(code).toBe(0);
    expect(envelope.parse(document).schema).toBe("samara/generate/1");
    expect(document.results[0]).toMatchObject({ file, arch: archOf(1462), index: 1462 });
    expect(readFileSync(file).length).toBe(document.results[0].sizeBytes);
  });

  test.each(["fbnet", "fbnet-imagenet", "ofa"])("draws from %s by seed", async (space) => {
    const file = place.path(`${space}.onnx`);
    const draw = async (seed: number) => {
      const argv = ["generate", "--arch", `${space}/random`, "-o", file, `--seed=${seed}`];
      const { document, code } = await samaraJson(...argv);
      expect(code).toBe(0);
      expect(document.results[0].index).toBeNull();
      return document.results[0];
    };
    const { id, arch, macs } = await draw(1);
    expect(id).toBe(`${space}/${arch}`);
    expect(await draw(1)).toMatchObject({ id, macs });
    expect((await draw(2)).id).not.toBe(id);
    const again = await samaraJson("generate", "--arch", id, "-o", place.path("again.onnx"));
    expect(again.document.results[0]).toMatchObject({ id, arch, macs });
    expect(readOnnx(place.path("again.onnx")).encoding?.space).toBe(space);
  });

  test("says what a format or a space does not have", async () => {
    const grouped = ["generate", "--arch", `fbnet/${"1".repeat(22)}`];
    const tflite = await samara(...grouped, "-o", place.path("grouped.tflite"));
    expect(tflite).toMatchObject({ code: 2 });
    expect(tflite.stderr).toContain("cannot be written for TensorFlow Lite: 2 groups of 8");
    const cells = await samara(...grouped, "--cells", "3", "-o", place.path("cells.onnx"));
    expect(cells).toMatchObject({ code: 2 });
    expect(cells.stderr).toContain("networks of fbnet have no option cellsPerStage");
  });

  test("reads the architecture from standard input", { timeout: 60_000 }, async () => {
    const file = place.path("piped.onnx");
    const ran = await samaraWithInput(`\n${archOf(9410)}\n`, [
      "generate",
      "--arch",
      "-",
      "-o",
      file,
    ]);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    expect(ran.stdout).toContain(archOf(9410));
    expect(existsSync(file)).toBe(true);
    const two = await samaraWithInput("1\n2\n", ["generate", "--arch", "-", "-o", file]);
    expect(two.code).toBe(2);
    expect(two.stderr).toContain("generate writes one architecture, got 2");
    const none = await samaraWithInput("", ["generate", "--arch", "-", "-o", file]);
    expect(none.code).toBe(2);
    expect(none.stderr).toContain("standard input holds no architecture");
  });
});

describe("from a pool to predictions", { timeout: 120_000 }, () => {
  let pool: Pool;
  let fitted: string;
  let adapted: string;
  const target = poolPlatforms.at(-1)!;
  const truth = (index: number) => graphLatencyMs(graphOf(index), target);
  /** Ten networks of the test set with their true latencies. */
  const samples = () =>
    pool
      .split()!
      .test.slice(0, 10)
      .map((id) => Number(id.split("/")[1]));

  beforeAll(async () => {
    pool = writeFakePool(place.path("pool"), 140, 40);
    fitted = place.path("fitted");
    adapted = place.path("adapted");
    const train = await samaraJson(
      ...["train", "--pool", pool.folder, "--hold-out", target.runtime.family, "-o", fitted],
    );
    expect(train.code).toBe(0);
    expect(envelope.parse(train.document).schema).toBe("samara/train/1");
    expect(train.document.results[0]).toMatchObject({
      predictor: "operator-sum",
      nPlatforms: 6,
      trainedFamilies: ["alpha", "beta", "gamma"],
      heldOutFamilies: ["delta"],
    });
    const csv = ["network,latencyMs", ...samples().map((i) => `${i},${truth(i)}`)].join("\n");
    const adapt = await samaraJson(
      ...["adapt", "--predictor", fitted, "--measurements", place.file("samples.csv", csv)],
      ...["--descriptor", pool.descriptorPath(target.id), "--platform", target.id, "-o", adapted],
    );
    expect(adapt.document.results[0]).toMatchObject({
      folder: adapted,
      platform: target.id,
      nSamples: 10,
    });
    expect(adapt).toMatchObject({ code: 0, stderr: "" });
  }, 120_000);

  test("the made-up pool has the latencies that the fake runtime would have", () => {
    for (const index of [0, 1462, 9410]) {
      expect(truth(index)).toBeCloseTo(fileLatencyMs(index, target), 9);
    }
  });

  test("train says where the predictor comes from", () => {
    const { provenance, saved } = readPredictor(fitted);
    expect(saved.method).toBe("operator-sum");
    expect(provenance).toMatchObject({ platform: null, heldOutFamilies: ["delta"], seed: 0 });
    expect(provenance.nSamples).toBe(6 * 100);
    expect(readPredictor(adapted).provenance).toMatchObject({
      nSamples: 10,
      platform: target,
      poolHash: provenance.poolHash,
    });
  });

  test("train leaves the test set out: changing it moves nothing", async () => {
    const changed = new Pool(place.path("changed-pool"));
    for (const platform of pool.platforms()) changed.addPlatform(platform);
    for (const descriptor of pool.descriptors()) changed.writeDescriptor(descriptor);
    changed.writeSplit(pool.split()!);
    const test = new Set(pool.split()!.test);
    const measurements = await pool.measurements();
    changed.writeMeasurements(
      measurements.map((one) =>
        test.has(one.subjectId) ? { ...one, latencyMs: 3 * one.latencyMs } : one,
      ),
    );
    const out = place.path("fitted-on-changed");
    await samara("train", "--pool", changed.folder, "--hold-out", "delta", "-o", out);
    const weights = (folder: string) => readFileSync(join(folder, "weights.safetensors"));
    expect(weights(out).equals(weights(fitted))).toBe(true);
  });

  test("predict prints one result a network, near the truth", async () => {
    const { document, code } = await samaraJson(
      ...["predict", "--predictor", adapted, "--arch", "1462", "--arch", archOf(9410)],
    );
    expect(code).toBe(0);
    expect(envelope.parse(document).schema).toBe("samara/predictions/1");
    expect(document.results.map(({ id }: { id: string }) => id)).toEqual(
      [1462, 9410].map(networkId),
    );
    document.results.forEach((result: Record<string, number>, i: number) => {
      expect(Object.keys(result).sort()).toEqual([
        ...["coverage", "id", "latencyMs", "lowerMs", "upperMs", "withinKnownRange"],
      ]);
      expect(result.coverage).toBe(0.9);
      expect(result.latencyMs).toBeGreaterThan(result.lowerMs!);
      expect(result.latencyMs).toBeLessThan(result.upperMs!);
      expect(Math.abs(result.latencyMs! / truth([1462, 9410][i]!) - 1)).toBeLessThan(0.1);
    });
  });

  test("predict takes architectures from standard input and ONNX files", async () => {
    const file = place.path("net.onnx");
    await samara("generate", "--arch", "1462", "-o", file);
    const ran = await samaraWithInput("9410\n", [
      ...["predict", "--predictor", adapted, "--arch", "-", file, "--json"],
    ]);
    const { results } = JSON.parse(ran.stdout);
    expect(results.map(({ id }: { id: string }) => id)).toEqual([
      networkId(9410),
      expect.stringMatching(/^file\/net\.onnx#[0-9a-f]{16}$/),
    ]);
    const same = await samaraJson("predict", "--predictor", adapted, "--arch", "1462");
    expect(results[1].latencyMs).toBeCloseTo(same.document.results[0].latencyMs, 6);
  });

  test("predict --all gives every network once", async () => {
    const { stdout, code } = await samara(
      "predict",
      "--predictor",
      adapted,
      "--all",
      "--output=csv",
    );
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(15_626);
    expect(lines[0]).toBe("id,latencyMs,lowerMs,upperMs,coverage,withinKnownRange");
    expect(lines.at(-1)).toMatch(/^nasbench201\/15624,/);
  });

  test("predict warns where this machine differs from the platform adapted to", async () => {
    const { document, stderr } = await samaraJson(
      ...["predict", "--predictor", adapted, "--arch", "1462"],
    );
    expect(stderr).toContain("processor differs: the predictor was adapted to none");
    expect(document.warnings[0].code).toBe("platform-differs");
  });

  test("predict flags networks outside what was learned", async () => {
    const file = place.path("wide.onnx");
    await samara("generate", "--arch", "1462", "--channels", "24", "-o", file);
    const others = ["--arch=fbnet/random", "--arch=ofa/random", "--arch=1462"];
    const { document } = await samaraJson("predict", "--predictor", adapted, ...others, file);
    const known = document.results.map(
      ({ id, withinKnownRange }: { id: string; withinKnownRange: boolean }) => [
        id.split("/")[0],
        withinKnownRange,
      ],
    );
    expect(known).toEqual([
      ["fbnet", false],
      ["ofa", false],
      ["nasbench201", true],
      ["file", false],
    ]);
    const codes = document.warnings.map(({ code }: { code: string }) => code);
    expect(codes).toContain("outside-known-range");
  });

  test("predict --card says what is known of the predictor", async () => {
    const { stdout, code } = await samara("predict", "--predictor", adapted, "--card");
    expect(code).toBe(0);
    expect(stdout).toContain(`adapted to           ${target.id}`);
    expect(stdout).toContain("target latencies read 10");
    expect(stdout).toContain("held out             delta");
    expect(stdout).toContain("not checked");
  });

  describe("a budget", () => {
    const archs = [1462, 9410, 0].flatMap((index) => ["--arch", String(index)]);
    const ask = async (budgetMs: number, ...networks: string[]) => {
      const budget = `${(1e6 * budgetMs).toFixed(0)}ns`;
      const argv = ["predict", "--predictor", adapted, "--budget", budget, ...networks];
      const { document, code } = await samaraJson(...argv);
      return { code, verdicts: document.results.map((one: { verdict: string }) => one.verdict) };
    };
    /** The predictions with the bounds that a budget is held against at 0.9 confidence, fastest first. */
    const bounds = async (): Promise<{ latencyMs: number; lowerMs: number; upperMs: number }[]> => {
      const argv = ["predict", "--predictor", adapted, "--coverage", "0.8", ...archs];
      const { document } = await samaraJson(...argv);
      return document.results.sort(
        (one: { upperMs: number }, other: { upperMs: number }) => one.upperMs - other.upperMs,
      );
    };

    test("that is met ends with exit code 0, missed 3, undecided 4", async () => {
      const argv = ["predict", "--predictor", adapted, "--coverage", "0.8", "--arch=1462"];
      const { latencyMs, lowerMs, upperMs } = (await samaraJson(...argv)).document.results[0];
      const network = "--arch=1462";
      expect(await ask(1.001 * upperMs, network)).toEqual({ code: 0, verdicts: ["yes"] });
      expect(await ask(0.999 * lowerMs, network)).toEqual({ code: 3, verdicts: ["no"] });
      expect(await ask(latencyMs, network)).toEqual({ code: 4, verdicts: ["undecided"] });
    });

    test("over several networks: 0 if any is yes, 4 if none is and one is undecided", async () => {
      const [fast, , slow] = await bounds();
      expect((await ask(1.001 * slow!.upperMs, ...archs)).verdicts).toEqual(["yes", "yes", "yes"]);
      const some = await ask(1.001 * fast!.upperMs, ...archs);
      expect(some.code).toBe(0);
      expect(new Set(some.verdicts).size).toBeGreaterThan(1);
      const none = await ask(0.999 * fast!.upperMs, ...archs);
      expect(none.code).toBe(4);
      expect(none.verdicts).not.toContain("yes");
      const least = Math.min(...(await bounds()).map(({ lowerMs }) => lowerMs));
      expect(await ask(0.999 * least, ...archs)).toEqual({ code: 3, verdicts: ["no", "no", "no"] });
    });

    test("is held against the one-sided bound that --confidence sets", async () => {
      const at = async (confidence: string) => {
        const { document } = await samaraJson(
          ...["predict", "--predictor", adapted, "--arch=1462", "--budget=1s"],
          ...["--confidence", confidence],
        );
        expect(document.context.confidence).toBe(Number(confidence));
        return document.results[0];
      };
      const low = await at("0.8");
      const high = await at("0.99");
      // A budget between the two upper bounds is met at one confidence and undecided at the other.
      const between = `${(5e5 * (low.upperMs + high.upperMs)).toFixed(0)}ns`;
      for (const [confidence, verdict, code] of [
        ["0.8", "yes", 0],
        ["0.99", "undecided", 4],
      ] as const) {
        const ran = await samaraJson(
          ...["predict", "--predictor", adapted, "--arch=1462", "--budget", between],
          ...["--confidence", confidence],
        );
        expect(ran.code).toBe(code);
        expect(ran.document.results[0].verdict).toBe(verdict);
      }
      expect(low.coverage).toBeCloseTo(0.6, 12);
      expect(high.coverage).toBeCloseTo(0.98, 12);
      expect(high.upperMs).toBeGreaterThan(low.upperMs);
    });
  });

  test("evaluate scores against measured latencies", async () => {
    const test = pool
      .split()!
      .test.slice(10)
      .map((id) => Number(id.split("/")[1]));
    const csv = ["network,latencyMs", ...test.map((i) => `"${archOf(i)}",${truth(i)}`)].join("\n");
    const { document, code, stderr } = await samaraJson(
      ...["evaluate", "--predictor", adapted],
      ...["--measurements", place.file("truth.csv", csv)],
    );
    expect(code).toBe(0);
    expect(stderr).toContain("are not told apart here");
    expect(envelope.parse(document).schema).toBe("samara/evaluate/1");
    expect(document.results[0]).toMatchObject({ platform: target.id, nTest: 30 });
    expect(document.results[0].withinTenPercent).toBeGreaterThan(0.9);
    expect(document.results[0].mape).toBeLessThan(0.05);
    expect(document.results[0].spearman).toBeGreaterThan(0.97);
  });

  test("adapt and evaluate read a pool's Parquet, of the platform that is named", async () => {
    const file = join(pool.folder, "measurements.parquet");
    const out = place.path("adapted-from-parquet");
    const adapt = await samaraJson(
      ...["adapt", "--predictor", fitted, "--measurements", file, "--platform", target.id],
      ...["-o", out],
    );
    expect(adapt.document.results[0].nSamples).toBe(140);
    const evaluate = await samaraJson("evaluate", "--predictor", out, "--measurements", file);
    expect(evaluate.document.results[0].nTest).toBe(140);
  });

  test.each(["flops-line", "maple-edge"])("%s learns, adapts and predicts too", async (method) => {
    const folder = place.path(method);
    mkdirSync(folder);
    const learn = await samara(
      ...["train", "--pool", pool.folder, "--predictor", method, "-o", join(folder, "fitted")],
    );
    expect(learn.code).toBe(0);
    const adapt = await samara(
      ...["adapt", "--predictor", join(folder, "fitted"), "-o", join(folder, "adapted")],
      ...["--measurements", place.path("samples.csv"), "--platform", target.id],
      ...["--descriptor", pool.descriptorPath(target.id)],
    );
    expect(adapt.code).toBe(0);
    const { document } = await samaraJson(
      ...["predict", "--predictor", join(folder, "adapted"), "--arch=1462"],
    );
    expect(document.context.method).toBe(method);
    expect(document.results[0].latencyMs).toBeGreaterThan(0);
  });
});

describe("measuring on the fake runtime", { timeout: 120_000 }, () => {
  const few = ["--processes", "2", "--pairs", "3"];
  /** Whole nanoseconds, as the laboratory's clock has. */
  const trueMs = (index: number) =>
    Math.round(1e6 * graphLatencyMs(graphOf(index), labPlatform())) / 1e6;

  test("measure prints latencies with intervals and grades, and goes on from its log", async () => {
    const file = place.path("mine.onnx");
    await samara("generate", "--arch", "9410", "-o", file);
    const argv = ["measure", "--platform", "fake1-t1", "--arch", "1462", file, ...few];
    const { document, code } = await samaraJson(...argv, "-o", place.path("measured"));
    expect(code).toBe(0);
    expect(envelope.parse(document).schema).toBe("samara/measurements/1");
    expect(document.results.map(({ id }: { id: string }) => id)).toEqual([
      networkId(1462),
      expect.stringMatching(/^file\/mine\.onnx#/),
    ]);
    document.results.forEach((result: Record<string, number>, i: number) => {
      expect(result).toMatchObject({ nProcesses: 2, grade: "B", predicted: null });
      expect(result.latencyMs).toBeCloseTo(trueMs([1462, 9410][i]!), 6);
      expect(result.latencyMs).toBeGreaterThan(result.lowerMs!);
      expect(result.medianWallMs).toBeCloseTo(result.latencyMs!, 6);
    });
    const pool = new Pool(place.path("measured"));
    expect(pool.runs().lines).toHaveLength(4);
    expect(pool.platforms()).toHaveLength(1);
    const again = await samaraJson(...argv, "-o", place.path("measured"), "--resume");
    expect(again.document.results).toEqual(document.results);
    expect(pool.runs().lines).toHaveLength(4);
  });

  test("measure takes networks of other spaces, each once", async () => {
    const arch = ["--arch=fbnet/random", "--arch", `nasbench201/3`, "--arch=3"];
    const argv = ["measure", "--platform", "fake1-t1", ...arch, ...few];
    const { document, code } = await samaraJson(...argv, "-o", place.path("of-spaces"));
    expect(code).toBe(0);
    expect(document.results.map(({ id }: { id: string }) => id)).toEqual([
      expect.stringMatching(/^fbnet\/[0-8]{22}$/),
      networkId(3),
    ]);
    expect(document.results[0].latencyMs).toBeGreaterThan(0);
  });

  test("measure prints what the predictor of the platform says beside what was measured", async () => {
    writeFakePool(place.path("source"), 60, 0);
    await samara("train", "--pool", place.path("source"), "-o", place.path("of-source"));
    const argv = ["measure", "--platform", "fake1-t1", "--samples", "8", ...few];
    const { document } = await samaraJson(...argv);
    expect(document.results.map((result: { predicted: unknown }) => result.predicted)).toEqual(
      new Array(8).fill(null),
    );
    const adapt = await samara(
      "adapt",
      "--platform=fake1-t1",
      "--predictor",
      place.path("of-source"),
    );
    expect(adapt.code).toBe(0);
    const file = place.path("mine.onnx");
    const again = await samaraJson(...argv, "--seed=9", file);
    expect(again.document.results).toHaveLength(9);
    for (const { latencyMs, predicted } of again.document.results) {
      expect(Math.abs(predicted.latencyMs / latencyMs - 1)).toBeLessThan(0.15);
      expect(predicted.withinKnownRange).toBe(true);
    }
    const best = await samaraJson("predict", "--platform", "fake1-t1", "--arch", "1462");
    expect(best.document.context.predictor).toContain(place.path("home", "predictors"));
    expect(best.document.warnings).toEqual([]);
  });

  test("predict warns when the runtime has another version than it was adapted to", async () => {
    const [name] = readdirSync(place.path("home", "predictors"));
    const folder = place.path("adapted-before");
    cpSync(place.path("home", "predictors", name!), folder, { recursive: true });
    const path = join(folder, "predictor.json");
    const json = JSON.parse(readFileSync(path, "utf8"));
    const { platform } = json.provenance;
    platform.id = platform.id.replace("fake1-t1", "fake0.9-t1");
    platform.runtime.version = "0.9.0";
    writeFileSync(path, JSON.stringify(json));
    for (const more of [[], ["--platform", "fake0.9-t1"], ["--platform", platform.id]]) {
      const argv = ["predict", "--predictor", folder, "--arch", "1462", ...more];
      const { stderr, code } = await samara(...argv);
      expect(code).toBe(0);
      expect(stderr).toContain(
        "runtime version differs: the predictor was adapted to 0.9.0, here it is 1.0.0",
      );
    }
    const threads = await samara(
      ...["predict", "--predictor", folder, "--arch", "1462", "--platform", "fake1-t2"],
    );
    expect(threads.stderr).toContain("number of threads differs");
  });

  test("profile writes a descriptor with every operator", async () => {
    const file = place.path("descriptor.json");
    const { document, code } = await samaraJson("profile", "--platform=fake1-t1", "-o", file);
    expect(code).toBe(0);
    expect(envelope.parse(document).schema).toBe("samara/profile/1");
    const descriptor = descriptorSchema.parse(JSON.parse(readFileSync(file, "utf8")));
    expect(descriptor.rows).toEqual(document.results);
    expect(descriptor.platform.id).toMatch(/\.fake1-t1\.fp32$/);
    expect(new Pool(place.path("home", "pool")).descriptor(descriptor.platform.id)).toEqual(
      descriptor,
    );
  });

  test("campaign measures a plan's platforms, with the test set drawn apart", async () => {
    const folder = place.path("campaign");
    const plan = place.file(
      "plan.yaml",
      `pool: ${folder}\nplatforms: [fake1-t1]\nseed: 4\ntrain: 3\ntest: 2\nprocesses: 1\npairs: 3\n`,
    );
    const { document, code } = await samaraJson("campaign", plan);
    expect(document.warnings).toEqual([]);
    expect(code).toBe(0);
    expect(envelope.parse(document).schema).toBe("samara/campaign/1");
    expect(document.results[0]).toMatchObject({ nNetworks: 5, gradeX: 0 });
    const pool = new Pool(folder);
    const split = pool.split()!;
    expect(split).toMatchObject({ seed: 4 });
    expect(new Set([...split.train, ...split.test]).size).toBe(5);
    expect(pool.descriptors()).toHaveLength(1);
    const measured = (await pool.measurements()).filter(({ kind }) => kind === "network");
    expect(measured.map(({ subjectId }) => subjectId).sort()).toEqual(
      [...split.train, ...split.test].sort(),
    );
  });
});
