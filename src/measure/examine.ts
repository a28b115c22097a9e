/**
 * What `samara doctor` can only find by looking for a while: waits, stolen time, the clock, counters.
 */
import { readdirSync, readFileSync } from "node:fs";
import { openCounters } from "../counters/open.js";
import { measureClock, systemClock } from "../platform/clock.js";
import { type Finding, stealTicks } from "./environment.js";

/** Nanoseconds this process's main thread has waited for a processor; null where the kernel does not tell. */
function runQueueWaitNs(): number | null {
  try {
    const fields = readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ");
    return Number(fields[1]);
  } catch {
    return null;
  }
}

function spin(durationMs: number): number {
  const endMs = performance.now() + durationMs;
  let rounds = 0;
  while (performance.now() < endMs) rounds += 1;
  return rounds;
}

/** Processes of others that are running right now, as a count. */
function countRunning(): number {
  let running = 0;
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    try {
      if (/\) R /.test(readFileSync(`/proc/${entry}/stat`, "utf8"))) running += 1;
    } catch {
      // The process ended between listing and reading.
    }
  }
  return running;
}

/** Watch the machine for two seconds while keeping one core busy. */
export async function examineMachine({ durationMs = 2000 } = {}): Promise<Finding[]> {
  const findings: Finding[] = [];
  const waitBefore = runQueueWaitNs();
  const stealBefore = stealTicks();
  const startMs = performance.now();
  const speeds: number[] = [];
  while (performance.now() - startMs < durationMs) {
    speeds.push(spin(50));
    // Lets signals and timers through.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const elapsedMs = performance.now() - startMs;
  const waitAfter = runQueueWaitNs();
  const stealAfter = stealTicks();

  if (waitBefore === null || waitAfter === null) {
    findings.push({
      code: "wait",
      severity: "warning",
      message: "the kernel does not tell how long threads wait for a processor",
      remedy: "measure on Linux with schedstat; without it disturbed runs cannot be corrected",
    });
  } else {
    const share = (waitAfter - waitBefore) / 1e6 / elapsedMs;
    findings.push({
      code: "wait",
      severity: share > 0.02 ? "warning" : "ok",
      message: `a busy thread waited for its processor in ${(100 * share).toFixed(1)} % of ${(elapsedMs / 1000).toFixed(0)} s`,
      remedy: share > 0.02 ? "stop other programs, or leave one core free" : null,
    });
  }
  if (stealBefore !== null && stealAfter !== null) {
    const share = ((stealAfter - stealBefore) * 10) / elapsedMs;
    findings.push({
      code: "steal",
      severity: share > 0.02 ? "warning" : "ok",
      message: `the hypervisor gave ${(100 * share).toFixed(1)} % of a processor's time to others`,
      remedy: share > 0.02 ? "use a dedicated machine, or measure when neighbours are quiet" : null,
    });
  }
  speeds.sort((a, b) => a - b);
  const spread =
    1 - speeds[Math.floor(speeds.length / 10)]! / speeds[Math.floor(speeds.length / 2)]!;
  findings.push({
    code: "speed",
    severity: spread > 0.1 ? "warning" : "ok",
    message: `equal work took up to ${(100 * spread).toFixed(0)} % longer in the slowest tenth of 50 ms windows`,
    remedy:
      spread > 0.1 ? "fix the clock frequency; look for thermal throttling and neighbours" : null,
  });
  try {
    const running = countRunning();
    if (running > 0) {
      findings.push({
        code: "running",
        severity: "warning",
        message: `${running} other process(es) are running right now`,
        remedy: "see `top`; stop what is not needed",
      });
    }
  } catch {
    // No /proc: the load average has to do.
  }
  const clock = measureClock(systemClock);
  findings.push({
    code: "clock",
    severity: clock.resolutionNs > 10_000 ? "warning" : "ok",
    message: `the clock resolves ${clock.resolutionNs} ns and costs ${clock.overheadNs} ns a reading`,
    remedy: clock.resolutionNs > 10_000 ? "use a clock source such as tsc" : null,
  });
  const counters = openCounters();
  const kinds = new Set(counters.available.map(({ source }) => source));
  findings.push({
    code: "counters",
    severity: kinds.has("pmu") ? "ok" : "note",
    message: kinds.has("pmu")
      ? `${counters.available.length} counters can be read`
      : `no hardware counters here (${counters.absent[0]?.reason ?? "unknown reason"}); ${counters.available.length} software events`,
    remedy: kinds.has("pmu") ? null : (counters.absent[0]?.hint ?? null),
  });
  counters.close();
  return findings;
}
