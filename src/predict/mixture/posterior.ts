/**
 * From a target's few samples to an evidence-weighted mixture: which operators its runtime executes, what they cost,
 * how noisy it is.
 *
 * Hypotheses are all combinations of rewrite semantics, component of the prior and relative noise. Those of one
 * semantics share their columns and are merged to one Gaussian by their moments: a *view*.
 */
import type { RewriteSemantics } from "../../graph/features.js";
import { type Matrix, matrix, multiplyVector } from "../../tensor/linalg.js";
import { median } from "../../tensor/stats.js";
import { type Gaussian, mixMoments } from "../bayes-linear.js";
import type { Component, MixturePrior } from "./prior.js";
import {
  createRegression,
  type PreparedRegression,
  prepareRegression,
  type Regression,
  type RegressionSamples,
} from "./regression.js";

/** One way to see a network, with what the samples say of it. */
export interface MixtureView extends Gaussian {
  readonly semantics: RewriteSemantics;
  readonly weight: number;
  /** Square of the relative noise, averaged over hypotheses. */
  readonly noiseVariance: number;
}

const noiseGrid = [0.004, 0.008, 0.015, 0.025, 0.04, 0.065, 0.1, 0.16, 0.25];
/** Noise of a platform unlike all sources: share of belief, typical value and spread of its logarithm. */
const unlikeNoise = { share: 0.3, sd: 0.05, sdLog: 1.2 };
/** How freely all coefficients may scale together: a platform's speed is unknown. */
const scaleSpread = 0.5;
/** Hypotheses below this share of the best one are dropped, and views below this share of all. */
const leastWeight = { hypothesis: 1e-3, view: 0.02 };
/** An expected latency below this share of a typical one says nothing of a platform's speed. */
const leastExpected = 0.05;

function logNoisePrior({ noise }: MixturePrior): number[] {
  const density = (value: number, centre: number, sd: number) =>
    Math.exp(-0.5 * ((value - centre) / sd) ** 2) / sd;
  return noiseGrid.map((sd) => {
    const value = Math.log(sd);
    return Math.log(
      (1 - unlikeNoise.share) * density(value, noise.meanLog, noise.sdLog) +
        unlikeNoise.share * density(value, Math.log(unlikeNoise.sd), unlikeNoise.sdLog),
    );
  });
}

/** The component for a target of about `speed` ms per typical latency. */
function atSpeed({ mean, covariance }: Component, speed: number): Gaussian {
  const p = mean.length;
  const common = scaleSpread ** 2;
  const values = new Float64Array(p * p);
  for (let j = 0; j < p; j++) {
    for (let k = 0; k < p; k++) {
      values[j * p + k] =
        speed ** 2 * (covariance.values[j * p + k]! + common * mean[j]! * mean[k]!);
    }
  }
  return { mean: mean.map((value) => value * speed), covariance: matrix(p, p, values) };
}

/** Speed of the target against a component's expectation, robustly. */
function roughSpeed(design: Matrix, latencyMs: Float64Array, { mean }: Component): number {
  const expected = multiplyVector(design, mean);
  return median(latencyMs.map((latency, i) => latency / Math.max(expected[i]!, leastExpected)));
}

interface Hypothesis {
  readonly semantics: RewriteSemantics;
  readonly prepared: PreparedRegression;
  readonly noiseSd: number;
  readonly logWeight: number;
}

/** Noise levels tried first; a semantics and component hopeless at all of these is hopeless. */
const coarseLevels = [1, 3, 5, 7];
/** Logarithm of how much worse than the best a hypothesis may be at coarse levels to be looked at closely. */
const hopeless = 12;

function hypothesesOf(
  prior: MixturePrior,
  classes: readonly SemanticsClass[],
  designOf: (semantics: RewriteSemantics) => Matrix,
  regression: Regression,
  latencyMs: Float64Array,
): Hypothesis[] {
  const logNoise = logNoisePrior(prior);
  const candidates = classes.flatMap(({ semantics, share }) => {
    const design = designOf(semantics);
    return prior.components.map((component) => {
      const speed = roughSpeed(design, latencyMs, component);
      const prepared = prepareRegression(design, latencyMs, atSpeed(component, speed));
      const logWeightAt = (level: number) =>
        regression.logEvidenceOf(prepared, noiseGrid[level]!) +
        Math.log(share) +
        component.logWeight +
        logNoise[level]!;
      const coarse = coarseLevels.map(logWeightAt);
      return { semantics, prepared, logWeightAt, coarse, best: Math.max(...coarse) };
    });
  });
  const best = candidates.reduce((max, candidate) => Math.max(max, candidate.best), -Infinity);
  return candidates
    .filter((candidate) => candidate.best > best - hopeless)
    .flatMap(({ semantics, prepared, logWeightAt, coarse }) =>
      noiseGrid.map((noiseSd, level) => {
        const known = coarseLevels.indexOf(level);
        const logWeight = known < 0 ? logWeightAt(level) : coarse[known]!;
        return { semantics, prepared, noiseSd, logWeight };
      }),
    );
}

/** Rewrite semantics that the target's networks do not tell apart, by one of them, and their prior probability. */
export interface SemanticsClass {
  readonly semantics: RewriteSemantics;
  readonly share: number;
}

/**
 * Views of a target in the light of its samples, weights adding up to 1.
 *
 */
export function learnMixtureViews(
  prior: MixturePrior,
  classes: readonly SemanticsClass[],
  designOf: (semantics: RewriteSemantics) => Matrix,
  samples: RegressionSamples,
): MixtureView[] {
  const regression = createRegression(samples);
  const hypotheses = hypothesesOf(prior, classes, designOf, regression, samples.latencyMs);
  const best = hypotheses.reduce((max, { logWeight }) => Math.max(max, logWeight), -Infinity);
  const plausible = hypotheses.flatMap((hypothesis) => {
    const weight = Math.exp(hypothesis.logWeight - best);
    return weight < leastWeight.hypothesis ? [] : [{ ...hypothesis, weight }];
  });
  const views = classes.flatMap(({ semantics }): MixtureView[] => {
    const members = plausible.filter((hypothesis) => hypothesis.semantics === semantics);
    if (members.length === 0) return [];
    const weights = members.map(({ weight }) => weight);
    const weight = weights.reduce((sum, value) => sum + value, 0);
    const noiseVariance =
      members.reduce((sum, member) => sum + member.weight * member.noiseSd ** 2, 0) / weight;
    const gaussian = mixMoments(
      members.map(({ prepared, noiseSd }) => regression.gaussianOf(prepared, noiseSd)),
      weights,
    );
    return [{ ...gaussian, semantics, weight, noiseVariance }];
  });
  const total = views.reduce((sum, { weight }) => sum + weight, 0);
  const kept = views.filter(({ weight }) => weight >= leastWeight.view * total);
  const keptTotal = kept.reduce((sum, { weight }) => sum + weight, 0);
  return kept.map((view) => ({ ...view, weight: view.weight / keptTotal }));
}
