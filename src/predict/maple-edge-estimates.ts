/**
 * What stands in for a descriptor where nobody measured operators, as in published tables: how a platform's log
 * latency rises with the work of each group of operators, estimated from some of its samples.
 *
 * Ours: the publication always has descriptors. Sources are described by many draws of as few samples as a target
 * has, so that a network trained on them has met estimates as rough as the target's.
 */
import { z } from "zod";
import type { FeatureTable } from "../graph/features.js";
import {
  addDiagonal,
  cholesky,
  type Matrix,
  multiplyVector,
  solveCholesky,
  symmetricProduct,
  transposedTimesVector,
} from "../tensor/linalg.js";
import { createRandom, deriveSeed, drawWithoutReplacement } from "../tensor/random.js";
import { mean } from "../tensor/stats.js";
import type { PlatformSamples } from "./predictor.js";
import {
  columnsOfView,
  countFeaturesOf,
  countFeaturesSchema,
  countMatrix,
  describeCountFeatures,
} from "./published/count-features.js";
import { pickSamples } from "./samples.js";

/** Plain JSON, part of a saved predictor. */
export const estimateFormSchema = z.object({
  features: countFeaturesSchema,
  /** Slopes that estimates are drawn to: their mean over source platforms. */
  expected: z.array(z.number()),
  /** Mean and deviation of the sources' estimates, by which all are standardised. */
  centre: z.array(z.number()),
  spread: z.array(z.number().positive()),
});
export type EstimateForm = z.infer<typeof estimateFormSchema>;

/** Draws a source, and samples a draw. */
const draws = 24;
const samplesPerDraw = 10;
/** Weight of the expected slopes in samples: on source platforms 2 and 5 did equally well. */
const priorSamples = 2;
/** Standardised estimates are cut here. */
const limit = 4;

/** Slopes of log latency on standardised amounts of work, drawn to the expected ones. */
function slopesOf(counts: Matrix, logs: Float64Array, expected: Float64Array): Float64Array {
  const believed = multiplyVector(counts, expected);
  const residual = logs.map((value, i) => value - believed[i]!);
  const centre = mean(residual);
  const right = transposedTimesVector(
    counts,
    residual.map((value) => value - centre),
  );
  const lower = cholesky(addDiagonal(symmetricProduct(counts), priorSamples));
  return solveCholesky(lower, right).map((value, j) => value + expected[j]!);
}

function slopesOfSamples(
  form: Pick<EstimateForm, "features" | "expected">,
  networks: FeatureTable,
  { rows, latencyMs }: PlatformSamples,
): Float64Array {
  const all = countMatrix(form.features, networks, rows);
  const counts = columnsOfView(all, form.features.views[0]!);
  return slopesOf(counts, latencyMs.map(Math.log), Float64Array.from(form.expected));
}

/** A platform's description: its slopes, standardised. */
export function estimateVector(
  form: EstimateForm,
  networks: FeatureTable,
  samples: PlatformSamples,
): Float32Array {
  return standardised(form, slopesOfSamples(form, networks, samples));
}

function standardised({ centre, spread }: EstimateForm, slopes: Float64Array): Float32Array {
  return Float32Array.from(slopes, (slope, j) =>
    Math.min(Math.max((slope - centre[j]!) / spread[j]!, -limit), limit),
  );
}

/** Numbers of a description. */
export const estimateWidth = ({ expected }: EstimateForm): number => expected.length;

/** What the numbers of a description are, in order. */
export function estimateFeatures({ features }: EstimateForm) {
  const names = describeCountFeatures(features);
  return features.views[0]!.map((column) => ({
    name: `slope of log latency on ${names[column]!.name}`,
    unit: "standardised",
  }));
}

/**
 * Describe source platforms, each by several draws of its samples, and learn how to describe others.
 *
 * @returns the form, and for each platform its descriptions
 */
export function estimatesOfSources(
  networks: FeatureTable,
  platforms: readonly PlatformSamples[],
  seed: number,
): { form: EstimateForm; vectors: Float32Array[][] } {
  const rows = [...new Set(platforms.flatMap((platform) => [...platform.rows]))];
  const features = countFeaturesOf(networks, rows, deriveSeed(seed, "count features"));
  const width = features.views[0]!.length;
  const none = Array.from({ length: width }, () => 0);
  const full = platforms.map((platform) =>
    slopesOfSamples({ features, expected: none }, networks, platform),
  );
  const expected = none.map((_, j) => mean(full.map((slopes) => slopes[j]!)));
  const drawn = platforms.map((platform) => {
    const random = createRandom(deriveSeed(seed, `estimates/${platform.platformId}`));
    const n = Math.min(samplesPerDraw, platform.rows.length);
    return Array.from({ length: draws }, () =>
      slopesOfSamples(
        { features, expected },
        networks,
        pickSamples(platform, drawWithoutReplacement(random, platform.rows.length, n)),
      ),
    );
  });
  const all = drawn.flat();
  const centre = none.map((_, j) => mean(all.map((slopes) => slopes[j]!)));
  const spread = none.map(
    (_, j) => Math.sqrt(mean(all.map((slopes) => (slopes[j]! - centre[j]!) ** 2))) + 1e-3,
  );
  const form = { features, expected, centre, spread };
  return { form, vectors: drawn.map((slopes) => slopes.map((of) => standardised(form, of))) };
}
