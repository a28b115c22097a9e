/**
 * What a search for networks within a latency budget finds: the result of `samara search` and of the service.
 */
import { z } from "zod";

/** Where a candidate's merit comes from: a table of accuracies, or multiply-accumulates as a stand-in. */
export const meritSchema = z.object({
  kind: z.enum(["accuracy", "macs"]),
  /** File or table that accuracies come from, with its column; null for `macs`. */
  source: z.string().nullable(),
  /** `%`, `fraction`, `MMAC`, or what the file's header says. */
  unit: z.string(),
});
/** What candidates are ranked by. */
export type Merit = Readonly<z.infer<typeof meritSchema>>;

export const candidateSchema = z.object({
  id: z.string(),
  /** As users write it: an architecture string or text of a space, a file's path or name. */
  network: z.string(),
  latencyMs: z.number(),
  /** Two-sided interval at `coverage`; its upper end is the one-sided bound at `confidence`. */
  lowerMs: z.number(),
  upperMs: z.number(),
  /** Accuracy or the stand-in for it, in the unit of `Merit`. */
  merit: z.number(),
  /** Probability that its latency is within the budget, 0…1. */
  withinBudget: z.number().min(0).max(1),
  withinKnownRange: z.boolean(),
  /**
   * Present once `--verify` has measured it, with the ends of the measurement's own interval at `coverage`: the budget
   * is then held against its upper end.
   */
  measuredMs: z.number().optional(),
  measuredLowerMs: z.number().optional(),
  measuredUpperMs: z.number().optional(),
});
/** A network that was considered, with its prediction and its merit. */
export type Candidate = Readonly<z.infer<typeof candidateSchema>>;

export const searchResultSchema = z.object({
  platform: z.string(),
  /** Method of the predictor. */
  predictor: z.string(),
  budgetMs: z.number().positive(),
  /** Of the one-sided bound that the budget is held against. */
  confidence: z.number().min(0.5).max(1),
  coverage: z.number(),
  space: z.string(),
  merit: meritSchema,
  method: z.enum(["exhaustive", "evolution"]),
  /** Candidates whose latency was predicted, and how long all took. */
  nEvaluated: z.number().int(),
  /** Of them, those whose upper bound is within the budget. */
  nFeasible: z.number().int(),
  /** Those whose lower bound is within the budget: none of the others can be expected to fit. */
  nPossible: z.number().int(),
  durationMs: z.number(),
  seed: z.number().int(),
  /** Best merit among those whose upper bound is within the budget; null when there is none. */
  winner: candidateSchema.nullable(),
  /** Best merit among those whose predicted latency, but not its bound, is within the budget: what certainty costs. */
  bestUncertain: candidateSchema.nullable(),
  /** Best merit at any latency: what the budget costs. */
  bestUnconstrained: candidateSchema.nullable(),
  /**
   * Best merit that may fit among networks outside the predictor's known range, which are not chosen as long as others are
   * known: worth a measurement.
   */
  bestOutside: candidateSchema.nullable(),
  /** No other is as fast (by upper bound) and better; by latency, ascending. */
  front: z.array(candidateSchema),
  /** In words. */
  reasons: z.array(z.string()),
});
/** Answer to: which is the best network within this budget? */
export type SearchResult = Readonly<z.infer<typeof searchResultSchema>>;
