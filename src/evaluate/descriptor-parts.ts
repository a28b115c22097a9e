/**
 * Descriptors with some of their counters only, or none at all: what the tests of counters compare.
 */
import type { PlatformSamples } from "../predict/predictor.js";
import type { CounterSource } from "../record/counter.js";

/**
 * What of a descriptor a predictor is shown: all of it; operator latencies alone; these and the counters of one source;
 * nothing.
 */
export type DescriptorPart = "all" | "latencies" | CounterSource | "none";

/** The samples with a part of their descriptor. */
export function withDescriptorPart(
  samples: PlatformSamples,
  part: DescriptorPart,
): PlatformSamples {
  const { descriptor, ...bare } = samples;
  if (descriptor === undefined || part === "all") return samples;
  if (part === "none") return bare;
  const rows = descriptor.rows.map((row) => ({
    ...row,
    counters: row.counters.filter(({ source }) => source === part),
  }));
  return { ...bare, descriptor: { ...descriptor, rows } };
}

/** Whether a platform's descriptor has a counter of a source. */
export function hasCounters({ descriptor }: PlatformSamples, source: CounterSource): boolean {
  return (
    descriptor?.rows.some(({ counters }) => counters.some((c) => c.source === source)) ?? false
  );
}
