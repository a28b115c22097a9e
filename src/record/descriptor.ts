/**
 * The stored form of a hardware-runtime descriptor: each operator's latency and counters on one platform.
 */
import { z } from "zod";
import { counterReadingSchema } from "./counter.js";
import { contextSchema, gradeSchema } from "./measurement.js";
import { platformSchema } from "./platform.js";

export const descriptorRowSchema = z.object({
  /** `nor_conv_3x3@16x32x32`, `add@32x16x16`, `stem`, `overhead`, … */
  operator: z.string(),
  /** Signature keys (graph/features) of the operators that ran, with how often; empty for `overhead`. */
  signatures: z.array(z.object({ key: z.string(), count: z.number().positive() })),
  latencyNs: z.number().positive(),
  lowerNs: z.number().positive(),
  upperNs: z.number().positive(),
  grade: gradeSchema,
  counters: z.array(counterReadingSchema),
});
/** One operator of a descriptor: its latency with a 90 % interval, its counters, what it runs. */
export type DescriptorRow = z.infer<typeof descriptorRowSchema>;

export const descriptorSchema = z.object({
  schema: z.literal("samara/descriptor/1"),
  tool: z.object({ name: z.string(), version: z.string() }),
  platform: platformSchema,
  /** Input size of the network whose operators were measured, pixels. */
  inputSize: z.number().int().positive(),
  latencyUnit: z.literal("ns"),
  rows: z.array(descriptorRowSchema),
  context: contextSchema,
  measuredAt: z.string(),
  durationS: z.number().nonnegative(),
});
/** A hardware-runtime descriptor. */
export type Descriptor = z.infer<typeof descriptorSchema>;
