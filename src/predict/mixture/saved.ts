/**
 * What `hypothesis-mixture` keeps: the shapes of what it learned and adapted, and their saved form.
 */
import { z } from "zod";
import { FormatError } from "../../errors.js";
import { forEachSemantics, rewriteSemantics } from "../../graph/features.js";
import { matrix } from "../../tensor/linalg.js";
import { type IntervalScale, intervalScaleSchema } from "../intervals.js";
import { type KnownRange, knownRangeSchema } from "../known-range.js";
import type { SavedPredictor } from "../predictor.js";
import { readSettings, readTensor } from "../saved.js";
import { featuresOfMixtureColumns, type MixtureColumns, mixtureColumnsSchema } from "./columns.js";
import type { MixtureView } from "./posterior.js";
import { type MixturePrior, mixturePriorSchema } from "./prior.js";

/** The method's name. */
export const name = "hypothesis-mixture";
const formatVersion = 1;

const commonSchema = z.object({
  families: z.array(z.string()),
  columns: mixtureColumnsSchema,
  range: knownRangeSchema,
  intervals: z.array(intervalScaleSchema).min(1),
});
const fittedSchema = commonSchema.extend({
  kind: z.literal("fitted"),
  prior: mixturePriorSchema,
});
const adaptedSchema = commonSchema.extend({
  kind: z.literal("adapted"),
  platformId: z.string(),
  views: z
    .array(
      z.object({
        semantics: z.enum(rewriteSemantics),
        weight: z.number().positive(),
        noiseVariance: z.number().positive(),
      }),
    )
    .min(1),
  nSamples: z.number().int().positive(),
  leastMs: z.object({ connected: z.number().positive(), unconnected: z.number().positive() }),
});

interface Common {
  readonly families: readonly string[];
  readonly columns: MixtureColumns;
  readonly range: KnownRange;
  readonly intervals: readonly IntervalScale[];
}
/** What is learned from a pool. */
export interface Learned extends Common {
  readonly prior: MixturePrior;
}
/** What is known of one target. */
export interface Adapted extends Common {
  readonly platformId: string;
  readonly views: readonly MixtureView[];
  readonly nSamples: number;
  /** Predictions are never below these: a sum extrapolated to nothing stays a latency. */
  readonly leastMs: { readonly connected: number; readonly unconnected: number };
}

interface GaussianList {
  readonly mean: Float64Array;
  readonly covariance: { readonly values: Float64Array };
}

/** Means (n, p) and covariances (n, p, p) of Gaussians as two tensors. */
function tensorsOf(prefix: string, gaussians: readonly GaussianList[]) {
  const n = gaussians.length;
  const p = gaussians[0]!.mean.length;
  const means = new Float64Array(n * p);
  const covariances = new Float64Array(n * p * p);
  gaussians.forEach(({ mean, covariance }, i) => {
    means.set(mean, i * p);
    covariances.set(covariance.values, i * p * p);
  });
  return new Map([
    [`${prefix}.mean`, { shape: [n, p], values: means }],
    [`${prefix}.covariance`, { shape: [n, p, p], values: covariances }],
  ]);
}

function readGaussians(saved: SavedPredictor, prefix: string, n: number, p: number) {
  const means = readTensor(saved, `${prefix}.mean`, [n, p]);
  const covariances = readTensor(saved, `${prefix}.covariance`, [n, p, p]);
  return Array.from({ length: n }, (_, i) => ({
    mean: means.slice(i * p, (i + 1) * p),
    covariance: matrix(p, p, covariances.slice(i * p * p, (i + 1) * p * p)),
  }));
}

function checkColumns({ names, kinds, scale }: MixtureColumns): void {
  if (kinds.length !== names.length || scale.length !== names.length) {
    throw new FormatError(
      `predictor "${name}": columns has ${names.length} names, ${kinds.length} kinds and ${scale.length} scales, which must be as many`,
      { field: "settings.columns" },
    );
  }
}

/** What a fitted predictor is saved as. */
export function saveFitted({ prior, ...settings }: Learned): SavedPredictor {
  const { components, semantics, noise } = prior;
  return {
    method: name,
    formatVersion,
    settings: {
      kind: "fitted",
      ...settings,
      prior: {
        logWeights: components.map(({ logWeight }) => logWeight),
        semantics,
        noise,
      },
    },
    tensors: tensorsOf("components", components),
    features: featuresOfMixtureColumns(settings.columns),
  };
}

/** The inverse of `saveFitted`; throws FormatError on another method, version or shape. */
export function loadFitted(saved: SavedPredictor): Learned {
  const {
    prior,
    kind: _,
    ...others
  } = readSettings(saved, { method: name, formatVersion }, fittedSchema);
  checkColumns(others.columns);
  const p = others.columns.names.length;
  const components = readGaussians(saved, "components", prior.logWeights.length, p).map(
    (gaussian, i) => ({ ...gaussian, logWeight: prior.logWeights[i]! }),
  );
  return {
    ...others,
    prior: {
      components,
      semantics: forEachSemantics((semantics) => prior.semantics[semantics] ?? 0),
      noise: prior.noise,
    },
  };
}

/** What an adapted predictor is saved as. */
export function saveAdapted({ views, ...others }: Adapted): SavedPredictor {
  return {
    method: name,
    formatVersion,
    settings: {
      kind: "adapted",
      ...others,
      views: views.map(({ semantics, weight, noiseVariance }) => ({
        semantics,
        weight,
        noiseVariance,
      })),
    },
    tensors: tensorsOf("views", views),
    features: featuresOfMixtureColumns(others.columns),
  };
}

/** The inverse of `saveAdapted`; throws FormatError on another method, version or shape. */
export function loadAdapted(saved: SavedPredictor): Adapted {
  const {
    views,
    kind: _,
    ...others
  } = readSettings(saved, { method: name, formatVersion }, adaptedSchema);
  checkColumns(others.columns);
  const gaussians = readGaussians(saved, "views", views.length, others.columns.names.length);
  return { ...others, views: views.map((view, v) => ({ ...view, ...gaussians[v]! })) };
}
