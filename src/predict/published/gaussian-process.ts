/**
 * Predictor `gaussian-process`: log latency of a target as a Gaussian process on counts of operators, with the source
 * platforms' own functions as one part of its covariance.
 *
 * The standard method (Rasmussen and Williams 2006, chapters 2 and 5; several tasks: Álvarez et al. 2012, arXiv
 * 1106.6251), not one publication's rebuild. Variances are not point estimates: hypotheses on a grid are weighed by
 * their marginal likelihood, first over source platforms left out one by one, then on the target's samples.
 */
import type { FeatureTable } from "../../graph/features.js";
import { matrix } from "../../tensor/linalg.js";
import { createRandom, deriveSeed, drawWithoutReplacement } from "../../tensor/random.js";
import { median } from "../../tensor/stats.js";
import { calibrateOnSources } from "../hold-out.js";
import type { Belief } from "../intervals.js";
import { emptyRange, widenRange } from "../known-range.js";
import { adaptedPredictor } from "../predict-table.js";
import type {
  AdaptedPredictor,
  FitOptions,
  FittedPredictor,
  PlatformSamples,
  Predictor,
  TrainingPool,
} from "../predictor.js";
import { breathe, checkPool, checkTarget, familiesOf, pickSamples } from "../samples.js";
import { countMatrix } from "./count-features.js";
import {
  createMixture,
  type Hypothesis,
  hypothesisGrid,
  type Networks,
  type Observed,
  type Scale,
  weighHypotheses,
} from "./gaussian-mixture.js";
import {
  type Adapted,
  type Learned,
  loadAdapted,
  loadFitted,
  name,
  saveAdapted,
  saveFitted,
} from "./gaussian-process-saved.js";
import {
  evaluateFunctions,
  fitSourceFunctions,
  functionsOf,
  type SourceFunctions,
} from "./source-functions.js";

const minSamples = 3;
/** Numbers of samples, each drawn once from every source that is left out, by which hypotheses are weighed. */
const priorSamples = [10, 20];
/** Weight of all hypotheses alike beside what sources say: a target may resemble none. */
const uniformShare = 0.1;
/** Hypotheses lighter than this share of the sum are dropped, and all but so many. */
const leastWeight = 1e-3;
const maxHypotheses = 24;
const calibrationDraws = 2;

/** Create the method. */
export function createGaussianProcess(): Predictor {
  return {
    name,
    minSamples,
    async fit(pool, options) {
      checkPool(pool);
      return createFitted(await learn(pool, options));
    },
    async load(saved) {
      return createFitted(loadFitted(saved));
    },
    async loadAdapted(saved) {
      return createAdapted(loadAdapted(saved));
    },
  };
}

/** Networks as the sources' functions and counts describe them. */
function describe(
  functions: SourceFunctions,
  networks: FeatureTable,
  rows: ArrayLike<number>,
): Networks {
  const counts = countMatrix(functions.basis.features, networks, rows);
  const { platforms } = functions;
  const shared = matrix(rows.length, platforms.length);
  evaluateFunctions(functions, counts).forEach((values, p) => {
    const { spread } = platforms[p]!;
    for (let i = 0; i < rows.length; i++) {
      shared.values[i * platforms.length + p] = values[i]! / spread;
    }
  });
  return { counts, shared };
}

function observe(
  functions: SourceFunctions,
  networks: FeatureTable,
  { rows, latencyMs, relativeSd }: PlatformSamples,
): Observed {
  return {
    ...describe(functions, networks, rows),
    logMs: latencyMs.map(Math.log),
    ownVariance: Float64Array.from(rows, (_, i) => (relativeSd?.[i] ?? 0) ** 2),
  };
}

const scaleOf = ({ basis, platforms }: SourceFunctions): Scale => ({
  unit: median(platforms.map(({ spread }) => spread)) ** 2,
  views: basis.features.views,
});

/** Weights of hypotheses before any sample of a target: their mean over sources that are each left out. */
async function learnPrior(
  functions: SourceFunctions,
  platforms: readonly PlatformSamples[],
  { networks, hypotheses }: Pick<Context, "networks" | "hypotheses">,
  options: FitOptions,
): Promise<Float64Array> {
  const uniform = 1 / hypotheses.length;
  const prior = new Float64Array(hypotheses.length).fill(uniform);
  if (platforms.length < 2) return prior;
  const alike = prior.slice();
  const sum = new Float64Array(hypotheses.length);
  let n = 0;
  for (const left of platforms) {
    await breathe(options);
    const others = functionsOf(
      functions,
      platforms.filter((p) => p !== left).map(({ platformId }) => platformId),
    );
    for (const nSamples of priorSamples) {
      if (left.rows.length < nSamples) continue;
      const random = createRandom(deriveSeed(options.seed, `prior/${left.platformId}/${nSamples}`));
      const drawn = pickSamples(left, drawWithoutReplacement(random, left.rows.length, nSamples));
      const observed = observe(others, networks, drawn);
      weighHypotheses(hypotheses, alike, observed, scaleOf(others)).forEach((weight, h) => {
        sum[h]! += weight;
      });
      n++;
    }
  }
  return sum.map((weight) => (weight / n + uniformShare * uniform) / (1 + uniformShare));
}

interface Context {
  readonly networks: FeatureTable;
  readonly hypotheses: readonly Hypothesis[];
}

async function learn({ networks, platforms }: TrainingPool, options: FitOptions): Promise<Learned> {
  await breathe(options);
  const functions = fitSourceFunctions(networks, platforms, options.seed);
  const hypotheses = hypothesisGrid(functions.basis.features.views.length);
  const context = { networks, hypotheses };
  const rows = new Set(platforms.flatMap((platform) => [...platform.rows]));
  const learned: Learned = {
    families: familiesOf(platforms),
    range: widenRange(emptyRange, networks, rows),
    functions,
    hypotheses,
    prior: await learnPrior(functions, platforms, context, options),
    intervals: [],
  };
  const intervals = await calibrateOnSources(
    {
      sources: platforms.map((samples) => ({ samples })),
      networks,
      draws: calibrationDraws,
      learnFrom: async (others) => {
        const samples = others.map((source) => source.samples);
        const ofOthers = functionsOf(
          functions,
          samples.map(({ platformId }) => platformId),
        );
        const heldOut = {
          ...learned,
          functions: ofOthers,
          prior: await learnPrior(ofOthers, samples, context, options),
        };
        return (target, testRows) =>
          predictRows(adapt(target, networks, heldOut), networks, testRows);
      },
    },
    options,
  );
  return { ...learned, intervals };
}

function adapt(target: PlatformSamples, networks: FeatureTable, learned: Learned): Adapted {
  const { functions, hypotheses, prior } = learned;
  const observed = observe(functions, networks, target);
  const weights = weighHypotheses(hypotheses, prior, observed, scaleOf(functions));
  const kept = Array.from(weights.keys())
    .filter((h) => weights[h]! > leastWeight)
    .sort((a, b) => weights[b]! - weights[a]!)
    .slice(0, maxHypotheses);
  const total = kept.reduce((sum, h) => sum + weights[h]!, 0);
  return {
    platformId: target.platformId,
    families: learned.families,
    range: widenRange(learned.range, networks, target.rows),
    intervals: learned.intervals,
    nSamples: target.rows.length,
    functions,
    observed,
    hypotheses: kept.map((h) => hypotheses[h]!),
    weights: Float64Array.from(kept, (h) => weights[h]! / total),
  };
}

function predictRows(adapted: Adapted, networks: FeatureTable, rows: ArrayLike<number>): Belief {
  const { functions, hypotheses, weights, observed } = adapted;
  const mixture = createMixture(hypotheses, weights, observed, scaleOf(functions));
  const { mean, variance } = mixture.predict(describe(functions, networks, rows));
  return { meanMs: mean.map(Math.exp), deviation: variance.map(Math.sqrt) };
}

function createFitted(learned: Learned): FittedPredictor {
  return {
    name,
    trainedFamilies: learned.families,
    async adapt(target, networks, options) {
      checkTarget(target, networks, { name, minSamples });
      await breathe(options);
      return createAdapted(adapt(target, networks, learned));
    },
    save: () => saveFitted(learned),
  };
}

function createAdapted(adapted: Adapted): AdaptedPredictor {
  return adaptedPredictor(adapted, {
    name,
    beliefOf: (networks, rows) => predictRows(adapted, networks, rows),
    save: () => saveAdapted(adapted),
  });
}
