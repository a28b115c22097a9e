/**
 * OpenVINO by `benchmark_app`, in its C++ or Python form, one request after the other.
 *
 * Both print median, average, minimum and maximum in ms with two decimals. The report of `-json_stats` has more, but
 * the Python form cannot write it (statistics_report.py of 2023 calls json.dump with its arguments exchanged), so the
 * text is read. Written after openvinotoolkit/openvino `samples/cpp/benchmark_app` and `tools/benchmark_tool` of 2022.3
 * to 2025; not verified on hardware. There is one untimed run.
 */
import { z } from "zod";
import { InputError, UnsupportedError } from "../../errors.js";
import {
  checkedSummary,
  type EdgeTool,
  isVersion,
  linesOf,
  onlyLine,
  outputError,
  shortVersion,
  type ToolTimes,
  timeMs,
  toolOptions,
  unsupportedPrecision,
} from "../tool.js";

const name = "benchmark_app";

const optionsSchema = z
  .strictObject({
    /** OpenVINO's name of the device, e.g. CPU, GPU, GPU.1, NPU. */
    device: z
      .string()
      .regex(/^[A-Z]+(?:\.\d+)?$/)
      .default("CPU"),
    /** Of the CPU. */
    threads: z.number().int().min(1).max(256).optional(),
  })
  .refine(({ device, threads }) => device === "CPU" || threads === undefined, {
    message: "belongs to device: CPU",
    path: ["threads"],
  });

const info = "\\[ INFO \\]\\s*";

function parse(text: string, device: string, version: string): ToolTimes {
  const lines = linesOf(text);
  const build = lines.flatMap(
    (line) => /^\[ INFO \] Build \.+ (\d+\.\d+(?:\.\d+)?)/.exec(line.text)?.[1] ?? [],
  )[0];
  if (build === undefined) {
    throw outputError(name, "output", 'no line "[ INFO ] Build …… VERSION"');
  }
  if (!isVersion(build, version)) {
    throw new InputError(`${name} is of OpenVINO ${build}, the device file says ${version}`, {
      hint: `write version: "${build}": a latency belongs to a version`,
    });
  }
  const executed = lines.flatMap(
    (line) => /^\[ INFO \] Execution Devices:\s*(.*)$/.exec(line.text)?.[1] ?? [],
  )[0];
  if (executed !== undefined && !executed.includes(device)) {
    throw new UnsupportedError(`${name} ran on ${executed}, not on ${device}`, {
      hint: "see which devices `benchmark_app -h` lists",
    });
  }
  const only = (pattern: string, what: string) =>
    onlyLine(name, lines, new RegExp(`^${info}${pattern}$`), `"${what}"`);
  const count = only("Count:\\s*(\\d+) iterations", "Count: … iterations");
  const latency = only("Latency:", "Latency:");
  const figure = (title: string) => {
    const { line, match } = only(`${title}:\\s*(\\S+) ms`, `${title}: … ms`);
    if (line.number < latency.line.number) {
      throw outputError(name, `line ${line.number}`, `"${title}" comes before "Latency:"`);
    }
    return timeMs(name, `line ${line.number}, ${title}`, match[1]!);
  };
  const summary = {
    nRuns: Number(count.match[1]),
    medianMs: figure("Median"),
    meanMs: figure("Average"),
    minMs: figure("Min"),
    maxMs: figure("Max"),
  };
  only("Throughput:\\s*(\\S+) FPS", "Throughput: … FPS");
  return {
    kind: "summary",
    nWarmupRuns: 1,
    version: build,
    summary: checkedSummary(name, `line ${latency.line.number}`, summary),
  };
}

export const benchmarkApp: EdgeTool = {
  name,
  family: "openvino",
  modelFormat: "onnx",
  modelFile: "model.onnx",
  writesResult: false,
  removesDeadOperators: false,
  versionHint: 'it prints "[ INFO ] Build … 2024.6.0-…"',

  configure({ precision, version, runs, options }) {
    const { device, threads = 1 } = toolOptions(name, optionsSchema, options);
    if (precision === "int8") {
      throw unsupportedPrecision(name, precision, "the networks' files hold float32 weights");
    }
    const isCpu = device === "CPU";
    const place = device.toLowerCase().replace(".", "");
    return {
      slug: `ov${shortVersion(version)}-app-${place}${isCpu ? `-t${threads}` : ""}`,
      threads: isCpu ? threads : 1,
      settings: { accelerator: device },
      arguments: (model) => [
        ...["-m", model],
        ...["-d", device],
        ...["-api", "sync"],
        ...["-niter", String(runs)],
        ...["-infer_precision", precision === "fp16" ? "f16" : "f32"],
        // The tool takes threads and streams only without a hint.
        ...(isCpu
          ? ["-hint", "none", "-nstreams", "1", "-nthreads", String(threads)]
          : ["-hint", "latency"]),
      ],
      parse: ({ text }) => parse(text, device, version),
    };
  },
};
