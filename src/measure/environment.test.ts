import { describe, expect, test } from "vitest";
import { type Context, contextSchema } from "../record/measurement.js";
import { judgeContext, stealTicks, takeContext } from "./environment.js";

/** A machine that tells only what these files hold. */
const machine =
  (files: Readonly<Record<string, string>>) =>
  (path: string): string | null =>
    files[path] ?? null;

const now = () => new Date("2026-11-01T12:00:00Z");
const silent = takeContext("1.30.0", { read: machine({}), now });
const calm: Context = {
  ...silent,
  nCores: 4,
  loadAverage: 0.1,
  governor: "performance",
  temperatureC: 50,
};

describe("takeContext()", () => {
  test("reads governor, frequency, pressure, limit and virtualisation, in base units", () => {
    const context = takeContext("1.30.0", {
      now,
      read: machine({
        "/proc/cpuinfo": "flags\t: fpu vme hypervisor lahf_lm",
        "/proc/pressure/cpu": "some avg10=12.50 avg60=3.00 avg300=1.00 total=1",
        "/sys/fs/cgroup/cpu.max": "150000 100000",
        "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave",
        "/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "2400000",
        "/sys/devices/platform/soc/soc:firmware/get_throttled": "0x50005",
      }),
    });
    expect(context).toMatchObject({
      governor: "powersave",
      frequencyHz: 2.4e9,
      cpuPressure: 0.125,
      cgroupCpuLimit: 1.5,
      virtualised: true,
      throttled: "0x50005",
      runtimeVersion: "1.30.0",
      takenAt: "2026-11-01T12:00:00.000Z",
    });
    expect(contextSchema.parse(context)).toEqual(context);
  });

  test("knows nothing of what the machine does not tell", () => {
    expect(silent).toMatchObject({
      governor: null,
      frequencyHz: null,
      cpuPressure: null,
      cgroupCpuLimit: null,
      virtualised: null,
      throttled: null,
    });
  });

  test.each(["max 100000", "", "nonsense"])("takes the limit %j for no limit", (text) => {
    const read = machine({ "/sys/fs/cgroup/cpu.max": text });
    expect(takeContext("1", { read }).cgroupCpuLimit).toBeNull();
  });

  test("gives contexts that differ different ids, and equal ones the same", () => {
    // The load average is the machine's own: it may change between two contexts.
    const ids = [0, 0, 1].map((s) => {
      const context = takeContext("1", {
        read: machine({}),
        now: () => new Date(Date.UTC(2026, 10, 1, 12, 0, s)),
      });
      return { id: context.id, load: context.loadAverage };
    });
    expect(ids[2]!.id).not.toBe(ids[0]!.id);
    if (ids[0]!.load === ids[1]!.load) expect(ids[1]!.id).toBe(ids[0]!.id);
  });
});

describe("stealTicks()", () => {
  test("reads the eighth field of the sum over processors", () => {
    const stat = "cpu  10 20 30 40 50 60 70 80 90 100\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
    expect(stealTicks(machine({ "/proc/stat": stat }))).toBe(80);
    expect(stealTicks(machine({}))).toBeNull();
  });
});

describe("judgeContext()", () => {
  const warnings = (changes: Partial<Context>) =>
    judgeContext({ ...calm, ...changes })
      .filter(({ severity }) => severity === "warning")
      .map(({ code }) => code);

  test("finds nothing to warn of on a calm machine", () => {
    expect(warnings({})).toEqual([]);
  });

  test.each<[string, Partial<Context>]>([
    ["load", { loadAverage: 1.5 }],
    ["pressure", { cpuPressure: 0.06 }],
    ["governor", { governor: "ondemand" }],
    ["temperature", { temperatureC: 85 }],
    ["throttled", { throttled: "0x4" }],
    ["cgroup", { cgroupCpuLimit: 2 }],
  ])("warns of %s, with a remedy", (code, changes) => {
    expect(warnings(changes)).toEqual([code]);
    const finding = judgeContext({ ...calm, ...changes }).find((found) => found.code === code);
    expect(finding!.remedy).not.toBeNull();
  });

  test.each<[string, Partial<Context>]>([
    ["a load below 0.3 a core", { loadAverage: 1.1 }],
    ["an unknown load", { loadAverage: null }],
    ["no throttling", { throttled: "0x0" }],
    ["a limit of all cores", { cgroupCpuLimit: 4 }],
    ["an unknown governor", { governor: null }],
    ["a virtual machine", { virtualised: true }],
  ])("does not warn of %s", (_, changes) => {
    expect(warnings(changes)).toEqual([]);
  });

  test("notes what it cannot see", () => {
    const notes = judgeContext({ ...calm, governor: null, virtualised: true }).filter(
      ({ severity }) => severity === "note",
    );
    expect(notes.map(({ code }) => code)).toEqual(["governor", "virtual"]);
  });
});
