/**
 * Monotonic time in nanoseconds, as an argument: the real clock for measuring, a step clock for tests.
 */

export interface Clock {
  /** Nanoseconds since some fixed moment; never goes back. */
  nowNs(): bigint;
}

/** The operating system's monotonic clock. */
export const systemClock: Clock = { nowNs: () => process.hrtime.bigint() };

/** A clock that moves only when told to: tests of measuring are exact and need no sleeping. */
export class StepClock implements Clock {
  #nowNs = 0n;

  nowNs(): bigint {
    return this.#nowNs;
  }

  /** Let `ns` nanoseconds pass; fractions are rounded. */
  advance(ns: number): void {
    this.#nowNs += BigInt(Math.round(ns));
  }
}

/** What a clock can tell apart and what a reading costs. */
export interface ClockQuality {
  /** Smallest step seen between two readings that differ, ns. */
  readonly resolutionNs: number;
  /** Median time from one reading to the next, ns: what a timed region contains of the clock itself. */
  readonly overheadNs: number;
}

/** Resolution and overhead of a clock, from `nReadings` readings in a row (0 for a clock that stands still). */
export function measureClock(clock: Clock, nReadings = 1001): ClockQuality {
  const readings = new BigInt64Array(nReadings + 1);
  for (let i = 0; i <= nReadings; i++) readings[i] = clock.nowNs();
  const steps = Array.from({ length: nReadings }, (_, i) =>
    Number(readings[i + 1]! - readings[i]!),
  );
  steps.sort((a, b) => a - b);
  return {
    resolutionNs: steps.find((step) => step > 0) ?? 0,
    overheadNs: steps[nReadings >> 1]!,
  };
}
