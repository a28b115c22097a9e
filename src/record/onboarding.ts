/**
 * What onboarding a platform ends with: the checked predictor's figures and everything its report shows.
 */
import { z } from "zod";
import { descriptorSchema } from "./descriptor.js";
import { contextSchema, gradeSchema } from "./measurement.js";

const fraction = z.number().min(0).max(1);
const baselineSchema = z.object({
  withinTenPercent: fraction,
  mape: z.number(),
  spearman: z.number().nullable(),
});

/** The `onboard` result of the command line's contract; shares are fractions over the verified networks. */
export const onboardingResultSchema = z.object({
  platform: z.string(),
  /** Method of the adapted predictor, e.g. `operator-sum`. */
  predictor: z.string(),
  predictorFolder: z.string(),
  heldOutFamilies: z.array(z.string()),
  /** Whether the target's runtime family was among those the predictor learned from. */
  familySeenInTraining: z.boolean(),
  seed: z.number().int(),
  /** Networks measured to adapt. */
  samples: z.number().int(),
  sampleIds: z.array(z.string()),
  nVerified: z.number().int(),
  verifiedIds: z.array(z.string()),
  withinFivePercent: fraction,
  withinTenPercent: fraction,
  /** 95 % binomial interval of `withinTenPercent`. */
  withinTenPercentInterval: z.tuple([fraction, fraction]),
  mape: z.number(),
  spearman: z.number().nullable(),
  coverage90: fraction,
  /** Median width of the 90 % intervals / prediction. */
  intervalWidth: z.number(),
  /** Median relative standard error of the verified measurements. */
  repeatNoise: z.number(),
  baselines: z.object({ operatorSum: baselineSchema, flopsLine: baselineSchema }),
  durationS: z.object({
    profile: z.number(),
    measure: z.number(),
    adapt: z.number(),
    predict: z.number(),
    verify: z.number(),
    total: z.number(),
  }),
  /** Given when it was interrupted: `durationS` is of the last attempt. */
  nAttempts: z.number().int().min(2).optional(),
});
export type OnboardingResult = z.infer<typeof onboardingResultSchema>;

/** A network with its prediction and, when it was measured, its measurement. */
export const comparedNetworkSchema = z.object({
  id: z.string(),
  arch: z.string(),
  /** `sample`: adapted with. `verified`: measured afterwards, unseen by the predictor. */
  role: z.enum(["sample", "verified"]),
  predictedMs: z.number(),
  lowerMs: z.number(),
  upperMs: z.number(),
  /** Null when it could not be measured in time: counts as a miss. */
  measuredMs: z.number().nullable(),
  measuredLowerMs: z.number().nullable(),
  measuredUpperMs: z.number().nullable(),
  grade: gradeSchema,
});
export type ComparedNetwork = z.infer<typeof comparedNetworkSchema>;

const rankedNetworkSchema = z.object({
  id: z.string(),
  arch: z.string(),
  latencyMs: z.number(),
  lowerMs: z.number(),
  upperMs: z.number(),
});

/** All that the report shows; written beside it as JSON so that it can be drawn again. */
export const onboardingReportSchema = z.object({
  schema: z.literal("samara/onboarding-report/1"),
  tool: z.object({ name: z.string(), version: z.string() }),
  createdAt: z.string(),
  result: onboardingResultSchema,
  compared: z.array(comparedNetworkSchema),
  /** Among the networks with a path from input to output. */
  fastest: z.array(rankedNetworkSchema),
  slowest: z.array(rankedNetworkSchema),
  /** Predicted latencies of all networks, ascending. */
  predictedMs: z.array(z.number()),
  /** Absent when the operators could not be measured in time. */
  descriptor: descriptorSchema.optional(),
  context: contextSchema,
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** Disturbances that `doctor` would name, in words. */
  findings: z.array(z.string()),
});
export type OnboardingReport = z.infer<typeof onboardingReportSchema>;
