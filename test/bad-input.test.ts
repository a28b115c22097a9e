// Everything a user can get wrong: the exit code, what is said of which file, and nothing left behind.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { findPlatforms } from "../src/cli/platforms.js";
import { PlatformUnavailableError } from "../src/errors.js";
import {
  encodeModel,
  type GraphProto,
  type ModelProto,
  tensorType,
  type ValueInfoProto,
} from "../src/onnx/proto.js";
import { findPlatform, listPlatforms } from "../src/platform/registry.js";
import { predictorNames } from "../src/predict/registry.js";
import type { Descriptor } from "../src/record/descriptor.js";
import { Pool } from "../src/store/pool.js";
import { samara, Workplace } from "./command-line.js";
import { labDevice } from "./fake-lab.js";
import { fakeMeasurement, poolPlatforms, writeFakePool } from "./fake-pool.js";

let place: Workplace;
let pool: Pool;
let fitted: string;
let adapted: string;
const target = poolPlatforms.at(-1)!;
const other = poolPlatforms[0]!;
const csvOf = (...lines: string[]) => ["network,latencyMs", ...lines].join("\n");

beforeAll(async () => {
  place = new Workplace();
  pool = writeFakePool(place.path("pool"), 60, 10);
  fitted = place.path("fitted");
  adapted = place.path("adapted");
  const lines = Array.from({ length: 10 }, (_, i) => `${i * 1500},${1 + 0.1 * i}`);
  const samples = place.file("samples.csv", csvOf(...lines));
  for (const argv of [
    ["train", "--pool", pool.folder, "--hold-out", "delta", "-o", fitted],
    [
      ...["adapt", "--predictor", fitted, "--measurements", samples, "--platform", target.id],
      ...["--descriptor", pool.descriptorPath(target.id), "-o", adapted],
    ],
  ]) {
    const { code, stderr } = await samara(...argv);
    if (code !== 0) throw new Error(stderr);
  }
}, 120_000);
afterAll(() => place.remove());

/** The command line ends with this code and says this, as an error of the user's and without a stack. */
async function refuses(argv: readonly string[], code: number, ...messages: string[]) {
  const ran = await samara(...argv);
  for (const message of messages) expect(ran.stderr).toContain(message);
  expect(ran.stderr).toMatch(/^(warning|error\[[a-z-]+\]): /m);
  expect(ran.stderr).not.toContain("internal");
  expect(ran.stderr).not.toMatch(/\n\s+at /);
  expect(ran.stdout).toBe("");
  expect(ran.code).toBe(code);
  return ran;
}

describe("architectures", () => {
  const predict = (arch: string) => ["predict", "--predictor", adapted, "--arch", arch];

  test("with an unknown operation", async () => {
    await refuses(
      predict("|nor_conv_5x5~0|+|none~0|none~1|+|none~0|none~1|none~2|"),
      2,
      'error[input]: unknown operation "nor_conv_5x5"',
      "known: none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3",
    );
  });

  test.each([
    ["too few nodes", "|none~0|+|none~0|none~1|", "must describe 3 nodes"],
    [
      "too many edges",
      "|none~0|none~1|+|none~0|none~1|+|none~0|none~1|none~2|",
      "must have 1 edge",
    ],
    ["a wrong source", "|none~1|+|none~0|none~1|+|none~0|none~1|none~2|", '"operation~0"'],
    ["no text", "", "must describe 3 nodes"],
    ["other words", "resnet18", 'got 1 in "resnet18"'],
  ])("malformed: %s", async (_, arch, message) => {
    await refuses(predict(arch), 2, "error[input]: ", message);
  });

  test.each(["15625", "-1", "nasbench201/15625", "99999999999999999999"])(
    "with the index %s out of range",
    async (index) => {
      const named = index.replace("nasbench201/", "");
      await refuses(predict(index), 2, `an integer in 0…15624, got ${named}`);
    },
  );

  test.each([
    ["an unknown space", "resnet/18", "known: nasbench201, fbnet, fbnet-imagenet, ofa"],
    ["too few blocks", "fbnet/781", "must have 22 blocks, got 3"],
    [
      "a block that does not exist",
      `fbnet/9${"0".repeat(21)}`,
      "must be an integer in 0..8, got 9",
    ],
    ["letters", "fbnet-imagenet/k3_e1", '22 digits 0..8, got "k3_e1"'],
    ["an input size between the sizes", "ofa/130-33-33-33-33-33", "must be one of 128, 132"],
    ["a stage of one block", "ofa/128-3333-3333-3333-3333-33", "2 to 4 blocks, got 1"],
  ])("of another space, with %s", async (_, arch, message) => {
    await refuses(predict(arch), 2, "error[input]: ", message);
  });

  test("several wrong ones are all named at once", async () => {
    const { stderr } = await refuses(
      [...predict("15625"), "--arch", "resnet18", "--arch", "1462", "--budget", "12"],
      2,
      "15625",
      "resnet18",
      'a duration is a number with a unit (ns, us, µs, ms, s, min, h), got "12"',
    );
    expect(stderr.match(/^error\[/gm)).toHaveLength(3);
  });
});

describe("ONNX files", () => {
  const shape = (name: string, dims: readonly number[]): ValueInfoProto => ({
    name,
    type: {
      tensorType: {
        elemType: tensorType.float32,
        shape: { dim: dims.map((dimValue) => ({ dimValue })) },
      },
    },
  });
  const graph = (changes: Partial<GraphProto> = {}): Uint8Array => {
    const model: ModelProto = {
      irVersion: 8,
      opsetImport: [{ domain: "", version: 13 }],
      graph: {
        name: "net",
        node: [{ opType: "Relu", name: "act", input: ["x"], output: ["y"] }],
        input: [shape("x", [1, 3, 8, 8])],
        output: [shape("y", [1, 3, 8, 8])],
        ...changes,
      },
    };
    return encodeModel(model);
  };
  const conv = (weights: GraphProto["initializer"]): Uint8Array =>
    graph({
      node: [{ opType: "Conv", name: "conv", input: ["x", "w"], output: ["y"] }],
      initializer: weights!,
      output: [{ name: "y" }],
    });
  const weights = (dims: number[]) => ({
    name: "w",
    dims,
    dataType: tensorType.float32,
    floatData: new Array(dims.reduce((a, b) => a * b, 1)).fill(0),
  });

  const fancy = [{ opType: "Fancy", name: "f", input: ["x"], output: ["y"] }];

  const cases: [string, string, Uint8Array, string[]][] = [
    ["that is truncated", "format", graph().subarray(0, -9), ["damaged"]],
    ["that is not ONNX", "format", Buffer.from("\x89PNG\r\n\x1a\n picture"), ["damaged"]],
    ["that is empty", "format", new Uint8Array(0), ["is empty"]],
    [
      "with an unknown operator of unknown shape",
      "unsupported",
      graph({ node: fancy, output: [{ name: "y" }] }),
      ["Fancy"],
    ],
    [
      "with external data outside its folder",
      "format",
      conv([
        {
          name: "w",
          dims: [4, 3, 1, 1],
          dataType: tensorType.float32,
          dataLocation: 1,
          externalData: [{ key: "location", value: "../secret.bin" }],
        },
      ]),
      ["../secret.bin", "folder of the file"],
    ],
    ["whose weights do not fit", "shape", conv([weights([4, 5, 1, 1])]), ["conv", "do not fit"]],
    [
      "that states another shape than it has",
      "shape",
      graph({ output: [shape("y", [1, 9])] }),
      ["states 1x9"],
    ],
  ];

  test.each(cases)("%s are refused by predict and by measure", async (_, code, bytes, messages) => {
    const file = place.file("bad.onnx", bytes);
    await refuses(
      ["predict", "--predictor", adapted, file],
      2,
      `error[${code}]: ${file}`,
      ...messages,
    );
    const out = place.path("never");
    await refuses(["measure", "--platform", "fake1-t1", file, "-o", out], 2, file, ...messages);
    expect(existsSync(out)).toBe(false);
  });

  test("with an unknown operator of stated shape are predicted outside the known range", async () => {
    const file = place.file("fancy.onnx", graph({ node: fancy }));
    const { code, stderr, stdout } = await samara("predict", "--predictor", adapted, file);
    expect(code).toBe(0);
    expect(stderr).toContain("operators never learned from: Fancy 3x8x8>3x8x8");
    expect(stdout).toContain("outside the known range");
  });

  test("that are missing, and a folder, are named together", async () => {
    const { stderr } = await refuses(
      ["predict", "--predictor", adapted, place.path("missing.onnx"), place.folder],
      2,
      `model file not found: ${place.path("missing.onnx")}`,
      place.folder,
    );
    expect(stderr.match(/^error\[/gm)).toHaveLength(2);
  });
});

describe("descriptors", () => {
  const adapt = (descriptor: string) => [
    ...["adapt", "--predictor", fitted, "--measurements", place.path("samples.csv")],
    ...["--platform", target.id, "--descriptor", descriptor, "-o", place.path("never")],
  ];
  const changed = (change: (descriptor: Descriptor) => unknown) =>
    place.file("descriptor.json", JSON.stringify(change(pool.descriptor(target.id)!)));

  test("with missing operators", async () => {
    const missing = "nor_conv_3x3@16x32x32";
    await refuses(
      adapt(
        changed(({ rows, ...rest }) => ({
          ...rest,
          rows: rows.filter(({ operator }) => operator !== missing),
        })),
      ),
      2,
      "operators that the predictor was trained with",
      `missing: ${missing}`,
      "profile the platform again",
    );
    expect(existsSync(place.path("never"))).toBe(false);
  });

  test("in other units", async () => {
    const file = changed((descriptor) => ({ ...descriptor, latencyUnit: "ms" }));
    await refuses(adapt(file), 2, `error[format]: descriptor ${file}: field "latencyUnit"`);
  });

  test("with a NaN or negative latency", async () => {
    for (const latencyNs of [null, -5]) {
      const file = changed(({ rows, ...rest }) => ({
        ...rest,
        rows: [{ ...rows[0], latencyNs }, ...rows.slice(1)],
      }));
      await refuses(adapt(file), 2, 'field "rows.0.latencyNs" is wrong');
    }
  });

  test("of another platform", async () => {
    await refuses(
      adapt(pool.descriptorPath(other.id)),
      2,
      `the descriptor is of ${other.id}, the measurements of ${target.id}`,
    );
  });

  test("that are no JSON, or missing", async () => {
    await refuses(adapt(place.file("bad.json", "{")), 2, "is not JSON");
    await refuses(adapt(place.path("none.json")), 2, "descriptor not found");
  });
});

describe("measurements", () => {
  const adapt = (file: string, ...more: string[]) => [
    ...["adapt", "--predictor", fitted, "--measurements", file],
    ...["-o", place.path("never"), ...more],
  ];
  const csv = (...lines: string[]) => place.file("measured.csv", csvOf(...lines));

  test("of another platform", async () => {
    const parquet = join(pool.folder, "measurements.parquet");
    await refuses(adapt(parquet), 2, "holds 8 platforms", "choose one with --platform");
    const one = place.file("other.csv", `platform,network,latencyMs\n${other.id},1462,1\n`);
    await refuses(
      adapt(one, "--platform", target.id),
      2,
      `is of ${other.id}, not of ${target.id}`,
      "a latency belongs to its platform",
    );
    await refuses(
      ["evaluate", "--predictor", adapted, "--measurements", one],
      2,
      `not of ${target.id}`,
    );
  });

  test.each([
    ["NaN", "NaN"],
    ["negative", "-1.5"],
    ["zero", "0"],
    ["infinite", "Infinity"],
    ["missing", ""],
    ["with a unit", "1.5ms"],
  ])("with a latency that is %s", async (_, text) => {
    const file = csv("1462,1.5", `9410,${text}`);
    await refuses(
      adapt(file),
      2,
      `error[format]: measurements file ${file}, line 3: latencyMs must be a number greater than 0, got "${text}"`,
    );
  });

  test("with several wrong lines: all are named, by their number in the file", async () => {
    const file = place.file("gaps.csv", "network,latencyMs\n\n1462,-1\n\n\nresnet18,x\r\n-,1\n");
    const { stderr } = await refuses(adapt(file), 2, "line 3: latencyMs", "line 7: an arch string");
    expect(stderr).toContain("line 6: latencyMs must be");
    expect(stderr).toContain('got 1 in "resnet18"');
    expect(stderr.match(/^error\[format\]/gm)).toHaveLength(4);
  });

  test("with other columns", async () => {
    const file = place.file("columns.csv", "arch;ms\n1462;1\n");
    await refuses(adapt(file), 2, "must have the columns network and latencyMs, got arch;ms");
  });

  test("from a spreadsheet, with a byte order mark and quotes, are none of these", async () => {
    const lines = Array.from({ length: 10 }, (_, i) => `"${i * 1500}","${1 + 0.1 * i}"`);
    const file = place.file("excel.csv", `\uFEFFnetwork,latencyMs\r\n${lines.join("\r\n")}\r\n`);
    const out = place.path("from-spreadsheet");
    const ran = await samara("adapt", "--predictor", fitted, "--measurements", file, "-o", out);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain("no descriptor of imported");
  });

  test("without a usable latency", async () => {
    await refuses(adapt(csv()), 2, "holds no usable latency of a network of a search space");
    const graded = new Pool(place.path("graded"));
    graded.writeMeasurements([fakeMeasurement(target, "nasbench201/1", 1, { grade: "X" })]);
    await refuses(adapt(join(graded.folder, "measurements.parquet")), 2, "holds no usable latency");
  });

  test("damaged, in another format, or missing", async () => {
    const bytes = readFileSync(join(pool.folder, "measurements.parquet"));
    const cut = place.file("cut.parquet", bytes.subarray(0, 300));
    await refuses(adapt(cut), 2, `error[format]: measurements file ${cut} is not readable`);
    await refuses(
      adapt(place.file("x.xlsx", "[]")),
      2,
      "come as .parquet (a pool's), .csv, .jsonl",
    );
    await refuses(adapt(place.file("x.json", "[]")), 2, "must be a document of `samara measure");
    await refuses(adapt(place.path("none.csv")), 2, "measurements file not found");
  });

  test("fewer than the method needs", async () => {
    for (const [method, least] of [
      ["operator-sum", 5],
      ["flops-line", 2],
    ] as const) {
      const predictor = place.path(`few-${method}`);
      await samara("train", "--pool", pool.folder, "--predictor", method, "-o", predictor);
      await refuses(
        ["adapt", "--predictor", predictor, "--measurements", csv("1462,1.5")],
        2,
        `error[input]: ${method} needs at least ${least} samples of imported, got 1`,
        `measure ${least - 1} more network`,
      );
    }
  });
});

describe("predictors", () => {
  const predict = (folder: string) => ["predict", "--predictor", folder, "--arch", "1462"];
  /** A copy of the adapted predictor, to be damaged. */
  const copy = (name: string) => {
    cpSync(adapted, place.path(name), { recursive: true });
    return place.path(name);
  };
  const changeJson = (folder: string, change: (json: Record<string, unknown>) => unknown) => {
    const path = join(folder, "predictor.json");
    writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, "utf8")))));
  };

  test("of a newer version of the file", async () => {
    const folder = copy("newer-file");
    changeJson(folder, (json) => ({ ...json, schema: "samara/predictor/2" }));
    await refuses(
      predict(folder),
      2,
      `error[format]: predictor file ${join(folder, "predictor.json")} has version 2`,
      "install a newer samara",
    );
  });

  test("of a newer version of the method", async () => {
    const folder = copy("newer-method");
    changeJson(folder, (json) => ({ ...json, formatVersion: 99 }));
    await refuses(
      predict(folder),
      2,
      "error[format]: ",
      "has version 99 of method",
      "update samara",
    );
  });

  test("of an unknown method", async () => {
    const folder = copy("unknown-method");
    changeJson(folder, (json) => ({ ...json, method: "oracle" }));
    const known = predictorNames.join(", ");
    await refuses(predict(folder), 2, `no predictor is named "oracle"; known: ${known}`);
  });

  test("with settings that do not fit the method", async () => {
    const folder = copy("wrong-settings");
    changeJson(folder, (json) => ({ ...json, settings: { kind: "adapted" } }));
    await refuses(predict(folder), 2, "error[format]: ");
  });

  test("with a damaged tensor", async () => {
    const folder = copy("damaged");
    const path = join(folder, "weights.safetensors");
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, bytes.length - 5));
    await refuses(predict(folder), 2, `error[format]: tensor file ${path}`, "cut short");
    writeFileSync(path, new Uint8Array(bytes).fill(0xff, bytes.length - 8));
    await refuses(predict(folder), 2, `tensor file ${path}`, "holds NaN");
    writeFileSync(path, new Uint8Array(bytes).fill(0x3f, bytes.length - 8));
    await refuses(predict(folder), 2, "is not the one that predictor.json describes");
  });

  test("that are missing, not adapted, or adapted already", async () => {
    await refuses(predict(place.path("nowhere")), 2, "error[not-found]: predictor file not found");
    await refuses(predict(fitted), 2, "is not adapted to a platform yet", "samara adapt");
    await refuses(
      ["adapt", "--predictor", adapted, "--measurements", place.path("samples.csv")],
      2,
      `is adapted to ${target.id}; this needs one that is not`,
    );
  });

  test("of a platform that nobody adapted to", async () => {
    await refuses(
      ["predict", "--platform", "toaster1-t1", "--arch", "1462"],
      2,
      'no predictor is adapted to "toaster1-t1"',
      "samara onboard",
    );
  });
});

describe("pools", () => {
  const train = (...more: string[]) => ["train", "-o", place.path("never"), ...more];

  test("that are missing or damaged", async () => {
    await refuses(train("--pool", place.path("nowhere")), 2, "error[not-found]: no pool in");
    const broken = place.path("broken-pool");
    cpSync(pool.folder, broken, { recursive: true });
    writeFileSync(join(broken, "platforms.json"), "[]]");
    await refuses(train("--pool", broken), 2, "platforms file", "is not JSON");
  });

  test("with an unknown family to hold out, or none left", async () => {
    await refuses(
      train("--pool", pool.folder, "--hold-out", "omega"),
      2,
      "--hold-out omega is no family of the pool; it has alpha, beta, gamma, delta",
    );
    await refuses(
      train(
        "--pool",
        pool.folder,
        ...["alpha", "beta", "gamma", "delta"].flatMap((f) => ["--hold-out", f]),
      ),
      2,
      "no platform with measurements is left to learn from",
    );
  });

  test("for an unknown method", async () => {
    await refuses(train("--predictor", "oracle"), 2, 'no predictor is named "oracle"');
  });

  test("with a latency that is negative", async () => {
    const bad = new Pool(place.path("bad-pool"));
    bad.addPlatform(target);
    bad.writeMeasurements([fakeMeasurement(target, "nasbench201/1", -1)]);
    await refuses(train("--pool", bad.folder), 2, "row 0 of measurements file", '"latencyMs"');
  });
});

describe("paths that cannot be written", () => {
  test("under a file: exit code 2 and the file untouched, whatever is written", async () => {
    const file = place.file("a-file", "precious");
    const under = join(file, "sub", "out");
    const commands = [
      ["generate", "--arch", "1462", "-o", `${under}.onnx`],
      ["train", "--pool", pool.folder, "--predictor", "flops-line", "-o", under],
      [
        ...["adapt", "--predictor", fitted, "--measurements", place.path("samples.csv")],
        ...["--platform", target.id, "-o", under],
      ],
      ["measure", "--platform", "fake1-t1", "--arch", "1462", "-o", under],
    ];
    for (const argv of commands) {
      await refuses(argv, 2, "error[storage]: ", file, "a part of the path is a file");
    }
    expect(readFileSync(file, "utf8")).toBe("precious");
    expect(readdirSync(place.folder).filter((name) => name.startsWith("."))).toEqual([]);
  });

  test("a predictor never replaces a folder with other work in it: exit code 2", async () => {
    const folder = place.path("thesis");
    mkdirSync(folder);
    writeFileSync(join(folder, "thesis.tex"), "precious");
    await refuses(
      ["train", "--pool", pool.folder, "--predictor", "flops-line", "-o", folder],
      2,
      "the folder holds other files (thesis.tex)",
    );
    expect(readdirSync(folder)).toEqual(["thesis.tex"]);
  });

  test("a folder where a file is to be: exit code 2", async () => {
    const folder = place.path("folder.onnx");
    mkdirSync(folder);
    await refuses(["generate", "--arch", "1462", "-o", folder], 2, "the path is a folder");
  });
});

describe("platforms", () => {
  test("that are unavailable: exit code 6 with the remedy", async () => {
    vi.stubEnv("SAMARA_FAKE_RUNTIME", "0");
    const argv = ["measure", "--platform", "fake1-t1", "--arch", "1462"];
    await refuses(
      argv,
      6,
      'error[platform-unavailable]: platform "fake1-t1" cannot run here',
      "set SAMARA_FAKE_RUNTIME=1",
    );
    await refuses([...argv, "--platform", "fake1-t2"], 6, '"fake1-t1"', '"fake1-t2"');
    await refuses([...argv, "--platform", "toaster1-t1"], 2, '"fake1-t1"', '"toaster1-t1"');
    vi.stubEnv("SAMARA_FAKE_RUNTIME", "1");
  });

  test("that do not exist: exit code 2 with the closest names", async () => {
    await refuses(
      ["profile", "--platform", "fake1-t7"],
      2,
      'error[not-found]: platform "fake1-t7" does not exist',
      "fake1-t1",
    );
  });

  test("where no runtime is available: exit code 6 with every remedy", async () => {
    const runtime = {
      name: "fake",
      family: "fake",
      slugPattern: /^fake/,
      title: "A runtime",
      modelFormat: "onnx" as const,
      probe: async () => ({ available: false as const, reason: "broken", remedy: "mend it" }),
      variants: () => [],
      load: () => Promise.reject(new Error("never")),
    };
    const list = await listPlatforms([runtime], labDevice);
    expect(list.available).toEqual([]);
    const finding = findPlatform("anything", list);
    await expect(finding).rejects.toThrow(PlatformUnavailableError);
    await expect(finding).rejects.toMatchObject({ hint: "A runtime: mend it" });
    await expect(findPlatforms(["fake9-t9"])).rejects.toThrow("does not exist");
  });
});

describe("options that a command needs", () => {
  test.each([
    [["measure"], "measure needs a platform"],
    [["measure", "--platform", "fake1-t1"], "measure needs something to measure"],
    [["profile"], "profile needs a platform"],
    [["predict"], "predict needs something to predict"],
    [["adapt"], "adapt needs --platform (measured here), --measurements FILE or --descriptor FILE"],
    [["evaluate"], "evaluate needs --measurements FILE"],
    [["train"], "train needs -o"],
    [["generate", "--arch", "1"], "generate needs -o"],
    [["predict", "--arch", "1", "--budget", "0ms"], "a duration must be greater than 0"],
    [
      ["predict", "--arch", "1", "--coverage", "90"],
      "--coverage must be a fraction between 0 and 1",
    ],
    [["predict", "--arch", "1", "--confidence", "0.3"], "--confidence must be above 0.5"],
    [
      ["generate", "--arch", "1", "--input", "3", "-o", "x.onnx"],
      "--input must be an integer in 4…4096",
    ],
    [["onboard", "--samples", "1"], "--samples must be an integer in 5…1000"],
  ])("%j", async (argv, message) => {
    await refuses(argv, 2, `error[input]: ${message}`);
  });
});

describe("plans of campaigns", () => {
  const plan = (text: string) => ["campaign", place.file("plan.yaml", text)];

  test("that are missing, no YAML, or wrong", async () => {
    await refuses(["campaign", place.path("none.yaml")], 2, "plan not found");
    await refuses(plan("a: [1"), 2, "is not YAML");
    await refuses(
      plan("pool: x\nplatforms: []\ntrain: 0\ntest: 1\nspeed: fast\n"),
      2,
      "platforms: ",
      "train: ",
      "speed",
      "data/pool/plan.yaml",
    );
    await refuses(
      plan("pool: x\nplatforms: [fake1-t1, toaster1-t1]\ntrain: 5\ntest: 1\n"),
      2,
      "toaster1-t1",
    );
  });
});

describe("what is said of an error", () => {
  test("-v shows the chain of causes", async () => {
    const file = place.file("cut2.parquet", "PAR1");
    const argv = ["adapt", "--predictor", fitted, "--measurements", file];
    expect((await samara(...argv)).stderr).not.toContain("caused by");
    expect((await samara(...argv, "-v")).stderr).toContain("  caused by: ");
  });

  test("is all on stderr, also with --json", async () => {
    const { stdout, stderr } = await samara("predict", "--arch", "resnet18", "--json");
    expect(stdout).toBe("");
    expect(stderr).toContain("error[input]");
  });
});
