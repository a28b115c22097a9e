/**
 * Counters of this machine: the system calls behind `perf-event.ts`, or none.
 */
import { closeSync, readFileSync, readSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { messageOf } from "../errors.js";
import { type CounterName, type CounterSet, counterNames } from "./counter.js";
import { createNullCounters } from "./null.js";
import { openCountersOn, type PerfSystem, readingBytes } from "./perf-event.js";

const syscallNumbers: Readonly<Record<string, number>> = { x64: 298, arm64: 241 };

// linux/perf_event.h
const PERF_FLAG_FD_CLOEXEC = 8;
const PERF_EVENT_IOC_ENABLE = 0x2400;
const PERF_EVENT_IOC_DISABLE = 0x2401;
const PERF_IOC_FLAG_GROUP = 1;

function openSystem(syscallNumber: number, threadId: number): PerfSystem {
  // Loaded on use, and synchronously, so that counters can be opened at any moment before a runtime's threads.
  const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
  const libc = koffi.load(null);
  // Both are variadic in C; on these two processors integer arguments travel alike either way.
  const syscall = libc.func("syscall", "long", [
    "long",
    "const void *",
    "long",
    "long",
    "long",
    "unsigned long",
  ]);
  const ioctl = libc.func("ioctl", "int", ["int", "unsigned long", "unsigned long"]);
  const errnoNames = new Map(
    Object.entries(koffi.os.errno).map(([name, value]) => [value as number, name]),
  );
  return {
    open(attributes, groupDescriptor) {
      const anyProcessor = -1;
      const descriptor = Number(
        syscall(
          syscallNumber,
          attributes,
          threadId,
          anyProcessor,
          groupDescriptor,
          PERF_FLAG_FD_CLOEXEC,
        ),
      );
      if (descriptor >= 0) return descriptor;
      const errno = koffi.errno();
      return { errno: errnoNames.get(errno) ?? String(errno) };
    },
    enableGroup: (leader) => ioctl(leader, PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP),
    disableGroup: (leader) => ioctl(leader, PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP),
    read: (descriptor, into) => readSync(descriptor, into, 0, readingBytes, null),
    close: (descriptor) => closeSync(descriptor),
    paranoidLevel() {
      try {
        return Number(readFileSync("/proc/sys/kernel/perf_event_paranoid", "utf8"));
      } catch {
        return undefined;
      }
    },
  };
}

/** What the system call takes for the thread that asks. */
const thisThread = 0;

/**
 * Open counters on a thread and the threads that it will create; what cannot be opened is listed as absent.
 *
 * @param names - default all
 * @param threadId - a thread of another process; default this one
 */
export function openCounters(
  names: readonly CounterName[] = counterNames,
  threadId = thisThread,
): CounterSet {
  const syscallNumber = syscallNumbers[arch()];
  if (platform() !== "linux") return createNullCounters("counters need Linux");
  if (syscallNumber === undefined) {
    return createNullCounters(`counters are not supported on ${arch()}, only on x64 and arm64`);
  }
  let system: PerfSystem;
  try {
    system = openSystem(syscallNumber, threadId);
  } catch (error) {
    return createNullCounters(
      `koffi cannot be loaded: ${messageOf(error)}`,
      "npm install koffi (its binaries come inside the package)",
    );
  }
  return openCountersOn(system, names, threadId === thisThread);
}
