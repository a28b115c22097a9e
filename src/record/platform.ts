/**
 * Who a latency belongs to: device × runtime (with its settings) × precision. Shapes only, no behaviour
 * beyond building and reading ids.
 */
import { z } from "zod";

/** One physical machine, as far as it can be told from inside. */
export const deviceSchema = z.object({
  /** Slug of processor and core count, first part of every platform id, e.g. `amd-epyc-f25m17-2c`. */
  id: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  cpuModel: z.string(),
  nCores: z.number().int().positive(),
  architecture: z.string(),
  memoryBytes: z.number().int().nonnegative(),
  os: z.string(),
});
/** A physical machine. */
export type Device = z.infer<typeof deviceSchema>;

/** Inference software, its version and the settings that change latency. */
export const runtimeInfoSchema = z.object({
  /** Runtimes of one family are siblings: a hold-out removes them together, e.g. `onnxruntime`. */
  family: z.string().regex(/^[a-z0-9-]+$/),
  /** Full version of the software, e.g. `1.30.0`. */
  version: z.string(),
  /** Threads of the runtime's own pool, counting the caller. */
  threads: z.number().int().positive(),
  /** What else changes latency, e.g. `{ optimisation: "all" }`, `{ delegate: "xnnpack" }`. */
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** Which of a family's runtimes it is; without it, the one that is called like the family. */
  name: z.string().optional(),
  /** Its model files hold no operators whose result nobody reads, because its converters leave them out. */
  removesDeadOperators: z.boolean().optional(),
});
/** Inference software with its version and settings. */
export type RuntimeInfo = z.infer<typeof runtimeInfoSchema>;

/** Numbers that a runtime computes with: the narrowest that its settings allow. */
const precisionSchema = z.enum(["fp32", "fp16", "int8"]);
/** Numbers that a runtime computes with. */
export type Precision = z.infer<typeof precisionSchema>;

export const platformSchema = z.object({
  /** `<device>.<runtime+version+settings>.<precision>`, e.g. `rpi4b.ort1.30-cpu-all-t1.fp32`. */
  id: z.string(),
  device: deviceSchema,
  runtime: runtimeInfoSchema,
  precision: precisionSchema,
});
/** Device, runtime and precision: what a latency belongs to. */
export type Platform = z.infer<typeof platformSchema>;

/** Build a platform from its parts; `runtimeSlug` is the runtime's own short name of version and settings. */
export function createPlatform(
  device: Device,
  runtime: RuntimeInfo,
  runtimeSlug: string,
  precision: Precision = "fp32",
): Platform {
  return { id: `${device.id}.${runtimeSlug}.${precision}`, device, runtime, precision };
}

/** The platform id without its device part: `ort1.30-cpu-all-t1.fp32`. */
export function runtimePartOf(platformId: string): string {
  return platformId.slice(platformId.indexOf(".") + 1);
}
