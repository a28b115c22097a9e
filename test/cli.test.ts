// What every command line promises: options and where they come from, output forms, exit codes of answers.
// Sampler processes are replaced by a laboratory of exact latencies; real ones run in interrupted.test.ts.
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { readOnnx } from "../src/onnx/read.js";
import { tool } from "../src/package.js";
import { descriptorSchema } from "../src/record/descriptor.js";
import { archStringFromCell, cellFromIndex, networkId } from "../src/space/nasbench201/cell.js";
import { networkFromCell } from "../src/space/nasbench201/network.js";
import { Pool } from "../src/store/pool.js";
import { envelope, samara, samaraJson, samaraWithInput, Workplace } from "./command-line.js";
import { labPlatform } from "./fake-lab.js";
import { graphLatencyMs, writeFakePool } from "./fake-pool.js";

vi.mock("../src/platform/sampler.js", async () => {
  const { createLab } = await import("./fake-lab.js");
  return { startSampler: createLab().startSampler };
});

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
});
afterAll(() => place.remove());

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
