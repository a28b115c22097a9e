/**
 * What a campaign measures: the form of the plan that `samara campaign` reads (docs/measuring.md).
 */
import { z } from "zod";

/** A plan as people write it in YAML; what is left out has defaults. */
export const campaignPlanSchema = z.strictObject({
  /** Pool folder to write, relative to the working directory. */
  pool: z.string().min(1),
  platforms: z.array(z.string()).min(1),
  seed: z.number().int().nonnegative().default(0),
  /** Architectures to learn from, drawn uniformly. */
  train: z.number().int().positive().max(15_000),
  /** Further ones to learn from, chosen so that they cover the space. */
  cover: z.number().int().nonnegative().max(5000).default(0),
  /** Architectures kept apart as test set, drawn first. */
  test: z.number().int().nonnegative().max(5000),
  processes: z.number().int().min(1).max(20).default(3),
  pairs: z.number().int().min(3).max(200).default(10),
  /** Untimed runs of a network in each process. */
  warmup: z.number().int().min(1).max(1000).default(5),
  chunk: z.number().int().min(1).max(200).default(25),
  /** How often each platform's operators are measured, spread over the campaign; 0 for no descriptors. */
  descriptors: z.number().int().min(0).max(10).default(1),
});
/** A plan with its defaults filled in. */
export type CampaignPlan = z.infer<typeof campaignPlanSchema>;
