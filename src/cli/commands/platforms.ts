/**
 * `samara platforms`: what this machine can run, and why not the rest.
 */
import { runtimePartOf } from "../../record/platform.js";
import { exitCodes } from "../exit-codes.js";
import type { Register } from "../main.js";

export function registerPlatforms(register: Register): void {
  register(
    "platforms",
    "what this machine can run, and why not the rest",
    () => {},
    async ({ out, settings }) => {
      const { listPlatforms } = await import("../../platform/registry.js");
      const { device, available, unavailable } = await listPlatforms();
      const results = [
        ...available.map(({ platform, runtime }) => ({
          id: platform.id,
          name: runtimePartOf(platform.id),
          available: true,
          family: platform.runtime.family,
          runtime: runtime.title,
          version: platform.runtime.version,
          threads: platform.runtime.threads,
          settings: platform.runtime.settings,
          reason: null,
          remedy: null,
        })),
        ...unavailable.map(({ runtime, reason, remedy }) => ({
          id: null,
          name: null,
          available: false,
          family: runtime.family,
          runtime: runtime.title,
          version: null,
          threads: null,
          settings: null,
          reason,
          remedy,
        })),
      ];
      out.emit(
        { name: "platforms", context: { ...settings, device }, results, warnings: [] },
        [
          { title: "platform", value: (r) => r.id ?? `(${r.family})` },
          { title: "runtime", value: (r) => `${r.runtime} ${r.version ?? ""}`.trim() },
          { title: "threads", value: (r) => r.threads?.toString() ?? "", align: "right" },
          {
            title: "status",
            value: (r) => (r.available ? "ready" : `cannot run here: ${r.reason}; ${r.remedy}`),
          },
        ],
        `\nDevice ${device.id}: ${device.cpuModel}, ${device.nCores} cores. The part after the first dot is enough as a name.`,
      );
      return available.length > 0 ? exitCodes.ok : exitCodes.unavailable;
    },
  );
}
