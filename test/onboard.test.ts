// The main job on the fake runtime, with a predictor that learned from made-up relatives of it: once in real
// processes from end to end, then in a laboratory of exact latencies, where leakage would show in the last bit.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LoadedFitted, loadFitted } from "../src/catalogue/predictors.js";
import {
  type Baselines,
  defaultTimeBudget,
  describeResult,
  drawNetworks,
  loadBaselines,
  type OnboardingOptions,
  onboardPlatform,
} from "../src/cli/onboarding.js";
import { InterruptedError, MeasurementError } from "../src/errors.js";
import { subjectFromIndex } from "../src/measure/subject.js";
import { hashOf } from "../src/onnx/file-id.js";
import { runtime as reference } from "../src/platform/runtimes/reference.js";
import { onboardingReportSchema, onboardingResultSchema } from "../src/record/onboarding.js";
import { networkId } from "../src/space/nasbench201/cell.js";
import { featuresOfCells } from "../src/space/nasbench201/features.js";
import { Pool } from "../src/store/pool.js";
import { readPredictor } from "../src/store/predictors.js";
import { samara, samaraJson, startSamara, Workplace } from "./command-line.js";
import { createLab, type LabOptions, labPlatform } from "./fake-lab.js";
import { writeFakePool } from "./fake-pool.js";

let place: Workplace;
let fitted: LoadedFitted;
let baselines: Baselines;
const folders = () => ["--predictor", fitted.folder, "--baselines", place.path("baselines")];

beforeAll(async () => {
  place = new Workplace();
  const pool = writeFakePool(place.path("pool"), 140, 20);
  const train = async (name: string, method: string, ...more: string[]) => {
    const argv = ["--pool", pool.folder, "--predictor", method, "-o", place.path(name)];
    const { code, stderr } = await samara("train", ...argv, ...more);
    if (code !== 0) throw new Error(stderr);
  };
  await train("fitted", "operator-sum");
  await train("baselines/operator-sum", "operator-sum", "--no-descriptor");
  await train("baselines/flops-line", "flops-line");
  fitted = await loadFitted(place.path("fitted"));
  baselines = await loadBaselines(place.path("baselines"));
}, 120_000);
afterAll(() => place.remove());

describe("drawNetworks()", () => {
  test("draws the same networks for the same seed, others for another", () => {
    expect(drawNetworks(7, 10, 30)).toEqual(drawNetworks(7, 10, 30));
    expect(drawNetworks(7, 10, 30).verified).not.toEqual(drawNetworks(8, 10, 30).verified);
    expect(drawNetworks(7, 10, 30).samples).not.toEqual(drawNetworks(8, 10, 30).samples);
  });

  test("draws what to verify whatever is sampled, and never a network twice", () => {
    for (const nSamples of [5, 10, 300]) {
      const { verified, samples } = drawNetworks(7, nSamples, 300);
      expect(verified).toEqual(drawNetworks(7, 5, 300).verified);
      expect(samples).toHaveLength(nSamples);
      expect(new Set([...verified, ...samples]).size).toBe(300 + nSamples);
    }
  });
});

describe("drawNetworks() with a predictor that chooses", () => {
  test("verifies what is drawn without it, and samples none of that", () => {
    const networks = featuresOfCells();
    const { predictor } = fitted;
    const chosen = drawNetworks(7, 10, 300, { networks, predictor });
    expect(chosen.verified).toEqual(drawNetworks(7, 10, 300).verified);
    expect(chosen.samples).not.toEqual(drawNetworks(7, 10, 300).samples);
    expect(new Set([...chosen.verified, ...chosen.samples]).size).toBe(310);
    expect(drawNetworks(7, 10, 300, { networks, predictor })).toEqual(chosen);
  });
});

describe("samara onboard", { timeout: 240_000 }, () => {
  test("goes from an unseen platform to checked predictions and a report", async () => {
    const { code, document, stderr } = await samaraJson(
      ...["onboard", "--platform", "fake1-t1", "--samples", "5", "--verify", "5", "--seed", "3"],
      ...folders(),
    );
    expect(code).toBe(0);
    expect(document).toMatchObject({
      schema: "samara/onboard/1",
      context: { command: "onboard", seed: 3 },
    });
    expect(document.results).toHaveLength(1);
    const result = onboardingResultSchema.parse(document.results[0]);
    expect(Object.keys(result)).toEqual(
      expect.arrayContaining([
        ...["platform", "predictor", "heldOutFamilies", "familySeenInTraining", "seed"],
        ...["samples", "sampleIds", "nVerified", "verifiedIds", "withinFivePercent"],
        ...["withinTenPercent", "withinTenPercentInterval", "mape", "spearman", "coverage90"],
        ...["intervalWidth", "repeatNoise", "baselines", "durationS"],
      ]),
    );
    expect(result).toMatchObject({
      predictor: "operator-sum",
      familySeenInTraining: false,
      seed: 3,
      nVerified: 5,
    });
    expect(result.platform).toMatch(/\.fake1-t1\.fp32$/);
    const { verified } = drawNetworks(3, 5, 5);
    const { samples } = drawNetworks(3, 5, 5, {
      networks: featuresOfCells(),
      predictor: fitted.predictor,
    });
    expect(result.sampleIds).toEqual(samples.map(networkId));
    expect(result.verifiedIds).toEqual(verified.map(networkId));
    const { profile, measure, adapt, predict, verify, total } = result.durationS;
    expect(profile + measure + adapt + predict + verify).toBeLessThanOrEqual(total);
    expect(stderr).toContain(`to verify   ${verified.join(" ")}`);

    const html = readFileSync(document.context.report, "utf8");
    expect(html).toContain("<!doctype html>");
    expect(html).toContain(result.platform);
    expect(html).not.toContain("in progress");
    expect(html).not.toMatch(/(?:src|href)="https?:/);
    const saved = JSON.parse(readFileSync(join(document.context.folder, "report.json"), "utf8"));
    const report = onboardingReportSchema.parse(saved);
    expect(report.result).toEqual(result);
    expect(report.predictedMs).toHaveLength(15_625);

    const { provenance } = readPredictor(result.predictorFolder);
    expect(provenance.platform!.id).toBe(result.platform);
    expect(provenance.accuracy).toMatchObject({ nTest: 5, mape: result.mape });
    const next = await samaraJson("predict", "--platform", "fake1-t1", "--arch", "1462");
    expect(next.document.context.predictor).toBe(result.predictorFolder);
    expect(next.code).toBe(0);
  });

  test("goes on after Ctrl-C with what it had drawn and measured, and says what it refuses", async () => {
    const folder = place.path("begun");
    const argv = ["onboard", "--platform", "fake1-t1", "--samples", "5", "--verify", "5"];
    const first = startSamara([...argv, "--seed", "4", "--folder", folder, ...folders()]);
    const log = new Pool(folder).log.path;
    while (!existsSync(log) && first.child.exitCode === null) await sleep(20);
    first.child.kill("SIGINT");
    const stopped = await first.ended;
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toContain(`go on with: samara onboard --resume ${folder}`);
    const before = new Pool(folder).runs().lines;
    expect(before.length).toBeGreaterThan(0);

    const again = await samara(...argv, "--seed", "4", "--folder", folder, ...folders());
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("was begun in");
    const other = await samara("onboard", "--resume", folder, "--seed", "5");
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("the onboarding was begun with --seed 4, got 5");
    const none = await samara("onboard", "--resume", place.path("nothing"));
    expect(none.code).toBe(2);
    expect(none.stderr).toContain("no onboarding was begun in");

    const { code, document, stderr } = await samaraJson("onboard", "--resume", folder);
    expect([code, stderr]).toEqual([0, expect.stringContaining(`going on in ${folder}`)]);
    const [result] = document.results;
    expect(result).toMatchObject({ seed: 4, nVerified: 5, nAttempts: 2 });
    expect(result.sampleIds).toHaveLength(5);
    expect(document.context).toMatchObject({ seed: 4, folder });
    expect(new Pool(folder).runs().lines.slice(0, before.length)).toEqual(before);
    const finished = await samara("onboard", "--resume", folder);
    expect(finished.code).toBe(2);
    expect(finished.stderr).toContain("has finished");
  });

  test("finds out what is wrong before it measures", async () => {
    const argv = ["onboard", "--platform", "fake1-t1"];
    const home = place.path("home", "onboard");
    const before = existsSync(home) ? readdirSync(home) : [];
    const noBaselines = await samara(...argv, "--predictor", fitted.folder, "--baselines", home);
    expect(noBaselines.code).toBe(2);
    expect(noBaselines.stderr).toContain(join(home, "operator-sum", "predictor.json"));
    const several = await samara("onboard", "--platform", "toaster1-t1", "--predictor", home);
    expect(several.code).toBe(2);
    expect(several.stderr).toContain('"toaster1-t1" does not exist');
    expect(several.stderr).toContain("predictor file not found");
    const file = place.file("file", "precious");
    const noReport = await samara(...argv, ...folders(), "-o", join(file, "report.html"));
    expect(noReport.code).toBe(2);
    expect(noReport.stderr).toContain("a part of the path is a file");
    expect(existsSync(home) ? readdirSync(home) : []).toEqual(before);
  });
});

/** Whole nanoseconds, as the laboratory's clock has. */
const platform = labPlatform("fake1-t1", { weightNs: 1 });
const nSamples = 10;
const nVerified = 12;
const seed = 5;
const { samples, verified } = drawNetworks(seed, nSamples, nVerified);
const hashesOf = (indices: readonly number[]) =>
  new Set(indices.map((index) => hashOf(subjectFromIndex(index).modelFile("onnx"))));

/** For tests of what comes after: no time to profile. */
const noProfile = { ...defaultTimeBudget, profileS: 0 };

let nFolders = 0;

/** Onboard in a laboratory; `events` holds what was said and which processes were started, in order. */
async function onboard(labOptions: LabOptions = {}, changes: Partial<OnboardingOptions> = {}) {
  const name = `lab-${nFolders++}`;
  const events: string[] = [];
  const warnings: string[] = [];
  const lab = createLab({
    ...labOptions,
    onStart: (on, process) => {
      events.push("start");
      labOptions.onStart?.(on, process);
    },
  });
  const predictorFolder = place.path(name, "predictor");
  const pool = changes.pool ?? new Pool(place.path(name, "pool"));
  const running = onboardPlatform({
    platform: { platform, runtime: reference },
    fitted,
    baselines,
    nSamples,
    nVerified,
    seed,
    budget: defaultTimeBudget,
    pool,
    predictorFolder,
    progress: { update() {}, note: (text) => events.push(text), clear() {} },
    signal: new AbortController().signal,
    warn: (code) => warnings.push(code),
    startSampler: lab.startSampler,
    ...changes,
  });
  return { report: await running, events, warnings, predictorFolder, pool };
}

const weightsIn = (folder: string) =>
  readFileSync(join(folder, "weights.safetensors")).toString("hex");

/** Onboard, and be interrupted when the n-th process starts. */
function stopAtProcess(n: number, slowdownOf: (process: number) => number = () => 1) {
  const pool = new Pool(place.path(`stopped-${n}`, "pool"));
  const predictorFolder = place.path(`stopped-${n}`, "predictor");
  const controller = new AbortController();
  const lab = createLab({
    slowdown: ({ process }) => slowdownOf(process),
    onStart: (_platform, process) => {
      if (process === n) controller.abort(new InterruptedError("interrupted"));
    },
  });
  const { signal } = controller;
  const { startSampler } = lab;
  const stopped = onboard({}, { pool, startSampler, signal, predictorFolder });
  return { pool, lab, stopped, predictorFolder };
}

describe("onboardPlatform()", { timeout: 120_000 }, () => {
  let plain: Awaited<ReturnType<typeof onboard>>;
  beforeAll(async () => {
    plain = await onboard();
  }, 120_000);

  test("predicts what it then measures, better than the line through MACs", () => {
    const { result } = plain.report;
    expect(onboardingReportSchema.parse(plain.report)).toEqual(plain.report);
    expect(result).toMatchObject({ samples: nSamples, nVerified, familySeenInTraining: false });
    expect(result.withinTenPercent).toBe(1);
    expect(result.mape).toBeLessThan(0.03);
    expect(result.spearman).toBeGreaterThan(0.97);
    expect(result.mape).toBeLessThan(result.baselines.flopsLine.mape);
    expect(result.withinTenPercentInterval[1]).toBe(1);
    expect(plain.report.descriptor!.platform).toEqual(platform);
  });

  test("compares every network that was measured, in its role", () => {
    const ids = (role: string) =>
      plain.report.compared.filter((one) => one.role === role).map(({ id }) => id);
    expect(ids("verified")).toEqual(verified.map(networkId));
    expect(ids("sample")).toEqual(samples.map(networkId));
    for (const { measuredMs, lowerMs, upperMs, predictedMs } of plain.report.compared) {
      expect(measuredMs).not.toBeNull();
      expect(lowerMs).toBeLessThan(predictedMs);
      expect(upperMs).toBeGreaterThan(predictedMs);
    }
  });

  test("says what it will verify before the first process is started", () => {
    const firstStart = plain.events.indexOf("start");
    const said = plain.events.indexOf(`to verify   ${verified.join(" ")}`);
    expect(said).toBeGreaterThanOrEqual(0);
    expect(said).toBeLessThan(firstStart);
  });

  test("lists the fastest and slowest in order", () => {
    const latencies = (networks: readonly { latencyMs: number }[]) =>
      networks.map(({ latencyMs }) => latencyMs);
    const { fastest, slowest } = plain.report;
    expect(latencies(fastest)).toEqual(latencies(fastest).sort((a, b) => a - b));
    expect(latencies(slowest)).toEqual(latencies(slowest).sort((a, b) => b - a));
    expect(fastest).toHaveLength(10);
  });

  test("reads as a verdict", () => {
    const text = describeResult(plain.report.result);
    expect(text).toContain(`${nVerified} networks drawn before anything was measured`);
    expect(text).toContain("within ±10 %   100 %");
    expect(text).toContain("has seen no platform of this runtime family");
    const seen = describeResult({ ...plain.report.result, familySeenInTraining: true });
    expect(seen).toContain("WERE in training");
  });

  describe("leakage", () => {
    const weights = (folder: string) => readFileSync(join(folder, "weights.safetensors"));
    const settings = (folder: string) => readPredictor(folder).saved.settings;

    test("is none: other latencies of the networks to verify move no prediction", async () => {
      const hashes = hashesOf(verified);
      const slower = await onboard({
        slowdown: ({ modelHash }) => (hashes.has(modelHash) ? 3 : 1),
      });
      expect(weights(slower.predictorFolder).equals(weights(plain.predictorFolder))).toBe(true);
      expect(settings(slower.predictorFolder)).toEqual(settings(plain.predictorFolder));
      expect(slower.report.predictedMs).toEqual(plain.report.predictedMs);
      for (const [i, one] of slower.report.compared.entries()) {
        const before = plain.report.compared[i]!;
        expect([one.id, one.predictedMs, one.lowerMs, one.upperMs]).toEqual([
          ...[before.id, before.predictedMs, before.lowerMs, before.upperMs],
        ]);
        const factor = one.role === "verified" ? 3 : 1;
        expect(one.measuredMs! / before.measuredMs!).toBeCloseTo(factor, 2);
      }
      expect(slower.report.result.withinTenPercent).toBe(0);
    });

    test("would show: other latencies of the samples do move predictions", async () => {
      const hashes = hashesOf(samples);
      const slower = await onboard({
        slowdown: ({ modelHash }) => (hashes.has(modelHash) ? 3 : 1),
      });
      expect(weights(slower.predictorFolder).equals(weights(plain.predictorFolder))).toBe(false);
      expect(slower.report.predictedMs).not.toEqual(plain.report.predictedMs);
    });
  });

  test("counts a network to verify that cannot be measured as a miss", async () => {
    const hashes = hashesOf(verified.slice(0, 3));
    const { report } = await onboard({
      slowdown: ({ modelHash }) => {
        if (hashes.has(modelHash)) throw new MeasurementError("out of memory");
        return 1;
      },
    });
    const missed = report.compared.filter(({ measuredMs }) => measuredMs === null);
    expect(missed.map(({ id, grade }) => [id, grade])).toEqual(
      verified.slice(0, 3).map((index) => [networkId(index), "X"]),
    );
    expect(report.result.nVerified).toBe(nVerified);
    expect(report.result.withinTenPercent).toBeCloseTo((nVerified - 3) / nVerified, 12);
  });

  test("goes on without a descriptor when there is no time for one", async () => {
    const { report, warnings } = await onboard({}, { budget: noProfile });
    expect(warnings).toContain("no-descriptor");
    expect(report).not.toHaveProperty("descriptor");
    expect(report.result.mape).toBeLessThan(0.1);
  });

  test("gives up when too few samples could be measured", async () => {
    const running = onboard({}, { budget: { ...noProfile, measureS: 0 } });
    await expect(running).rejects.toThrow(MeasurementError);
    await expect(running).rejects.toThrow("only 0 of 10 networks could be measured");
  });

  test("stops on a signal, says how to go on, and saves no predictor", async () => {
    const controller = new AbortController();
    const running = onboard(
      {
        onStart: (_, process) => {
          if (process === 1) controller.abort(new InterruptedError("interrupted"));
        },
      },
      { budget: noProfile, signal: controller.signal, predictorFolder: place.path("never") },
    );
    await expect(running).rejects.toThrow(InterruptedError);
    await expect(running).rejects.toMatchObject({
      hint: expect.stringMatching(/^go on with: samara onboard --resume .*pool$/),
    });
    expect(existsSync(place.path("never"))).toBe(false);
  });

  // Processes 0 to 4 profile, 5 to 9 measure the samples, the rest verifies.
  test("goes on after it was stopped while measuring: the same predictor, nothing measured twice", async () => {
    const { pool, lab, stopped } = stopAtProcess(7);
    await expect(stopped).rejects.toThrow(InterruptedError);
    const before = pool.runs().lines;
    const resumed = await onboard({}, { pool, startSampler: lab.startSampler, nAttempts: 2 });
    const { lines } = pool.runs();
    expect(lines.slice(0, before.length)).toEqual(before);
    expect(lines).toHaveLength(plain.pool.runs().lines.length);
    expect(weightsIn(resumed.predictorFolder)).toEqual(weightsIn(plain.predictorFolder));
    expect(describeResult(resumed.report.result)).toContain("Time (the last of 2 attempts)");
  });

  // Each process is slower than the one before, so that the anchor of all is another than that of the first ten.
  test("goes on after it was stopped while verifying: what was verified moves no prediction", async () => {
    const { pool, lab, stopped, predictorFolder } = stopAtProcess(13, (n) => 1 + 0.02 * n);
    await expect(stopped).rejects.toThrow(InterruptedError);
    const verifiedIds = new Set(verified.map(networkId));
    expect(pool.runs().lines.some(({ subjectId }) => verifiedIds.has(subjectId))).toBe(true);
    const before = weightsIn(predictorFolder);
    const resumed = await onboard({}, { pool, startSampler: lab.startSampler });
    expect(weightsIn(resumed.predictorFolder)).toEqual(before);
  });
});
