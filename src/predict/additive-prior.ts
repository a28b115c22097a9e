/**
 * What source platforms teach about the additive latency model: where coefficients lie, which rewrite semantics
 * occur, how much the model leaves unexplained.
 *
 * Pools have as few as five platforms, so the covariance is shrunk and widened, and wider priors compete with it.
 */
import { z } from "zod";
import { fusedSemantics, pruningSemantics, type RewriteSemantics } from "../graph/features.js";
import { type Matrix, matrix } from "../tensor/linalg.js";
import { mean, median } from "../tensor/stats.js";
import { fitWellSampled, type Gaussian, mixMoments } from "./bayes-linear.js";

/** Rewrite semantics that are hypotheses, in the order in which saved predictors number them. */
export const additiveSemantics = [...pruningSemantics, ...fusedSemantics] as const;

/** Where the columns' weights come from (see `cost-columns.ts`). */
export const costForms = ["counts", "descriptor"] as const;
export type CostForm = (typeof costForms)[number];

/** One source platform under one form. */
export interface SourceFit {
  readonly family: string;
  /** Per unit of `scaleMs`, so that platforms of different speed compare. */
  readonly coefficients: Float64Array;
  /** Its files hold no dead operators, so that nothing tells whether its runtime would run them. */
  readonly removesDeadOperators: boolean;
  /** How well each semantics explains the platform, adding up to 1. */
  readonly semanticsWeight: Float64Array;
  readonly noiseSd: number;
  /** How far each coefficient may be off: the descriptor's operator latencies are, and samples tell some columns poorly. */
  readonly coefficientSd: Float64Array;
  /** Root mean square of each column as a share of the platform's typical latency. */
  readonly columnShare: Float64Array;
}

/**
 * Fit one source platform under every rewrite semantics.
 *
 * @param designOf - features of the platform's samples under a semantics
 * @param centre - where coefficients that the samples cannot tell are drawn to
 */
export function fitSource(
  family: string,
  designOf: (semantics: RewriteSemantics) => Matrix,
  latencyMs: Float64Array,
  options: {
    readonly form: CostForm;
    readonly centre: (design: Matrix, y: Float64Array) => Float64Array;
    readonly relativeSd?: Float64Array;
    /** How well each column is known, relative; exactly when omitted. */
    readonly columnSd?: Float64Array;
    /** As for `fitWellSampled`. */
    readonly pullSd?: Float64Array;
    /** As in `PlatformSamples`. */
    readonly removesDeadOperators?: boolean;
  },
): SourceFit {
  const typicalMs = median(latencyMs);
  const scaleMs = options.form === "counts" ? typicalMs : 1;
  const y = latencyMs.map((latency) => latency / scaleMs);
  const designs = additiveSemantics.map(designOf);
  const fits = designs.map((design) =>
    fitWellSampled(design, y, options.centre(design, y), options.relativeSd, options.pullSd),
  );
  const best = Math.max(...fits.map(({ logLikelihood }) => logLikelihood));
  const raw = fits.map(({ logLikelihood }) => Math.exp(logLikelihood - best));
  const total = raw.reduce((sum, weight) => sum + weight, 0);
  const semanticsWeight = Float64Array.from(raw, (weight) => weight / total);
  const nColumns = designs[0]!.columns;
  const coefficients = new Float64Array(nColumns);
  const fitVariance = new Float64Array(nColumns);
  let noiseSd = 0;
  fits.forEach((fit, s) => {
    noiseSd += semanticsWeight[s]! * fit.noiseSd;
    for (let j = 0; j < nColumns; j++) {
      coefficients[j]! += semanticsWeight[s]! * fit.coefficients[j]!;
      fitVariance[j]! += semanticsWeight[s]! * fit.coefficientSd[j]! ** 2;
    }
  });
  const all = designs[0]!;
  const columnShare = Float64Array.from({ length: nColumns }, (_, j) => {
    let sum = 0;
    for (let i = 0; i < all.rows; i++) sum += all.values[i * nColumns + j]! ** 2;
    return (Math.sqrt(sum / all.rows) * scaleMs) / typicalMs;
  });
  const coefficientSd = coefficients.map((value, j) =>
    options.columnSd === undefined
      ? 0
      : Math.hypot(
          Math.max(Math.abs(value), 0.5) * options.columnSd[j]!,
          Math.sqrt(fitVariance[j]!),
        ),
  );
  return {
    family,
    removesDeadOperators: options.removesDeadOperators === true,
    coefficients,
    coefficientSd,
    semanticsWeight,
    noiseSd,
    columnShare,
  };
}

/** Plain JSON beside the prior's tensors. */
export const additivePriorSchema = z.object({
  columnShare: z.array(z.number().positive()),
  /** Probability of each of `additiveSemantics`; older predictors know the first ones only. */
  semantics: z
    .array(z.number().positive())
    .min(pruningSemantics.length)
    .max(additiveSemantics.length),
  /** The same for targets whose files hold no dead operators, 0 where it would run some; older ones know it not. */
  prunedSemantics: z.array(z.number().nonnegative()).length(additiveSemantics.length).optional(),
  /** Mean and standard deviation of the logarithm of the relative noise. */
  noise: z.object({ meanLog: z.number(), sdLog: z.number().positive() }),
});

/** What sources taught under one form. */
export interface AdditivePrior extends z.infer<typeof additivePriorSchema>, Gaussian {}

/** How far the covariance is drawn to its diagonal; below five platforms off-diagonals are chance. */
const shrinkage = 0.5;
/** Least spread of a coefficient, as a share of a typical latency. */
const leastSpread = 0.003;
/** In-network over isolated cost differs between runtimes by at least this, however alike the sources are. */
const leastRelativeSpread = 0.1;
/** Columns that matter less than this share count as this much when a spread is turned into a coefficient. */
const leastShare = 0.02;
/** Pseudo-count of a semantics that no source follows. */
const semanticsPseudoCount = 0.3;
/** Spread of log noise between platforms, on top of what the sources show. */
const noiseSpread = 0.5;

/** Source weights: siblings of a family tell less than as many strangers, more than one. */
function sourceWeights(sources: readonly SourceFit[]): Float64Array {
  const size = new Map<string, number>();
  for (const { family } of sources) size.set(family, (size.get(family) ?? 0) + 1);
  return Float64Array.from(sources, ({ family }) => 1 / Math.sqrt(size.get(family)!));
}

/**
 * Mean and covariance of coefficients over platforms, weighing each source by how well its columns are known
 * (random-effects model of DerSimonian and Laird 1986, by fixed-point iteration). No correlations: with errors of
 * that size, a handful of platforms tells none.
 */
function randomEffects(sources: readonly SourceFit[], weights: Float64Array): Gaussian {
  const p = sources[0]!.coefficients.length;
  const centre = new Float64Array(p);
  const covariance = matrix(p, p);
  for (let j = 0; j < p; j++) {
    const values = sources.map(({ coefficients }) => coefficients[j]!);
    const variances = sources.map(({ coefficientSd }) => coefficientSd[j]! ** 2);
    let between = mean(values.map((value) => (value - mean(values)) ** 2));
    let total = 1;
    for (let iteration = 0; iteration < 20; iteration++) {
      const trust = variances.map((variance, k) => weights[k]! / (between + variance + 1e-6));
      total = trust.reduce((sum, w) => sum + w, 0);
      centre[j] = trust.reduce((sum, w, k) => sum + w * values[k]!, 0) / total;
      const excess = trust.reduce(
        (sum, w, k) => sum + w * ((values[k]! - centre[j]!) ** 2 - variances[k]!),
        0,
      );
      between = Math.max(excess / total, 0);
    }
    const scale = weights.reduce((sum, w) => sum + w, 0) / weights.length;
    covariance.values[j * p + j] =
      between + scale / total + (leastRelativeSpread * centre[j]!) ** 2;
  }
  return { mean: centre, covariance };
}

/** A target whose files hold no dead operators prunes them, whatever its runtime would do. */
const prunes = (semantics: RewriteSemantics) => /^(backward|both)/.test(semantics);

/** The semantics that a platform would have if its files held no dead operators. */
const prunedForm = (semantics: RewriteSemantics) =>
  semantics.replace(/^all/, "backward").replace(/^forward/, "both") as RewriteSemantics;

/** How common each semantics is among sources, siblings counting less than strangers. */
function sharesOf(sources: readonly SourceFit[], weightOf: (fit: SourceFit, s: number) => number) {
  const weights = sourceWeights(sources);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return additiveSemantics.map((_, s) => {
    let count = semanticsPseudoCount;
    sources.forEach((fit, k) => {
      count += (weights[k]! / total) * sources.length * weightOf(fit, s);
    });
    return count / (sources.length + semanticsPseudoCount * additiveSemantics.length);
  });
}

/**
 * Probabilities of the semantics. Sources whose files hold no dead operators say nothing of whether other runtimes run
 * them. A target whose files hold none is like such sources where there are any, else like the others without them.
 */
function semanticsOfSources(
  sources: readonly SourceFit[],
): Pick<AdditivePrior, "semantics" | "prunedSemantics"> {
  const telling = sources.filter(({ removesDeadOperators }) => !removesDeadOperators);
  const alike = sources.filter(({ removesDeadOperators }) => removesDeadOperators);
  const pruned = sharesOf(alike.length > 0 ? alike : sources, ({ semanticsWeight }, s) =>
    additiveSemantics.reduce(
      (sum, semantics, other) =>
        prunedForm(semantics) === additiveSemantics[s] ? sum + semanticsWeight[other]! : sum,
      0,
    ),
  );
  const possible = pruned.map((share, s) => (prunes(additiveSemantics[s]!) ? share : 0));
  const sum = possible.reduce((total, share) => total + share, 0);
  return {
    semantics: sharesOf(
      telling.length > 0 ? telling : sources,
      ({ semanticsWeight }, s) => semanticsWeight[s]!,
    ),
    prunedSemantics: possible.map((share) => share / sum),
  };
}

/**
 * Probability of each of `additiveSemantics` for a target, 0 where it is known to be another.
 *
 * @param removesDeadOperators - as in `PlatformSamples`
 */
export function semanticsOfTarget(
  { semantics, prunedSemantics }: Pick<AdditivePrior, "semantics" | "prunedSemantics">,
  removesDeadOperators: boolean,
): readonly number[] {
  if (!removesDeadOperators) return semantics;
  return (
    prunedSemantics ?? semantics.map((share, s) => (prunes(additiveSemantics[s]!) ? share : 0))
  );
}

/** Learn the prior of one form from source platforms, at least one. */
export function learnPrior(sources: readonly SourceFit[]): AdditivePrior {
  const p = sources[0]!.coefficients.length;
  const weights = sourceWeights(sources);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const effective = total ** 2 / weights.reduce((sum, weight) => sum + weight ** 2, 0);
  const isExact = sources.every(({ coefficientSd }) => coefficientSd.every((sd) => sd === 0));
  const spread = isExact
    ? mixMoments(
        sources.map(({ coefficients }) => ({ mean: coefficients, covariance: matrix(p, p) })),
        weights,
      )
    : randomEffects(sources, weights);
  // Predictive covariance of a further platform (multivariate t), finite for few sources.
  const inflation =
    effective > 1
      ? ((1 + 1 / effective) * (effective + 1)) / (effective - 1) / (1 - 1 / effective)
      : 1;
  const columnShare = Array.from({ length: p }, (_, j) =>
    Math.max(leastShare, mean(sources.map((source) => source.columnShare[j]!))),
  );
  const covariance = matrix(p, p);
  for (let j = 0; j < p; j++) {
    for (let k = 0; k < p; k++) {
      const value = Math.min(inflation, 10) * spread.covariance.values[j * p + k]!;
      covariance.values[j * p + k] =
        j === k ? value + (leastSpread / columnShare[j]!) ** 2 : (1 - shrinkage) * value;
    }
  }
  const logNoise = sources.map(({ noiseSd }) => Math.log(noiseSd));
  const meanLog = mean(logNoise);
  const variance = mean(logNoise.map((value) => (value - meanLog) ** 2));
  return {
    mean: spread.mean,
    covariance,
    columnShare,
    ...semanticsOfSources(sources),
    noise: { meanLog, sdLog: Math.sqrt(variance + noiseSpread ** 2) },
  };
}
