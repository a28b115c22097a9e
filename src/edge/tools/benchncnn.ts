/**
 * ncnn by `benchncnn`, which fills a network's weights with zeros and times it after 8 untimed runs (10 on a GPU).
 *
 * It prints one line, in ms with two decimals: minimum, maximum and mean. Each timed run contains the creation of an
 * extractor. Written after Tencent/ncnn `benchmark/benchncnn.cpp` of versions with `param=` (2023 and newer); not
 * verified on hardware.
 *
 * It lets ncnn use fp16 wherever the device can and has no switch for it, so fp16 is its only precision.
 */
import { z } from "zod";
import {
  checkedSummary,
  type EdgeTool,
  linesOf,
  outputError,
  shortVersion,
  type ToolTimes,
  timeMs,
  toolOptions,
  unsupportedPrecision,
} from "../tool.js";

const name = "benchncnn";

const powersaves = { all: 0, little: 1, big: 2 } as const;

const optionsSchema = z.strictObject({
  threads: z.number().int().min(1).max(64).default(1),
  /** Which cores to use. */
  cores: z.enum(["all", "little", "big"]).default("all"),
  /** Number of the GPU, by Vulkan; -1 is the CPU. */
  gpu: z.number().int().min(-1).max(15).default(-1),
});

const inputLine = /^Input \S+ 0 1 \S+ 0=(\d+) 1=(\d+) 2=(\d+)$/m;

/** What ncnn prints when it could not load a network; benchncnn goes on all the same and times nothing. */
const trouble =
  /not exists or registered|fopen .* failed|load_(?:param|model) .*failed|layer_.* failed|find_blob_index_by_name .* failed|parse .* failed|param is too/;

function parse(text: string, model: string, runs: number, nWarmupRuns: number): ToolTimes {
  const lines = linesOf(text);
  const broken = lines.find((line) => trouble.test(line.text));
  if (broken !== undefined) {
    throw outputError(
      name,
      `line ${broken.number}`,
      `ncnn could not load the network: ${broken.text}`,
    );
  }
  const results = lines.flatMap((line) => {
    const match = /^\s*(\S+)\s+min =\s*(\S+)\s+max =\s*(\S+)\s+avg =\s*(\S+)$/.exec(line.text);
    return match === null ? [] : [{ line, match }];
  });
  const [only, second] = results;
  if (only === undefined) {
    throw outputError(
      name,
      "output",
      `no line "${model}  min = …  max = …  avg = …": the output is cut short, or of another version`,
    );
  }
  if (second !== undefined || only.match[1] !== model) {
    throw outputError(
      name,
      `line ${only.line.number}`,
      `times of "${only.match[1]}", expected those of "${model}" only`,
      "versions of benchncnn before 2023 ignore param=: use a newer one",
    );
  }
  const [, , min, max, mean] = only.match;
  const where = (field: string) => `line ${only.line.number}, ${field}`;
  return {
    kind: "summary",
    nWarmupRuns,
    summary: checkedSummary(name, `line ${only.line.number}`, {
      nRuns: runs,
      meanMs: timeMs(name, where("avg"), mean!),
      minMs: timeMs(name, where("min"), min!),
      maxMs: timeMs(name, where("max"), max!),
    }),
  };
}

export const benchncnn: EdgeTool = {
  name,
  family: "ncnn",
  modelFormat: "ncnn",
  modelFile: "model.param",
  writesResult: false,
  removesDeadOperators: true,
  versionHint: "the release that it was built from, e.g. 20240410; the tool does not print it",

  configure({ precision, version, runs, options }) {
    const { threads, cores, gpu } = toolOptions(name, optionsSchema, options);
    if (precision !== "fp16") {
      throw unsupportedPrecision(
        name,
        precision,
        "it lets ncnn use fp16 wherever the device can, and cannot be told otherwise",
      );
    }
    const place = gpu < 0 ? "cpu" : `gpu${gpu}`;
    return {
      slug: `ncnn${shortVersion(version)}-bench-${place}${cores === "all" ? "" : `-${cores}`}-t${threads}`,
      threads,
      settings: { accelerator: place, cores },
      arguments(model, content) {
        const size = inputLine.exec(new TextDecoder().decode(content));
        if (size === null) throw outputError(name, model, "has no line of its input");
        const shape = size.slice(1).join(",");
        const positional = [runs, threads, powersaves[cores], gpu, 0].map(String);
        return [...positional, `param=${model}`, `shape=[${shape}]`];
      },
      parse: ({ text }, model) => parse(text, model, runs, gpu < 0 ? 8 : 10),
    };
  },
};
