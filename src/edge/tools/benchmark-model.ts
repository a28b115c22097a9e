/**
 * TensorFlow Lite, now LiteRT, by `benchmark_model`: the tool of tensorflow/lite/tools/benchmark, later tflite/tools.
 *
 * It prints one line of statistics for the warm-up, one for the timed runs, in microseconds, and a last line that
 * repeats both means. Written after benchmark_model.cc and stats_calculator.h of TensorFlow 2.4 to 2.18 and LiteRT;
 * not verified on hardware. The tool of the same name that LiteRT builds from litert/tools prints another form.
 */
import { z } from "zod";
import { UnsupportedError } from "../../errors.js";
import {
  checkedSummary,
  type EdgeTool,
  type Line,
  linesOf,
  onlyLine,
  outputError,
  shortVersion,
  type TimesSummary,
  type ToolTimes,
  timeMs,
  toolOptions,
  unsupportedPrecision,
} from "../tool.js";

const name = "benchmark_model";
const msPerUs = 1e-3;

const optionsSchema = z
  .strictObject({
    /** What executes the network: XNNPACK, the built-in CPU kernels, the GPU delegate or NNAPI. */
    delegate: z.enum(["xnnpack", "builtin", "gpu", "nnapi"]).default("xnnpack"),
    threads: z.number().int().min(1).max(64).default(1),
    /** Which of NNAPI's accelerators, e.g. `google-edgetpu`; default its own choice. */
    accelerator: z
      .string()
      .regex(/^[\w.-]+$/)
      .optional(),
    warmUpRuns: z.number().int().min(1).max(10_000).default(1),
    /** Warmed up and timed for at least so long, each. */
    warmUpSeconds: z.number().min(0).max(60).default(0.5),
    seconds: z.number().min(0).max(600).default(1),
  })
  .refine(({ accelerator, delegate }) => accelerator === undefined || delegate === "nnapi", {
    message: "belongs to delegate: nnapi",
    path: ["accelerator"],
  });
type Options = z.infer<typeof optionsSchema>;

const delegateNames = { xnnpack: "XNNPACK", gpu: "GPU", nnapi: "NNAPI" } as const;

function delegateArguments({ delegate, accelerator }: Options, isHalf: boolean): string[] {
  switch (delegate) {
    case "xnnpack":
      return ["--use_xnnpack=true", ...(isHalf ? ["--xnnpack_force_fp16=true"] : [])];
    case "builtin":
      return ["--use_xnnpack=false"];
    case "gpu":
      return ["--use_gpu=true", `--gpu_precision_loss_allowed=${isHalf}`];
    case "nnapi":
      return [
        "--use_nnapi=true",
        `--nnapi_allow_fp16=${isHalf}`,
        ...(accelerator === undefined ? [] : [`--nnapi_accelerator_name=${accelerator}`]),
      ];
    default:
      return delegate satisfies never;
  }
}

/** A line without what loggers put before it: `INFO: `, or date and tag of Android's log. */
const withoutPrefix = ({ text, number }: Line): Line => ({
  number,
  text: text.replace(/^(?:INFO:\s+|.*\bI tflite\s*:\s+)/, ""),
});

const number = "(\\d[\\d.e+]*|nan|-nan|inf|-[\\d.]+)";
const spread = new RegExp(
  `^count=(\\d+) first=${number} curr=${number} min=${number} max=${number} avg=${number} std=${number}(?: p5=${number} median=${number} p95=${number})?$`,
);
const allSame = new RegExp(`^count=(\\d+) curr=${number}(?:\\(all same\\))?$`);

interface Statistics {
  readonly summary: TimesSummary;
  /** The mean as printed: the last line must repeat it. */
  readonly mean: string;
}

function statisticsOf({ text, number: lineNumber }: Line): Statistics {
  const where = (field: string) => `line ${lineNumber}, ${field}`;
  const us = (field: string, value: string) => timeMs(name, where(field), value, msPerUs);
  const same = allSame.exec(text);
  if (same !== null) {
    const value = us("curr", same[2]!);
    return {
      mean: same[2]!,
      summary: {
        nRuns: Number(same[1]),
        meanMs: value,
        medianMs: value,
        minMs: value,
        maxMs: value,
      },
    };
  }
  const match = spread.exec(text);
  if (match === null) {
    throw outputError(
      name,
      `line ${lineNumber}`,
      `expected "count=… first=… curr=… min=… max=… avg=… std=…" in microseconds, got "${text}"`,
    );
  }
  const [, count, , , min, max, mean, sd, , median] = match;
  const summary = {
    nRuns: Number(count),
    meanMs: us("avg", mean!),
    minMs: us("min", min!),
    maxMs: us("max", max!),
    ...(median === undefined ? {} : { medianMs: us("median", median) }),
    // A standard deviation of zero is possible: it is printed as an integer.
    ...(Number(sd) > 0 ? { sdMs: us("std", sd!) } : {}),
  };
  return { mean: mean!, summary: checkedSummary(name, `line ${lineNumber}`, summary) };
}

/** Whether two printed means are one number: the tool prints six digits, and of equal times all of them. */
const isSame = (a: string, b: string) => Math.abs(Number(a) - Number(b)) <= 1e-5 * Number(b);

function parse(text: string, options: Options): ToolTimes {
  const lines = linesOf(text).map(withoutPrefix);
  const refused = lines.find((line) =>
    /Unconsumed cmdline flags|will not be executed by the delegate|acceleration is unsupported|Failed to apply .* delegate/.test(
      line.text,
    ),
  );
  if (refused !== undefined) {
    throw new UnsupportedError(`${name} did not run what it was told: ${refused.text}`, {
      hint: "choose another delegate in the device file, or a build of the tool that has this one",
    });
  }
  const { delegate } = options;
  if (delegate === "gpu" || delegate === "nnapi") {
    onlyLine(
      name,
      lines,
      new RegExp(`^Explicitly applied ${delegateNames[delegate]} delegate`),
      `"Explicitly applied ${delegateNames[delegate]} delegate"`,
    );
  }
  if (lines.some((line) => line.text.includes("BENCHMARK RESULTS"))) {
    throw outputError(
      name,
      "output",
      "this is the tool of litert/tools, whose form is another",
      "build benchmark_model from tensorflow/lite/tools/benchmark or tflite/tools/benchmark",
    );
  }
  const counts = lines.filter((line) => line.text.startsWith("count="));
  if (counts.length !== 2) {
    throw outputError(
      name,
      "output",
      `${counts.length} lines "count=…", expected 2 (warm-up, timed runs)`,
    );
  }
  const [warmup, timed] = counts.map(statisticsOf) as [Statistics, Statistics];
  const last = onlyLine(
    name,
    lines,
    /^Inference timings in us: Init: \S+, First inference: \S+, Warmup \(avg\): (\S+), Inference \(avg\): (\S+)$/,
    '"Inference timings in us: …"',
  );
  if (!isSame(last.match[1]!, warmup.mean) || !isSame(last.match[2]!, timed.mean)) {
    throw outputError(
      name,
      `line ${last.line.number}`,
      `means ${last.match[1]} and ${last.match[2]} are not those of the lines before, ${warmup.mean} and ${timed.mean}`,
    );
  }
  return { kind: "summary", nWarmupRuns: warmup.summary.nRuns, summary: timed.summary };
}

export const benchmarkModel: EdgeTool = {
  name,
  family: "tflite",
  modelFormat: "tflite",
  modelFile: "model.tflite",
  writesResult: false,
  removesDeadOperators: true,
  versionHint:
    "the version of TensorFlow or LiteRT that it was built from; the tool does not print it",

  configure({ precision, version, runs, options }) {
    const own = toolOptions(name, optionsSchema, options);
    const { delegate, threads, accelerator } = own;
    if (precision === "int8") {
      throw unsupportedPrecision(name, precision, "the networks' files hold float32 weights");
    }
    if (precision === "fp16" && delegate === "builtin") {
      throw unsupportedPrecision(name, precision, "the built-in kernels compute in float32");
    }
    const place = delegate === "nnapi" && accelerator !== undefined ? `-${accelerator}` : "";
    return {
      slug: `tflite${shortVersion(version)}-bench-${delegate}${place.toLowerCase().replaceAll(/[^a-z0-9-]/g, "")}-t${threads}`,
      threads,
      settings: { delegate, ...(accelerator === undefined ? {} : { accelerator }) },
      arguments: (model) => [
        `--graph=${model}`,
        `--num_threads=${threads}`,
        `--num_runs=${runs}`,
        `--min_secs=${own.seconds}`,
        `--warmup_runs=${own.warmUpRuns}`,
        `--warmup_min_secs=${own.warmUpSeconds}`,
        ...delegateArguments(own, precision === "fp16"),
      ],
      parse: ({ text }) => parse(text, own),
    };
  },
};
