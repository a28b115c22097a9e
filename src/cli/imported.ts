/**
 * A platform that is known by name only, because its latencies were imported.
 */
import type { Platform } from "../record/platform.js";

/** Stand-in for an imported platform: what nobody stated is "unknown", so that comparisons warn. */
export function importedPlatform(id: string): Platform {
  return {
    id,
    device: {
      id: "imported",
      cpuModel: "unknown",
      nCores: 1,
      architecture: "unknown",
      memoryBytes: 0,
      os: "unknown",
    },
    runtime: { family: "imported", version: "unknown", threads: 1, settings: {} },
    precision: "fp32",
  };
}
