/**
 * `samara measure`: latency of architectures and ONNX files on platforms that run here.
 */
import { InputError } from "../../errors.js";
import { formatMs } from "../../units.js";
import { exitCodes } from "../exit-codes.js";
import { InputChecks } from "../input-checks.js";
import type { Register } from "../main.js";
import { userPool } from "../paths.js";
import { collect, integerOption } from "../settings.js";

interface MeasureOptions {
  platform?: string[];
  arch?: string[];
  samples?: number;
  out?: string;
  processes: number;
  pairs: number;
  resume?: boolean;
}

export function registerMeasure(register: Register): void {
  register<MeasureOptions>(
    "measure",
    "measure networks on platforms that run here",
    (command) =>
      command
        .argument("[files...]", "ONNX files")
        .option("--platform <id>", "platform to measure on; repeat for several", collect)
        .option("--arch <arch>", "architecture as for generate; - reads one a line", collect)
        .option(
          "--samples <n>",
          "draw n architectures by --seed",
          integerOption("samples", 1, 15_625),
        )
        .option(
          "--processes <n>",
          "fresh processes a network",
          integerOption("processes", 1, 50),
          3,
        )
        .option("--pairs <n>", "timed runs a process", integerOption("pairs", 3, 1000), 10)
        .option("-o, --out <dir>", "pool folder to add to (default: your own)")
        .option("--resume", "continue: keep the processes that are already in the pool's log"),
    async (context) => {
      const { options, args, out, progress, signal, warn } = context;
      if (!options.platform?.length) {
        throw new InputError("measure needs a platform", {
          hint: "name one with --platform; `samara platforms` lists them",
        });
      }
      if (!options.arch?.length && options.samples === undefined && args.length === 0) {
        throw new InputError("measure needs something to measure: --arch, --samples or ONNX files");
      }
      const { findPlatforms } = await import("../platforms.js");
      const { measureNetworks } = await import("../measuring.js");
      const { bulkProtocol } = await import("../../measure/campaign.js");
      const {
        architecturesFromArchs,
        drawIndices,
        networkId,
        subjectFromFile,
        subjectsFromArchitectures,
      } = await import("../subjects.js");
      const { Pool } = await import("../../store/pool.js");
      const { predictBeside } = await import("../predicting.js");
      const checks = new InputChecks();
      const platforms = await checks.wait(() => findPlatforms(options.platform!), []);
      const drawn = options.samples === undefined ? [] : drawIndices(options.seed, options.samples);
      const archs = [...(options.arch ?? []), ...drawn.map(networkId)];
      const architectures = checks.run(() => architecturesFromArchs(archs, options.seed), []);
      const files = args.flatMap((path) => checks.run(() => [subjectFromFile(path)], []));
      checks.done();
      const subjects = [
        ...subjectsFromArchitectures(architectures),
        ...new Map(files.map((subject) => [subject.id, subject])).values(),
      ];
      const pool = new Pool(options.out ?? userPool());
      const { measurements, result } = await measureNetworks(platforms, subjects, {
        pool,
        progress,
        signal,
        protocol: { ...bulkProtocol, nProcesses: options.processes, nPairs: options.pairs },
        resumeCommand: "the same command: what is in the pool's log is not measured again",
        label: `measure ${subjects.length} network(s)`,
      });
      for (const failure of result.failures) {
        warn("not-measured", `${failure.subjectId} on ${failure.platformId}: ${failure.reason}`);
      }
      const predicted = await predictBeside(measurements, args, warn);
      const results = measurements.map((measurement) => ({
        id: measurement.subjectId,
        platform: measurement.platformId,
        latencyMs: measurement.latencyMs,
        lowerMs: measurement.lowerMs,
        upperMs: measurement.upperMs,
        grade: measurement.grade,
        reasons: measurement.reasons,
        nProcesses: measurement.nProcesses,
        nRuns: measurement.nRuns,
        medianWallMs: measurement.medianWallMs,
        predicted: predicted.get(`${measurement.platformId} ${measurement.subjectId}`) ?? null,
      }));
      out.emit(
        {
          name: "measurements",
          context: { ...context.settings, pool: pool.folder },
          results,
          warnings: context.warnings,
        },
        [
          { title: "network", value: (r) => r.id },
          { title: "platform", value: (r) => r.platform },
          { title: "latency", value: (r) => formatMs(r.latencyMs), align: "right" },
          {
            title: "90 % interval",
            value: (r) => `${formatMs(r.lowerMs)} – ${formatMs(r.upperMs)}`,
            align: "right",
          },
          { title: "grade", value: (r) => r.grade },
          {
            title: "predicted",
            value: (r) =>
              r.predicted === null
                ? "–"
                : `${formatMs(r.predicted.latencyMs)}${r.predicted.withinKnownRange ? "" : " (outside the known range)"}`,
            align: "right",
          },
        ],
        `\nSaved in ${pool.folder}`,
      );
      if (result.failures.length > 0) return exitCodes.failed;
      return measurements.every(({ grade }) => grade === "X") ? exitCodes.unusable : exitCodes.ok;
    },
  );
}
