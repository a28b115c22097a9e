/**
 * `samara campaign`: many platforms in one go, interleaved, resumable, into a pool with a test set kept apart.
 */
import { readFileSync } from "node:fs";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { FormatError, MeasurementError, messageOf, NotFoundError } from "../../errors.js";
import { formatDuration, formatMs, formatShare } from "../../units.js";
import { exitCodes } from "../exit-codes.js";
import type { Register } from "../main.js";

const planSchema = z.strictObject({
  /** Pool folder to write, relative to the working directory. */
  pool: z.string().min(1),
  platforms: z.array(z.string()).min(1),
  seed: z.number().int().nonnegative().default(0),
  /** Architectures to learn from, drawn uniformly. */
  train: z.number().int().positive().max(15_000),
  /** Architectures kept apart as test set, drawn first. */
  test: z.number().int().nonnegative().max(5000),
  processes: z.number().int().min(1).max(20).default(3),
  pairs: z.number().int().min(3).max(200).default(10),
  chunk: z.number().int().min(1).max(200).default(25),
});
type Plan = z.infer<typeof planSchema>;

function readPlan(path: string): Plan {
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
  const result = planSchema.safeParse(value);
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
      const { measureNetworks, profileInto } = await import("../measuring.js");
      const { bulkProtocol } = await import("../../measure/campaign.js");
      const { drawIndices, networkId, subjectsFromIndices } = await import("../subjects.js");
      const { Pool } = await import("../../store/pool.js");
      const { median } = await import("../../tensor/stats.js");
      const platforms = await findPlatforms(plan.platforms);
      const pool = new Pool(plan.pool);
      const test = drawIndices(plan.seed, plan.test);
      const train = drawIndices(plan.seed + 1, plan.train, new Set(test));
      pool.writeSplit({
        schema: "samara/split/1",
        seed: plan.seed,
        how: `test: ${plan.test} uniform by seed ${plan.seed}; train: ${plan.train} of the rest by seed ${plan.seed + 1}`,
        train: train.map(networkId),
        test: test.map(networkId),
      });
      const resumeCommand = `samara campaign ${planPath}`;
      let nUnprofiled = 0;
      for (const platform of platforms) {
        if (pool.descriptor(platform.platform.id)) continue;
        try {
          await profileInto(platform, { pool, progress, signal, resumeCommand, continued: true });
        } catch (error) {
          if (!(error instanceof MeasurementError)) throw error;
          nUnprofiled += 1;
          warn("not-profiled", `${platform.platform.id}: ${error.message}`, error.hint);
        }
      }
      const { measurements, result } = await measureNetworks(
        platforms,
        subjectsFromIndices([...test, ...train]),
        {
          pool,
          progress,
          signal,
          resumeCommand,
          protocol: {
            ...bulkProtocol,
            nProcesses: plan.processes,
            nPairs: plan.pairs,
            chunkSize: plan.chunk,
          },
          label: "campaign",
        },
      );
      for (const failure of result.failures) {
        warn("not-measured", `${failure.subjectId} on ${failure.platformId}: ${failure.reason}`);
      }
      const startTimes = result.lines.map(({ startedAt }) => Date.parse(startedAt));
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
        `\nSaved in ${pool.folder}; first to last process ${formatDuration(Math.max(...startTimes) - Math.min(...startTimes))}`,
      );
      return result.failures.length + nUnprofiled > 0 ? exitCodes.failed : exitCodes.ok;
    },
  );
}
