// From a measured pool to answers on the command line: train, adapt, predict, evaluate, budgets.
// Sampler processes are replaced by a laboratory of exact latencies; real ones run in interrupted.test.ts.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { netronAttachmentSchema } from "../src/server/api/schemas.js";
import { archStringFromCell, cellFromIndex, networkId } from "../src/space/nasbench201/cell.js";
import { networkFromCell } from "../src/space/nasbench201/network.js";
import { Pool } from "../src/store/pool.js";
import { readPredictor } from "../src/store/predictors.js";
import { envelope, samara, samaraJson, samaraWithInput, Workplace } from "./command-line.js";
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

const archOf = (index: number) => archStringFromCell(cellFromIndex(index));
const graphOf = (index: number) => networkFromCell(cellFromIndex(index));

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

  test("adapts to a descriptor alone, and says so; a method that cannot refuses", async () => {
    const folder = place.path("undescribed");
    const alone = ["--descriptor", pool.descriptorPath(target.id), "-o", folder];
    const { code, document } = await samaraJson("adapt", "--predictor", fitted, ...alone);
    expect(code).toBe(0);
    expect(document.results[0]).toMatchObject({ platform: target.id, nSamples: 0 });
    expect(document.warnings.map((warning: { code: string }) => warning.code)).toEqual([
      "no-samples",
    ]);
    const predicted = await samaraJson("predict", "--predictor", folder, "--arch", archOf(1462));
    const { latencyMs, lowerMs, upperMs } = predicted.document.results[0];
    expect(lowerMs).toBeLessThan(truth(1462));
    expect(upperMs).toBeGreaterThan(truth(1462));
    expect(latencyMs / truth(1462)).toBeGreaterThan(0.5);
    const line = place.path("line");
    const trained = ["train", "--pool", pool.folder, "--predictor", "flops-line", "-o", line];
    expect((await samara(...trained)).code).toBe(0);
    const refused = await samara("adapt", "--predictor", line, ...alone);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("flops-line needs at least 2 samples");
  });

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

  test("predict --layers writes the latency of every node for Netron", async () => {
    const model = place.path("layers-model.onnx");
    expect((await samara("generate", "--arch", "1462", "-o", model)).code).toBe(0);
    const [fromFile, fromArch] = [place.path("file.json"), place.path("arch.json")];
    const argv = ["predict", "--predictor", adapted, "--layers"];
    const { document, code } = await samaraJson(...argv, fromFile, model);
    expect(code).toBe(0);
    await samaraJson(...argv, fromArch, "--arch", "1462");
    expect(readFileSync(fromFile, "utf8")).toBe(readFileSync(fromArch, "utf8"));
    const attachment = netronAttachmentSchema.parse(JSON.parse(readFileSync(fromFile, "utf8")));
    const [whole] = attachment.metrics;
    expect(whole).toMatchObject({ kind: "graph", name: "latencyMs" });
    expect(whole!.value).toBeCloseTo(document.results[0].latencyMs, 4);
    const names = graphOf(1462).operators.map(({ name }) => name);
    const targets = attachment.metrics.flatMap(({ kind, target }) =>
      kind === "node" ? target : [],
    );
    expect([...new Set(targets)]).toEqual(names);
  });

  test("predict --layers refuses more than one network and writes nothing", async () => {
    const path = place.path("none.json");
    const argv = ["predict", "--predictor", adapted, "--layers", path];
    for (const networks of [["--arch=1", "--arch=2"], ["--all"]]) {
      const { code, stderr } = await samara(...argv, ...networks);
      expect(code).toBe(2);
      expect(stderr).toContain("--layers");
    }
    expect(existsSync(path)).toBe(false);
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

  test("predict --card without a folder shows the shipped predictor on families it has not seen", async () => {
    const platform = "ort1.30-cpu-all-t1";
    const { stdout, code } = await samara("predict", "--platform", platform, "--card");
    expect(code).toBe(0);
    expect(stdout).toMatch(/adapted to {11}\S+\.ort1\.30-cpu-all-t1\.fp32/);
    expect(stdout).toContain("on unseen families   within ±10 %: median platform");
    const { document } = await samaraJson("predict", "--platform", platform, "--card");
    expect(document.schema).toBe("samara/predictor-card/1");
    const general = document.results.find((one: { platform: unknown }) => one.platform === null);
    expect(general.heldOutFamilies).toEqual(["tflite"]);
    const platforms: { platformId: string; family: string }[] = general.card.platforms;
    expect(platforms.length).toBeGreaterThanOrEqual(16);
    expect(new Set(platforms.map(({ family }) => family)).size).toBeGreaterThanOrEqual(8);
    for (const { platformId } of platforms) expect(stdout).toContain(platformId);
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
