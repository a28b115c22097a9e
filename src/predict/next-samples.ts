/**
 * What to measure next on a target that a predictor is adapted to, and how accurate it then expects to be.
 *
 * The views are the hypotheses. Measuring narrows coefficients as in any linear Gaussian model, whatever the latencies
 * turn out to be; that views change their weights and noise its estimate is left out.
 */
import type { FeatureTable } from "../graph/features.js";
import { mean } from "../tensor/stats.js";
import type { Gaussian } from "./bayes-linear.js";
import { type ChooseOptions, chooseRows, type LatencyHypothesis } from "./choose-samples.js";
import { expectedCoverage, type IntervalScale } from "./intervals.js";
import type { NextSamples } from "./predictor.js";

const tenPercent = 0.1;

/** What an adapted predictor of views knows of its target. */
interface AdaptedViews<View> {
  readonly views: readonly View[];
  readonly intervals: readonly IntervalScale[];
  readonly nSamples: number;
}

/**
 * Choose the networks whose measurement lowers the variance of all others most.
 *
 * The expectation uses the width calibration for the samples that the target has now: one for more samples would mix
 * what measuring changes with what holding out sources happened to find.
 *
 * @param designOf - columns of networks as a view sees them
 * @throws InputError when fewer candidates are connected than are asked for
 */
export function chooseNextSamples<
  View extends Gaussian & { readonly weight: number; readonly noiseVariance: number },
>(
  { views, intervals, nSamples }: AdaptedViews<View>,
  designOf: (view: View) => LatencyHypothesis["designOf"],
  networks: FeatureTable,
  options: ChooseOptions,
): NextSamples {
  const hypotheses = views.map((view) => ({
    weight: view.weight,
    mean: view.mean,
    covariance: view.covariance,
    // The samples have told it.
    speedSpread: 0,
    noiseVariance: view.noiseVariance,
    designOf: designOf(view),
  }));
  const { rows, relativeVariance } = chooseRows(networks, hypotheses, options);
  const expectedWithinTenPercent = Float64Array.from(relativeVariance, (variances) =>
    mean(
      variances.map((variance) =>
        expectedCoverage(intervals, nSamples, tenPercent / Math.sqrt(Math.log1p(variance))),
      ),
    ),
  );
  return { rows, expectedWithinTenPercent };
}
