/**
 * What is believed of an unseen platform before it is measured: hypotheses about its coefficients, and how common
 * each rewrite semantics is.
 *
 * Hypotheses come from the source platforms (their mean, with several widths; each of them on its own) and from how
 * machines work: launch-bound, launch- and memory-bound, compute-bound. The latter need no source that is alike.
 */
import { z } from "zod";
import { type RewriteSemantics, rewriteSemantics, unfusedSemantics } from "../../graph/features.js";
import { type Matrix, matrix } from "../../tensor/linalg.js";
import { mean, median } from "../../tensor/stats.js";
import { fitWellSampled, type Gaussian, mixMoments } from "../bayes-linear.js";
import type { ColumnKind, MixtureColumns } from "./columns.js";

/** One source platform. */
export interface SourceFit {
  readonly family: string;
  /** Shares of the platform's typical latency. */
  readonly coefficients: Float64Array;
  /** How well each semantics explains the platform, adding up to 1; in the order of `rewriteSemantics`. */
  readonly semanticsWeight: Float64Array;
  /** Relative deviation that the columns leave. */
  readonly noiseSd: number;
}

/** Semantics that a table tells apart: those with the same operators and paths are one. */
export function distinctSemantics(
  networks: {
    readonly counts: Readonly<Record<RewriteSemantics, Float32Array>>;
    readonly longestPath: Readonly<Record<RewriteSemantics, Float32Array>>;
    readonly heaviestPath: Readonly<Record<RewriteSemantics, Float32Array>>;
  },
  semanticsOf: readonly RewriteSemantics[],
): RewriteSemantics[][] {
  const classes: RewriteSemantics[][] = [];
  for (const semantics of semanticsOf) {
    const same = classes.find(
      ([first]) =>
        networks.counts[first!] === networks.counts[semantics] &&
        networks.longestPath[first!] === networks.longestPath[semantics] &&
        networks.heaviestPath[first!] === networks.heaviestPath[semantics],
    );
    if (same === undefined) classes.push([semantics]);
    else same.push(semantics);
  }
  return classes;
}

/**
 * Fit one source platform under every semantics.
 *
 * @param designOf - columns of the platform's samples under a semantics
 * @param classes - semantics that the table tells apart
 */
export function fitSource(
  family: string,
  designOf: (semantics: RewriteSemantics) => Matrix,
  classes: readonly (readonly RewriteSemantics[])[],
  latencyMs: Float64Array,
  relativeSd?: Float64Array,
): SourceFit {
  const typicalMs = median(latencyMs);
  const y = latencyMs.map((latency) => latency / typicalMs);
  const fits = classes.map(([first]) => {
    const design = designOf(first!);
    return fitWellSampled(design, y, new Float64Array(design.columns), relativeSd);
  });
  const best = Math.max(...fits.map(({ logLikelihood }) => logLikelihood));
  const raw = fits.map(({ logLikelihood }) => Math.exp(logLikelihood - best));
  const total = raw.reduce((sum, weight) => sum + weight, 0);
  const coefficients = new Float64Array(fits[0]!.coefficients.length);
  const semanticsWeight = new Float64Array(rewriteSemantics.length);
  let noiseSd = 0;
  fits.forEach((fit, c) => {
    const weight = raw[c]! / total;
    noiseSd += weight * fit.noiseSd;
    fit.coefficients.forEach((value, j) => {
      coefficients[j]! += weight * value;
    });
    for (const semantics of classes[c]!) {
      semanticsWeight[rewriteSemantics.indexOf(semantics)] = weight / classes[c]!.length;
    }
  });
  return { family, coefficients, semanticsWeight, noiseSd };
}

/** Which ingredients take part; all by default. For ablations. */
export interface MixtureSettings {
  /** Hypotheses from how machines work. */
  readonly archetypes?: boolean;
  /** Hypotheses that the target is like one of the sources. */
  readonly sources?: boolean;
  /** Rewrite semantics that take part; default `unfusedSemantics`. */
  readonly semantics?: readonly RewriteSemantics[];
  /** A runtime may run independent branches in parallel. */
  readonly parallel?: boolean;
}

const knownViews = { all: 0.35, both: 0.3, backward: 0.15, unread: 0.1, forward: 0.1 } as const;
const knownSharing = { none: 0.6, shared: 0.25, merged: 0.15, fused: 0.15 } as const;
/** What is generally known of runtimes counts as much as this many source families. */
const knownFamilies = 6;

/** How common a semantics is before any source is seen: eager frameworks and pruning compilers are, others are rare. */
function knownShare(semantics: RewriteSemantics): number {
  const [view, sharing = "none"] = semantics.split("+") as [
    keyof typeof knownViews,
    keyof typeof knownSharing | undefined,
  ];
  return knownViews[view] * knownSharing[sharing];
}

/** Coefficients by kind of column: expectations and standard deviations, 0 where not named. */
type ByKind = Readonly<Partial<Record<ColumnKind, number>>>;

/** The least a coefficient may vary, so that every covariance has an inverse. */
const leastSd = 0.003;

function vectorOf(kinds: readonly ColumnKind[], values: ByKind): Float64Array {
  return Float64Array.from(kinds, (kind) => values[kind] ?? 0);
}

function diagonal(sd: Float64Array): Matrix {
  const p = sd.length;
  const result = matrix(p, p);
  sd.forEach((value, j) => {
    result.values[j * p + j] = Math.max(value, leastSd) ** 2;
  });
  return result;
}

interface Archetype {
  readonly mean: ByKind;
  readonly sd: ByKind;
}

/** Shares of a typical latency; wide where machines differ, narrow where the archetype says what it says. */
const archetypes: readonly Archetype[] = [
  // Launch-bound: every operator with weights costs the same, whatever it computes; the others next to nothing.
  {
    mean: { skeleton: 0.5, launches: 0.5 },
    sd: {
      overhead: 0.3,
      skeleton: 0.3,
      launches: 0.2,
      macs: 0.02,
      bytes: 0.02,
      operators: 0.03,
      group: 0.03,
      elementwise: 0.03,
      count: 0.03,
    },
  },
  // Launch- and memory-bound, as with small batches: what is moved and computed shows, and no group stands out.
  {
    mean: { skeleton: 0.3, launches: 0.5 },
    sd: {
      overhead: 0.3,
      skeleton: 0.3,
      launches: 0.2,
      macs: 0.1,
      bytes: 0.1,
      operators: 0.03,
      group: 0.01,
      elementwise: 0.01,
      count: 0.01,
    },
  },
  // Operator-bound, as accelerators behind a graph compiler: whatever is executed costs alike.
  {
    mean: { skeleton: 0.4, operators: 0.3, launches: 0.3 },
    sd: {
      overhead: 0.3,
      skeleton: 0.3,
      operators: 0.15,
      launches: 0.2,
      macs: 0.05,
      bytes: 0.1,
      group: 0.07,
      elementwise: 0.05,
      count: 0.01,
    },
  },
  // Compute-bound: multiply-accumulates and bytes moved (the two slopes of the roofline, Williams et al. 2009).
  {
    mean: { skeleton: 0.2, macs: 0.4, bytes: 0.4 },
    sd: {
      overhead: 0.15,
      skeleton: 0.15,
      macs: 0.15,
      bytes: 0.15,
      operators: 0.01,
      launches: 0.01,
      group: 0.03,
      elementwise: 0.03,
      count: 0.012,
    },
  },
];

/** Spreads added to the sources' own, as shares of a typical latency: a target may resemble no source. */
const extraSpreads = [0.02, 0.05, 0.15, 0.3];
const logPenaltyPerSpread = 0.2;
/** How much of an extra spread each kind of column gets. */
const spreadShare: ByKind = {
  overhead: 1,
  skeleton: 1,
  macs: 0.5,
  bytes: 0.5,
  operators: 0.5,
  launches: 0.5,
  group: 0.7,
  elementwise: 0.25,
  count: 0.3,
};
/** Spread of the heaviest path's coefficient where branches run in parallel, and how common that is. */
const parallel = { sd: 0.3, share: 0.15 };
/** How far the covariance over sources is drawn to its diagonal: from a handful of platforms, correlations are chance. */
const shrinkage = 0.75;
const mostInflation = 10;
/** Weight of all single sources together, against 1 for their mean. */
const sourcesShare = 0.7;
/** How far a platform may be from the source that it is like. */
const sourceSpread = 0.05;
/** Spread of log noise between platforms, on top of what the sources show. */
const noiseSpread = 0.5;

/** A hypothesis about coefficients, with the logarithm of its weight. */
export interface Component extends Gaussian {
  readonly logWeight: number;
}

/** Plain JSON beside the prior's tensors. */
export const mixturePriorSchema = z.object({
  logWeights: z.array(z.number()).min(1),
  /** Probability of each rewrite semantics by name; those that an older predictor did not know are missing. */
  semantics: z.partialRecord(z.enum(rewriteSemantics), z.number().nonnegative()),
  noise: z.object({ meanLog: z.number(), sdLog: z.number().positive() }),
});

/** What is believed before a target is measured. */
export interface MixturePrior {
  readonly components: readonly Component[];
  readonly semantics: Readonly<Record<RewriteSemantics, number>>;
  /** Mean and standard deviation of the logarithm of the relative noise. */
  readonly noise: { readonly meanLog: number; readonly sdLog: number };
}

/** Source weights: siblings of a family tell less than as many strangers, more than one. */
function sourceWeights(sources: readonly SourceFit[]): Float64Array {
  const size = new Map<string, number>();
  for (const { family } of sources) size.set(family, (size.get(family) ?? 0) + 1);
  const weights = Float64Array.from(sources, ({ family }) => 1 / Math.sqrt(size.get(family)!));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Mean and covariance of a further platform's coefficients, if it is drawn like the sources. */
function overSources(sources: readonly SourceFit[], weights: Float64Array): Gaussian {
  const p = sources[0]!.coefficients.length;
  const { mean, covariance } = mixMoments(
    sources.map(({ coefficients }) => ({ mean: coefficients, covariance: matrix(p, p) })),
    weights,
  );
  const effective = 1 / weights.reduce((sum, weight) => sum + weight ** 2, 0);
  // Predictive covariance of a further platform (multivariate t), finite for few sources.
  const inflation =
    effective > 1
      ? Math.min(
          ((1 + 1 / effective) * (effective + 1)) / (effective - 1) / (1 - 1 / effective),
          mostInflation,
        )
      : 1;
  const values = covariance.values.map((value, at) => {
    const isDiagonal = Math.floor(at / p) === at % p;
    return inflation * value * (isDiagonal ? 1 : 1 - shrinkage) + (isDiagonal ? leastSd ** 2 : 0);
  });
  return { mean, covariance: matrix(p, p, values) };
}

function plus(a: Matrix, b: Matrix): Matrix {
  return matrix(
    a.rows,
    a.columns,
    a.values.map((value, at) => value + b.values[at]!),
  );
}

function scaled(values: ByKind, factor: number): ByKind {
  return Object.fromEntries(
    Object.entries(values).map(([kind, value]) => [kind, factor * value]),
  ) as ByKind;
}

function sourceComponents(
  sources: readonly SourceFit[],
  weights: Float64Array,
  kinds: readonly ColumnKind[],
  settings: MixtureSettings,
): Component[] {
  const typical = overSources(sources, weights);
  const components: Component[] = [];
  for (const isParallel of settings.parallel === false ? [false] : [false, true]) {
    const logShare = Math.log(isParallel ? parallel.share : 1 - parallel.share);
    extraSpreads.forEach((extra, level) => {
      const sd = vectorOf(kinds, {
        ...scaled(spreadShare, extra),
        ...(isParallel ? { "heaviest path": parallel.sd } : {}),
      });
      components.push({
        mean: typical.mean,
        covariance: plus(typical.covariance, diagonal(sd)),
        logWeight: logShare - logPenaltyPerSpread * level,
      });
    });
  }
  if (settings.sources !== false) {
    const sd = diagonal(vectorOf(kinds, scaled(spreadShare, sourceSpread)));
    sources.forEach(({ coefficients }, k) => {
      components.push({
        mean: coefficients,
        covariance: sd,
        logWeight: Math.log(sourcesShare * weights[k]!),
      });
    });
  }
  return components;
}

/** Learn what is to be believed of a further platform from at least one source. */
export function learnMixturePrior(
  sources: readonly SourceFit[],
  { kinds }: MixtureColumns,
  settings: MixtureSettings,
): MixturePrior {
  const weights = sourceWeights(sources);
  const components = sourceComponents(sources, weights, kinds, settings);
  if (settings.archetypes !== false) {
    for (const { mean, sd } of archetypes) {
      components.push({
        mean: vectorOf(kinds, mean),
        covariance: diagonal(vectorOf(kinds, sd)),
        logWeight: 0,
      });
    }
  }
  const nFamilies = new Set(sources.map(({ family }) => family)).size;
  const allowed = settings.semantics ?? unfusedSemantics;
  const shares = rewriteSemantics.map((semantics, s) => {
    if (!allowed.includes(semantics)) return 0;
    const seen = sources.reduce((sum, fit, k) => sum + weights[k]! * fit.semanticsWeight[s]!, 0);
    return (knownFamilies * knownShare(semantics) + nFamilies * seen) / (knownFamilies + nFamilies);
  });
  const logNoise = sources.map(({ noiseSd }) => Math.log(noiseSd));
  const meanLog = mean(logNoise);
  const variance = mean(logNoise.map((value) => (value - meanLog) ** 2));
  return {
    components,
    semantics: Object.fromEntries(
      rewriteSemantics.map((semantics, s) => [semantics, shares[s]!]),
    ) as Record<RewriteSemantics, number>,
    noise: { meanLog, sdLog: Math.sqrt(variance + noiseSpread ** 2) },
  };
}
