/**
 * `samara measure`: latency of architectures and ONNX files on platforms that run here, or on a device by its tool.
 */
import type { DeviceFile } from "../../edge/device-file.js";
import { InputError } from "../../errors.js";
import type { AvailablePlatform } from "../../platform/registry.js";
import { userPool } from "../../store/paths.js";
import type { Pool } from "../../store/pool.js";
import { formatMs, formatShare } from "../../units.js";
import type { CommandContext } from "../command.js";
import { exitCodes } from "../exit-codes.js";
import { InputChecks } from "../input-checks.js";
import type { Register } from "../main.js";
import { collect, integerOption } from "../settings.js";

interface MeasureOptions {
  platform?: string[];
  device?: string;
  arch?: string[];
  samples?: number;
  next?: number;
  dryRun?: boolean;
  predictor?: string;
  out?: string;
  processes: number;
  pairs?: number;
  resume?: boolean;
}

/** @throws InputErrors naming the options that do not go together */
function checkOptions(
  { platform, device, arch, samples, next, ...options }: MeasureOptions,
  nFiles: number,
) {
  const checks = new InputChecks();
  const refuse = (message: string, hint?: string) =>
    checks.add(new InputError(message, hint === undefined ? {} : { hint }));
  if (!platform?.length && device === undefined) {
    refuse(
      "measure needs a platform",
      "name one with --platform (`samara platforms` lists them), or a device file with --device",
    );
  }
  if (platform?.length && device !== undefined) {
    refuse(
      "--platform and --device exclude each other",
      "--platform measures here, --device where its file says: run the command for each",
    );
  }
  if (!arch?.length && samples === undefined && next === undefined && nFiles === 0) {
    refuse("measure needs something to measure: --arch, --samples, --next or ONNX files");
  }
  if (next !== undefined && samples !== undefined) {
    refuse(
      "--next and --samples exclude each other",
      "--next lets a predictor choose networks, --samples draws them by --seed",
    );
  }
  if (next !== undefined && platform !== undefined && platform.length > 1) {
    refuse(
      `--next is for one platform, got ${platform.length}`,
      "each platform has a predictor of its own: run the command for each",
    );
  }
  if (next === undefined && options.dryRun) refuse("--dry-run needs --next");
  if (next === undefined && options.predictor !== undefined) refuse("--predictor needs --next");
  checks.done();
}

/** What `--next` asks for: the proposal, told as progress, and the pool that the networks belong to. */
async function propose(
  { options, progress, warn }: CommandContext<MeasureOptions>,
  { platform }: Pick<AvailablePlatform, "platform">,
  alsoMeasured: readonly number[],
) {
  const { describeExpectation, measuredBefore, proposeNetworks } = await import("../proposing.js");
  const before = await measuredBefore(platform, options.out);
  const proposed = await proposeNetworks({
    count: options.next!,
    seed: options.seed,
    platform,
    before,
    alsoMeasured,
    warn,
    ...(options.predictor === undefined ? {} : { predictorFolder: options.predictor }),
  });
  const expectation = describeExpectation(proposed.proposal);
  if (!options.dryRun) {
    progress.note(
      `proposed    ${proposed.indices.join(" ")} (architectures by index; ${before.indices.size} measured before)`,
    );
    progress.note(expectation);
  }
  return { ...proposed, expectation, pool: before.pool, platformId: platform.id };
}

type Proposed = Awaited<ReturnType<typeof propose>>;

/** Print a proposal instead of measuring it. */
async function emitProposal(
  { out, settings, warnings }: CommandContext<MeasureOptions>,
  { proposal, indices, adapted, expectation, pool, platformId }: Proposed,
): Promise<void> {
  const { tableOfIndices } = await import("../predicting.js");
  const { predictTables } = await import("../../catalogue/predicting.js");
  const predicted = adapted ? await predictTables(adapted, [tableOfIndices(indices)], 0.9) : [];
  out.emit(
    {
      name: "proposal",
      context: { ...settings, platform: platformId, pool: pool.folder },
      results: proposal.networks.map((id, i) => ({
        id,
        platform: platformId,
        predicted: predicted[i] ?? null,
        expectedWithinTenPercent: proposal.expectedWithinTenPercent?.[i + 1] ?? null,
      })),
      proposal,
      warnings,
    },
    [
      { title: "network", value: (r) => r.id },
      {
        title: "predicted",
        value: (r) => (r.predicted === null ? "–" : formatMs(r.predicted.latencyMs)),
        align: "right",
      },
      {
        title: "90 % interval",
        value: (r) =>
          r.predicted === null
            ? "–"
            : `${formatMs(r.predicted.lowerMs)} – ${formatMs(r.predicted.upperMs)}`,
        align: "right",
      },
      {
        title: "expected within ±10 %",
        value: (r) =>
          r.expectedWithinTenPercent === null ? "–" : formatShare(r.expectedWithinTenPercent, 0),
        align: "right",
      },
    ],
    `\n${expectation}\nNothing was measured; without --dry-run these networks are measured.`,
  );
}

/** Names the networks: once some are measured, the same command would propose others. */
function resumeCommand(
  { processes, pairs, device }: MeasureOptions,
  { pool, platformId }: Proposed,
  architectures: readonly { readonly id: string }[],
  files: readonly string[],
): string {
  const archs = architectures.map(({ id }) => `--arch ${id}`);
  const target = device === undefined ? `--platform ${platformId}` : `--device ${device}`;
  const runs = pairs === undefined ? [] : [`--pairs ${pairs}`];
  const settings = [`--processes ${processes}`, ...runs, `-o ${pool.folder}`];
  return ["samara measure", target, ...archs, ...files, ...settings].join(" ");
}

/** What to do with what was measured, where the command knows: proposed networks, or a device's. */
async function footer(
  proposed: Proposed | undefined,
  device: DeviceFile | undefined,
  pool: Pool,
): Promise<string> {
  const { adaptCommand } = await import("../proposing.js");
  const platformId = proposed?.platformId ?? device?.platform.id;
  if (platformId === undefined) return "";
  const expectation = proposed === undefined ? "" : `\n${proposed.expectation}`;
  return `${expectation}\nNext        ${adaptCommand(pool, platformId)}`;
}

export function registerMeasure(register: Register): void {
  register<MeasureOptions>(
    "measure",
    "measure networks on platforms that run here, or on a device",
    (command) =>
      command
        .argument("[files...]", "ONNX files")
        .option("--platform <id>", "platform to measure on; repeat for several", collect)
        .option(
          "--device <file>",
          "YAML file of a device with a benchmark tool (docs/your-own-device.md)",
        )
        .option("--arch <arch>", "architecture as for generate; - reads one a line", collect)
        .option(
          "--samples <n>",
          "draw n architectures by --seed",
          integerOption("samples", 1, 15_625),
        )
        .option(
          "--next <n>",
          "the n networks that would tell the platform's predictor most",
          integerOption("next", 1, 1000),
        )
        .option("--dry-run", "with --next: print the networks, measure nothing")
        .option(
          "--predictor <dir>",
          "with --next: predictor that chooses (default: adapted last for the platform, else shipped)",
        )
        .option(
          "--processes <n>",
          "fresh processes a network",
          integerOption("processes", 1, 50),
          3,
        )
        .option(
          "--pairs <n>",
          "timed runs a process (default: 10; with --device what its file says)",
          integerOption("pairs", 3, 1000),
        )
        .option(
          "-o, --out <dir>",
          "pool folder to add to (default: your own; with --next the one that has this platform)",
        )
        .option("--resume", "continue: keep the processes that are already in the pool's log"),
    async (context) => {
      const { options, args, out, progress, signal, warn } = context;
      checkOptions(options, args.length);
      const { findPlatforms } = await import("../platforms.js");
      const { measureNetworks } = await import("../measuring.js");
      const { readDeviceFile } = await import("../../edge/device-file.js");
      const { reachDevice } = await import("../edge-measuring.js");
      const { bulkProtocol } = await import("../../measure/campaign.js");
      const { architecturesFromArchs, drawIndices, subjectFromFile, subjectsFromArchitectures } =
        await import("../subjects.js");
      const { indexFromNetworkId, networkId } = await import("../../space/nasbench201/cell.js");
      const { Pool: PoolFolder } = await import("../../store/pool.js");
      const { predictBeside } = await import("../predicting.js");
      const checks = new InputChecks();
      const { device: devicePath } = options;
      const device = checks.run(
        () => (devicePath === undefined ? undefined : readDeviceFile(devicePath, options.pairs)),
        undefined,
      );
      const platforms = await checks.wait(
        async () => (options.platform === undefined ? [] : findPlatforms(options.platform)),
        [],
      );
      const drawn = options.samples === undefined ? [] : drawIndices(options.seed, options.samples);
      const archs = [...(options.arch ?? []), ...drawn.map(networkId)];
      const architectures = checks.run(() => architecturesFromArchs(archs, options.seed), []);
      const files = args.flatMap((path) => checks.run(() => [subjectFromFile(path)], []));
      checks.done();
      const named = architectures.flatMap(({ id }) => indexFromNetworkId(id) ?? []);
      const proposed =
        options.next === undefined
          ? undefined
          : await propose(context, device ?? platforms[0]!, named);
      if (proposed !== undefined && options.dryRun) {
        await emitProposal(context, proposed);
        return exitCodes.ok;
      }
      const next = architecturesFromArchs(proposed?.proposal.networks ?? [], options.seed);
      const subjects = [
        ...subjectsFromArchitectures([...architectures, ...next]),
        ...new Map(files.map((subject) => [subject.id, subject])).values(),
      ];
      const pool = proposed?.pool ?? new PoolFolder(options.out ?? userPool());
      const reached = device === undefined ? undefined : await reachDevice(device);
      const targets = reached === undefined ? platforms : [reached.platform];
      const { measurements, result } = await measureNetworks(targets, subjects, {
        pool,
        progress,
        signal,
        protocol: {
          ...bulkProtocol,
          nProcesses: options.processes,
          nPairs: options.pairs ?? bulkProtocol.nPairs,
        },
        resumeCommand:
          proposed === undefined
            ? "the same command: what is in the pool's log is not measured again"
            : resumeCommand(options, proposed, [...architectures, ...next], args),
        label: `measure ${subjects.length} network(s)`,
      }).finally(() => reached?.close());
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
          ...(proposed === undefined ? {} : { proposal: proposed.proposal }),
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
        `\nSaved in ${pool.folder}${await footer(proposed, device, pool)}`,
      );
      if (result.failures.length > 0) return exitCodes.failed;
      return measurements.every(({ grade }) => grade === "X") ? exitCodes.unusable : exitCodes.ok;
    },
  );
}
