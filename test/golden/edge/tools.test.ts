// Parsers of edge tools on what the tools printed on somebody's hardware (README.md names the sources), and on what
// goes wrong with it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { edgeToolOf } from "../../../src/edge/registry.js";
import type { ToolRequest, ToolTimes } from "../../../src/edge/tool.js";

const read = (name: string) => readFileSync(join(import.meta.dirname, name), "utf8");

const requests: Record<string, Partial<ToolRequest>> = {
  trtexec: { version: "8.4" },
  benchmark_model: { version: "2.16.1" },
  benchncnn: { version: "20240410", precision: "fp16", runs: 10 },
  benchmark_app: { version: "2022.3" },
};

function setup(tool: string, request: Partial<ToolRequest> = {}) {
  return edgeToolOf(tool).configure({
    precision: "fp32",
    version: "1.0",
    runs: 50,
    options: {},
    ...requests[tool],
    ...request,
  });
}

function parse(
  tool: string,
  text: string,
  { result, ...request }: Partial<ToolRequest> & { result?: string | undefined } = {},
): ToolTimes {
  return setup(tool, request).parse({ text, result }, edgeToolOf(tool).modelFile);
}

describe("trtexec", () => {
  const times = read("trtexec-times.json");
  const latest = (text = read("trtexec-10.2.txt"), result: string | undefined = times) =>
    parse("trtexec", text, { version: "10.2", result });

  test("gives every query's latency, with the copies", () => {
    expect(latest()).toEqual({
      kind: "runs",
      nWarmupRuns: 5,
      version: "10.2.0",
      latenciesMs: [0.401611, 0.389648, 0.416748],
    });
  });

  test("gives the computation alone when told so", () => {
    const options = { latency: "compute" };
    const result = { version: "10.2.0", result: times, options };
    expect(parse("trtexec", read("trtexec-10.2.txt"), result)).toMatchObject({
      latenciesMs: [0.388428, 0.375977, 0.403564],
    });
  });

  test("leaves out the queries of the warm-up that older versions export", () => {
    const result = read("trtexec-times-8.4.json");
    expect(parse("trtexec", read("trtexec-8.4.txt"), { version: "8.4.0", result })).toEqual({
      kind: "runs",
      nWarmupRuns: 2,
      version: "8.4.0",
      latenciesMs: [0.401611, 0.389648, 0.416748],
    });
  });

  test("refuses times that are fewer than the text says", () => {
    expect(() =>
      parse("trtexec", read("trtexec-8.6.txt"), { version: "8.6.3", result: times }),
    ).toThrow("trtexec: times file: has 3 queries, the text says 137 after 9 of warm-up (line 10)");
  });

  test("refuses another version than the device file's, and says which it is", () => {
    expect(() =>
      parse("trtexec", read("trtexec-10.2.txt"), { version: "10.20", result: times }),
    ).toThrow("trtexec is of TensorRT 10.2.0, the device file says 10.20");
  });

  test.each([
    ["that is missing", undefined, "trtexec: times file: was not written"],
    ["that is cut short", times.slice(0, 300), "trtexec: times file: is not JSON"],
    ["with nan", times.replace("0.401611", "nan"), "trtexec: times file: is not JSON"],
    ["with zero", times.replace("0.401611", "0"), "times file, query 1, latencyMs"],
    ["with a negative time", times.replace("0.375977", "-1"), "times file, query 2, computeMs"],
    [
      "without latencies",
      times.replaceAll("latencyMs", "latency"),
      "times file, query 1, latencyMs",
    ],
    [
      "whose times contradict each other",
      times.replace("0.401611", "0.1"),
      "is less than computeMs",
    ],
    ["that is no list", "{}", "must be a list of queries"],
  ])("refuses a times file %s", (_, result, message) => {
    // An argument that is undefined would be the default.
    const parseIt = () =>
      setup("trtexec", { version: "10.2" }).parse(
        { text: read("trtexec-10.2.txt"), result },
        "model.onnx",
      );
    expect(parseIt).toThrow(message);
  });

  test.each([
    ["without its first line", /^&&&& RUNNING.*\n/m, "the version"],
    ["without its last line", /^&&&& PASSED.*\n/m, '"&&&& PASSED TensorRT.trtexec"'],
    ["without the count of queries", /^.*Timing trace.*\n/m, '"Timing trace has … queries"'],
  ])("refuses an output %s", (_, line, what) => {
    expect(() => latest(read("trtexec-10.2.txt").replace(line, ""))).toThrow(
      `trtexec: output: no line with ${what}`,
    );
  });

  test("is called with the precision, a timing cache and a file for its times", () => {
    const { arguments: argumentsOf, slug } = setup("trtexec", {
      precision: "fp16",
      version: "8.5.2",
      options: { accelerator: "dla0", spinWait: true },
    });
    expect(slug).toBe("trt8.5-exec-dla0-spin");
    expect(argumentsOf("model.onnx", new Uint8Array(), "times.json")).toEqual([
      "--onnx=model.onnx",
      "--exportTimes=times.json",
      "--timingCacheFile=timing.cache",
      "--iterations=50",
      "--duration=1",
      "--warmUp=200",
      "--fp16",
      "--useDLACore=0",
      "--allowGPUFallback",
      "--useSpinWait",
    ]);
  });

  test("has no precision flags from TensorRT 11 on", () => {
    expect(() => setup("trtexec", { version: "11.0", precision: "fp16" })).toThrow(
      "trtexec 11.0 has no --fp16",
    );
    expect(setup("trtexec", { version: "11.0" }).slug).toBe("trt11.0-exec-gpu");
  });

  test("refuses fp32 on a DLA and options that it does not have", () => {
    expect(() => setup("trtexec", { options: { accelerator: "dla1" } })).toThrow(
      "the DLA computes in fp16 or int8",
    );
    expect(() => setup("trtexec", { options: { streams: 2, warmUpMs: -1 } })).toThrow(
      /trtexec: options\.warmUpMs: .*; options: Unrecognized key: "streams"/,
    );
  });
});

describe("benchmark_model", () => {
  test.each([
    [
      "benchmark-model-2.8.txt",
      {},
      { nRuns: 50, meanMs: 2950.34, minMs: 2727.568, maxMs: 3189.954, sdMs: 109.798 },
      1,
    ],
    [
      "benchmark-model-xnnpack.txt",
      {},
      { nRuns: 50, meanMs: 602.943, minMs: 568.228, maxMs: 722.188, sdMs: 27.69 },
      1,
    ],
    [
      "benchmark-model-percentiles.txt",
      {},
      { nRuns: 50, meanMs: 105.784, medianMs: 105.718, minMs: 105.416, maxMs: 106.528, sdMs: 0.26 },
      5,
    ],
    [
      "benchmark-model-gpu.txt",
      { delegate: "gpu" },
      { nRuns: 50, meanMs: 115.246, medianMs: 115.35, minMs: 111.842, maxMs: 119.614, sdMs: 1.329 },
      5,
    ],
    [
      "benchmark-model-logcat.txt",
      { delegate: "nnapi" },
      { nRuns: 75, meanMs: 12.1676, minMs: 11.787, maxMs: 13.649, sdMs: 0.325 },
      40,
    ],
  ])("reads %s", (file, options, summary, nWarmupRuns) => {
    const times = parse("benchmark_model", read(file), { options });
    expect(times).toMatchObject({ kind: "summary", nWarmupRuns });
    if (times.kind !== "summary") return;
    expect(Object.keys(times.summary).sort()).toEqual(Object.keys(summary).sort());
    for (const [key, value] of Object.entries(summary)) {
      expect(times.summary[key as keyof typeof times.summary]).toBeCloseTo(value, 6);
    }
  });

  test("reads runs that all took the same time", () => {
    const text = read("benchmark-model-xnnpack.txt")
      .replace(/count=50 .*/, "count=50 curr=602943(all same)")
      .replace(/Inference \(avg\): .*/, "Inference (avg): 602943");
    expect(parse("benchmark_model", text)).toMatchObject({
      summary: { nRuns: 50, meanMs: 602.943, minMs: 602.943, maxMs: 602.943 },
    });
  });

  const xnnpack = read("benchmark-model-xnnpack.txt");
  test.each([
    [
      "that is cut short before the timed runs",
      xnnpack.slice(0, xnnpack.indexOf("INFO: count=50")),
      '1 lines "count=…", expected 2',
    ],
    [
      "that is cut short before its last line",
      xnnpack.slice(0, xnnpack.indexOf("INFO: Inference")),
      'no line with "Inference timings in us: …"',
    ],
    [
      "cut in the middle of a line",
      xnnpack.replace(" std=27690", ""),
      'line 18: expected "count=…',
    ],
    [
      "with NaN",
      xnnpack.replace("avg=602943", "avg=nan"),
      'line 18, avg: must be a time > 0, got "nan"',
    ],
    [
      "with a time of zero",
      xnnpack.replace("min=568228", "min=0"),
      'line 18, min: must be a time > 0, got "0"',
    ],
    [
      "with a negative time",
      xnnpack.replace("min=568228", "min=-5"),
      'line 18, min: must be a time > 0, got "-5"',
    ],
    [
      "of two models",
      xnnpack.replace("Inference (avg): 602943", "Inference (avg): 502943"),
      "are not those of the lines before",
    ],
    [
      "whose figures contradict each other",
      xnnpack.replace("max=722188", "max=602000"),
      "figures contradict each other",
    ],
  ])("refuses an output %s", (_, text, message) => {
    expect(() => parse("benchmark_model", text)).toThrow(message);
  });

  test("refuses the tool of litert/tools, and says which one to build", () => {
    expect(() => parse("benchmark_model", read("benchmark-model-litert.txt"))).toThrow(
      "this is the tool of litert/tools",
    );
  });

  test("refuses figures of another processor than the one asked for", () => {
    expect(() => parse("benchmark_model", xnnpack, { options: { delegate: "gpu" } })).toThrow(
      'no line with "Explicitly applied GPU delegate"',
    );
    const declined = `${read("benchmark-model-gpu.txt")}INFO: Though GPU delegate is explicitly applied, the model graph will not be executed by the delegate.\n`;
    expect(() => parse("benchmark_model", declined, { options: { delegate: "gpu" } })).toThrow(
      "did not run what it was told",
    );
    const ignored = `INFO: Unconsumed cmdline flags: --use_xnnpack=true\n${xnnpack}`;
    expect(() => parse("benchmark_model", ignored)).toThrow("Unconsumed cmdline flags");
  });

  test.each([
    [{}, "fp32", "tflite2.16-bench-xnnpack-t1", ["--use_xnnpack=true"]],
    [
      { threads: 4 },
      "fp16",
      "tflite2.16-bench-xnnpack-t4",
      ["--use_xnnpack=true", "--xnnpack_force_fp16=true"],
    ],
    [{ delegate: "builtin" }, "fp32", "tflite2.16-bench-builtin-t1", ["--use_xnnpack=false"]],
    [
      { delegate: "gpu" },
      "fp32",
      "tflite2.16-bench-gpu-t1",
      ["--use_gpu=true", "--gpu_precision_loss_allowed=false"],
    ],
    [
      { delegate: "nnapi", accelerator: "google-edgetpu" },
      "fp16",
      "tflite2.16-bench-nnapi-google-edgetpu-t1",
      ["--use_nnapi=true", "--nnapi_allow_fp16=true", "--nnapi_accelerator_name=google-edgetpu"],
    ],
  ] as const)("with %j in %s is %s", (options, precision, slug, last) => {
    const own = setup("benchmark_model", { options, precision });
    expect(own.slug).toBe(slug);
    const argv = own.arguments("model.tflite", new Uint8Array(), "");
    expect(argv.slice(0, 3)).toEqual([
      "--graph=model.tflite",
      `--num_threads=${own.threads}`,
      "--num_runs=50",
    ]);
    expect(argv.slice(-last.length)).toEqual(last);
  });

  test.each([
    [{ delegate: "builtin" }, "fp16", "the built-in kernels compute in float32"],
    [{}, "int8", "the networks' files hold float32 weights"],
    [{ accelerator: "x" }, "fp32", "options.accelerator: belongs to delegate: nnapi"],
  ] as const)("refuses %j in %s", (options, precision, message) => {
    expect(() => setup("benchmark_model", { options, precision })).toThrow(message);
  });
});

describe("benchncnn", () => {
  test("reads the line of a network of one's own", () => {
    expect(parse("benchncnn", read("benchncnn-param.txt"))).toEqual({
      kind: "summary",
      nWarmupRuns: 8,
      summary: { nRuns: 10, meanMs: 11.78, minMs: 11.73, maxMs: 11.88 },
    });
  });

  test("refuses times of built-in networks: older versions ignore param=", () => {
    expect(() => parse("benchncnn", read("benchncnn.txt"))).toThrow(
      'benchncnn: line 6: times of "squeezenet", expected those of "model.param" only',
    );
  });

  const good = read("benchncnn-param.txt");
  test.each([
    ["that is cut short", good.slice(0, good.indexOf("model.param")), "no line"],
    ["cut in its last line", good.slice(0, good.indexOf("  avg")), "no line"],
    ["with NaN", good.replace("11.78", "-nan"), 'line 6, avg: must be a time > 0, got "-nan"'],
    [
      "of times that round to nothing",
      good.replace("11.73", " 0.00"),
      'line 6, min: must be a time > 0, got "0.00"',
    ],
    [
      "of a network that ncnn could not load",
      `layer Foo not exists or registered\n${good}`,
      "could not load the network: layer Foo",
    ],
  ])("refuses an output %s", (_, text, message) => {
    expect(() => parse("benchncnn", text)).toThrow(message);
  });

  test("is called with counts, cores, the file and the size of its input", () => {
    const { arguments: argumentsOf, slug } = setup("benchncnn", {
      runs: 20,
      options: { threads: 4, cores: "big" },
    });
    expect(slug).toBe("ncnn20240410-bench-cpu-big-t4");
    const param = "7767517\n1 1\nInput input 0 1 input 0=32 1=24 2=3\n";
    expect(argumentsOf("model.param", new TextEncoder().encode(param), "")).toEqual([
      ...["20", "4", "2", "-1", "0"],
      ...["param=model.param", "shape=[32,24,3]"],
    ]);
    expect(() => argumentsOf("model.param", new TextEncoder().encode("7767517"), "")).toThrow(
      "has no line of its input",
    );
  });

  test("computes in fp16 only, as it cannot be told otherwise", () => {
    expect(() => setup("benchncnn", { precision: "fp32" })).toThrow("cannot be told otherwise");
  });
});

describe("benchmark_app", () => {
  test.each([
    ["benchmark-app-python.txt", "2022.3.0", [5380, 22.04, 22.09, 20.78, 33.51]],
    ["benchmark-app-cpp.txt", "2022.3", [5470, 21.79, 21.92, 20.6, 37.19]],
    ["benchmark-app-2024.txt", "2024.4", [5730, 20.64, 20.84, 19.84, 31.7]],
  ] as const)("reads %s", (file, version, [nRuns, medianMs, meanMs, minMs, maxMs]) => {
    expect(parse("benchmark_app", read(file), { version })).toEqual({
      kind: "summary",
      nWarmupRuns: 1,
      version: `${version.slice(0, 6)}.0`,
      summary: { nRuns, medianMs, meanMs, minMs, maxMs },
    });
  });

  test("reads the tabs that the C++ form prints", () => {
    const text = read("benchmark-app-cpp.txt").replaceAll("[ INFO ]    ", "[ INFO ] \t");
    expect(parse("benchmark_app", text)).toMatchObject({ summary: { medianMs: 21.79 } });
  });

  const good = read("benchmark-app-cpp.txt");
  test.each([
    ["of several shapes", read("benchmark-app-groups.txt"), '2 lines with "Median: … ms"'],
    [
      "that is cut short",
      good.slice(0, good.indexOf("[ INFO ]    Min")),
      'no line with "Min: … ms"',
    ],
    [
      "without its end",
      good.slice(0, good.indexOf("[ INFO ] Throughput")),
      'no line with "Throughput: … FPS"',
    ],
    ["with NaN", good.replace("21.79", "nan"), 'Median: must be a time > 0, got "nan"'],
    ["with a time of zero", good.replace("20.60", "0.00"), 'Min: must be a time > 0, got "0.00"'],
    ["without a version", good.replaceAll(/^.*Build.*\n/gm, ""), "Build"],
    [
      "of the form before 2022",
      "[ INFO ] Build ... 2022.3.0-1\nCount:      4612 iterations\nDuration:   60110.04 ms\nLatency:    52.88 ms\n",
      'no line with "Count: … iterations"',
    ],
  ])("refuses an output %s", (_, text, message) => {
    expect(() => parse("benchmark_app", text)).toThrow(message);
  });

  test("refuses another version, and another device than asked for", () => {
    expect(() => parse("benchmark_app", good, { version: "2024.6" })).toThrow(
      "benchmark_app is of OpenVINO 2022.3.0, the device file says 2024.6",
    );
    expect(() =>
      parse("benchmark_app", read("benchmark-app-2024.txt"), {
        version: "2024.4",
        options: { device: "GPU" },
      }),
    ).toThrow("ran on ['CPU'], not on GPU");
  });

  test("is called for one request after the other", () => {
    const { arguments: argumentsOf, slug } = setup("benchmark_app", { options: { threads: 2 } });
    expect(slug).toBe("ov2022.3-app-cpu-t2");
    expect(argumentsOf("model.onnx", new Uint8Array(), "").join(" ")).toBe(
      "-m model.onnx -d CPU -api sync -niter 50 -infer_precision f32 -hint none -nstreams 1 -nthreads 2",
    );
    const gpu = setup("benchmark_app", { precision: "fp16", options: { device: "GPU.1" } });
    expect(gpu.slug).toBe("ov2022.3-app-gpu1");
    expect(gpu.arguments("m", new Uint8Array(), "").join(" ")).toContain(
      "-infer_precision f16 -hint latency",
    );
    expect(() => setup("benchmark_app", { options: { device: "GPU", threads: 2 } })).toThrow(
      "belongs to device: CPU",
    );
  });
});

test("tools that there are not are told from those that there are", () => {
  expect(() => edgeToolOf("trt")).toThrow(
    'there is no edge tool "trt"; there are: trtexec, benchmark_model, benchncnn, benchmark_app',
  );
});
