/**
 * The circumstances of a measurement: read once a process, stored with every result, and judged by `samara doctor`.
 *
 * Everything is read from /proc and /sys; what a machine does not tell is null with no guess in its place.
 */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import { tool } from "../package.js";
import type { Context } from "../record/measurement.js";

/** Reads one small text file; null when it cannot be read. Replaced in tests. */
export type ReadText = (path: string) => string | null;

const readText: ReadText = (path) => {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null;
  }
};

function numberOrNull(text: string | null | undefined, factor = 1): number | null {
  if (text === null || text === undefined || text === "") return null;
  const value = Number(text);
  return Number.isFinite(value) ? value * factor : null;
}

function hottestC(read: ReadText): number | null {
  let zones: string[];
  try {
    zones = readdirSync("/sys/class/thermal").filter((name) => name.startsWith("thermal_zone"));
  } catch {
    return null;
  }
  const temperatures = zones
    .map((zone) => numberOrNull(read(`/sys/class/thermal/${zone}/temp`), 1e-3))
    .filter((value) => value !== null);
  return temperatures.length === 0 ? null : Math.max(...temperatures);
}

/** Share of the last 10 s in which some task waited for a processor (pressure stall information). */
function cpuPressure(read: ReadText): number | null {
  const match = /some avg10=([\d.]+)/.exec(read("/proc/pressure/cpu") ?? "");
  return numberOrNull(match?.[1], 0.01);
}

/** Processors that the control group may use; null when unlimited or unknown. */
function cgroupCpuLimit(read: ReadText): number | null {
  const [quota, period] = (read("/sys/fs/cgroup/cpu.max") ?? "").split(" ");
  const quotaUs = numberOrNull(quota);
  const periodUs = numberOrNull(period);
  return quotaUs === null || periodUs === null ? null : quotaUs / periodUs;
}

/** Cumulative processor time taken by the hypervisor for others, in clock ticks (10 ms); null where unknown. */
export function stealTicks(read: ReadText = readText): number | null {
  const fields = /^cpu\s+(.*)$/m.exec(read("/proc/stat") ?? "")?.[1]?.split(/\s+/);
  return numberOrNull(fields?.[7]);
}

/**
 * Read the context now.
 *
 * @param runtimeVersion - of the runtime that will be measured
 */
export function takeContext(
  runtimeVersion: string,
  { read = readText, now = () => new Date() }: { read?: ReadText; now?: () => Date } = {},
): Context {
  const processors = cpus();
  const cpuinfo = read("/proc/cpuinfo");
  const facts = {
    cpuModel: processors[0]?.model.trim() ?? "unknown",
    nCores: Math.max(1, processors.length),
    kernel: release(),
    governor: read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
    frequencyHz: numberOrNull(read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq"), 1e3),
    temperatureC: hottestC(read),
    loadAverage: process.platform === "linux" ? (loadavg()[0] ?? null) : null,
    cpuPressure: cpuPressure(read),
    cgroupCpuLimit: cgroupCpuLimit(read),
    virtualised: cpuinfo === null ? null : /\bhypervisor\b/.test(cpuinfo),
    nodeVersion: process.version,
    toolVersion: tool.version,
    runtimeVersion,
    throttled: read("/sys/devices/platform/soc/soc:firmware/get_throttled"),
    takenAt: now().toISOString(),
  };
  const id = createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 12);
  return { id, ...facts };
}

/** One thing that would disturb a measurement here, how much it matters, and what to do about it. */
export interface Finding {
  readonly code: string;
  readonly severity: "ok" | "note" | "warning";
  readonly message: string;
  readonly remedy: string | null;
}

/** Judge a context: what would disturb a measurement now. Thresholds are those of docs/measuring.md. */
export function judgeContext(context: Context): Finding[] {
  const findings: Finding[] = [];
  const add = (
    code: string,
    severity: Finding["severity"],
    message: string,
    remedy: string | null,
  ) => findings.push({ code, severity, message, remedy });

  const { loadAverage, nCores, governor, cpuPressure: pressure, temperatureC } = context;
  if (loadAverage !== null && loadAverage > 0.3 * nCores) {
    add(
      "load",
      "warning",
      `other work runs here: load average ${loadAverage.toFixed(2)} on ${nCores} cores`,
      "stop other programs; ratios to the interleaved reference absorb most of it, but grades fall",
    );
  } else {
    add(
      "load",
      "ok",
      `load average ${loadAverage?.toFixed(2) ?? "unknown"} on ${nCores} cores`,
      null,
    );
  }
  if (pressure !== null && pressure > 0.05) {
    add(
      "pressure",
      "warning",
      `tasks waited for a processor in ${(100 * pressure).toFixed(0)} % of the last 10 s`,
      "wait until other work has ended",
    );
  }
  if (governor !== null && governor !== "performance") {
    add(
      "governor",
      "warning",
      `the frequency governor is "${governor}": the clock changes with load`,
      "as root: echo performance | tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
    );
  } else if (governor === null) {
    add("governor", "note", "the processor's frequency cannot be seen or set here", null);
  }
  if (temperatureC !== null && temperatureC > 80) {
    add(
      "temperature",
      "warning",
      `a sensor reads ${temperatureC.toFixed(0)} °C`,
      "cool the device",
    );
  }
  if (context.throttled !== null && context.throttled !== "0" && context.throttled !== "0x0") {
    add(
      "throttled",
      "warning",
      `the firmware reports throttling or low voltage (${context.throttled})`,
      "use a stronger power supply and cooling",
    );
  }
  if (context.cgroupCpuLimit !== null && context.cgroupCpuLimit < nCores) {
    add(
      "cgroup",
      "warning",
      `a control group limits this process to ${context.cgroupCpuLimit.toFixed(2)} of ${nCores} processors`,
      "raise the container's CPU limit",
    );
  }
  if (context.virtualised === true) {
    add(
      "virtual",
      "note",
      "this is a virtual machine: other guests on the same hardware may disturb what nobody here can see",
      "measure on the real device where its latency matters",
    );
  }
  return findings;
}
