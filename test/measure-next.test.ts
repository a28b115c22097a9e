// `samara measure --next` from end to end on the fake runtime: what is proposed, measured, refused and said.
import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { indexFromNetworkId } from "../src/space/nasbench201/cell.js";
import { Pool } from "../src/store/pool.js";
import { readPredictor } from "../src/store/predictors.js";
import { samara, samaraJson, Workplace } from "./command-line.js";
import { writeFakePool } from "./fake-pool.js";

vi.mock("../src/platform/sampler.js", async () => {
  const { createLab } = await import("./fake-lab.js");
  return { startSampler: createLab().startSampler };
});

let place: Workplace;
const few = ["--processes", "2", "--pairs", "3"];
const measure = ["measure", "--platform", "fake1-t1", ...few];
const next = (n: number, ...more: string[]) => [...measure, "--next", String(n), ...more];
const idsOf = ({ results }: { results: { id: string }[] }) => results.map(({ id }) => id);
const codesOf = ({ warnings }: { warnings: { code: string }[] }) =>
  warnings.map(({ code }) => code);

async function measuredIds(): Promise<string[]> {
  const measurements = await new Pool(place.path("home", "pool")).measurements();
  return measurements.map(({ subjectId }) => subjectId);
}

async function train(method: string): Promise<string> {
  const folder = place.path(method);
  const source = place.path("source");
  const ran = await samara("train", "--pool", source, "--predictor", method, "-o", folder);
  expect(ran).toMatchObject({ code: 0 });
  return folder;
}

beforeAll(async () => {
  place = new Workplace();
  writeFakePool(place.path("source"), 60, 0);
  await train("hypothesis-mixture");
  await train("flops-line");
}, 120_000);
afterAll(() => place.remove());

describe("measure --next", { timeout: 120_000 }, () => {
  const fitted = () => place.path("hypothesis-mixture");

  test("begins, before anything is adapted, with the predictor's own choice and expects nothing", async () => {
    const argv = next(5, "--predictor", fitted());
    const dry = await samaraJson(...argv, "--dry-run");
    const { document, code } = await samaraJson(...argv);
    expect(code).toBe(0);
    expect(document.schema).toBe("samara/measurements/1");
    expect(document.proposal).toMatchObject({
      networks: idsOf(document),
      expectedWithinTenPercent: null,
      reason: expect.stringMatching(/^no predictor is adapted to .*fake1-t1\.fp32 yet$/),
      method: "hypothesis-mixture",
      nTargetSamples: 0,
      nMeasuredBefore: 0,
    });
    expect(idsOf(dry.document)).toEqual(idsOf(document));
    const again = await samaraJson(...argv, "--dry-run");
    for (const id of idsOf(again.document)) expect(idsOf(document)).not.toContain(id);
  });

  test("--dry-run proposes new networks with what to expect of each, and measures nothing", async () => {
    expect((await samara("adapt", "--platform=fake1-t1", "--predictor", fitted())).code).toBe(0);
    const before = await measuredIds();
    const { document, code } = await samaraJson(...next(4, "--dry-run"));
    expect(code).toBe(0);
    expect(document.schema).toBe("samara/proposal/1");
    expect(document.warnings).toEqual([]);
    const { networks, expectedWithinTenPercent } = document.proposal;
    expect(document.proposal).toMatchObject({
      reason: null,
      nTargetSamples: 5,
      nMeasuredBefore: 5,
      predictor: expect.stringContaining(place.path("home", "predictors")),
    });
    expect(networks).toEqual(idsOf(document));
    expect(new Set(networks).size).toBe(4);
    for (const id of networks) {
      expect(before).not.toContain(id);
      expect(indexFromNetworkId(id)).toBeDefined();
    }
    expect(expectedWithinTenPercent).toHaveLength(5);
    document.results.forEach(
      (
        result: { expectedWithinTenPercent: number; predicted: { latencyMs: number } },
        i: number,
      ) => {
        expect(result.expectedWithinTenPercent).toBe(expectedWithinTenPercent[i + 1]);
        expect(result.expectedWithinTenPercent).toBeGreaterThan(expectedWithinTenPercent[i]);
        expect(result.predicted.latencyMs).toBeGreaterThan(0);
      },
    );
    expect(await measuredIds()).toEqual(before);
    const same = await samaraJson(...next(4, "--dry-run"));
    expect(same.document).toEqual(document);
    const table = await samara(...next(4, "--dry-run"));
    expect(table.stdout).toMatch(
      /hypothesis-mixture expects \d+ % of all networks within ±10 % of measured latencies now \(5 samples\), \d+ % after these 4 networks/,
    );
  });

  test("measures what it proposes, and named networks beside it, which it does not propose", async () => {
    const dry = await samaraJson(...next(3, "--dry-run"));
    const [first] = idsOf(dry.document);
    const { document, code, stderr } = await samaraJson(...next(3, "--arch", first!));
    expect(code).toBe(0);
    const { networks } = document.proposal;
    expect(networks).toHaveLength(3);
    expect(networks).not.toContain(first);
    expect(idsOf(document).sort()).toEqual([first, ...networks].sort());
    for (const { latencyMs, nProcesses } of document.results) {
      expect(latencyMs).toBeGreaterThan(0);
      expect(nProcesses).toBe(2);
    }
    expect(stderr).toContain("proposed    ");
    expect(await measuredIds()).toEqual(expect.arrayContaining(networks));
  });

  test("warns of measurements that the predictor does not know, until it is adapted again", async () => {
    const stale = await samaraJson(...next(2, "--dry-run"));
    expect(codesOf(stale.document)).toEqual(["measured-since"]);
    expect(stale.document.warnings[0]).toMatchObject({
      message: expect.stringMatching(/^9 networks of .* are measured, the predictor knows 5/),
      hint: expect.stringContaining("samara adapt --platform "),
    });
    await samara("adapt", "--platform=fake1-t1", "--predictor", fitted());
    const fresh = await samaraJson(...next(2, "--dry-run"));
    expect(codesOf(fresh.document)).toEqual([]);
    expect(fresh.document.proposal.nTargetSamples).toBe(9);
  });

  test("adds to the onboarding of a platform where its samples are, and leaves out what it measured", async () => {
    const home = place.path("home");
    const [name] = readdirSync(join(home, "predictors"));
    const onboarding = join(home, "onboard", `${name}-2026-01-01T00-00-00-000Z`);
    cpSync(join(home, "pool"), onboarding, { recursive: true });
    vi.stubEnv("SAMARA_HOME", place.path("home-after-onboarding"));
    cpSync(join(home, "onboard"), place.path("home-after-onboarding", "onboard"), {
      recursive: true,
    });
    cpSync(join(home, "predictors"), place.path("home-after-onboarding", "predictors"), {
      recursive: true,
    });
    const there = place.path(
      "home-after-onboarding",
      "onboard",
      `${name}-2026-01-01T00-00-00-000Z`,
    );
    const { document } = await samaraJson(...next(2, "--dry-run"));
    expect(document.context.pool).toBe(there);
    expect(document.proposal.nMeasuredBefore).toBe(9);
    const { stdout, code } = await samara(...next(2));
    expect(code).toBe(0);
    expect(stdout).toContain(`Saved in ${there}`);
    const command = /^Next {8}samara (adapt .*)$/m.exec(stdout)![1]!;
    const adapt = await samaraJson(...command.split(" "), "--predictor", fitted());
    expect(adapt.document.results[0].nSamples).toBe(11);
    vi.stubEnv("SAMARA_HOME", home);
  });

  test("refuses a predictor that has no opinion", async () => {
    const adapted = place.path("line");
    const ran = await samara(
      ...["adapt", "--platform=fake1-t1", "--predictor", place.path("flops-line"), "-o", adapted],
    );
    expect(ran.code).toBe(0);
    expect(readPredictor(adapted).saved.method).toBe("flops-line");
    for (const folder of [adapted, place.path("flops-line")]) {
      const { code, stderr } = await samara(...next(2, "--predictor", folder));
      expect(code).toBe(2);
      expect(stderr).toContain(`flops-line in ${folder} does not say which networks to measure`);
      expect(stderr).toContain("--samples");
    }
  });

  test.each([
    [["--next=0"], '--next must be an integer in 1…1000, got "0"'],
    [["--next=two"], '--next must be an integer in 1…1000, got "two"'],
    [["--next=2", "--samples=3"], "--next and --samples exclude each other"],
    [["--next=2", "--platform=fake1-t2"], "--next is for one platform, got 2"],
    [["--samples=2", "--dry-run"], "--dry-run needs --next"],
    [["--samples=2", "--predictor=x"], "--predictor needs --next"],
    [["--next=2", "--predictor=nowhere"], "nowhere"],
  ])("refuses %j: exit code 2", async (argv, message) => {
    const { code, stderr, stdout } = await samara(...measure, ...argv);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(message);
  });
});
