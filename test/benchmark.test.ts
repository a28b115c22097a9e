// `samara benchmark` from end to end on folders made up here: results, resuming, interruption, mistakes. Workers are
// processes of the build (`npm test` makes it).
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeHashOf } from "../src/cli/benchmark-code.js";
import { predictorNames } from "../src/predict/registry.js";
import { samara, samaraJson, startSamara, Workplace } from "./command-line.js";
import { writeLatencyFolder } from "./published-folder.js";

const timeout = 120_000;
let place: Workplace;
let sources: string;
let targets: string;

beforeAll(() => {
  place = new Workplace();
  sources = place.path("sources");
  targets = place.path("elsewhere", "targets");
  writeLatencyFolder(sources, { nNetworks: 300, seed: 1 }, [
    { id: "gpu_1", device: "GPU", overheadMs: 3, speedMs: 4 },
    { id: "gpu_32", device: "GPU", overheadMs: 4, speedMs: 8, missing: 0.2 },
    { id: "phone", overheadMs: 1, speedMs: 30 },
    { id: "copied", overheadMs: 2, speedMs: 10 },
  ]);
  writeLatencyFolder(targets, { nNetworks: 250, seed: 2 }, [
    { id: "board", overheadMs: 2, speedMs: 50, missing: 0.3 },
    { id: "server", overheadMs: 2, speedMs: 5 },
    { id: "few", overheadMs: 2, speedMs: 5, missing: 0.97 },
  ]);
});
afterAll(() => place.remove());

let nFolders = 0;
/** A folder of its own for finished trials. */
const newOut = () => place.path(`out-${nFolders++}`);

const own = (...more: string[]) => [
  ...["benchmark", "--source", `${sources}:gpu_1,gpu_32,phone`],
  ...["--target", `${targets}:board,server`, "--predictor", "flops-line", "--trials", "3", ...more],
];

const unitsIn = (folder: string) => {
  const path = join(folder, "units.jsonl");
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];
};

/** Results without the times, which differ from run to run. */
const untimed = (results: readonly Record<string, unknown>[]) =>
  results.map(({ trainS: _, adaptMs: __, predictPerS: ___, ...result }) => result);

const fields = [
  ...["task", "predictor", "target", "samples", "trials", "protocol", "select"],
  ...["spearman", "kendall", "withinFivePercent", "withinTenPercent", "mape"],
  ...["spearmanSd", "withinTenPercentSd", "coverage90", "intervalWidth", "intervalScore"],
  ...["mapeConnected", "withinTenPercentConnected", "nUnconnected"],
  ...["nTest", "targetLatenciesRead", "trainS", "adaptMs", "predictPerS"],
];

describe("a task of one's own", () => {
  test("gives every field for each target, and means over targets", { timeout }, async () => {
    const { code, document } = await samaraJson(...own("-o", newOut()));
    expect(code).toBe(0);
    expect(document.schema).toBe("samara/benchmark/1");
    const { results, summary } = document;
    expect(results.map((r: { target: string }) => r.target)).toEqual(["board", "server"]);
    for (const result of [...results, ...summary]) {
      for (const field of fields) {
        if (field === "target" && summary.includes(result)) continue;
        expect(result).toHaveProperty(field);
        expect(result[field]).not.toBeNull();
      }
      expect(result).toMatchObject({ task: "own", predictor: "flops-line", samples: 10 });
      expect(result).toMatchObject({ trials: 3, protocol: "all", select: "random" });
      expect(result.targetLatenciesRead).toBe(10);
      expect(result.spearman).toBeGreaterThan(0.9);
    }
    const [board, server] = results;
    expect(server.nTest).toBe(240);
    expect(board.nTest).toBeGreaterThan(140);
    expect(board.nTest).toBeLessThan(190);
    expect(summary).toHaveLength(1);
    expect(summary[0].spearman).toBeCloseTo((board.spearman + server.spearman) / 2, 12);
    expect(document.context).toMatchObject({ seed: 0, samples: 10, trials: 3 });
    expect(document.warnings).toEqual([]);
  });

  test("gives the same with any number of workers, and other draws for another seed", {
    timeout,
  }, async () => {
    const one = await samaraJson(...own("-o", newOut(), "--threads", "1"));
    const three = await samaraJson(...own("-o", newOut(), "--threads", "3"));
    expect(untimed(three.document.results)).toEqual(untimed(one.document.results));
    const other = await samaraJson(...own("-o", newOut(), "--seed", "1", "--trials", "1"));
    expect(other.document.results[0].spearman).not.toBe(one.document.results[0].spearman);
  });

  test("prints tables, CSV and one JSON line a target", { timeout }, async () => {
    const out = newOut();
    const table = await samara(...own("-o", out));
    expect(table.stdout).toMatch(/^task +predictor +target +Spearman/);
    expect(table.stdout).toContain("mean of");
    const csv = await samara(...own("-o", out, "--resume", "--output", "csv"));
    expect(csv.stdout.split("\n")[0]).toContain("task,predictor,target,samples,trials");
    expect(csv.stdout.trim().split("\n")).toHaveLength(3);
    const lines = await samara(...own("-o", out, "--resume", "--output", "jsonl"));
    expect(
      lines.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).target),
    ).toEqual(["board", "server"]);
  });

  test("leaves the target out of a source folder, and says so", { timeout }, async () => {
    const { code, stderr, document } = await samaraJson(
      ...["benchmark", "--source", sources, "--target", `${sources}:copied`],
      ...["--predictor", "flops-line", "--trials", "1", "-o", newOut()],
    );
    expect(code).toBe(0);
    expect(stderr).toContain(`warning: ${sources}:copied is left out of the sources`);
    expect(document.context.tasks[0].sources).toEqual(["gpu_1", "gpu_32", "phone"]);
    expect(document.warnings[0].code).toBe("target-left-out");
  });

  test("tells platforms of one name apart, and finds a copy of the target's measurements", {
    timeout,
  }, async () => {
    const named = (folder: string) => ({ overheadMs: folder.length, speedMs: 7 });
    const [a, b] = [place.path("a", "same"), place.path("b", "same")];
    writeLatencyFolder(a, { nNetworks: 300, seed: 4 }, [{ id: "phone", ...named("aaa") }]);
    writeLatencyFolder(b, { nNetworks: 300, seed: 4 }, [{ id: "phone", ...named("b") }]);
    const argv = (...more: string[]) => [
      ...["benchmark", "--source", a, "--source", sources, "--predictor", "flops-line"],
      ...["--trials", "1", "-o", newOut(), ...more],
    ];
    const { document } = await samaraJson(...argv("--target", b));
    expect(document.context.tasks[0].sources).toContain(`${a}/phone`);
    expect(document.context.tasks[0].sources).toContain("sources/phone");
    expect(document.results[0].target).toBe(`${b}/phone`);
    const copy = place.path("copy");
    writeLatencyFolder(copy, { nNetworks: 300, seed: 4 }, [{ id: "other", ...named("aaa") }]);
    const warned = await samaraJson(...argv("--target", copy));
    expect(warned.stderr).toContain(`${a}:phone is left out of the sources`);
    expect(warned.document.context.tasks[0].sources).not.toContain(`${a}/phone`);
  });

  test("runs several numbers of samples and both selections, learning once for all", {
    timeout,
  }, async () => {
    const out = newOut();
    const argv = own("-o", out, "--samples", "5,10,20", "--select", "random,designed");
    const { document } = await samaraJson(...argv);
    expect(document.results).toHaveLength(12);
    expect(document.summary.map((s: { samples: number }) => s.samples)).toEqual([
      ...[5, 5, 10, 10, 20, 20],
    ]);
    const trained = unitsIn(out).map((line) => JSON.parse(line).unit.trainS);
    expect(new Set(trained).size).toBe(3);
    const alone = await samaraJson(...own("-o", newOut()));
    const among = document.results.filter(
      (r: { samples: number; select: string }) => r.samples === 10 && r.select === "random",
    );
    expect(untimed(among)).toEqual(untimed(alone.document.results));
    const resumed = await samara(...own("-o", out, "--resume", "--samples", "20"));
    expect(resumed.stderr).toContain("6 of 6 trials");
    const again = await samara(...argv, "--resume");
    expect(again.stdout).toMatch(/samples +select +Spearman/);
    expect(again.stderr).toContain("flops-line does not choose samples: they were drawn at random");
  });

  test("learns once for all trials when it is to", { timeout }, async () => {
    const out = newOut();
    const { document } = await samaraJson(...own("-o", out, "--one-source-draw"));
    expect(document.context.sourceDraws).toBe("one for all trials");
    const trained = unitsIn(out).map((line) => JSON.parse(line).unit.trainS);
    expect(new Set(trained).size).toBe(1);
  });
});

describe("codeHashOf()", () => {
  test("differs by the code of a method, and knows every method's module", () => {
    const hashes = predictorNames.map((name) => codeHashOf(name));
    expect(new Set(hashes).size).toBe(predictorNames.length);
    expect(codeHashOf(predictorNames[0]!)).toBe(hashes[0]);
    // A method without a module of its own name depends on all of them.
    expect(hashes).not.toContain(codeHashOf("a variant"));
  });
});

describe("resuming", () => {
  test("takes what is finished and runs what is missing", { timeout }, async () => {
    const out = newOut();
    const whole = await samaraJson(...own("-o", out));
    const lines = unitsIn(out);
    expect(lines).toHaveLength(6);
    // Two whole lines and one that a crash cut short.
    writeFileSync(join(out, "units.jsonl"), `${lines.slice(0, 2).join("\n")}\n`);
    appendFileSync(join(out, "units.jsonl"), lines[2]!.slice(0, 40));
    const resumed = await samaraJson(...own("-o", out, "--resume"));
    expect(resumed.stderr).toContain(`2 of 6 trials are in ${join(out, "units.jsonl")} already`);
    expect(untimed(resumed.document.results)).toEqual(untimed(whole.document.results));
    expect(unitsIn(out)).toHaveLength(7);
    const more = await samaraJson(...own("-o", out, "--resume", "--trials", "4"));
    expect(more.stderr).toContain("6 of 8 trials");
  });

  test("takes nothing of another seed, and nothing unless asked", { timeout }, async () => {
    const out = newOut();
    await samara(...own("-o", out));
    const other = await samara(...own("-o", out, "--resume", "--seed", "1"));
    expect(other.stderr).not.toContain("already");
    await samara(...own("-o", out));
    expect(unitsIn(out)).toHaveLength(18);
  });

  test("goes on after Ctrl-C with the command that was said", { timeout }, async () => {
    const out = newOut();
    const argv = own("-o", out, "--threads", "1");
    argv[argv.indexOf("3")] = "200";
    const running = startSamara([...argv, "--json"]);
    while (unitsIn(out).length < 3) {
      await sleep(5);
      if (running.child.exitCode !== null) throw new Error(running.stderr());
    }
    running.child.kill("SIGINT");
    const stopped = await running.ended;
    expect(stopped.code).toBe(130);
    expect(stopped.stdout).toBe("");
    expect(stopped.stderr).toContain("error[interrupted]: stopped after");
    const command = /go on with: samara (.*)/.exec(stopped.stderr)![1]!;
    const kept = unitsIn(out).length;
    expect(kept).toBeLessThan(400);
    const resumed = startSamara([...command.split(" "), "--trials", "2", "--json"]);
    const { code, stdout, stderr } = await resumed.ended;
    expect(code).toBe(0);
    expect(stderr).toContain("trials are in");
    expect(JSON.parse(stdout).results[0].trials).toBe(2);
  });
});

describe("mistakes", () => {
  async function refuses(argv: readonly string[], ...messages: string[]) {
    const { code, stdout, stderr } = await samara(...argv, "-o", newOut());
    for (const message of messages) expect(stderr).toContain(message);
    expect(stderr).not.toContain("internal");
    expect([code, stdout]).toEqual([2, ""]);
  }
  const rest = ["--predictor", "flops-line"];

  test("data that are not there: the option is named", async () => {
    await refuses(
      ["benchmark", "--data", place.path("none"), ...rest],
      `error[not-found]: the folder of published data does not exist: ${place.path("none")}`,
      "--data DIR or SAMARA_DATA",
    );
    mkdirSync(place.path("empty"));
    await refuses(
      ["benchmark", "--data", place.path("empty"), "--tasks", "ND,N1", ...rest],
      "task ND needs",
      "task N1 needs",
      "--data DIR or SAMARA_DATA",
    );
  });

  test("names that do not exist, all at once", async () => {
    await refuses(
      [
        "benchmark",
        "--tasks",
        "ND,N9",
        "--protocol",
        "some",
        "--select",
        "best",
        "--predictor",
        "x",
      ],
      '--tasks: no task is named "N9"; known: ND, N1',
      '--protocol is one of all, help, got "some"',
      '--select is one of random, designed, got "best"',
      'no predictor is named "x"',
    );
  });

  test("platforms and folders that do not exist", async () => {
    await refuses(
      ["benchmark", "--source", `${sources}:gpu_1,gpu_2`, "--target", place.path("no"), ...rest],
      `--source: ${sources} has no platform "gpu_2"; it has gpu_1, gpu_32, phone, copied`,
      `--target: folder does not exist: ${place.path("no")}`,
    );
    await refuses(["benchmark", "--source", sources, ...rest], "--target is missing");
  });

  test("a source that is named and is the target", async () => {
    await refuses(
      ["benchmark", "--source", `${sources}:gpu_1,phone`, "--target", `${sources}:phone`, ...rest],
      "nothing of a target may be learned from",
    );
  });

  test("too few measured networks or samples", async () => {
    await refuses(
      ["benchmark", "--source", targets, "--target", `${sources}:phone`, ...rest],
      "a source needs at least 20 measured networks, few has",
    );
    await refuses(
      ["benchmark", "--source", sources, "--target", `${targets}:few`, "--samples", "20", ...rest],
      "target few needs 20 networks to sample and at least 2 others",
    );
    await refuses(own("--samples", "1"), "flops-line needs at least 2 samples of a target, got 1");
    await refuses(
      own("--samples", "5,x,0"),
      '--samples must be an integer >= 1, got "x"',
      'got "0"',
    );
    await refuses(
      ["benchmark", "--source", sources, "--target", targets, "--protocol", "help", ...rest],
      "in the first window of protocol help",
    );
  });

  test("a folder for finished trials that cannot be", async () => {
    const file = place.file("a-file", "");
    const { code, stderr } = await samara(...own("-o", join(file, "folder")));
    expect([code, stderr.includes("error[storage]")]).toEqual([2, true]);
  });

  test("folders of different spaces", async () => {
    const cells = place.path("cells");
    mkdirSync(cells);
    writeFileSync(join(cells, "latency.f32"), new Uint8Array(Float32Array.of(1, 2).buffer));
    const head = {
      ...{ file: "latency.f32", dtype: "float32", unit: "ms", space: "nasbench201" },
      ...{ shape: [1, 2], rows: [{ id: "p" }] },
    };
    writeFileSync(join(cells, "latency.json"), JSON.stringify(head));
    writeFileSync(
      join(cells, "architectures.csv"),
      "arch\n|none~0|+|none~0|none~1|+|none~0|none~1|none~2|\n|none~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|\n",
    );
    await refuses(
      ["benchmark", "--source", sources, "--target", cells, ...rest],
      "must be of one search space",
      `nasbench201 (${cells})`,
    );
  });
});
