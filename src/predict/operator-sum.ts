/**
 * Predictor `operator-sum`: latency as a sum of operator costs, Bayesian over costs and over what a runtime prunes.
 *
 * Learns from source platforms where coefficients lie (`additive-prior.ts`), weighs hypotheses by a target's samples
 * (`additive-posterior.ts`), and checks its interval widths by holding out one source family after another.
 * No neural network. With a descriptor, costs start from the platform's own isolated operator latencies.
 */
import type { FeatureTable, OperatorSignature } from "../graph/features.js";
import type { Matrix } from "../tensor/linalg.js";
import { mean, median } from "../tensor/stats.js";
import {
  type FormEvidence,
  learnViews,
  type View,
  viewsOfDescriptor,
} from "./additive-posterior.js";
import {
  type AdditivePrior,
  type CostForm,
  fitSource,
  learnPrior,
  type SourceFit,
  semanticsOfTarget,
} from "./additive-prior.js";
import { chooseRows, hypothesesOfPrior } from "./choose-samples.js";
import {
  type CostColumns,
  columnsOfNetworks,
  columnUncertainty,
  createDesign,
} from "./cost-columns.js";
import { costsOfViews } from "./cost-views.js";
import { calibrateOnSources } from "./hold-out.js";
import type { Belief } from "./intervals.js";
import { emptyRange, widenRange } from "./known-range.js";
import { beliefOfViews, type LeastMs, leastOfSamples } from "./linear-views.js";
import { chooseNextSamples } from "./next-samples.js";
import {
  checkDescriptor,
  commonOperators,
  createOperatorCosts,
  operatorCostsOf,
  type SavedOperatorCosts,
} from "./operator-costs.js";
import {
  type Adapted,
  type Learned,
  loadAdapted,
  loadFitted,
  name,
  saveAdapted,
  saveFitted,
} from "./operator-sum-saved.js";
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

const minSamples = 5;
/** A descriptor tells what every operator costs alone. */
const minSamplesDescribed = 0;
/**
 * Numbers of target samples at which interval widths are checked, and about how often each over all sources: many
 * sources need fewer draws each.
 */
const calibrationSamples = [0, 10, 20, 50];
const calibrationDraws = 32;
const mostDrawsPerSource = 4;

/** Settings of the method; all have defaults. */
export interface OperatorSumSettings {
  /** `auto`: use descriptors where target and enough sources have one. `never`: ablation without. */
  readonly useDescriptor?: "auto" | "never";
}

/** Source samples beyond these teach nothing more about a dozen coefficients. */
const maxSourceSamples = 1000;
/** Fewer sources with descriptors than this give no prior for in-network efficiencies. */
const minDescribedSources = 3;

/** Create the method. */
export function createOperatorSum(settings: OperatorSumSettings = {}): Predictor {
  const useDescriptor = settings.useDescriptor ?? "auto";
  return {
    name,
    minSamples,
    ...(useDescriptor === "never" ? {} : { minSamplesDescribed }),
    async fit(pool, options) {
      checkPool(pool);
      return createFitted(await learn(pool, useDescriptor, options));
    },
    async load(saved) {
      return createFitted(loadFitted(saved));
    },
    async loadAdapted(saved) {
      return createAdapted(loadAdapted(saved));
    },
  };
}

function describedSignatures({ networks, platforms }: TrainingPool): OperatorSignature[] {
  const keys = new Set<string>();
  for (const { descriptor } of platforms) {
    for (const { signatures } of descriptor?.rows ?? []) {
      for (const { key } of signatures) keys.add(key);
    }
  }
  return networks.signatures.filter(({ key }) => keys.has(key));
}

interface Source {
  readonly samples: PlatformSamples;
  readonly fits: ReadonlyMap<CostForm, SourceFit>;
}

async function fitForms(
  samples: PlatformSamples,
  networks: FeatureTable,
  columns: CostColumns,
  forms: readonly CostForm[],
  options: FitOptions,
): Promise<Source> {
  const fits = new Map<CostForm, SourceFit>();
  for (const form of forms) {
    if (form === "descriptor" && samples.descriptor === undefined) continue;
    await breathe(options);
    const costs =
      form === "counts"
        ? "counts"
        : createOperatorCosts(operatorCostsOf(samples.descriptor!, networks.signatures));
    const design = createDesign(columns, networks, costs);
    const columnSd =
      costs === "counts" ? undefined : columnUncertainty(columns, networks, samples.rows, costs);
    fits.set(
      form,
      fitSource(
        samples.family,
        (semantics) => design.of(semantics, samples.rows),
        samples.latencyMs,
        {
          form,
          centre: form === "counts" ? (a) => new Float64Array(a.columns) : uniformEfficiency,
          ...(form === "counts" ? {} : { pullSd: efficiencySpread(columns) }),
          ...(samples.removesDeadOperators === true ? { removesDeadOperators: true } : {}),
          ...(samples.relativeSd === undefined ? {} : { relativeSd: samples.relativeSd }),
          ...(columnSd === undefined ? {} : { columnSd }),
        },
      ),
    );
  }
  return { samples, fits };
}

/** How far efficiencies in a network may be from their common factor, and columns that only count from 0. */
const pullSpread = { efficiency: 0.5, counting: 0.1 };

function efficiencySpread({ names }: CostColumns): Float64Array {
  const nCosts = names.length - 2;
  return Float64Array.from(names, (_, j) =>
    j < nCosts ? pullSpread.efficiency : pullSpread.counting,
  );
}

/** One common factor on all operator costs; the columns that only count start at 0. */
function uniformEfficiency(design: Matrix, y: Float64Array): Float64Array {
  const nCosts = design.columns - 2;
  const ratios = y.map((latency, i) => {
    let sum = 0;
    for (let j = 0; j < nCosts; j++) sum += design.values[i * design.columns + j]!;
    return latency / sum;
  });
  const factor = median(ratios);
  return Float64Array.from({ length: design.columns }, (_, j) => (j < nCosts ? factor : 0));
}

function learnPriors(sources: readonly Source[]): Learned["priors"] {
  const of = (form: CostForm) => sources.flatMap(({ fits }) => fits.get(form) ?? []);
  const described = of("descriptor");
  return {
    counts: learnPrior(of("counts")),
    ...(described.length >= minDescribedSources ? { descriptor: learnPrior(described) } : {}),
  };
}

async function learn(
  pool: TrainingPool,
  useDescriptor: "auto" | "never",
  options: FitOptions,
): Promise<Learned> {
  const { networks } = pool;
  const platforms = pool.platforms.map((platform) =>
    limitSamples(platform, maxSourceSamples, options.seed),
  );
  const rows = new Set<number>();
  for (const platform of platforms) for (const row of platform.rows) rows.add(row);
  const columns = columnsOfNetworks(networks, [...rows]);
  const forms: CostForm[] = useDescriptor === "never" ? ["counts"] : ["counts", "descriptor"];
  const sources: Source[] = [];
  for (const samples of platforms) {
    sources.push(await fitForms(samples, networks, columns, forms, options));
    options.onProgress?.(sources.length, platforms.length, "platforms");
    await breathe(options);
  }
  const priors = learnPriors(sources);
  const learned: Learned = {
    useDescriptor,
    families: familiesOf(platforms),
    columns,
    range: widenRange(emptyRange, networks, rows),
    descriptorOperators: priors.descriptor === undefined ? [] : commonOperators(platforms),
    descriptorSignatures: priors.descriptor === undefined ? [] : describedSignatures(pool),
    priors,
    intervals: [],
  };
  const intervals = await calibrateOnSources(
    {
      sources,
      networks,
      learnFrom: (others) => {
        const heldOut = { ...learned, priors: learnPriors(others) };
        return (target, testRows) =>
          target.rows.length === 0 && !isDescribed(target, heldOut)
            ? undefined
            : predictRows(adapt(target, networks, heldOut), networks, testRows);
      },
      samples: calibrationSamples,
      draws: Math.min(
        mostDrawsPerSource,
        Math.max(1, Math.round(calibrationDraws / sources.length)),
      ),
    },
    options,
  );
  return { ...learned, intervals };
}

/** Whether a target's descriptor can be read: sources must have taught what descriptors mean. */
const isDescribed = ({ descriptor }: PlatformSamples, { priors }: Pick<Learned, "priors">) =>
  descriptor !== undefined && priors.descriptor !== undefined;

function adapt(target: PlatformSamples, networks: FeatureTable, learned: Learned): Adapted {
  const { columns, priors } = learned;
  const { rows, latencyMs, relativeSd, descriptor } = target;
  // A converter that removes dead operators leaves none for the runtime to execute.
  const semanticsOf = (prior: AdditivePrior) =>
    semanticsOfTarget(prior, target.removesDeadOperators === true);
  const counts = createDesign(columns, networks, "counts");
  const forms: FormEvidence[] = [
    {
      form: "counts",
      prior: priors.counts,
      semantics: semanticsOf(priors.counts),
      designOf: (semantics) => counts.of(semantics, rows),
    },
  ];
  let operatorCosts: SavedOperatorCosts | undefined;
  if (priors.descriptor !== undefined && descriptor !== undefined) {
    operatorCosts = operatorCostsOf(descriptor, [
      ...learned.descriptorSignatures,
      ...networks.signatures,
    ]);
    const costs = createOperatorCosts(operatorCosts);
    const design = createDesign(columns, networks, costs);
    const typical = rows.length > 0 ? rows : someConnected(networks);
    forms.push({
      form: "descriptor",
      prior: priors.descriptor,
      semantics: semanticsOf(priors.descriptor),
      columnSd: columnUncertainty(columns, networks, typical, costs),
      designOf: (semantics) => design.of(semantics, rows),
    });
  }
  const ownVariance =
    relativeSd === undefined || rows.length === 0 ? 0 : mean(relativeSd.map((sd) => sd * sd));
  const found =
    rows.length === 0 ? viewsOfDescriptor(forms.at(-1)!) : learnViews(forms, latencyMs, relativeSd);
  const views = found.map((view) => ({
    ...view,
    noiseVariance: view.noiseVariance + ownVariance,
  }));
  const adapted = {
    platformId: target.platformId,
    families: learned.families,
    columns,
    range: widenRange(learned.range, networks, rows),
    ...(operatorCosts === undefined ? {} : { operatorCosts }),
    views,
    intervals: learned.intervals,
    nSamples: rows.length,
  };
  return { ...adapted, leastMs: leastOf(adapted, target, networks) };
}

/** Most connected networks that stand in for samples. */
const maxTypical = 200;

function someConnected(networks: FeatureTable): Int32Array {
  const connected = [...networks.ids.keys()].filter((row) => networks.connected[row] === 1);
  const step = Math.max(1, Math.floor(connected.length / maxTypical));
  return Int32Array.from(connected.filter((_, i) => i % step === 0));
}

/** No prediction falls below a share of the samples, or of what is expected where there are none. */
function leastOf(
  adapted: Omit<Adapted, "leastMs">,
  target: PlatformSamples,
  networks: FeatureTable,
): LeastMs {
  if (target.rows.length > 0) return leastOfSamples(target, networks);
  const rows = someConnected(networks);
  const least = Number.MIN_VALUE;
  const { meanMs } = predictRows(
    { ...adapted, leastMs: { connected: least, unconnected: least } },
    networks,
    rows,
  );
  return leastOfSamples({ rows, latencyMs: meanMs }, networks);
}

/** Design matrices by form; without a descriptor only that of counts. */
function designsOf({ columns, operatorCosts }: Adapted, networks: FeatureTable) {
  return {
    counts: createDesign(columns, networks, "counts"),
    descriptor:
      operatorCosts && createDesign(columns, networks, createOperatorCosts(operatorCosts)),
  };
}

/** How views see the networks of a table. */
function fillsOf(adapted: Adapted, networks: FeatureTable) {
  const designs = designsOf(adapted, networks);
  return ({ form, semantics }: View) =>
    (row: number, target: Float64Array) =>
      designs[form]!.fill(semantics, row, target, 0);
}

/** What the views say of some rows of a table. */
function predictRows(adapted: Adapted, networks: FeatureTable, rows: ArrayLike<number>): Belief {
  const fillOf = fillsOf(adapted, networks);
  // Before any sample no view is the likely one: their mean ranks networks better than the median of their mixture.
  const agreement = adapted.nSamples === 0 ? Number.POSITIVE_INFINITY : undefined;
  return beliefOfViews(adapted.views, fillOf, networks, rows, adapted.leastMs, agreement);
}

function createFitted(learned: Learned): FittedPredictor {
  return {
    name,
    trainedFamilies: learned.families,
    async adapt(target, networks, options) {
      const described = learned.priors.descriptor === undefined ? {} : { minSamplesDescribed };
      checkTarget(target, networks, { name, minSamples, ...described });
      if (isDescribed(target, learned)) {
        checkDescriptor(target.descriptor!, learned.descriptorOperators);
      }
      await breathe(options);
      return createAdapted(adapt(target, networks, learned));
    },
    chooseSamples(networks, options) {
      const design = createDesign(learned.columns, networks, "counts");
      return chooseRows(networks, hypothesesOfPrior(learned.priors.counts, design.of), options)
        .rows;
    },
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
      const designs = designsOf(adapted, networks);
      const designOf =
        ({ form, semantics }: View) =>
        (rows: ArrayLike<number>) =>
          designs[form]!.of(semantics, rows);
      return chooseNextSamples(adapted, designOf, networks, options);
    },
    costViews: (networks, row) =>
      costsOfViews(adapted.views, (table) => fillsOf(adapted, table), networks, row),
  };
}
