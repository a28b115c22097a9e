/**
 * `samara benchmark`: score predictors on transfer tasks made of published latencies.
 */
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { InputError, InterruptedError } from "../../errors.js";
import { dataHome } from "../../store/paths.js";
import { formatDuration } from "../../units.js";
import { exitCodes } from "../exit-codes.js";
import { InputChecks } from "../input-checks.js";
import type { Register } from "../main.js";
import { collect, integerOption } from "../settings.js";

/** Options of `samara benchmark`. */
export interface BenchmarkOptions {
  data: string;
  tasks?: string;
  source?: string[];
  target?: string[];
  predictor?: string[];
  samples: string;
  trials: number;
  protocol: string;
  select: string;
  oneSourceDraw?: boolean;
  threads?: number;
  resume?: boolean;
  out?: string;
  seed: number;
}

const listed = (text: string) => text.split(",").map((item) => item.trim());

export function registerBenchmark(register: Register): void {
  register<BenchmarkOptions>(
    "benchmark",
    "score predictors on transfer tasks of published latencies",
    (command) =>
      command
        .option("--data <dir>", "folder of published data", join("..", "shared", "data"))
        .option("--tasks <names>", "published tasks, ND,N1,…,FA (default: all twelve)")
        .option("--source <dir[:id,…]>", "platforms to learn from, for a task of your own", collect)
        .option("--target <dir[:id,…]>", "platforms to predict, for a task of your own", collect)
        .option("--predictor <name>", "method; repeat for several", collect)
        .option("--samples <n[,…]>", "networks measured on a target", "10")
        .option("--trials <n>", "repetitions with other draws", integerOption("trials", 1), 10)
        .option(
          "--protocol <name>",
          "all or help: which networks are learned from and tested",
          "all",
        )
        .option("--select <how>", "random, designed or both: how samples are selected", "random")
        .option("--one-source-draw", "all trials learn from the same networks: for slow methods")
        .option(
          "--threads <n>",
          "worker processes (default: one a core)",
          integerOption("threads", 1, 1024),
        )
        .option("--resume", "take finished trials from the folder of earlier runs")
        .option("-o, --out <dir>", "folder that keeps finished trials"),
    async (context) => {
      const { options, out, progress, signal, settings, warn, warnings } = context;
      const { createPredictor, predictorNames } = await import("../../predict/registry.js");
      const { protocols, selections } = await import("../../evaluate/transfer.js");
      const { receivedError } = await import("../benchmark-messages.js");
      const { planBenchmark } = await import("../benchmark-plan.js");
      const { UnitLog } = await import("../benchmark-units.js");
      const { describeFailures, runBenchmark } = await import("../benchmark-run.js");
      const { emitBenchmark } = await import("../benchmark-output.js");
      const checks = new InputChecks();
      const protocol = checks.run(() => oneOf("protocol", options.protocol, protocols), "all");
      const selected = listed(options.select).flatMap((text) =>
        checks.run(() => [oneOf("select", text, selections)], []),
      );
      const numbers = listed(options.samples).flatMap((text) =>
        checks.run(() => [integerOption("samples", 1)(text)], []),
      );
      const predictors = [...new Set(options.predictor ?? [predictorNames[0]!])];
      const { seed, trials } = options;
      const samples = [...new Set(numbers)].sort((a, b) => a - b);
      for (const name of predictors) {
        checks.run(() => checkSamples(createPredictor(name), Math.min(...samples)), undefined);
      }
      const common = {
        protocol,
        samples,
        selections: [...new Set(selected)],
        trials,
        oneSourceDraw: options.oneSourceDraw ?? false,
      };
      const isResumable = options.resume ?? false;
      const folder = resolve(options.out ?? join(dataHome(), "benchmark"));
      const startMs = performance.now();
      progress.update("benchmark: reading the data");
      const plan = checks.run(
        () =>
          planBenchmark({
            data: options.data,
            ...(options.tasks === undefined ? {} : { tasks: listed(options.tasks) }),
            sources: options.source ?? [],
            targets: options.target ?? [],
            settings: { protocol, seed, samples: Math.max(...samples) },
          }),
        undefined,
      );
      checks.done();
      for (const { code, message, hint } of plan!.warnings) warn(code, message, hint);
      const log = new UnitLog(folder);
      log.prepare();
      const result = await runBenchmark({
        tasks: plan!.tasks,
        predictors,
        seed,
        ...common,
        nWorkers: options.threads ?? availableParallelism(),
        log,
        resume: isResumable,
        progress,
        signal,
      });
      if (signal.aborted) {
        throw new InterruptedError(
          `stopped after ${result.units.length} of ${result.nUnits} trials; finished ones are kept in ${log.path}`,
          { hint: `go on with: ${resumeCommand(options)}` },
        );
      }
      const [failure] = result.failures;
      if (failure !== undefined && result.units.length === 0) throw receivedError(failure.error);
      for (const { message, hint } of describeFailures(result.failures)) {
        warn("not-scored", message, hint);
      }
      emitBenchmark({
        out,
        plan: plan!,
        result,
        ...common,
        dataFolder: options.data,
        context: settings,
        warn,
        warnings,
        footer: `\n${result.units.length} trials in ${formatDuration(performance.now() - startMs)}${result.nResumed === 0 ? "" : `, ${result.nResumed} of them from earlier runs`}; kept in ${log.path}`,
      });
      return result.failures.length > 0 ? exitCodes.failed : exitCodes.ok;
    },
  );
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((known) => known === value);
  if (found !== undefined) return found;
  throw new InputError(`--${name} is one of ${allowed.join(", ")}, got "${value}"`);
}

function checkSamples({ name, minSamples }: { name: string; minSamples: number }, samples: number) {
  if (samples >= minSamples) return;
  throw new InputError(`${name} needs at least ${minSamples} samples of a target, got ${samples}`, {
    hint: `--samples ${minSamples}, or another --predictor`,
  });
}

/** The command line that goes on where this one stopped. */
function resumeCommand(options: BenchmarkOptions): string {
  const quoted = (text: string) => (/^[\w./,:=+-]+$/.test(text) ? text : `'${text}'`);
  const flag = (name: string, value: string | number | undefined) =>
    value === undefined ? [] : [`--${name}`, quoted(String(value))];
  const each = (name: string, values: readonly string[] = []) =>
    values.flatMap((value) => flag(name, value));
  return [
    "samara benchmark --resume",
    ...flag("data", options.data),
    ...flag("tasks", options.tasks),
    ...each("source", options.source),
    ...each("target", options.target),
    ...each("predictor", options.predictor),
    ...flag("samples", options.samples),
    ...flag("trials", options.trials),
    ...flag("protocol", options.protocol),
    ...flag("select", options.select),
    ...(options.oneSourceDraw ? ["--one-source-draw"] : []),
    ...flag("seed", options.seed),
    ...flag("threads", options.threads),
    ...flag("out", options.out),
  ].join(" ");
}
