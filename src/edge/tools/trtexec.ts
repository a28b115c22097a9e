/**
 * TensorRT by `trtexec`: builds an engine from ONNX and times it on a GPU or DLA.
 *
 * Times come from the file of `--exportTimes`, one entry a query; the text tells the version, how many of the
 * queries were warm-up, and whether the run ended well. Written after NVIDIA/TensorRT `samples/common/
 * sampleReporting.cpp` and `sampleOptions.cpp`, versions 8.0 to 10; not verified on hardware.
 *
 * What is the latency: `latencyMs`, which NVIDIA calls "the latency to infer a single query", is the input's way to
 * the device, the computation and the output's way back. `latency: compute` takes the computation alone.
 */
import { z } from "zod";
import { FormatError, InputError, messageOf, UnsupportedError } from "../../errors.js";
import {
  type EdgeTool,
  isVersion,
  linesOf,
  majorVersion,
  onlyLine,
  outputError,
  shortVersion,
  type ToolOutput,
  type ToolTimes,
  toolOptions,
  unsupportedPrecision,
} from "../tool.js";

const name = "trtexec";

const optionsSchema = z.strictObject({
  accelerator: z.enum(["gpu", "dla0", "dla1"]).default("gpu"),
  /** Whether times contain the copies to the device and back. */
  latency: z.enum(["transfers", "compute"]).default("transfers"),
  /** Replay one captured graph instead of launching kernel by kernel. */
  cudaGraph: z.boolean().default(false),
  /** Wait for the GPU by polling: steadier, at the cost of a core. */
  spinWait: z.boolean().default(false),
  /** Whether fp32 may be computed in TF32 where the GPU has it, as TensorRT does by default. */
  tf32: z.boolean().default(true),
  warmUpMs: z.number().int().min(0).max(60_000).default(200),
  /** Timed for at least so long. */
  seconds: z.number().min(0).max(600).default(1),
  /** Where on the device to keep measured tactics; default: in the temporary folder, for all networks of a command. */
  timingCache: z.string().min(1).optional(),
});

/** `8502` is 8.5.2, `100200` is 10.2.0. */
function versionOf(digits: string): string {
  const value = Number(digits);
  const [major, minor, patch] =
    value >= 10_000
      ? [Math.floor(value / 10_000), Math.floor(value / 100) % 100, value % 100]
      : [Math.floor(value / 1000), Math.floor(value / 100) % 10, value % 100];
  return `${major}.${minor}.${patch}`;
}

const time = z.number().positive();
const entrySchema = z.looseObject({ computeMs: time, latencyMs: time });

function entriesOf(result: string | undefined): z.infer<typeof entrySchema>[] {
  if (result === undefined) throw outputError(name, "times file", "was not written");
  let value: unknown;
  try {
    value = JSON.parse(result);
  } catch (cause) {
    throw new FormatError(`${name}: times file: is not JSON: ${messageOf(cause)}`, {
      field: "times file",
      hint: "it was cut short, or a time in it is no number: run again",
      cause,
    });
  }
  if (!Array.isArray(value)) throw outputError(name, "times file", "must be a list of queries");
  return value.map((entry, i) => {
    const parsed = entrySchema.safeParse(entry);
    if (!parsed.success) {
      const { path, message } = parsed.error.issues[0]!;
      throw outputError(name, `times file, query ${i + 1}, ${path.join(".")}`, message);
    }
    const { computeMs, latencyMs } = parsed.data;
    if (latencyMs < computeMs * (1 - 1e-4)) {
      throw outputError(
        name,
        `times file, query ${i + 1}`,
        `latencyMs ${latencyMs} is less than computeMs ${computeMs}`,
      );
    }
    return parsed.data;
  });
}

function parse(output: ToolOutput, field: "latencyMs" | "computeMs", version: string): ToolTimes {
  const lines = linesOf(output.text);
  const running = onlyLine(
    name,
    lines,
    /^&&&& RUNNING TensorRT\.trtexec \[TensorRT v(\d+)\]/,
    'the version ("&&&& RUNNING TensorRT.trtexec [TensorRT v…]")',
  );
  const actual = versionOf(running.match[1]!);
  if (!isVersion(actual, version)) {
    throw new InputError(`${name} is of TensorRT ${actual}, the device file says ${version}`, {
      hint: `write version: "${actual}": a latency belongs to a version`,
    });
  }
  onlyLine(name, lines, /^&&&& PASSED TensorRT\.trtexec/, '"&&&& PASSED TensorRT.trtexec"');
  const warmup = onlyLine(
    name,
    lines,
    /\bWarmup completed (\d+) queries over [\d.]+ ms$/,
    '"Warmup completed … queries"',
  );
  const trace = onlyLine(
    name,
    lines,
    /\bTiming trace has (\d+) queries over [\d.e+-]+ s$/,
    '"Timing trace has … queries"',
  );
  const nWarmupRuns = Number(warmup.match[1]);
  const nRuns = Number(trace.match[1]);
  const entries = entriesOf(output.result);
  // Until 8.5 the file also held the queries of the warm-up, first.
  const timed = entries.length === nRuns + nWarmupRuns ? entries.slice(nWarmupRuns) : entries;
  if (timed.length !== nRuns || nRuns < 1) {
    throw outputError(
      name,
      "times file",
      `has ${entries.length} queries, the text says ${nRuns} after ${nWarmupRuns} of warm-up (line ${trace.line.number})`,
    );
  }
  return {
    kind: "runs",
    nWarmupRuns,
    version: actual,
    latenciesMs: timed.map((entry) => entry[field]),
  };
}

export const trtexec: EdgeTool = {
  name,
  family: "tensorrt",
  modelFormat: "onnx",
  modelFile: "model.onnx",
  writesResult: true,
  removesDeadOperators: false,
  versionHint: "`trtexec --help` begins with it: [TensorRT v8502] is 8.5.2, v100200 is 10.2.0",

  configure({ precision, version, runs, options }) {
    const own = toolOptions(name, optionsSchema, options);
    const { accelerator } = own;
    if (precision !== "fp32" && majorVersion(version) >= 11) {
      throw new UnsupportedError(
        `${name} ${version} has no --${precision}: TensorRT 11 took the flag away`,
        {
          hint: "measure fp32, or an ONNX file of which NVIDIA's ModelOpt made a narrower one",
        },
      );
    }
    if (accelerator !== "gpu" && precision === "fp32") {
      throw unsupportedPrecision(name, precision, "the DLA computes in fp16 or int8");
    }
    const slug = [
      `trt${shortVersion(version)}-exec-${accelerator}`,
      own.cudaGraph ? "graph" : "",
      own.spinWait ? "spin" : "",
      own.tf32 ? "" : "notf32",
      own.latency === "compute" ? "compute" : "",
    ];
    return {
      slug: slug.filter(Boolean).join("-"),
      threads: 1,
      settings: {
        accelerator,
        latency: own.latency,
        cudaGraph: own.cudaGraph,
        spinWait: own.spinWait,
        tf32: own.tf32,
      },
      arguments: (model, _content, resultFile) => [
        `--onnx=${model}`,
        `--exportTimes=${resultFile}`,
        `--timingCacheFile=${own.timingCache ?? "timing.cache"}`,
        `--iterations=${runs}`,
        `--duration=${own.seconds}`,
        `--warmUp=${own.warmUpMs}`,
        ...(precision === "fp32" ? [] : [`--${precision}`]),
        ...(accelerator === "gpu"
          ? []
          : [`--useDLACore=${accelerator.slice(3)}`, "--allowGPUFallback"]),
        ...(own.tf32 ? [] : ["--noTF32"]),
        ...(own.cudaGraph ? ["--useCudaGraph"] : []),
        ...(own.spinWait ? ["--useSpinWait"] : []),
      ],
      parse: (output) =>
        parse(output, own.latency === "compute" ? "computeMs" : "latencyMs", version),
    };
  },
};
