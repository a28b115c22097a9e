/**
 * Counters of the Linux kernel and the processor by perf_event_open(2).
 *
 * Events are opened on the calling thread with `inherit`: threads that it creates later are counted too, and
 * threads that exist already are not. `inherit` forbids reading a group at once, so each event is read by itself.
 * The processor counts only a few events at a time: hardware events form groups that fit, one of which counts in
 * each timed region, in turn; groups are found by asking the kernel, which refuses a group that cannot fit.
 */
import type { CounterReading } from "../record/counter.js";
import {
  type AbsentCounter,
  type CounterInfo,
  type CounterName,
  type CounterSet,
  counterNames,
} from "./counter.js";

/** What is asked of the operating system; a fake one tests the rest. Failures are errno names. */
export interface PerfSystem {
  /** @param groupDescriptor - leader of the group to join, -1 for none */
  open(attributes: Uint8Array, groupDescriptor: number): number | PerfFailure;
  enableGroup(leader: number): void;
  disableGroup(leader: number): void;
  /** Write value, time enabled and time running (u64 each) to `into`. */
  read(descriptor: number, into: Uint8Array): void;
  close(descriptor: number): void;
  /** Content of /proc/sys/kernel/perf_event_paranoid; undefined where there is none. */
  paranoidLevel(): number | undefined;
}

export interface PerfFailure {
  /** Name of the error number, e.g. `ENOENT`. */
  readonly errno: string;
}

interface PerfEvent {
  readonly type: number;
  readonly config: number;
  /**
   * Raised by the kernel itself: with the kernel excluded it would read zero, so it is absent then.
   */
  readonly kernelOnly?: true;
}

// linux/perf_event.h: enum perf_type_id and the ids within each type.
const hardware = (config: number): PerfEvent => ({ type: 0, config });
const software = (config: number): PerfEvent => ({ type: 1, config });
const cacheIds = { l1d: 0, ll: 2 } as const;
const cache = (
  which: keyof typeof cacheIds,
  operation: "read" | "write",
  result: "access" | "miss",
): PerfEvent => ({
  type: 3,
  config:
    cacheIds[which] | ((operation === "read" ? 0 : 1) << 8) | ((result === "access" ? 0 : 1) << 16),
});

const events: Readonly<Record<CounterName, PerfEvent>> = {
  "cpu-cycles": hardware(0),
  instructions: hardware(1),
  "cache-references": hardware(2),
  "cache-misses": hardware(3),
  "L1-dcache-loads": cache("l1d", "read", "access"),
  "L1-dcache-load-misses": cache("l1d", "read", "miss"),
  "LLC-loads": cache("ll", "read", "access"),
  "LLC-load-misses": cache("ll", "read", "miss"),
  "LLC-stores": cache("ll", "write", "access"),
  "LLC-store-misses": cache("ll", "write", "miss"),
  "task-clock": software(1),
  "page-faults": software(2),
  "context-switches": { ...software(3), kernelOnly: true },
  "cpu-migrations": { ...software(4), kernelOnly: true },
  "minor-faults": software(5),
  "major-faults": software(6),
};

const isSoftware = (name: CounterName) => events[name].type === 1;
const sourceOf = (name: CounterName) => (isSoftware(name) ? "software" : "pmu");

/** Hardware events of a group at most; the kernel refuses earlier where the processor has fewer slots. */
const maxGroupSize = 4;
/** PERF_ATTR_SIZE_VER0: all that is used lies in the first version of the structure. */
const attributesBytes = 64;
/** Value, time enabled, time running: u64 each. */
export const readingBytes = 24;

/** `struct perf_event_attr` for an event that starts disabled. */
export function encodeAttributes(
  event: { readonly type: number; readonly config: number },
  excludeKernel: boolean,
): Uint8Array {
  const bytes = new Uint8Array(attributesBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, event.type, true);
  view.setUint32(4, attributesBytes, true);
  view.setBigUint64(8, BigInt(event.config), true);
  const timeEnabled = 1n;
  const timeRunning = 2n;
  view.setBigUint64(32, timeEnabled | timeRunning, true);
  const disabled = 1n << 0n;
  const inherit = 1n << 1n;
  const noKernel = (1n << 5n) | (1n << 6n); // exclude_kernel, exclude_hv
  view.setBigUint64(40, disabled | inherit | (excludeKernel ? noKernel : 0n), true);
  return bytes;
}

/** An open event with what it has counted since the last `take`. */
interface OpenCounter {
  readonly name: CounterName;
  readonly descriptor: number;
  readonly excludesKernel: boolean;
  /** Totals of the kernel at the last reading. */
  value: number;
  enabledNs: number;
  runningNs: number;
  /** Since the last `take`. */
  sumValue: number;
  sumEnabledNs: number;
  sumRunningNs: number;
  nRuns: number;
}

type Group = readonly OpenCounter[];

const paranoidHint =
  "sudo sysctl kernel.perf_event_paranoid=1 (until the next start), or run as root";

function absentBecause(name: CounterName, errno: string, level: number | undefined): AbsentCounter {
  switch (errno) {
    case "ENOENT":
    case "EOPNOTSUPP":
    case "ENODEV":
      return isSoftware(name)
        ? { name, reason: "this kernel does not have it" }
        : {
            name,
            reason: "the processor offers no such event here (most virtual machines pass none on)",
            hint: "measure on the machine itself, or let the virtual machine have a PMU",
          };
    case "EACCES":
    case "EPERM":
      return {
        name,
        reason: `the kernel does not allow it to this user (perf_event_paranoid = ${level ?? "unknown"})`,
        hint: paranoidHint,
      };
    case "ENOSYS":
      return { name, reason: "this kernel or sandbox has no perf_event_open" };
    case "EMFILE":
      return { name, reason: "too many open files", hint: "raise the limit: ulimit -n" };
    default:
      return { name, reason: `perf_event_open failed with ${errno}` };
  }
}

/** Opens events one by one into groups. */
class Opener {
  readonly absent: AbsentCounter[] = [];
  readonly #system: PerfSystem;

  constructor(system: PerfSystem) {
    this.#system = system;
  }

  /** With the kernel's own work if that is allowed, else without. */
  #tryOpen(name: CounterName, leader: number): OpenCounter | PerfFailure {
    const event = events[name];
    const attempt = (excludesKernel: boolean): OpenCounter | PerfFailure => {
      const opened = this.#system.open(encodeAttributes(event, excludesKernel), leader);
      return typeof opened === "number" ? newCounter(name, opened, excludesKernel) : opened;
    };
    const whole = attempt(false);
    const isForbidden = "errno" in whole && /^(EACCES|EPERM)$/.test(whole.errno);
    return isForbidden && !event.kernelOnly ? attempt(true) : whole;
  }

  /** Open a counter in the latest of `groups` if it fits, else in a new one. */
  add(name: CounterName, groups: OpenCounter[][], maxSize: number): void {
    const latest = groups.at(-1);
    let opened: OpenCounter | PerfFailure = { errno: "EINVAL" };
    let group = latest;
    if (latest !== undefined && latest.length < maxSize) {
      opened = this.#tryOpen(name, latest[0]!.descriptor);
    }
    if ("errno" in opened && opened.errno === "EINVAL") {
      group = undefined;
      opened = this.#tryOpen(name, -1);
    }
    if ("errno" in opened) {
      this.absent.push(absentBecause(name, opened.errno, this.#system.paranoidLevel()));
      return;
    }
    if (group === undefined) {
      group = [];
      groups.push(group);
    }
    group.push(opened);
  }
}

function newCounter(name: CounterName, descriptor: number, excludesKernel: boolean): OpenCounter {
  const nothing = { value: 0, enabledNs: 0, runningNs: 0 };
  const sums = { sumValue: 0, sumEnabledNs: 0, sumRunningNs: 0, nRuns: 0 };
  return { name, descriptor, excludesKernel, ...nothing, ...sums };
}

class PerfCounters implements CounterSet {
  readonly available: readonly CounterInfo[];
  readonly absent: readonly AbsentCounter[];
  readonly #system: PerfSystem;
  readonly #software: readonly Group[];
  readonly #hardware: readonly Group[];
  readonly #bytes = new Uint8Array(readingBytes);
  readonly #view = new DataView(this.#bytes.buffer);
  #nRegions = 0;
  #isClosed = false;

  constructor(
    system: PerfSystem,
    softwareGroups: readonly Group[],
    hardwareGroups: readonly Group[],
    absent: readonly AbsentCounter[],
  ) {
    this.#system = system;
    this.#software = softwareGroups;
    this.#hardware = hardwareGroups;
    this.absent = absent;
    this.available = [...hardwareGroups, ...softwareGroups].flat().map((counter) => ({
      name: counter.name,
      source: sourceOf(counter.name),
      ...(counter.excludesKernel ? { excludesKernel: true } : {}),
    }));
  }

  /** The hardware group whose turn it is. */
  get #turn(): Group | undefined {
    return this.#hardware[this.#nRegions % this.#hardware.length];
  }

  start(): void {
    for (const group of this.#software) this.#system.enableGroup(group[0]!.descriptor);
    const turn = this.#turn;
    if (turn !== undefined) this.#system.enableGroup(turn[0]!.descriptor);
  }

  stop(nRuns: number): void {
    const turn = this.#turn;
    if (turn !== undefined) this.#system.disableGroup(turn[0]!.descriptor);
    for (const group of this.#software) this.#system.disableGroup(group[0]!.descriptor);
    if (turn !== undefined) this.#readGroup(turn, nRuns);
    for (const group of this.#software) this.#readGroup(group, nRuns);
    this.#nRegions += 1;
  }

  #readGroup(group: Group, nRuns: number): void {
    for (const counter of group) {
      this.#system.read(counter.descriptor, this.#bytes);
      const value = Number(this.#view.getBigUint64(0, true));
      const enabledNs = Number(this.#view.getBigUint64(8, true));
      const runningNs = Number(this.#view.getBigUint64(16, true));
      counter.sumValue += value - counter.value;
      counter.sumEnabledNs += enabledNs - counter.enabledNs;
      counter.sumRunningNs += runningNs - counter.runningNs;
      counter.nRuns += nRuns;
      Object.assign(counter, { value, enabledNs, runningNs });
    }
  }

  take(): CounterReading[] {
    const readings: CounterReading[] = [];
    for (const counter of [...this.#hardware, ...this.#software].flat()) {
      const { name, sumValue, sumEnabledNs, sumRunningNs, nRuns } = counter;
      Object.assign(counter, { sumValue: 0, sumEnabledNs: 0, sumRunningNs: 0, nRuns: 0 });
      if (nRuns === 0 || sumRunningNs <= 0) continue; // never ran: absent, not zero
      if (isSoftware(name)) {
        // The kernel's own events are never multiplexed; their two times differ by the switching on alone.
        readings.push({ name, source: "software", perRun: sumValue / nRuns, runningShare: 1 });
        continue;
      }
      const runningShare = Math.min(1, sumRunningNs / sumEnabledNs);
      const perRun = sumValue / runningShare / nRuns;
      readings.push({ name, source: "pmu", perRun, runningShare });
    }
    return readings;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // Members before their leader.
    for (const group of [...this.#hardware, ...this.#software]) {
      for (const { descriptor } of [...group].reverse()) this.#system.close(descriptor);
    }
  }
}

/**
 * Whether a processor event that opens really counts: some virtual machines pass on a PMU whose counters stand
 * still. Cycles and instructions cannot be zero over a region that ran.
 */
function standsStill(counters: CounterSet, nHardwareGroups: number): boolean {
  for (let region = 0; region < nHardwareGroups; region++) {
    counters.start();
    for (let i = 0, x = 1; i < 10_000; i++) x = (x * 48271) % 2147483647;
    counters.stop(1);
  }
  const always = counters
    .take()
    .filter(({ name }) => name === "cpu-cycles" || name === "instructions");
  return always.some(({ perRun }) => perRun === 0);
}

/**
 * Open counters on a given system.
 *
 * @param isThisThread - whether they count this thread: only then can it be tried whether they move
 */
export function openCountersOn(
  system: PerfSystem,
  names: readonly CounterName[] = counterNames,
  isThisThread = true,
): CounterSet {
  const opener = new Opener(system);
  const softwareGroups: OpenCounter[][] = [];
  const hardwareGroups: OpenCounter[][] = [];
  for (const name of names) {
    if (isSoftware(name)) opener.add(name, softwareGroups, Number.POSITIVE_INFINITY);
    else opener.add(name, hardwareGroups, maxGroupSize);
  }
  const counters = new PerfCounters(system, softwareGroups, hardwareGroups, opener.absent);
  if (hardwareGroups.length === 0 || !isThisThread) return counters;
  if (!standsStill(counters, hardwareGroups.length)) return counters;
  for (const { descriptor } of hardwareGroups.flat().reverse()) system.close(descriptor);
  const reason = "the processor's counters stand still here (a virtual machine without a real PMU)";
  const still = hardwareGroups.flat().map(({ name }) => ({ name, reason }));
  return new PerfCounters(system, softwareGroups, [], [...opener.absent, ...still]);
}
