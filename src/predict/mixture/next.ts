/**
 * What `hypothesis-mixture` would measure next on a target that it is adapted to, and how accurate it then expects to be.
 *
 * The views are the hypotheses. Measuring narrows coefficients as in any linear Gaussian model, whatever the latencies
 * turn out to be; that views change their weights and noise its estimate is left out.
 */
import type { FeatureTable } from "../../graph/features.js";
import { mean } from "../../tensor/stats.js";
import { type ChooseOptions, chooseRows } from "../choose-samples.js";
import { expectedCoverage } from "../intervals.js";
import type { NextSamples } from "../predictor.js";
import { createMixtureDesign } from "./columns.js";
import type { Adapted } from "./saved.js";

const tenPercent = 0.1;

/**
 * Choose the networks whose measurement lowers the variance of all others most.
 *
 * The expectation uses the width calibration for the samples that the target has now: one for more samples would mix
 * what measuring changes with what holding out sources happened to find.
 *
 * @throws InputError when fewer candidates are connected than are asked for
 */
export function chooseNextSamples(
  { columns, views, intervals, nSamples }: Adapted,
  networks: FeatureTable,
  options: ChooseOptions,
): NextSamples {
  const design = createMixtureDesign(columns, networks);
  const hypotheses = views.map(({ semantics, weight, mean, covariance, noiseVariance }) => ({
    weight,
    mean,
    covariance,
    // The samples have told it.
    speedSpread: 0,
    noiseVariance,
    designOf: (rows: ArrayLike<number>) => design.of(semantics, rows),
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
