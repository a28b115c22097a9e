/**
 * What the service takes and gives, as schemas: checked at the edge, published as OpenAPI, and the dashboard's types.
 *
 * Every document is the envelope of the command line (`schema`, `tool`, `results` …) or a record of `src/record/`.
 */
import { z } from "zod";
import { descriptorSchema } from "../../record/descriptor.js";
import { contextSchema, gradeSchema } from "../../record/measurement.js";
import { platformSchema } from "../../record/platform.js";
import { searchResultSchema } from "../../record/search.js";

const fraction = z.number().min(0).max(1);

/** `shipped` with the package, `own` from `SAMARA_HOME`. */
const originSchema = z.enum(["shipped", "own"]);

export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  /** The error's stable code, as in docs/errors.md. */
  code: z.string(),
  detail: z.string(),
  hint: z.string().optional(),
  /** All that is wrong, when it is more than one thing. */
  errors: z
    .array(z.object({ code: z.string(), detail: z.string(), hint: z.string().optional() }))
    .optional(),
  instance: z.string(),
});
export type Problem = z.infer<typeof problemSchema>;

/** Scores on networks that the predictor has not seen. */
const scoresSchema = z.object({
  nTest: z.number().int(),
  withinFivePercent: fraction,
  withinTenPercent: fraction,
  mape: z.number(),
  spearman: z.number().nullable(),
  coverage90: fraction,
  /** Median width of the 90 % intervals / prediction. */
  intervalWidth: z.number(),
});

export const platformSummarySchema = z.object({
  platform: platformSchema,
  origin: originSchema,
  /** Networks with a usable measurement, and those of them that are kept apart as test set. */
  nMeasured: z.number().int(),
  nTest: z.number().int(),
  fastestMs: z.number().nullable(),
  medianMs: z.number().nullable(),
  slowestMs: z.number().nullable(),
  /** Median relative standard error of a measurement. */
  repeatNoise: z.number().nullable(),
  /** How many measurements have each grade. */
  grades: z.record(gradeSchema, z.number().int()),
  hasDescriptor: z.boolean(),
  /** Operators in the descriptor, and counters that were read. */
  nOperators: z.number().int(),
  counters: z.array(z.string()),
  /** Whether a predictor is adapted to it, and what is known of its accuracy. */
  predictor: z
    .object({ origin: originSchema, method: z.string(), nSamples: z.number().int() })
    .nullable(),
});
export type PlatformSummary = z.infer<typeof platformSummarySchema>;

/** GET /platforms/{platform} */
export const platformDetailSchema = platformSummarySchema.extend({
  contexts: z.array(contextSchema),
  measuredFrom: z.string().nullable(),
  measuredTo: z.string().nullable(),
});
export type PlatformDetail = z.infer<typeof platformDetailSchema>;

/** GET /platforms/{platform}/descriptor; the record itself. */
export const descriptorDocumentSchema = descriptorSchema;

/** GET /platforms/{platform}/measurements?split=train|test|all */
export const measurementRowSchema = z.object({
  id: z.string(),
  latencyMs: z.number(),
  lowerMs: z.number(),
  upperMs: z.number(),
  grade: gradeSchema,
  reasons: z.array(z.string()),
  nProcesses: z.number().int(),
  nRuns: z.number().int(),
  split: z.enum(["train", "test"]),
});
export type MeasurementRow = z.infer<typeof measurementRowSchema>;

/** GET /machine: what can run on the machine that serves, and why not the rest; found out by a child process. */
export const machineSchema = z.object({
  available: z.array(
    z.object({
      id: z.string(),
      /** The id without its device: enough to name it on the machine itself. */
      name: z.string(),
      family: z.string(),
      version: z.string(),
      threads: z.number().int(),
    }),
  ),
  unavailable: z.array(
    z.object({ runtime: z.string(), reason: z.string(), remedy: z.string().nullable() }),
  ),
  /** What would disturb a measurement here (`samara doctor`). */
  findings: z.array(
    z.object({ severity: z.string(), message: z.string(), remedy: z.string().nullable() }),
  ),
});
export type Machine = z.infer<typeof machineSchema>;

const cardPlatformSchema = z.object({
  platformId: z.string(),
  family: z.string(),
  nTest: z.number().int(),
  withinTenPercent: z.number(),
  withinTenPercentSd: z.number(),
  mape: z.number(),
  spearman: z.number(),
  coverage90: z.number(),
});

/** GET /predictors, and one of them. An adapted predictor is named by its platform, the general one is `pool`. */
export const predictorSummarySchema = z.object({
  id: z.string(),
  /** Whether it answers when none is named. */
  isDefault: z.boolean(),
  origin: originSchema,
  method: z.string(),
  /** Null for a predictor that has learned but is not adapted. */
  platformId: z.string().nullable(),
  nSamples: z.number().int(),
  trainedFamilies: z.array(z.string()),
  heldOutFamilies: z.array(z.string()),
  seed: z.number().int(),
  poolHash: z.string(),
  accuracy: z
    .object({
      withinTenPercent: z.number(),
      mape: z.number(),
      coverage90: z.number(),
      nTest: z.number().int(),
      how: z.string(),
    })
    .nullable(),
  card: z
    .object({
      how: z.string(),
      nSamples: z.number().int(),
      nTrials: z.number().int(),
      seed: z.number().int(),
      platforms: z.array(cardPlatformSchema),
    })
    .nullable(),
});
export type PredictorSummary = z.infer<typeof predictorSummarySchema>;

/** GET /predictors/{predictor}/evaluation: predictions beside the measurements of its platform's test networks. */
export const evaluationSchema = z.object({
  predictor: z.string(),
  platform: z.string(),
  scores: scoresSchema,
  /** The same that a perfect predictor would get, given how measurements repeat. */
  ceiling: z.object({ withinTenPercent: fraction, spearman: z.number() }).nullable(),
  /** Nominal coverage of intervals, and the share of measurements inside them. */
  coverage: z.array(z.object({ nominal: fraction, covered: fraction })),
  networks: z.array(
    z.object({
      id: z.string(),
      predictedMs: z.number(),
      lowerMs: z.number(),
      upperMs: z.number(),
      measuredMs: z.number(),
      measuredLowerMs: z.number(),
      measuredUpperMs: z.number(),
      grade: gradeSchema,
    }),
  ),
  /** Which networks these are, in words; whether the predictor has learned from this platform or its family. */
  how: z.string(),
});
export type Evaluation = z.infer<typeof evaluationSchema>;

/**
 * GET /predictors/{predictor}/learning-curve?select=random|designed: trained without the platform's family, adapted with
 * k samples of it, scored on its test networks. Takes seconds; computed once and kept.
 */
export const learningCurveSchema = z.object({
  platform: z.string(),
  select: z.enum(["random", "designed"]),
  seed: z.number().int(),
  nTrials: z.number().int(),
  nTest: z.number().int(),
  heldOutFamilies: z.array(z.string()),
  points: z.array(
    z.object({
      samples: z.number().int(),
      withinTenPercent: fraction,
      withinTenPercentSd: z.number(),
      mape: z.number(),
      spearman: z.number(),
      coverage90: fraction,
    }),
  ),
});
export type LearningCurve = z.infer<typeof learningCurveSchema>;

/** GET /predictors/{predictor}/next?count=5: which networks to measure next, and what to expect of it. */
export const nextSchema = z.object({
  platform: z.string(),
  networks: z.array(
    z.object({
      id: z.string(),
      arch: z.string(),
      latencyMs: z.number(),
      lowerMs: z.number(),
      upperMs: z.number(),
    }),
  ),
  /** Share of networks expected within ±10 % after the first k of them, k = 0…n. */
  expectedWithinTenPercent: z.array(fraction).nullable(),
  reason: z.string().nullable(),
  /** How to measure them. */
  command: z.string(),
});
export type NextNetworks = z.infer<typeof nextSchema>;

/**
 * GET /predictors/{predictor}/networks?coverage=0.9&accuracy=NAME: all 15,625 networks of NAS-Bench-201 in columns; entry
 * i is architecture i.
 */
export const networkColumnsSchema = z.object({
  predictor: z.string(),
  platform: z.string(),
  space: z.literal("nasbench201"),
  coverage: fraction,
  latencyMs: z.array(z.number()),
  lowerMs: z.array(z.number()),
  upperMs: z.array(z.number()),
  /** 1 when some path leads from input to output. */
  connected: z.array(z.number().int()),
  macs: z.array(z.number()),
  /** NaN is null: networks that the table does not have. Null without a table. */
  accuracy: z.array(z.number().nullable()).nullable(),
  accuracySource: z.string().nullable(),
});
export type NetworkColumns = z.infer<typeof networkColumnsSchema>;

/** GET /networks/{space}/{architecture}?predictor=ID&accuracy=NAME: one network, its operators, its neighbours. */
export const networkDetailSchema = z.object({
  id: z.string(),
  /** As users write it. */
  arch: z.string(),
  macs: z.number(),
  params: z.number(),
  connected: z.boolean(),
  accuracy: z.number().nullable(),
  latencyMs: z.number(),
  lowerMs: z.number(),
  upperMs: z.number(),
  measuredMs: z.number().nullable(),
  /** NAS-Bench-201: operations of the edges 0→1, 0→2, 1→2, 0→3, 1→3, 2→3; null elsewhere. */
  cell: z
    .array(z.object({ from: z.number().int(), to: z.number().int(), operation: z.string() }))
    .nullable(),
  /**
   * Operators in the order in which they run, equal ones together. `latencyMs` is the operator's own share of the
   * prediction: the descriptor's or the predictor's cost of it, scaled so that all add up to the network's latency; null
   * where neither knows it.
   */
  operators: z.array(
    z.object({
      key: z.string(),
      type: z.string(),
      count: z.number(),
      macs: z.number(),
      latencyMs: z.number().nullable(),
      share: z.number().nullable(),
      /** Names of its nodes in the graph. */
      nodes: z.array(z.string()),
    }),
  ),
  /** Where the shares come from, in words. */
  sharesFrom: z.string(),
  /** One operation changed: NAS-Bench-201's 24 neighbours; for other spaces one choice changed, at most 64. */
  neighbours: z.array(
    z.object({
      id: z.string(),
      arch: z.string(),
      change: z.string(),
      latencyMs: z.number(),
      lowerMs: z.number(),
      upperMs: z.number(),
      accuracy: z.number().nullable(),
      macs: z.number(),
    }),
  ),
});
export type NetworkDetail = z.infer<typeof networkDetailSchema>;

const confidenceSchema = z.number().gt(0.5).lt(1);
const coverageSchema = z.number().gt(0).lt(1);

/** POST /predictions as JSON. One `predictor` (default: adapted last, else shipped), one or many networks. */
export const predictRequestSchema = z.strictObject({
  predictor: z.string().optional(),
  /** Architectures as for `samara predict --arch`: index, architecture string, `space/architecture`. */
  networks: z.array(z.string().max(400)).min(1).max(20_000),
  coverage: coverageSchema.optional(),
  budgetMs: z.number().positive().optional(),
  confidence: confidenceSchema.optional(),
});

export const predictionSchema = z.object({
  id: z.string(),
  latencyMs: z.number(),
  lowerMs: z.number(),
  upperMs: z.number(),
  coverage: z.number(),
  withinKnownRange: z.boolean(),
  outsideReason: z.string().optional(),
  verdict: z.enum(["yes", "no", "undecided"]).optional(),
});
export type Prediction = z.infer<typeof predictionSchema>;

/** POST /models?name=FILE&predictor=ID…: an ONNX file as body; predicted on every platform, or on those named. */
export const modelPredictionsSchema = z.object({
  id: z.string(),
  name: z.string(),
  nOperators: z.number().int(),
  macs: z.number(),
  params: z.number(),
  inputs: z.array(z.object({ name: z.string(), shape: z.array(z.number()) })),
  results: z.array(predictionSchema.extend({ platform: z.string() })),
  /** Operators that no platform's predictor knows, with shapes; empty when all are within the known range. */
  unknownOperators: z.array(
    z.object({
      key: z.string(),
      type: z.string(),
      count: z.number().int(),
      nodes: z.array(z.string()),
      reason: z.string(),
    }),
  ),
});
export type ModelPredictions = z.infer<typeof modelPredictionsSchema>;

/**
 * POST /models/layers?name=FILE&predictor=ID, and GET /networks/{space}/{architecture}/layers?predictor=ID: a file that
 * Netron shows beside the model.
 */
export const netronAttachmentSchema = z.object({
  signature: z.literal("netron:attachment"),
  metrics: z.array(
    z.object({ kind: z.string(), target: z.string(), name: z.string(), value: z.number() }),
  ),
});

/** POST /search */
export const searchRequestSchema = z.strictObject({
  predictor: z.string().optional(),
  budgetMs: z.number().positive(),
  confidence: confidenceSchema.optional(),
  space: z.string().optional(),
  /** Name of an accuracy table (GET /accuracies); without it multiply-accumulates stand in. */
  accuracy: z.string().optional(),
  /** Candidates that evolution may evaluate; ignored by exhaustive search. */
  evaluations: z.number().int().min(100).max(2_000_000).optional(),
  seed: z.number().int().nonnegative().optional(),
});
export type SearchRequest = z.infer<typeof searchRequestSchema>;
export const searchResponseSchema = searchResultSchema;

/** GET /accuracies; PUT /accuracies/{name} takes text/csv (network, accuracy), DELETE takes it away. */
export const accuracyTableSchema = z.object({
  name: z.string(),
  column: z.string(),
  unit: z.string(),
  nNetworks: z.number().int(),
  space: z.string(),
  /** Given with `--accuracy` when the service was started: cannot be deleted. */
  isFixed: z.boolean(),
});
export type AccuracyTable = z.infer<typeof accuracyTableSchema>;

/** POST /jobs */
export const jobRequestSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("onboard"),
    platform: z.string(),
    samples: z.number().int().min(3).max(1000).optional(),
    seed: z.number().int().nonnegative().optional(),
  }),
  z.strictObject({
    kind: z.literal("measure"),
    platform: z.string(),
    networks: z.array(z.string().max(400)).max(2000).optional(),
    samples: z.number().int().min(1).max(5000).optional(),
    next: z.number().int().min(1).max(100).optional(),
    seed: z.number().int().nonnegative().optional(),
  }),
  /** The text of a plan (docs/measuring.md), YAML. */
  z.strictObject({ kind: z.literal("campaign"), plan: z.string().max(65_536) }),
]);
export type JobRequest = z.infer<typeof jobRequestSchema>;

/**
 * `queued` → `running` → `succeeded`, `failed`, `cancelled`, or `interrupted` when the service ended meanwhile. What is
 * cancelled, interrupted or failed can be resumed: it keeps what it has measured.
 */
export const jobStateSchema = z.enum([
  "queued",
  "running",
  "succeeded",
  "failed",
  "cancelled",
  "interrupted",
]);
export type JobState = z.infer<typeof jobStateSchema>;

export const jobSchema = z.object({
  id: z.string(),
  request: jobRequestSchema,
  state: jobStateSchema,
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  exitCode: z.number().int().nullable(),
  /** What the user reads when it did not succeed. */
  error: z.string().nullable(),
  /** How often it was started. */
  nAttempts: z.number().int(),
  /** Place in the queue, from 1; null when not queued. */
  position: z.number().int().nullable(),
  /** `results` of the command's JSON document, once it has one; null in GET /jobs. */
  results: z.array(z.unknown()).nullable(),
  /** Whether GET /jobs/{id}/report has an HTML report. */
  hasReport: z.boolean(),
});
export type Job = z.infer<typeof jobSchema>;

/**
 * GET /jobs/{id}/events: server-sent events; `id` counts from 1, `Last-Event-ID` (or `?after=`) replays what follows it.
 * Progress has no `id`: it is told, not kept.
 */
export const jobEventSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("state"), state: jobStateSchema, at: z.string() }),
  /** A line that stays: what was done. */
  z.object({ type: z.literal("note"), text: z.string(), at: z.string() }),
  /** What is being done now; only the latest one matters. */
  z.object({ type: z.literal("progress"), text: z.string(), at: z.string() }),
  z.object({ type: z.literal("warning"), text: z.string(), at: z.string() }),
]);
export type JobEvent = z.infer<typeof jobEventSchema>;
