/**
 * Counters that callgrind simulates (valgrind's instruction and cache simulator): its output files, strictly read, and
 * what its events are called here.
 *
 * The cache model has two levels, first (I1, D1) and last (LL): what misses the first looks up the last, so a level
 * between them, as most processors have, is not seen. Not here: running it (`platform/simulate.ts`).
 */
import { FormatError } from "../errors.js";
import type { CounterReading } from "../record/counter.js";

/** Callgrind's events with `--cache-sim=yes`, in its order: I instructions, D data, r read, w write, m miss. */
const events = ["Ir", "Dr", "Dw", "I1mr", "D1mr", "D1mw", "ILmr", "DLmr", "DLmw"] as const;

/** Events of all runs between two dumps. */
export type CallgrindTotals = Readonly<Record<(typeof events)[number], number>>;

/** perf's names, each a sum of callgrind's events. Cycles and migrations are not simulated: they stay absent. */
const simulatedCounters: Readonly<Record<string, readonly (typeof events)[number][]>> = {
  instructions: ["Ir"],
  "cache-references": ["I1mr", "D1mr", "D1mw"],
  "cache-misses": ["ILmr", "DLmr", "DLmw"],
  "L1-dcache-loads": ["Dr"],
  "L1-dcache-load-misses": ["D1mr"],
  "L1-dcache-stores": ["Dw"],
  "L1-dcache-store-misses": ["D1mw"],
  "L1-icache-load-misses": ["I1mr"],
  "LLC-loads": ["D1mr"],
  "LLC-load-misses": ["DLmr"],
  "LLC-stores": ["D1mw"],
  "LLC-store-misses": ["DLmw"],
};

/** One output file of callgrind. */
export interface CallgrindDump {
  /** What the client request that made it was called; undefined for the dump at the end of the program. */
  readonly trigger: string | undefined;
  readonly totals: CallgrindTotals;
}

/** The rest of the only line that begins with `key: `. */
function theOnly(lines: readonly string[], key: string, fail: (problem: string) => never): string {
  const found = lines.filter((line) => line.startsWith(`${key}: `));
  if (found.length !== 1) fail(`must have one line "${key}:", it has ${found.length}`);
  return found[0]!.slice(key.length + 2).trim();
}

/**
 * Read an output file of callgrind.
 *
 * @param path - for messages
 * @throws FormatError when it is cut short, counts other events, or is none
 */
export function parseCallgrind(text: string, path: string): CallgrindDump {
  const fail = (problem: string): never => {
    throw new FormatError(`${path} ${problem}`, { path });
  };
  const lines = text.split("\n");
  if (lines[0] !== "# callgrind format") fail("is no output of callgrind");
  if (theOnly(lines, "version", fail) !== "1") fail("is not of version 1");
  const counted = theOnly(lines, "events", fail);
  if (counted !== events.join(" ")) {
    fail(`must count the events ${events.join(" ")}, it counts ${counted}`);
  }
  const numbers = theOnly(lines, "totals", fail).split(/\s+/);
  // The format leaves out zeros at the end of a line.
  if (numbers.length > events.length) fail(`has ${numbers.length} totals for 9 events`);
  const totals = events.map((event, i) => {
    const value = numbers[i] ?? "0";
    if (!/^\d+$/.test(value) || !Number.isSafeInteger(Number(value))) {
      fail(`has a total that is no count: ${event} ${value}`);
    }
    return [event, Number(value)];
  });
  const trigger = lines.flatMap((line) => {
    const match = /^desc: Trigger: Client Request: (.+)$/.exec(line);
    return match ? [match[1]!] : [];
  });
  return { trigger: trigger[0], totals: Object.fromEntries(totals) as CallgrindTotals };
}

/** Readings per run of the totals of `nRuns` runs. */
export function readingsFromTotals(totals: CallgrindTotals, nRuns: number): CounterReading[] {
  return Object.entries(simulatedCounters).map(([name, parts]) => ({
    name,
    source: "simulated",
    perRun: parts.reduce((sum, part) => sum + totals[part], 0) / nRuns,
    runningShare: 1,
  }));
}
