/**
 * How long threads were ready to run but had no processor: the second field of /proc/self/task/<tid>/schedstat,
 * in ns. Other work's share of a wall time, known by its cause. Where the kernel does not tell, it is unknown,
 * never zero.
 */
import { closeSync, openSync, readdirSync, readSync } from "node:fs";

/** Waits of a fixed set of threads, the calling thread first. */
export interface WaitReader {
  readonly nThreads: number;
  /** Write each thread's total wait so far (ns) to `into`; allocates nothing. */
  read(into: Float64Array): void;
  close(): void;
}

/** Where waits come from; a fake one makes tests exact. */
export interface WaitSource {
  /** Ids of the threads of this process other than the calling one. */
  threadIds(): readonly number[];
  /**
   * Reader for the thread that runs and other threads of its process; null where the kernel does not tell.
   *
   * @param running - default the calling thread
   */
  open(otherThreads: readonly number[], running?: Thread): WaitReader | null;
}

/** A thread of some process. */
export interface Thread {
  readonly processId: number;
  readonly threadId: number;
}

const digit0 = 0x30;
const space = 0x20;

/** The second number of a schedstat line. */
export function secondNumber(line: Uint8Array, length: number): number {
  let value = 0;
  let nSpaces = 0;
  for (let i = 0; i < length; i++) {
    const byte = line[i]!;
    if (byte === space) {
      nSpaces += 1;
      if (nSpaces === 2) break;
    } else if (nSpaces === 1) {
      value = value * 10 + (byte - digit0);
    }
  }
  return value;
}

/** On Linux the main thread's id is the process's. */
const ownThread = (): Thread => ({ processId: process.pid, threadId: process.pid });

function openWaits(otherThreads: readonly number[], running = ownThread()): WaitReader | null {
  const descriptors: number[] = [];
  const { processId, threadId } = running;
  try {
    for (const thread of [threadId, ...otherThreads]) {
      descriptors.push(openSync(`/proc/${processId}/task/${thread}/schedstat`, "r"));
    }
  } catch {
    for (const descriptor of descriptors) closeSync(descriptor);
    return null; // another system, a kernel without schedstat, or a thread that has ended
  }
  const line = new Uint8Array(64);
  return {
    nThreads: descriptors.length,
    read(into) {
      for (let i = 0; i < descriptors.length; i++) {
        const length = readSync(descriptors[i]!, line, 0, line.length, 0);
        into[i] = secondNumber(line, length);
      }
    },
    close() {
      for (const descriptor of descriptors.splice(0)) closeSync(descriptor);
    },
  };
}

/** Waits as the Linux kernel tells them. */
export const systemWaits: WaitSource = {
  threadIds() {
    try {
      return readdirSync("/proc/self/task")
        .map(Number)
        .filter((thread) => thread !== process.pid);
    } catch {
      return [];
    }
  },
  open: openWaits,
};
