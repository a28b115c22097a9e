/**
 * The variation point for benchmark tools of edge runtimes: how one is called, and what its output says.
 *
 * One file a tool in `tools/`, listed in `registry.ts`. A tool runs where the device is; `transport.ts` gets it there.
 * Parsers are strict: what is missing, cut short or no time is an error, never a guess.
 */

import type { z } from "zod";
import { FormatError, InputError } from "../errors.js";
import type { Precision } from "../record/platform.js";

/** What a user asks of a tool in a device file. */
export interface ToolRequest {
  readonly precision: Precision;
  /** Version of the tool's runtime, as the user states it. */
  readonly version: string;
  /** Timed runs an invocation, at least. */
  readonly runs: number;
  /** The tool's own options, unchecked. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** What one invocation left behind. */
export interface ToolOutput {
  /** Standard output, then standard error. */
  readonly text: string;
  /** Content of the result file, for tools that write one. */
  readonly result: string | undefined;
}

/** Figures of a tool that does not tell its single runs, ms. */
export interface TimesSummary {
  readonly nRuns: number;
  readonly meanMs: number;
  readonly medianMs?: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly sdMs?: number;
}

/** What a tool measured in one invocation. */
export type ToolTimes = {
  /** Untimed runs before. */
  readonly nWarmupRuns: number;
  /** Version of the runtime, where the tool tells it. */
  readonly version?: string;
} & (
  | { readonly kind: "runs"; readonly latenciesMs: readonly number[] }
  | { readonly kind: "summary"; readonly summary: TimesSummary }
);

/** A tool with its settings. */
export interface ToolSetup {
  /** Version and settings as the middle part of a platform id, e.g. `trt8.5-exec-gpu`. */
  readonly slug: string;
  readonly threads: number;
  /** All that changes latency. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /**
   * Arguments of one invocation, run in the folder that holds the model.
   *
   * @param model - the model's file name there
   * @param resultFile - file name to write results to, for tools that write one
   */
  arguments(model: string, content: Uint8Array, resultFile: string): readonly string[];
  /** @throws FormatError naming tool, line or field; UnsupportedError when the tool ran something else */
  parse(output: ToolOutput, model: string): ToolTimes;
}

/** A benchmark tool of an edge runtime. */
export interface EdgeTool {
  /** The executable's usual name, and what a device file calls it. */
  readonly name: string;
  /** Family of its runtime: a hold-out removes its siblings together. */
  readonly family: string;
  readonly modelFormat: "onnx" | "tflite" | "ncnn";
  /** What its model files are called. */
  readonly modelFile: string;
  /** Whether it writes its times to a file, which must be fetched. */
  readonly writesResult: boolean;
  /** Its model files hold no operators whose result nobody reads. */
  readonly removesDeadOperators: boolean;
  /** How to find out the version that a device file must state. */
  readonly versionHint: string;
  /** @throws FormatError on a wrong option; UnsupportedError on what the tool or this version of it cannot do */
  configure(request: ToolRequest): ToolSetup;
}

/**
 * Check a tool's options; the error names all that are wrong.
 *
 * @throws FormatError
 */
export function toolOptions<T>(
  tool: string,
  schema: z.ZodType<T>,
  options: Readonly<Record<string, unknown>>,
): T {
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    (issue) => `${["options", ...issue.path].join(".")}: ${issue.message}`,
  );
  throw new FormatError(`${tool}: ${problems.join("; ")}`, {
    field: "options",
    hint: `docs/your-own-device.md lists the options of ${tool}`,
  });
}

/** The first two numbers of a version, else all of it in the letters that an id may have. */
export function shortVersion(version: string): string {
  return /^\d+\.\d+/.exec(version)?.[0] ?? version.toLowerCase().replaceAll(/[^a-z0-9]+/g, "");
}

/** The first number of a version; NaN when it does not begin with one. */
export const majorVersion = (version: string): number => Number.parseInt(version, 10);

/** Whether a version is the one stated or a closer description of it: 8.5.2 is 8.5. */
export function isVersion(actual: string, stated: string): boolean {
  return actual === stated || actual.startsWith(`${stated}.`);
}

/** A format error of a tool's output. */
export function outputError(
  tool: string,
  where: string,
  problem: string,
  hint?: string,
): FormatError {
  return new FormatError(`${tool}: ${where}: ${problem}`, {
    field: where,
    hint:
      hint ??
      `run ${tool} by hand with the same model and compare its output with docs/runtimes.md`,
  });
}

/** A line of a tool's output with its number, from 1. */
export interface Line {
  readonly text: string;
  readonly number: number;
}

/** Lines of an output, without carriage returns and trailing blanks. */
export function linesOf(text: string): Line[] {
  return text.split("\n").map((line, i) => ({ text: line.trimEnd(), number: i + 1 }));
}

/**
 * The only line of an output that matches.
 *
 * @throws FormatError when none does, or several do
 */
export function onlyLine(
  tool: string,
  lines: readonly Line[],
  pattern: RegExp,
  what: string,
): { readonly line: Line; readonly match: RegExpExecArray } {
  const found = lines.flatMap((line) => {
    const match = pattern.exec(line.text);
    return match === null ? [] : [{ line, match }];
  });
  if (found.length === 1) return found[0]!;
  throw outputError(
    tool,
    "output",
    found.length === 0
      ? `no line with ${what}: the output is cut short, or of another version`
      : `${found.length} lines with ${what} (the second is line ${found[1]!.line.number}), expected one`,
  );
}

/**
 * A time as a tool prints it: decimal, maybe with an exponent.
 *
 * @returns ms
 * @throws FormatError on NaN, infinity, zero and negative times
 */
export function timeMs(tool: string, where: string, text: string, msPerUnit = 1): number {
  const value = /^[-+]?\d*\.?\d+(?:e[-+]?\d+)?$/i.test(text)
    ? Number(text) * msPerUnit
    : Number.NaN;
  if (Number.isFinite(value) && value > 0) return value;
  throw outputError(tool, where, `must be a time > 0, got "${text}"`);
}

/**
 * A summary whose figures can be true together.
 *
 * @throws FormatError
 */
export function checkedSummary(tool: string, where: string, summary: TimesSummary): TimesSummary {
  const { minMs, maxMs, meanMs, medianMs = meanMs } = summary;
  // Tools round what they print.
  const slack = 1e-5 * maxMs;
  const fits = (value: number) => value >= minMs - slack && value <= maxMs + slack;
  if (summary.nRuns >= 1 && fits(meanMs) && fits(medianMs)) return summary;
  throw outputError(
    tool,
    where,
    `figures contradict each other: ${summary.nRuns} runs, min ${minMs} ms, median ${medianMs} ms, mean ${meanMs} ms, max ${maxMs} ms`,
  );
}

/** Refuse a precision that a tool cannot be told. */
export function unsupportedPrecision(tool: string, precision: Precision, rule: string): InputError {
  return new InputError(`${tool} has no precision ${precision}: ${rule}`, {
    hint: "change `precision` in the device file",
  });
}
