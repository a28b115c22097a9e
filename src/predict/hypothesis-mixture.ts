/**
 * Predictor `hypothesis-mixture`: latency as a sum of operator costs, averaged over hypotheses that a target's samples
 * weigh by evidence: what the runtime executes of a graph, what kind of machine it is, how noisy it is.
 *
 * Learns from source platforms where costs lie (`mixture/prior.ts`), weighs hypotheses by the samples
 * (`mixture/posterior.ts`), and checks its interval widths by holding out one source family after another.
 * No neural network; reads no descriptor.
 */
import {
  type FeatureTable,
  type RewriteSemantics,
  rewriteSemantics,
  unfusedSemantics,
} from "../graph/features.js";
import { mean } from "../tensor/stats.js";
import { mixMoments } from "./bayes-linear.js";
import { chooseRows, type LatencyHypothesis } from "./choose-samples.js";
import { costsOfViews } from "./cost-views.js";
import { calibrateOnSources, leavesSiblings } from "./hold-out.js";
import { type Belief, notBelowBelief } from "./intervals.js";
import { emptyRange, widenRange } from "./known-range.js";
import { beliefOfViews, leastOfSamples } from "./linear-views.js";
import { columnsOfNetworks, createMixtureDesign } from "./mixture/columns.js";
import { learnMixtureViews, type MixtureView } from "./mixture/posterior.js";
import {
  distinctSemantics,
  fitSource,
  learnMixturePrior,
  type MixturePrior,
  type MixtureSettings,
  type SourceFit,
} from "./mixture/prior.js";
import { regressionSamples } from "./mixture/regression.js";
import {
  type Adapted,
  type Learned,
  loadAdapted,
  loadFitted,
  name,
  saveAdapted,
  saveFitted,
} from "./mixture/saved.js";
import { chooseNextSamples } from "./next-samples.js";
import { adaptedPredictor } from "./predict-table.js";
import type {
  AdaptedPredictor,
  FitOptions,
  FittedPredictor,
  PlatformSamples,
  Predictor,
  TrainingPool,
} from "./predictor.js";
import { breathe, checkPool, checkTarget, familiesOf, limitSamples } from "./samples.js";

const minSamples = 3;
/** Source samples beyond these teach nothing more about a dozen coefficients. */
const maxSourceSamples = 1000;

/** Numbers of target samples at which interval widths are checked, and how often for each source. */
const calibrationSamples = [10, 30];
const calibrationDraws = 3;

/** Create the method; settings leave out ingredients, for ablations. */
export function createHypothesisMixture(settings: MixtureSettings = {}): Predictor {
  return {
    name,
    minSamples,
    async fit(pool, options) {
      checkPool(pool);
      return createFitted(await learn(pool, settings, options));
    },
    async load(saved) {
      return createFitted(loadFitted(saved));
    },
    async loadAdapted(saved) {
      return createAdapted(loadAdapted(saved));
    },
  };
}

interface Source {
  readonly samples: PlatformSamples;
  readonly fit: SourceFit;
}

async function learn(
  pool: TrainingPool,
  settings: MixtureSettings,
  options: FitOptions,
): Promise<Learned> {
  const { networks } = pool;
  const platforms = pool.platforms.map((platform) =>
    limitSamples(platform, maxSourceSamples, options.seed),
  );
  const rows = new Set<number>();
  for (const platform of platforms) for (const row of platform.rows) rows.add(row);
  const columns = columnsOfNetworks(networks, [...rows]);
  const design = createMixtureDesign(columns, networks);
  const classes = distinctSemantics(networks, settings.semantics ?? unfusedSemantics);
  const sources: Source[] = [];
  for (const samples of platforms) {
    const { family, latencyMs, relativeSd } = samples;
    const designOf = (semantics: RewriteSemantics) => design.of(semantics, samples.rows);
    sources.push({ samples, fit: fitSource(family, designOf, classes, latencyMs, relativeSd) });
    options.onProgress?.(sources.length, platforms.length, "platforms");
    await breathe(options);
  }
  const priorOf = (of: readonly Source[]): MixturePrior =>
    learnMixturePrior(
      of.map(({ fit }) => fit),
      columns,
      settings,
    );
  const learned: Learned = {
    families: familiesOf(platforms),
    columns,
    range: widenRange(emptyRange, networks, rows),
    prior: priorOf(sources),
    intervals: [],
  };
  const intervals = await calibrateOnSources(
    {
      sources,
      networks,
      learnFrom: (others) => {
        const heldOut = { ...learned, prior: priorOf(others) };
        return (target, testRows) =>
          predictRows(adapt(target, networks, heldOut), networks, testRows);
      },
      samples: calibrationSamples,
      draws: calibrationDraws,
    },
    options,
  );
  const onlySiblings = leavesSiblings(platforms);
  return {
    ...learned,
    intervals: intervals.map((scale) => notBelowBelief(scale, onlySiblings)),
  };
}

/** Semantics that a table tells apart and that are possible, each with its prior probability. */
function possibleClasses(
  networks: FeatureTable,
  { semantics }: MixturePrior,
  isPossible: (semantics: RewriteSemantics) => boolean,
) {
  return distinctSemantics(networks, rewriteSemantics).flatMap((members) => {
    const possible = members.filter((member) => isPossible(member) && semantics[member] > 0);
    const share = possible.reduce((sum, member) => sum + semantics[member], 0);
    return possible.length === 0 ? [] : [{ semantics: possible[0]!, share }];
  });
}

function adapt(target: PlatformSamples, networks: FeatureTable, learned: Learned): Adapted {
  const { families, columns, prior, intervals } = learned;
  const { rows, latencyMs, relativeSd } = target;
  const design = createMixtureDesign(columns, networks);
  // A converter that removes dead operators leaves none for the runtime to execute.
  const isPossible = (semantics: RewriteSemantics) =>
    target.removesDeadOperators !== true || /^(backward|both)/.test(semantics);
  const ownVariance = relativeSd === undefined ? 0 : mean(relativeSd.map((sd) => sd * sd));
  const views = learnMixtureViews(
    prior,
    possibleClasses(networks, prior, isPossible),
    (semantics) => design.of(semantics, rows),
    regressionSamples(latencyMs, relativeSd),
  ).map((view) => ({ ...view, noiseVariance: view.noiseVariance + ownVariance }));
  return {
    platformId: target.platformId,
    families,
    columns,
    range: widenRange(learned.range, networks, rows),
    views,
    intervals,
    nSamples: rows.length,
    leastMs: leastOfSamples(target, networks),
  };
}

/** How views see the networks of a table. */
function fillsOf({ columns }: Adapted, networks: FeatureTable) {
  const design = createMixtureDesign(columns, networks);
  return ({ semantics }: MixtureView) =>
    (row: number, target: Float64Array) =>
      design.fill(semantics, row, target);
}

/** What the views say of some rows of a table. */
function predictRows(adapted: Adapted, networks: FeatureTable, rows: ArrayLike<number>): Belief {
  const fillOf = fillsOf(adapted, networks);
  return beliefOfViews(adapted.views, fillOf, networks, rows, adapted.leastMs);
}

/** Spread of a platform's speed before it is measured. */
const speedSpread = 0.5;

/** What is believed of all latencies before a target is measured, one hypothesis for each semantics. */
function hypothesesOf({ columns, prior }: Learned, networks: FeatureTable): LatencyHypothesis[] {
  const design = createMixtureDesign(columns, networks);
  const { mean, covariance } = mixMoments(
    prior.components,
    prior.components.map(({ logWeight }) => Math.exp(logWeight)),
  );
  return possibleClasses(networks, prior, () => true).map(({ semantics, share }) => ({
    weight: share,
    mean,
    covariance,
    speedSpread,
    designOf: (rows) => design.of(semantics, rows),
  }));
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
    chooseSamples: (networks, options) =>
      chooseRows(networks, hypothesesOf(learned, networks), options).rows,
    save: () => saveFitted(learned),
  };
}

function createAdapted(adapted: Adapted): AdaptedPredictor {
  return {
    ...adaptedPredictor(adapted, {
      name,
      beliefOf: (networks, rows) => predictRows(adapted, networks, rows),
      save: () => saveAdapted(adapted),
    }),
    chooseNextSamples(networks, options) {
      const design = createMixtureDesign(adapted.columns, networks);
      const designOf =
        ({ semantics }: MixtureView) =>
        (rows: ArrayLike<number>) =>
          design.of(semantics, rows);
      return chooseNextSamples(adapted, designOf, networks, options);
    },
    costViews: (networks, row) =>
      costsOfViews(adapted.views, (table) => fillsOf(adapted, table), networks, row),
  };
}
