/**
 * What `operator-sum` keeps: the shapes of what it learned and adapted, and their saved form (settings and tensors).
 */
import { z } from "zod";
import { FormatError } from "../errors.js";
import type { OperatorSignature } from "../graph/features.js";
import { matrix } from "../tensor/linalg.js";
import type { View } from "./additive-posterior.js";
import {
  type AdditivePrior,
  additivePriorSchema,
  additiveSemantics,
  type CostForm,
  costForms,
} from "./additive-prior.js";
import { type CostColumns, costColumnsSchema, featuresOfColumns } from "./cost-columns.js";
import { type IntervalScale, intervalScaleSchema } from "./intervals.js";
import { type KnownRange, knownRangeSchema } from "./known-range.js";
import {
  operatorCostsSchema,
  operatorSignatureSchema,
  type SavedOperatorCosts,
} from "./operator-costs.js";
import type { SavedPredictor } from "./predictor.js";
import { readSettings, readTensor } from "./saved.js";

/** The method's name. */
export const name = "operator-sum";
/** 2: semantics that fuse; predictors adapted without samples. */
const formatVersion = 2;

const fittedSchema = z.object({
  kind: z.literal("fitted"),
  useDescriptor: z.enum(["auto", "never"]),
  families: z.array(z.string()),
  columns: costColumnsSchema,
  range: knownRangeSchema,
  descriptorOperators: z.array(z.string()),
  descriptorSignatures: z.array(operatorSignatureSchema),
  priors: z.object({ counts: additivePriorSchema, descriptor: additivePriorSchema.optional() }),
  intervals: z.array(intervalScaleSchema).min(1),
});

const adaptedSchema = z.object({
  kind: z.literal("adapted"),
  platformId: z.string(),
  families: z.array(z.string()),
  columns: costColumnsSchema,
  range: knownRangeSchema,
  operatorCosts: operatorCostsSchema.optional(),
  views: z
    .array(
      z.object({
        form: z.enum(costForms),
        semantics: z.enum(additiveSemantics),
        weight: z.number().positive(),
        noiseVariance: z.number().positive(),
      }),
    )
    .min(1),
  intervals: z.array(intervalScaleSchema).min(1),
  /** 0: predicted from the descriptor alone. */
  nSamples: z.number().int().nonnegative(),
  leastMs: z.object({ connected: z.number().positive(), unconnected: z.number().positive() }),
});

/** What is learned from a pool. */
export interface Learned {
  readonly useDescriptor: "auto" | "never";
  readonly families: readonly string[];
  readonly columns: CostColumns;
  readonly range: KnownRange;
  /** Operators every source descriptor has; empty when the descriptor form was not learned. */
  readonly descriptorOperators: readonly string[];
  /** What the keys of source descriptors stand for: a target's networks may be of other shapes. */
  readonly descriptorSignatures: readonly OperatorSignature[];
  readonly priors: Readonly<Partial<Record<CostForm, AdditivePrior>>> & {
    readonly counts: AdditivePrior;
  };
  readonly intervals: readonly IntervalScale[];
}

/** What is known of one target. */
export interface Adapted {
  readonly platformId: string;
  readonly families: readonly string[];
  readonly columns: CostColumns;
  readonly range: KnownRange;
  readonly operatorCosts?: SavedOperatorCosts;
  readonly views: readonly View[];
  readonly intervals: readonly IntervalScale[];
  readonly nSamples: number;
  /** Predictions are never below these: a sum extrapolated to nothing stays a latency. */
  readonly leastMs: { readonly connected: number; readonly unconnected: number };
}

/** What a fitted predictor is saved as. */
export function saveFitted(learned: Learned): SavedPredictor {
  const { priors, ...settings } = learned;
  const p = learned.columns.names.length;
  const tensors = new Map<string, { shape: number[]; values: Float64Array }>();
  const scalars: Partial<Record<CostForm, z.infer<typeof additivePriorSchema>>> = {};
  for (const form of costForms) {
    const prior = priors[form];
    if (prior === undefined) continue;
    const { mean: _, covariance: __, ...others } = prior;
    scalars[form] = others;
    tensors.set(`${form}.mean`, { shape: [p], values: prior.mean });
    tensors.set(`${form}.covariance`, { shape: [p, p], values: prior.covariance.values });
  }
  return {
    method: name,
    formatVersion,
    settings: {
      kind: "fitted",
      ...settings,
      priors: scalars,
    },
    tensors,
    features: featuresOfColumns(learned.columns),
  };
}

/** The inverse of `saveFitted`; throws FormatError on another method, version or shape. */
export function loadFitted(saved: SavedPredictor): Learned {
  const settings = readSettings(saved, { method: name, formatVersion }, fittedSchema);
  const p = settings.columns.names.length;
  const read = (form: CostForm, scalars: z.infer<typeof additivePriorSchema>): AdditivePrior => {
    if (scalars.columnShare.length !== p) {
      throw new FormatError(
        `predictor "${name}": priors.${form}.columnShare must have ${p} values`,
        {
          field: `settings.priors.${form}.columnShare`,
        },
      );
    }
    return {
      ...scalars,
      mean: readTensor(saved, `${form}.mean`, [p]),
      covariance: matrix(p, p, readTensor(saved, `${form}.covariance`, [p, p])),
    };
  };
  const { priors, kind: _, ...others } = settings;
  return {
    ...others,
    priors: {
      counts: read("counts", priors.counts),
      ...(priors.descriptor === undefined
        ? {}
        : { descriptor: read("descriptor", priors.descriptor) }),
    },
  };
}

/** What an adapted predictor is saved as. */
export function saveAdapted(adapted: Adapted): SavedPredictor {
  const { views, ...others } = adapted;
  const p = adapted.columns.names.length;
  const means = new Float64Array(views.length * p);
  const covariances = new Float64Array(views.length * p * p);
  views.forEach((view, v) => {
    means.set(view.mean, v * p);
    covariances.set(view.covariance.values, v * p * p);
  });
  return {
    method: name,
    formatVersion,
    settings: {
      kind: "adapted",
      ...others,
      views: views.map(({ form, semantics, weight, noiseVariance }) => ({
        form,
        semantics,
        weight,
        noiseVariance,
      })),
    },
    tensors: new Map([
      ["views.mean", { shape: [views.length, p], values: means }],
      ["views.covariance", { shape: [views.length, p, p], values: covariances }],
    ]),
    features: featuresOfColumns(adapted.columns),
  };
}

/** The inverse of `saveAdapted`; throws FormatError on another method, version or shape. */
export function loadAdapted(saved: SavedPredictor): Adapted {
  const settings = readSettings(saved, { method: name, formatVersion }, adaptedSchema);
  const p = settings.columns.names.length;
  const nViews = settings.views.length;
  const means = readTensor(saved, "views.mean", [nViews, p]);
  const covariances = readTensor(saved, "views.covariance", [nViews, p, p]);
  if (settings.operatorCosts === undefined && settings.views.some((v) => v.form === "descriptor")) {
    throw new FormatError(`predictor "${name}": operatorCosts are missing`, {
      field: "settings.operatorCosts",
    });
  }
  const { operatorCosts, views, kind: _, ...others } = settings;
  return {
    ...others,
    ...(operatorCosts === undefined ? {} : { operatorCosts }),
    views: views.map((view, v) => ({
      ...view,
      mean: means.slice(v * p, (v + 1) * p),
      covariance: matrix(p, p, covariances.slice(v * p * p, (v + 1) * p * p)),
    })),
  };
}
