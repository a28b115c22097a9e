// `samara measure --device` with fake tools: from the device file to a pool that a predictor adapts to, here and by
// fake `ssh` and `adb`. What the real tools print is in golden/edge.
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ownClock } from "../src/record/measurement.js";
import { Pool } from "../src/store/pool.js";
import { samara, samaraJson } from "./command-line.js";
import { EdgePlace, toolNames } from "./edge-device.js";

let place: EdgePlace;
let pool: Pool;
beforeEach(() => {
  place = new EdgePlace();
  pool = new Pool(place.path("pool"));
  vi.stubEnv("PATH", place.searchPath);
});
afterEach(() => place.remove());

const measure = (device: string, ...argv: string[]) =>
  samaraJson("measure", "--device", device, "-o", pool.folder, ...argv);
const archs = ["--arch", "1462", "--arch", "9410"];

const platformIds = {
  trtexec: "testboard.trt8.5-exec-gpu.fp32",
  benchmark_model: "testboard.tflite2.16-bench-xnnpack-t1.fp32",
  benchncnn: "testboard.ncnn20240410-bench-cpu-t1.fp16",
  benchmark_app: "testboard.ov2024.6-app-cpu-t1.fp32",
};

describe("a tool on this machine", () => {
  test.each(toolNames)("%s: three invocations a network, in turns, in a pool", async (tool) => {
    const { code, document } = await measure(place.device(tool, { runs: 20 }), ...archs);
    expect(code).toBe(0);
    const id = platformIds[tool];
    expect(document.results.map((one: { id: string }) => one.id)).toEqual([
      "nasbench201/1462",
      "nasbench201/9410",
    ]);
    for (const result of document.results) {
      expect(result).toMatchObject({ platform: id, grade: "C", nProcesses: 3, nRuns: 60 });
      expect(result.reasons).toEqual([
        "timed by the tool's own clock, without a reference: a disturbed device would not show",
      ]);
      expect(result.latencyMs).toBeGreaterThan(0.1);
      expect(result.lowerMs).toBeLessThan(result.latencyMs);
    }
    const { lines } = pool.runs();
    expect(lines.map(({ subjectId }) => subjectId.split("/")[1])).toEqual([
      ...["1462", "9410"],
      ...["1462", "9410"],
      ...["1462", "9410"],
    ]);
    expect(new Set(lines.map(({ referenceHash }) => referenceHash))).toEqual(new Set([ownClock]));
    expect(new Set(lines.map(({ processId }) => processId)).size).toBe(6);
    expect(pool.platforms()).toMatchObject([{ id, precision: id.split(".").at(-1) }]);
    expect(pool.contexts()).toHaveLength(1);
    // Whatever was written on the device is gone.
    for (const { cwd } of place.invocations()) expect(existsSync(cwd)).toBe(false);
  });

  test("what is in the log is not measured again, and more processes are added", async () => {
    const device = place.device("trtexec");
    await measure(device, ...archs, "--processes", "1");
    expect(pool.runs().lines).toHaveLength(2);
    await measure(device, ...archs);
    expect(pool.runs().lines).toHaveLength(6);
    await measure(device, ...archs);
    expect(pool.runs().lines).toHaveLength(6);
  });

  test("--pairs overrides the runs of the file", async () => {
    const device = place.device("benchmark_app", { runs: 20 });
    const { document } = await measure(device, "--arch", "1462", "--pairs", "7");
    expect(document.results[0].nRuns).toBe(21);
  });

  test("a path in the file is relative to the file", async () => {
    const device = place.device("trtexec", { path: "bin/trtexec" });
    expect((await measure(device, "--arch", "1462", "--processes", "1")).code).toBe(0);
  });

  test("an ONNX file is measured like an architecture", async () => {
    const file = place.path("own.onnx");
    await samara("generate", "--arch", "1462", "-o", file);
    const { code, document } = await measure(place.device("benchncnn"), file, "--processes", "1");
    expect(code).toBe(0);
    expect(document.results[0].id).toMatch(/^file\/own\.onnx#/);
  });
});

describe("from a device to predictions", () => {
  test("adapt and predict take the platform like any other", { timeout: 180_000 }, async () => {
    const device = place.device("benchmark_model", { runs: 20 });
    // Into the user's own pool, as without -o.
    const measured = await samaraJson("measure", "--device", device, "--samples", "10");
    expect(measured.code).toBe(0);
    const id = platformIds.benchmark_model;
    const adapted = await samaraJson("adapt", "--platform", id);
    expect(adapted.code).toBe(0);
    expect(adapted.document.results[0]).toMatchObject({ platform: id, nSamples: 10 });
    expect(adapted.document.warnings).toEqual([
      {
        code: "no-descriptor",
        message: `no descriptor of ${id}: adapting from its latencies alone`,
      },
    ]);
    const arch = measured.document.results[0].id.split("/")[1];
    const predicted = await samaraJson("predict", "--platform", id, "--arch", arch);
    expect(predicted.code).toBe(0);
    // It is no question of this machine: nothing differs from it.
    expect(predicted.document.warnings).toEqual([]);
    const { latencyMs } = predicted.document.results[0];
    expect(latencyMs / measured.document.results[0].latencyMs).toBeGreaterThan(0.5);
    expect(latencyMs / measured.document.results[0].latencyMs).toBeLessThan(2);
    // Measuring again shows the prediction beside.
    const again = await samaraJson("measure", "--device", device, "--arch", arch);
    expect(again.document.results[0].predicted.latencyMs).toBeCloseTo(latencyMs, 6);
  });

  test("--next proposes networks for the device, --dry-run without reaching it", async () => {
    const device = place.device("trtexec", { path: place.path("nowhere") });
    const { code, document } = await samaraJson(
      ...["measure", "--device", device, "--next", "3", "--dry-run"],
    );
    expect(code).toBe(0);
    expect(document.results).toHaveLength(3);
    expect(document.context.platform).toBe(platformIds.trtexec);
  });
});

describe("ssh", () => {
  const device = (changes: object = {}) =>
    place.device("trtexec", { via: "ssh", host: "user@board", ...changes });

  test("has the tool run there, and nothing is left there", { timeout: 120_000 }, async () => {
    const { code, document } = await measure(device(), ...archs);
    expect(code).toBe(0);
    expect(document.results).toHaveLength(2);
    const calls = place.calls("ssh");
    for (const call of calls) {
      expect(call.slice(0, 5)).toEqual(["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15"]);
      expect(call.slice(-3, -1)).toEqual(["--", "user@board"]);
    }
    expect(calls.at(-1)!.at(-1)).toMatch(/^rm -rf \/\S+\/samara-\w+; printf/);
    for (const { cwd } of place.invocations()) {
      expect(cwd).toMatch(/\/samara-\w+$/);
      expect(existsSync(cwd)).toBe(false);
    }
  });

  test("arguments reach the tool as they are, whatever the device's shell makes of them", async () => {
    const timingCache = `a b'c"d;$(touch ${place.path("pwned")})&.cache`;
    const { code } = await measure(
      ...([device({ options: { timingCache } }), "--arch", "1462", "--processes", "1"] as const),
    );
    expect(code).toBe(0);
    expect(place.invocations()[0]!.argv).toContain(`--timingCacheFile=${timingCache}`);
    expect(existsSync(place.path("pwned"))).toBe(false);
  });

  test.each([
    ["Host key verification failed.", "accept its key: ssh user@board true"],
    ["user@board: Permission denied (publickey).", "ssh-copy-id user@board"],
    ["ssh: Could not resolve hostname board", "check `host` in the device file"],
    ["ssh: connect to host board port 22: Connection timed out", "ssh user@board true"],
  ])("%s: exit code 6, and what to do", async (message, hint) => {
    writeFileSync(join(place.bin, "ssh-says"), `${message}\r\n`);
    const { code, stderr } = await samara("measure", "--device", device(), "--arch", "1462");
    expect(code).toBe(6);
    expect(stderr).toContain(
      `error[platform-unavailable]: user@board by ssh cannot be reached: ${message}`,
    );
    expect(stderr).toContain(hint);
  });

  test("a tool that is not there: exit code 6", async () => {
    const { code, stderr } = await samara(
      ...["measure", "--device", device({ path: "/opt/nothing/trtexec" }), "--arch", "1462"],
    );
    expect(code).toBe(6);
    expect(stderr).toContain(
      "trtexec cannot run on user@board by ssh: /opt/nothing/trtexec is not there",
    );
    expect(stderr).toContain("name it with `path` in the device file");
  });

  test("a device that is lost on the way: exit code 6, and what was measured is kept", async () => {
    const board = place.device("benchmark_app", { via: "ssh", host: "board" });
    place.behave("lose 1");
    const lost = await samara("measure", "--device", board, ...archs, "-o", pool.folder);
    expect(lost.code).toBe(6);
    expect(lost.stderr).toContain("board by ssh cannot be reached: Connection to board closed");
    expect(lost.stderr).toContain("then run the same command again");
    expect(pool.runs().lines).toHaveLength(2);
    expect(await pool.measurements()).toHaveLength(2);
    rmSync(join(place.bin, "ssh-says"));
    expect((await measure(board, ...archs)).code).toBe(0);
    expect(pool.runs().lines).toHaveLength(6);
  });
});

describe("adb", () => {
  const device = (changes: object = {}) =>
    place.device("benchncnn", { via: "adb", host: "R58M12ABCDE", ...changes });

  test("pushes, runs, and leaves nothing there", { timeout: 120_000 }, async () => {
    const { code, document } = await measure(device(), ...archs, "--processes", "2");
    expect(code).toBe(0);
    expect(document.results).toHaveLength(2);
    const verbs = place.calls("adb").map((call) => {
      expect(call.slice(0, 2)).toEqual(["-s", "R58M12ABCDE"]);
      return call[2];
    });
    expect(verbs.filter((verb) => verb === "push")).toHaveLength(4);
    expect(readdirSync(place.path("bin", "android", "data", "local", "tmp"))).toEqual([]);
  });

  test("pulls the file of a tool that writes one", async () => {
    const own = place.device("trtexec", { via: "adb" });
    expect((await measure(own, "--arch", "1462", "--processes", "1")).code).toBe(0);
    expect(place.calls("adb").filter(([verb]) => verb === "pull")).toHaveLength(1);
  });

  test("a device that is not there: exit code 6", async () => {
    const { code, stderr } = await samara(
      ...["measure", "--device", device({ host: "0000" }), "--arch", "1462"],
    );
    expect(code).toBe(6);
    expect(stderr).toContain("0000 by adb cannot be reached: adb: device '0000' not found");
    expect(stderr).toContain("`adb devices`");
  });

  test("without adb: exit code 6, and what to install", async () => {
    vi.stubEnv("PATH", place.path("home"));
    const { code, stderr } = await samara("measure", "--device", device(), "--arch", "1462");
    expect(code).toBe(6);
    expect(stderr).toContain("adb is not there");
    expect(stderr).toContain("install Android's platform tools");
  });
});

describe("what goes wrong", () => {
  const run = (...argv: string[]) =>
    measure(place.device("trtexec", { timeoutS: 2 }), ...archs, ...argv);

  test.each([
    ["crash", "failed with exit code 1: [E] Error[10]: Could not find any implementation"],
    ["abort", "ended by SIGABRT"],
    ["nan", "trtexec: times file: is not JSON"],
    ["zero", "trtexec: times file, query 1, latencyMs"],
    ["cut", 'no line with "&&&& PASSED TensorRT.trtexec"'],
  ])("%s: costs the network it happens to, exit code 1", async (what, message) => {
    // The first network's first two invocations are numbers 0 and 2.
    place.behave(`${what} 0`, `${what} 2`);
    const { code, document } = await run();
    expect(code).toBe(1);
    expect(document.results.map((one: { id: string }) => one.id)).toEqual(["nasbench201/9410"]);
    expect(document.results[0].nProcesses).toBe(3);
    expect(document.warnings[0]).toMatchObject({ code: "not-measured" });
    expect(document.warnings[0].message).toContain(
      `nasbench201/1462 on ${platformIds.trtexec}: trtexec`,
    );
    expect(document.warnings[0].message).toContain(message);
  });

  test("once only, and the network is measured all the same", async () => {
    place.behave("crash 0");
    const { code, document } = await run();
    expect(code).toBe(0);
    expect(document.results.map((one: { nProcesses: number }) => one.nProcesses).sort()).toEqual([
      2, 3,
    ]);
  });

  test("a tool that hangs is stopped after its time", { timeout: 60_000 }, async () => {
    place.behave("hang 0", "hang 2");
    const { code, document } = await run();
    expect(code).toBe(1);
    expect(document.warnings[0].message).toContain("took longer than 2 s and was stopped");
    expect(document.results).toHaveLength(1);
  });

  test("also on a device", { timeout: 60_000 }, async () => {
    place.behave("hang 0", "hang 2");
    const device = place.device("trtexec", { via: "ssh", host: "board", timeoutS: 2 });
    const { document } = await measure(device, ...archs);
    expect(document.warnings[0].message).toContain("trtexec on board by ssh took longer than 2 s");
    expect(place.calls("ssh").filter((call) => call.at(-1)!.startsWith("kill -9"))).toHaveLength(2);
  });

  test("a network that the tool's format cannot hold is named, the others are measured", async () => {
    const { code, document } = await measure(
      ...([place.device("benchncnn"), "--arch", "1462", "--processes", "1"] as const),
      ...["--arch", "ofa/204-7656-5456-5676-7473-367653"],
    );
    expect(code).toBe(1);
    expect(document.results).toHaveLength(1);
    expect(document.warnings[0].message).toContain("has no ncnn form that Samara writes");
  });

  test("another version than the file says stops everything: exit code 2", async () => {
    place.behave("newer");
    const { code, stderr } = await samara(
      ...["measure", "--device", place.device("trtexec"), ...archs, "-o", pool.folder],
    );
    expect(code).toBe(2);
    expect(stderr).toContain("trtexec is of TensorRT 8.6.1, the device file says 8.5.2");
    expect(stderr).toContain('write version: "8.6.1"');
    expect(pool.runs().lines).toEqual([]);
  });

  test("a tool that is not there: exit code 6", async () => {
    const device = place.device("trtexec", { path: place.path("nothing") });
    const { code, stderr } = await samara("measure", "--device", device, "--arch", "1462");
    expect(code).toBe(6);
    expect(stderr).toContain("nothing is not there");
  });
});

describe("device files", () => {
  const refuse = async (content: string) => {
    const path = place.file("wrong.yaml", content);
    const { code, stderr } = await samara("measure", "--device", path, "--arch", "1462");
    expect(code).toBe(2);
    expect(place.calls("ssh")).toEqual([]);
    return stderr;
  };
  const good = "device: board\ntool: trtexec\nversion: '8.5.2'\n";

  test.each([
    ["no YAML", "device: [", "is not YAML"],
    ["a list", "- device", "device file: Invalid input"],
    ["nothing of what is needed", "{}", "device: Invalid input"],
    [
      "a name that no id may have",
      good.replace("board", "My Board"),
      "device: must be of lower-case",
    ],
    [
      "a host that is an option",
      `${good}via: ssh\nhost: -oProxyCommand=touch pwned`,
      "host: must be a host",
    ],
    ["a host with a space", `${good}via: ssh\nhost: board -v`, "host: must be a host"],
    ["ssh without a host", `${good}via: ssh`, "host: is needed with via: ssh"],
    ["a host that is not used", `${good}host: board`, "host: needs via: ssh or via: adb"],
    ["an unknown way", `${good}via: telnet`, "via: Invalid option"],
    ["an unknown tool", good.replace("trtexec", "trt"), "tool: Invalid option"],
    ["a version that is a number", good.replace("'8.5.2'", "8.5"), "version: Invalid input"],
    ["a path that is an option", `${good}path: --help`, "path: must be the path of an executable"],
    ["a precision that there is not", `${good}precision: fp8`, "precision: Invalid option"],
    [
      "a precision that the tool lacks",
      good.replace("trtexec", "benchncnn"),
      "benchncnn has no precision fp32",
    ],
    ["an unknown field", `${good}hosts: a`, 'Unrecognized key: "hosts"'],
    ["an unknown option", `${good}options: { graph: true }`, 'options: Unrecognized key: "graph"'],
    ["no time", `${good}timeoutS: 0`, "timeoutS: Too small"],
  ])("with %s are refused: exit code 2", async (_, content, message) => {
    expect(await refuse(content)).toContain(message);
  });

  test("name all that is wrong, and how to find out a version", async () => {
    const stderr = await refuse("device: B\ntool: trtexec\nruns: 0\n");
    for (const field of ["device:", "version:", "runs:"]) expect(stderr).toContain(field);
    expect(stderr).toContain("`trtexec --help` begins with it");
  });

  test("that are not there, or go with --platform, are refused: exit code 2", async () => {
    const missing = await samara("measure", "--device", place.path("no.yaml"), "--arch", "1");
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain("error[not-found]: device file not found");
    const both = await samara(
      ...["measure", "--device", place.device("trtexec"), "--platform", "fake1-t1", "--arch", "1"],
    );
    expect(both.code).toBe(2);
    expect(both.stderr).toContain("--platform and --device exclude each other");
  });
});
