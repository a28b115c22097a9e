/**
 * From a target's few samples to an evidence-weighted mixture of additive models.
 *
 * Hypotheses: rewrite semantics × form of the columns × width of the prior × relative noise. Those that share
 * features (semantics and form) are merged to one Gaussian by their moments: a *view*.
 */
import type { RewriteSemantics } from "../graph/features.js";
import { type Matrix, matrix, multiplyVector } from "../tensor/linalg.js";
import { median } from "../tensor/stats.js";
import { type AdditivePrior, additiveSemantics, type CostForm } from "./additive-prior.js";
import {
  type Gaussian,
  gaussianOf,
  mixMoments,
  type Posterior,
  preparePrior,
  regress,
} from "./bayes-linear.js";

/** One way to see a network, with what the samples say of it. */
export interface View extends Gaussian {
  readonly form: CostForm;
  readonly semantics: RewriteSemantics;
  readonly weight: number;
  /** Square of the relative noise, averaged over hypotheses. */
  readonly noiseVariance: number;
}

/** What a form contributes: its prior and the features of the samples. */
export interface FormEvidence {
  readonly form: CostForm;
  readonly prior: AdditivePrior;
  /** Probability of each of `additiveSemantics`, 0 for those that are known not to be the target's. */
  readonly semantics: readonly number[];
  readonly designOf: (semantics: RewriteSemantics) => Matrix;
  /** How well the target's own columns are known, relative; exactly when omitted. */
  readonly columnSd?: Float64Array;
}

const noiseGrid = [0.005, 0.01, 0.02, 0.035, 0.06, 0.1, 0.16, 0.25, 0.4];
/** Spreads added to each coefficient, as shares of a typical latency: a target may resemble no source. */
const extraSpreads = [0, 0.05, 0.15, 0.3];
const logPenaltyPerSpread = 0.5;
/** How freely all coefficients may scale together. Without a descriptor a platform's speed is unknown. */
const scaleSpread: Readonly<Record<CostForm, number>> = { counts: 0.5, descriptor: 0.5 };
/** Hypotheses below this share of the best one are dropped. */
const leastWeight = 1e-4;

function scaledPrior(
  { prior, form, columnSd }: FormEvidence,
  scale: number,
  extra: number,
): Gaussian {
  const p = prior.mean.length;
  const covariance = matrix(p, p);
  const common = scaleSpread[form] ** 2;
  for (let j = 0; j < p; j++) {
    for (let k = 0; k < p; k++) {
      covariance.values[j * p + k] =
        scale ** 2 *
        (prior.covariance.values[j * p + k]! + common * prior.mean[j]! * prior.mean[k]!);
    }
    const ownError = (columnSd?.[j] ?? 0) * prior.mean[j]!;
    const wider = extra / prior.columnShare[j]!;
    covariance.values[j * p + j]! += scale ** 2 * (wider ** 2 + ownError ** 2);
  }
  return { mean: prior.mean.map((value) => value * scale), covariance };
}

/** Speed of the target against the prior's mean platform, robustly. */
function roughScale(design: Matrix, latencyMs: Float64Array, prior: AdditivePrior): number {
  const expected = multiplyVector(design, prior.mean);
  const typical = median(expected.map(Math.abs));
  return median(
    latencyMs.map((latency, i) => latency / Math.max(expected[i]!, 0.05 * typical, 1e-12)),
  );
}

/** How freely all coefficients may scale together before anything is measured: what sources show of it is in the prior. */
const scaleSpreadOfDescriptor = 0.1;

/**
 * Views of a target of which nothing is known but its descriptor: what the prior says, weights adding up to 1.
 */
export function viewsOfDescriptor({
  form,
  prior,
  columnSd,
  semantics: shares,
}: Omit<FormEvidence, "designOf">): View[] {
  const p = prior.mean.length;
  const covariance = matrix(p, p);
  for (let j = 0; j < p; j++) {
    for (let k = 0; k < p; k++) {
      covariance.values[j * p + k] =
        prior.covariance.values[j * p + k]! +
        scaleSpreadOfDescriptor ** 2 * prior.mean[j]! * prior.mean[k]!;
    }
    const ownError = (columnSd?.[j] ?? 0) * prior.mean[j]!;
    covariance.values[j * p + j]! += ownError ** 2;
  }
  const { meanLog, sdLog } = prior.noise;
  const views = shares.flatMap((weight, s) => {
    const semantics = additiveSemantics[s]!;
    if (weight === 0) return [];
    const noiseVariance = Math.exp(2 * meanLog + 2 * sdLog ** 2);
    return [{ mean: prior.mean, covariance, form, semantics, weight, noiseVariance }];
  });
  const total = views.reduce((sum, { weight }) => sum + weight, 0);
  return views.map((view) => ({ ...view, weight: view.weight / total }));
}

interface Hypothesis extends Posterior {
  readonly form: CostForm;
  readonly semantics: RewriteSemantics;
  readonly noiseVariance: number;
  readonly logWeight: number;
}

/** Noise levels tried first; what is hopeless at all of these is hopeless. */
const coarseLevels = [1, 3, 5, 7];
/** Logarithm of how much worse than the best a hypothesis may be at coarse levels to be looked at closely. */
const hopeless = 12;

/** All noise levels under one form, semantics and width of the prior. */
interface Candidate {
  readonly at: (level: number) => Hypothesis;
  readonly coarse: readonly Hypothesis[];
}

function candidatesOf(
  evidence: FormEvidence,
  latencyMs: Float64Array,
  relativeSd: Float64Array | undefined,
): Candidate[] {
  const { form, prior, designOf } = evidence;
  return evidence.semantics.flatMap((probability, s) => {
    const semantics = additiveSemantics[s]!;
    if (probability === 0) return [];
    const design = designOf(semantics);
    const scale = roughScale(design, latencyMs, prior);
    return extraSpreads.map((extra, spread): Candidate => {
      const prepared = preparePrior(scaledPrior(evidence, scale, extra));
      const at = (level: number): Hypothesis => {
        const sd = noiseGrid[level]!;
        const posterior = regress(design, latencyMs, prepared, {
          sd,
          ...(relativeSd === undefined ? {} : { relativeSd }),
        });
        const noiseDistance = (Math.log(sd) - prior.noise.meanLog) / prior.noise.sdLog;
        return {
          ...posterior,
          form,
          semantics,
          noiseVariance: sd * sd,
          logWeight:
            posterior.logEvidence +
            Math.log(probability) -
            logPenaltyPerSpread * spread -
            0.5 * noiseDistance ** 2,
        };
      };
      return { at, coarse: coarseLevels.map(at) };
    });
  });
}

function hypothesesOf(
  forms: readonly FormEvidence[],
  latencyMs: Float64Array,
  relativeSd: Float64Array | undefined,
): Hypothesis[] {
  const candidates = forms
    .flatMap((form) => candidatesOf(form, latencyMs, relativeSd))
    .map((candidate) => ({
      ...candidate,
      best: Math.max(...candidate.coarse.map(({ logWeight }) => logWeight)),
    }));
  const best = Math.max(...candidates.map((candidate) => candidate.best));
  return candidates
    .filter((candidate) => candidate.best > best - hopeless)
    .flatMap(({ at, coarse }) =>
      noiseGrid.map((_, level) => coarse[coarseLevels.indexOf(level)] ?? at(level)),
    );
}

/** Views of a target in the light of its samples, weights adding up to 1. */
export function learnViews(
  forms: readonly FormEvidence[],
  latencyMs: Float64Array,
  relativeSd?: Float64Array,
): View[] {
  const hypotheses = hypothesesOf(forms, latencyMs, relativeSd);
  const best = hypotheses.reduce((max, { logWeight }) => Math.max(max, logWeight), -Infinity);
  const plausible = hypotheses.flatMap((hypothesis) => {
    const weight = Math.exp(hypothesis.logWeight - best);
    return weight < leastWeight ? [] : [{ ...hypothesis, ...gaussianOf(hypothesis), weight }];
  });
  const total = plausible.reduce((sum, { weight }) => sum + weight, 0);
  const views: View[] = [];
  for (const { form } of forms) {
    for (const semantics of additiveSemantics) {
      const members = plausible.filter((h) => h.form === form && h.semantics === semantics);
      if (members.length === 0) continue;
      const weights = members.map(({ weight }) => weight / total);
      const weight = weights.reduce((sum, w) => sum + w, 0);
      const noiseVariance =
        members.reduce((sum, member, h) => sum + weights[h]! * member.noiseVariance, 0) / weight;
      views.push({ ...mixMoments(members, weights), form, semantics, weight, noiseVariance });
    }
  }
  return views;
}
