#!/usr/bin/env node
// Stands in for an edge tool: prints what the real one prints (test/golden/edge) for a latency that follows from the
// size of the model. What it does wrong is in the file `behaviour` beside it: lines "WHAT" or "WHAT NETWORK-NUMBER".
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

const argv = process.argv.slice(2);
const tool = basename(process.argv[1]);
const home = dirname(process.argv[1]);
const behaviour = existsSync(join(home, "behaviour"))
  ? readFileSync(join(home, "behaviour"), "utf8").split("\n").filter(Boolean)
  : [];
const flag = (name) => argv.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
const after = (name) => argv[argv.indexOf(name) + 1];
const model =
  flag("--onnx") ??
  flag("--graph") ??
  flag("param") ??
  (argv.includes("-m") ? after("-m") : undefined);
const log = join(home, "invocations.jsonl");
const nBefore = existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n").length : 0;
appendFileSync(log, `${JSON.stringify({ tool, argv, cwd: process.cwd(), pid: process.pid })}\n`);

const does = (what) => behaviour.includes(what) || behaviour.includes(`${what} ${nBefore}`);
if (does("lose"))
  writeFileSync(join(home, "ssh-says"), "Connection to board closed by remote host.\n");
if (does("hang")) await new Promise((resolve) => setTimeout(resolve, 120_000));
if (does("slow")) await new Promise((resolve) => setTimeout(resolve, 400));
if (does("crash")) {
  process.stderr.write("[E] Error[10]: Could not find any implementation for node conv\n");
  process.exit(1);
}
if (does("abort")) process.abort();

// The size tells networks apart; a little noise of the kind that repeats.
const sizeBytes = statSync(model).size;
const latencyMs = (0.2 + sizeBytes / 4e6) * (1 + 0.004 * Math.sin(nBefore + 1));
const bad = does("nan") ? "nan" : does("zero") ? "0" : undefined;
const lines = [];
if (tool === "trtexec") {
  const runs = Number(flag("--iterations"));
  const entry = (i) => {
    const computeMs = latencyMs * (1 + 0.01 * Math.sin(i));
    return `{ "startEnqMs" : ${i}, "endEnqMs" : ${i}.1, "startH2dMs" : ${i}, "endH2dMs" : ${i}.1, "startComputeMs" : ${i}.1, "endComputeMs" : ${i}.2, "startD2hMs" : ${i}.2, "endD2hMs" : ${i}.3, "h2dMs" : 0.01, "computeMs" : ${computeMs}, "d2hMs" : 0.01, "latencyMs" : ${bad ?? computeMs + 0.02} }`;
  };
  const times = `[\n  ${Array.from({ length: runs }, (_, i) => entry(i)).join("\n, ")}\n]\n`;
  writeFileSync(flag("--exportTimes"), does("cut") ? times.slice(0, -40) : times);
  lines.push(
    `&&&& RUNNING TensorRT.trtexec [TensorRT v${does("newer") ? "8601" : "8502"}] # trtexec`,
    "[03/11/2022-14:57:03] [I] Warmup completed 5 queries over 200 ms",
    `[03/11/2022-14:57:03] [I] Timing trace has ${runs} queries over 1.001 s`,
    "&&&& PASSED TensorRT.trtexec [TensorRT v8502] # trtexec",
  );
} else if (tool === "benchmark_model") {
  const us = Math.round(latencyMs * 1000);
  const runs = Number(flag("--num_runs"));
  lines.push(
    "INFO: STARTING!",
    "INFO: Explicitly applied XNNPACK delegate, and the model graph will be completely executed by the delegate.",
    "INFO: count=3 first=9000 curr=8000 min=7000 max=9000 avg=8000 std=800",
    "",
    `INFO: count=${runs} first=${us} curr=${us} min=${us - 5} max=${us + 9} avg=${bad ?? us} std=3 p5=${us - 4} median=${us} p95=${us + 7}`,
    "",
    `INFO: Inference timings in us: Init: 100, First inference: 9000, Warmup (avg): 8000, Inference (avg): ${us}`,
  );
} else if (tool === "benchncnn") {
  const ms = (factor) => (latencyMs * factor).toFixed(2).padStart(7);
  process.stderr.write(
    `loop_count = ${argv[0]}\n${model.padStart(20)}  min = ${bad ?? ms(0.99)}  max = ${ms(1.02)}  avg = ${ms(1)}\n`,
  );
} else {
  const ms = (factor) => (latencyMs * factor).toFixed(2);
  lines.push(
    "[ INFO ] Build ................................. 2024.6.0-17404-4c0f47d2335-releases/2024/6",
    "[ INFO ] First inference took 9.10 ms",
    `[ INFO ] Count:            ${after("-niter")} iterations`,
    "[ INFO ] Duration:         1000.00 ms",
    "[ INFO ] Latency:",
    `[ INFO ]    Median:        ${bad ?? ms(1)} ms`,
    `[ INFO ]    Average:       ${ms(1.001)} ms`,
    `[ INFO ]    Min:           ${ms(0.99)} ms`,
    `[ INFO ]    Max:           ${ms(1.05)} ms`,
    "[ INFO ] Throughput:   100.00 FPS",
  );
}
const text = lines.map((line) => `${line}\n`).join("");
process.stdout.write(does("cut") ? text.slice(0, text.length / 2) : text);
