/**
 * What a device says of itself, as the context of a measurement: asked once a command by one line for its shell, so
 * that nothing is asked while a network is timed. What it does not tell is null, or "unknown".
 */
import { createHash } from "node:crypto";
import { SamaraError } from "../errors.js";
import { tool } from "../package.js";
import type { Context } from "../record/measurement.js";
import type { DeviceSession } from "./transport.js";

const timeoutMs = 30_000;

/** Constant text: nothing of the user's is in it. */
const script = [
  'echo "kernel=$(uname -r)"',
  'echo "cores=$(nproc)"',
  "echo \"model=$(tr -d '\\000' < /proc/device-tree/model || getprop ro.product.model || sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)\"",
  'echo "governor=$(cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor)"',
  'echo "frequency=$(cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq)"',
  'echo "load=$(cut -d " " -f 1 /proc/loadavg)"',
  'echo "temperatures=$(cat /sys/class/thermal/thermal_zone*/temp | tr "\\n" " ")"',
].join("\n");

function numberOrNull(text: string | undefined, factor = 1): number | null {
  const value = Number(text);
  return text === undefined || text.trim() === "" || !Number.isFinite(value)
    ? null
    : value * factor;
}

/** The answers of the script, by name. */
function answersOf(text: string): Map<string, string> {
  return new Map(
    text.split("\n").flatMap((line) => {
      const match = /^(\w+)=(.*)$/.exec(line.trimEnd());
      return match === null || match[2] === "" ? [] : [[match[1]!, match[2]!.trim()] as const];
    }),
  );
}

/** The context that a device's answers give. */
export function contextFromAnswers(text: string, runtimeVersion: string, now: Date): Context {
  const answers = answersOf(text);
  const temperatures = (answers.get("temperatures") ?? "")
    .split(" ")
    .flatMap((value) => numberOrNull(value, 1e-3) ?? []);
  const nCores = numberOrNull(answers.get("cores"));
  const facts = {
    cpuModel: answers.get("model") ?? "unknown",
    nCores: nCores !== null && Number.isInteger(nCores) && nCores > 0 ? nCores : 1,
    kernel: answers.get("kernel") ?? "unknown",
    governor: answers.get("governor") ?? null,
    frequencyHz: numberOrNull(answers.get("frequency"), 1e3),
    temperatureC: temperatures.length === 0 ? null : Math.max(...temperatures),
    loadAverage: numberOrNull(answers.get("load")),
    cpuPressure: null,
    cgroupCpuLimit: null,
    virtualised: null,
    nodeVersion: process.version,
    toolVersion: tool.version,
    runtimeVersion,
    throttled: null,
    takenAt: now.toISOString(),
  };
  const id = createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 12);
  return { id, ...facts };
}

/** Ask a device. One that has no such shell tells nothing. */
export async function takeDeviceContext(
  session: DeviceSession,
  runtimeVersion: string,
): Promise<Context> {
  let text = "";
  try {
    text = (await session.run(["sh", "-c", script.replaceAll("\n", "; ")], { timeoutMs })).stdout;
  } catch (error) {
    if (!(error instanceof SamaraError)) throw error;
  }
  return contextFromAnswers(text, runtimeVersion, new Date());
}
