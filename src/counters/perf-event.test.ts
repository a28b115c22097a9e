// Events on a fake kernel with a known number of slots.
import { describe, expect, test } from "vitest";
import { mapleEdgeCounters } from "../record/counter.js";
import { softwareCounters } from "./counter.js";
import { encodeAttributes, openCountersOn, type PerfSystem } from "./perf-event.js";

interface FakeEvent {
  readonly type: number;
  readonly config: number;
  readonly excludesKernel: boolean;
  readonly leader: number;
  isOpen: boolean;
  value: number;
  enabledNs: number;
  runningNs: number;
}

/** A kernel whose every enabled event counts `perRegion(event)` in a region of 1,000 ns. */
class FakeKernel implements PerfSystem {
  readonly events: FakeEvent[] = [];
  readonly enabled: number[] = [];
  readonly slots: number;
  /** Errno for an event, if it cannot be opened. */
  refuse: (event: { type: number; config: number; excludesKernel: boolean }) => string | undefined;
  /** Share of the enabled time during which events really count. */
  runningShare = 1;
  perRegion: (event: FakeEvent) => number = (event) => 1000 + 4 * event.config;

  constructor(slots: number, refuse: FakeKernel["refuse"] = () => undefined) {
    this.slots = slots;
    this.refuse = refuse;
  }

  open(attributes: Uint8Array, groupDescriptor: number) {
    const view = new DataView(attributes.buffer);
    const flags = view.getBigUint64(40, true);
    const event = {
      type: view.getUint32(0, true),
      config: Number(view.getBigUint64(8, true)),
      excludesKernel: (flags & 32n) !== 0n,
    };
    const errno = this.refuse(event);
    if (errno !== undefined) return { errno };
    const members = this.events.filter(({ leader }) => leader === groupDescriptor);
    if (groupDescriptor >= 0 && event.type !== 1 && members.length >= this.slots) {
      return { errno: "EINVAL" };
    }
    const descriptor = this.events.length;
    const leader = groupDescriptor >= 0 ? groupDescriptor : descriptor;
    const zero = { value: 0, enabledNs: 0, runningNs: 0 };
    this.events.push({ ...event, leader, isOpen: true, ...zero });
    return descriptor;
  }

  enableGroup(leader: number): void {
    this.enabled.push(leader);
  }

  disableGroup(leader: number): void {
    expect(this.enabled).toContain(leader);
    this.enabled.splice(this.enabled.indexOf(leader), 1);
    for (const event of this.events.filter((event) => event.leader === leader)) {
      event.value += this.perRegion(event) * this.runningShare;
      event.enabledNs += 1000;
      event.runningNs += 1000 * this.runningShare;
    }
  }

  read(descriptor: number, into: Uint8Array): void {
    const event = this.events[descriptor]!;
    const view = new DataView(into.buffer);
    view.setBigUint64(0, BigInt(event.value), true);
    view.setBigUint64(8, BigInt(event.enabledNs), true);
    view.setBigUint64(16, BigInt(event.runningNs), true);
  }

  close(descriptor: number): void {
    this.events[descriptor]!.isOpen = false;
  }

  paranoidLevel(): number {
    return 2;
  }
}

const noPmu = ({ type }: { type: number }) => (type === 1 ? undefined : "ENOENT");

describe("encodeAttributes()", () => {
  test("writes struct perf_event_attr for a disabled, inherited event with its times", () => {
    const bytes = encodeAttributes({ type: 3, config: 0x10002 }, false);
    const view = new DataView(bytes.buffer);
    expect(bytes).toHaveLength(64);
    expect([view.getUint32(0, true), view.getUint32(4, true)]).toEqual([3, 64]);
    expect(view.getBigUint64(8, true)).toBe(0x10002n);
    expect(view.getBigUint64(32, true)).toBe(3n);
    expect(view.getBigUint64(40, true)).toBe(3n);
  });

  test("leaves the kernel and the hypervisor out on request", () => {
    const view = new DataView(encodeAttributes({ type: 0, config: 0 }, true).buffer);
    expect(view.getBigUint64(40, true)).toBe(0b1100011n);
  });
});

describe("openCountersOn()", () => {
  test("forms hardware groups that fit the slots and counts them in turn", () => {
    const kernel = new FakeKernel(3);
    const counters = openCountersOn(kernel, mapleEdgeCounters);
    expect(counters.absent).toEqual([]);
    const hardware = kernel.events.filter(({ type }) => type !== 1);
    const sizes = [...new Set(hardware.map(({ leader }) => leader))].map(
      (leader) => hardware.filter((event) => event.leader === leader).length,
    );
    expect(sizes).toEqual([3, 3, 3, 1]);

    counters.take();
    counters.start();
    expect(kernel.enabled).toHaveLength(2); // software and one hardware group
    counters.stop(2);
    expect(kernel.enabled).toEqual([]);
    const first = counters.take();
    expect(first.filter(({ source }) => source === "pmu")).toHaveLength(3);

    for (let region = 0; region < 4; region++) {
      counters.start();
      counters.stop(2);
    }
    const all = counters.take();
    expect(all.map(({ name }) => name).sort()).toEqual([...mapleEdgeCounters].sort());
    const cycles = all.find(({ name }) => name === "cpu-cycles");
    expect(cycles).toEqual({ name: "cpu-cycles", source: "pmu", perRun: 500, runningShare: 1 });
  });

  test("never groups more than four hardware events", () => {
    const kernel = new FakeKernel(99);
    openCountersOn(kernel, mapleEdgeCounters);
    const leaders = kernel.events.filter(({ type }) => type !== 1).map(({ leader }) => leader);
    expect(new Set(leaders).size).toBe(3);
  });

  test("scales multiplexed events and tells their share", () => {
    const kernel = new FakeKernel(4);
    const counters = openCountersOn(kernel, ["instructions"]);
    counters.take();
    kernel.runningShare = 0.25;
    counters.start();
    counters.stop(1);
    expect(counters.take()).toEqual([
      { name: "instructions", source: "pmu", perRun: 1004, runningShare: 0.25 },
    ]);
  });

  test("leaves out a counter that never ran", () => {
    const kernel = new FakeKernel(4);
    const counters = openCountersOn(kernel, ["instructions"]);
    counters.take();
    kernel.runningShare = 0;
    counters.start();
    counters.stop(1);
    expect(counters.take()).toEqual([]);
  });

  test("has processor events absent with the reason where there is no PMU", () => {
    const counters = openCountersOn(new FakeKernel(0, noPmu));
    expect(counters.available.map(({ source }) => source)).toEqual(
      softwareCounters.map(() => "software"),
    );
    expect(counters.absent).toHaveLength(10);
    expect(counters.absent[0]?.reason).toMatch(/the processor offers no such event here/);
    counters.start();
    counters.stop(1);
    expect(counters.take().map(({ name }) => name)).not.toContain("cpu-cycles");
  });

  test("has processor events absent where the PMU stands still", () => {
    const kernel = new FakeKernel(4);
    kernel.perRegion = (event) => (event.type === 1 ? 5 : 0);
    const counters = openCountersOn(kernel);
    expect(counters.available.every(({ source }) => source === "software")).toBe(true);
    expect(counters.absent[0]?.reason).toMatch(/stand still/);
    expect(kernel.events.filter((event) => event.type !== 1 && event.isOpen)).toEqual([]);
  });

  test("leaves the kernel out where it must, and lacks events that would read zero then", () => {
    const kernel = new FakeKernel(4, ({ excludesKernel }) =>
      excludesKernel ? undefined : "EACCES",
    );
    const counters = openCountersOn(kernel);
    expect(counters.absent.map(({ name }) => name)).toEqual(["cpu-migrations", "context-switches"]);
    expect(counters.absent[0]).toMatchObject({
      reason: "the kernel does not allow it to this user (perf_event_paranoid = 2)",
      hint: expect.stringContaining("perf_event_paranoid=1"),
    });
    expect(kernel.events.every(({ excludesKernel }) => excludesKernel)).toBe(true);
    expect(counters.available.every(({ excludesKernel }) => excludesKernel === true)).toBe(true);
  });

  test("has everything absent where perf_event_open is forbidden", () => {
    const counters = openCountersOn(new FakeKernel(4, () => "ENOSYS"));
    expect(counters.available).toEqual([]);
    expect(counters.absent[0]?.reason).toMatch(/no perf_event_open/);
    counters.start();
    counters.stop(1);
    expect(counters.take()).toEqual([]);
  });

  test("closes every event, once", () => {
    const kernel = new FakeKernel(2);
    const counters = openCountersOn(kernel);
    counters.close();
    counters.close();
    expect(kernel.events.some(({ isOpen }) => isOpen)).toBe(false);
  });
});
