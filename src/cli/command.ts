/**
 * What a command gets to work with, and how one is wired: options in, results out, signals and warnings between.
 */
import type { Command } from "commander";
import { InterruptedError } from "../errors.js";
import { exitCodes } from "./exit-codes.js";
import { createOutput, type Output, type Warning } from "./output.js";
import { createProgress, type Progress } from "./progress.js";
import {
  addCommonOptions,
  applyConfigFile,
  applyEnvironment,
  type CommonOptions,
} from "./settings.js";

export interface CommandContext<Options> {
  readonly options: Options & CommonOptions;
  readonly args: readonly string[];
  readonly out: Output;
  readonly progress: Progress;
  readonly warnings: Warning[];
  /** Aborted by the first Ctrl-C: stop issuing work, keep what is measured. */
  readonly signal: AbortSignal;
  /** Settings of this run for the JSON envelope. */
  readonly settings: Readonly<Record<string, unknown>>;
  warn(code: string, message: string, hint?: string): void;
}

/** Returns the exit code; throws for everything that the user must correct. */
export type CommandBody<Options> = (context: CommandContext<Options>) => Promise<number>;

function abortOnInterrupt(progress: Progress): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const onInterrupt = () => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    progress.note("stopping: finishing the run in progress (Ctrl-C again stops at once)");
    controller.abort(new InterruptedError("interrupted"));
  };
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onInterrupt);
  return {
    signal: controller.signal,
    release: () => {
      process.off("SIGINT", onInterrupt);
      process.off("SIGTERM", onInterrupt);
    },
  };
}

/** Give a command its common options and its body. */
export function defineCommand<Options>(
  command: Command,
  body: CommandBody<Options>,
  finish: (exitCode: number) => void,
): Command {
  const checks = addCommonOptions(command);
  command.action(async () => {
    applyEnvironment(command);
    checks.run(() => applyConfigFile(command), undefined);
    checks.done();
    const options = command.opts() as Options & CommonOptions;
    const progress = createProgress({ quiet: options.quiet ?? false });
    const out = createOutput(options);
    const warnings: Warning[] = [];
    const { signal, release } = abortOnInterrupt(progress);
    const { seed } = options;
    try {
      const exitCode = await body({
        options,
        args: command.args,
        out,
        progress,
        warnings,
        signal,
        settings: { command: command.name(), seed },
        warn(code, message, hint) {
          if (warnings.some((warning) => warning.message === message)) return;
          warnings.push({ code, message, ...(hint === undefined ? {} : { hint }) });
          progress.warning(`${message}${hint === undefined ? "" : ` (${hint})`}`);
        },
      });
      finish(exitCode);
    } finally {
      progress.clear();
      release();
    }
  });
  return command;
}
