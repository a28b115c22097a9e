/**
 * A platform that is known by name only, because its latencies were imported.
 */
import type { Platform, Precision } from "../record/platform.js";

/** Processor of a device that nobody described. */
export const unknownProcessor = "unknown";

/** The precision that an id ends with, fp32 where it tells none. */
function precisionOf(id: string): Precision {
  return (/\.(fp16|int8)$/.exec(id)?.[1] as Precision | undefined) ?? "fp32";
}

/** Stand-in for an imported platform: what nobody stated is "unknown", so that comparisons warn. */
export function importedPlatform(id: string): Platform {
  return {
    id,
    device: {
      id: "imported",
      cpuModel: unknownProcessor,
      nCores: 1,
      architecture: "unknown",
      memoryBytes: 0,
      os: "unknown",
    },
    runtime: { family: "imported", version: "unknown", threads: 1, settings: {} },
    precision: precisionOf(id),
  };
}
