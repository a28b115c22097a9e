/**
 * `samara campaign`: many platforms in one go, interleaved, resumable, into a pool with a test set kept apart.
 */
import { readFileSync } from "node:fs";
import { parse as parseYaml } from "yaml";
import { FormatError, InputError, messageOf, NotFoundError } from "../../errors.js";
import { type CampaignPlan, campaignPlanSchema } from "../../record/campaign-plan.js";
import { formatDuration, formatMs, formatShare } from "../../units.js";
import { exitCodes } from "../exit-codes.js";
import type { Register } from "../main.js";

function readPlan(path: string): CampaignPlan {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new NotFoundError(`plan not found: ${path}`, { cause });
  }
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (cause) {
    throw new FormatError(`plan ${path} is not YAML: ${messageOf(cause)}`, { path, cause });
  }
  const result = campaignPlanSchema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    (issue) => `${issue.path.join(".") || "plan"}: ${issue.message}`,
  );
  throw new FormatError(`plan ${path}: ${problems.join("; ")}`, {
    path,
    hint: "see data/pool/plan.yaml for a complete plan",
  });
}

export function registerCampaign(register: Register): void {
  register<{ resume?: boolean }>(
    "campaign",
    "measure many platforms in one go, from a plan",
    (command) =>
      command
        .argument("<plan>", "YAML file: pool, platforms, seed, train, test, …")
        .option("--resume", "go on where an interrupted campaign stopped (always done)"),
    async (context) => {
      const { args, out, progress, signal, warn } = context;
      const planPath = args[0]!;
      const plan = readPlan(planPath);
      const { findPlatforms } = await import("../platforms.js");
      const { coveringNetworks, measureCampaign } = await import("../campaigning.js");
      const { featuresOfCells } = await import("../../space/nasbench201/features.js");
      const { drawIndices, subjectsFromIndices } = await import("../subjects.js");
      const { networkId } = await import("../../space/nasbench201/cell.js");
      const { Pool } = await import("../../store/pool.js");
      const { median } = await import("../../tensor/stats.js");
      const platforms = await findPlatforms(plan.platforms);
      const pool = new Pool(plan.pool);
      const test = drawIndices(plan.seed, plan.test);
      const drawn = drawIndices(plan.seed + 1, plan.train, new Set(test));
      const covering =
        plan.cover === 0
          ? []
          : coveringNetworks(featuresOfCells(), plan.cover, [...test, ...drawn]);
      const train = [...drawn, ...covering];
      const before = pool.split();
      if (before !== undefined && before.test.join() !== test.map(networkId).join()) {
        throw new InputError(
          `${plan.pool} keeps ${before.test.length} networks apart (${before.how}), the plan draws others`,
          { hint: "keep the plan's seed and test, or name another pool" },
        );
      }
      const how = [`test: ${plan.test} uniform by seed ${plan.seed}`];
      how.push(`train: ${plan.train} of the rest by seed ${plan.seed + 1}`);
      if (plan.cover > 0) how.push(`and ${plan.cover} that cover the operators' counts`);
      pool.writeSplit({
        schema: "samara/split/1",
        seed: plan.seed,
        how: how.join("; "),
        train: train.map(networkId),
        test: test.map(networkId),
      });
      const { measurements, failures } = await measureCampaign({
        platforms,
        networks: subjectsFromIndices([...test, ...train]),
        protocol: {
          nProcesses: plan.processes,
          nPairs: plan.pairs,
          warmupRuns: plan.warmup,
          chunkSize: plan.chunk,
        },
        nDescriptors: plan.descriptors,
        pool,
        progress,
        signal,
        resumeCommand: `samara campaign ${planPath}`,
        warn,
      });
      for (const failure of failures) {
        warn("not-measured", `${failure.subjectId} on ${failure.platformId}: ${failure.reason}`);
      }
      const nUnprofiled = platforms.filter(
        ({ platform }) => plan.descriptors > 0 && pool.descriptor(platform.id) === undefined,
      ).length;
      const startTimes = pool.runs().lines.map(({ startedAt }) => Date.parse(startedAt));
      // A spread of a hundred thousand arguments is more than a call takes.
      const firstMs = startTimes.reduce((a, b) => Math.min(a, b));
      const lastMs = startTimes.reduce((a, b) => Math.max(a, b));
      const results = platforms.map(({ platform }) => {
        const own = measurements.filter(({ platformId }) => platformId === platform.id);
        const share = (grade: string) =>
          own.filter((measurement) => measurement.grade === grade).length / own.length;
        const medianOf = (value: (measurement: (typeof own)[number]) => number) =>
          own.length === 0 ? Number.NaN : median(own.map(value));
        return {
          platform: platform.id,
          nNetworks: own.length,
          medianLatencyMs: medianOf(({ latencyMs }) => latencyMs),
          medianRelativeHalfWidth: medianOf((m) => (m.upperMs - m.lowerMs) / (2 * m.latencyMs)),
          gradeA: share("A"),
          gradeB: share("B"),
          gradeC: share("C"),
          gradeX: share("X"),
        };
      });
      out.emit(
        {
          name: "campaign",
          context: { ...context.settings, plan, pool: pool.folder },
          results,
          warnings: context.warnings,
        },
        [
          { title: "platform", value: (r) => r.platform },
          { title: "networks", value: (r) => String(r.nNetworks), align: "right" },
          { title: "median", value: (r) => formatMs(r.medianLatencyMs), align: "right" },
          {
            title: "90 % half-width",
            value: (r) => formatShare(r.medianRelativeHalfWidth),
            align: "right",
          },
          { title: "A", value: (r) => formatShare(r.gradeA, 0), align: "right" },
          { title: "B", value: (r) => formatShare(r.gradeB, 0), align: "right" },
          { title: "C", value: (r) => formatShare(r.gradeC, 0), align: "right" },
          { title: "X", value: (r) => formatShare(r.gradeX, 0), align: "right" },
        ],
        `\nSaved in ${pool.folder}; first to last process ${formatDuration(lastMs - firstMs)}`,
      );
      return failures.length + nUnprofiled > 0 ? exitCodes.failed : exitCodes.ok;
    },
  );
}
