/**
 * Baseline `flops-line`: latency = a + b · multiply-accumulates, the line every method must beat.
 *
 * Source platforms tell how large a is beside b · (a typical network's MACs), so that two samples suffice; the
 * target's speed is free. Intervals come from the scatter about the line and are checked on held-out sources.
 */
import { z } from "zod";
import type { FeatureTable } from "../graph/features.js";
import { type Matrix, matrix, multiplyVector } from "../tensor/linalg.js";
import { mean, median } from "../tensor/stats.js";
import {
  fitWellSampled,
  type Gaussian,
  gaussianOf,
  mixMoments,
  preparePrior,
  regress,
} from "./bayes-linear.js";
import { calibrateOnSources } from "./hold-out.js";
import { type Belief, type IntervalScale, intervalScaleSchema, logDeviation } from "./intervals.js";
import { emptyRange, type KnownRange, knownRangeSchema, widenRange } from "./known-range.js";
import { adaptedPredictor } from "./predict-table.js";
import type {
  AdaptedPredictor,
  FittedPredictor,
  PlatformSamples,
  Predictor,
  TrainingPool,
} from "./predictor.js";
import { checkPool, checkTarget, familiesOf } from "./samples.js";
import { readSettings, readTensor } from "./saved.js";

const name = "flops-line";
const formatVersion = 1;
const minSamples = 2;
/** Spread of the target's speed about the rough one, as a share. */
const scaleSpread = 0.5;
/** Least spread of the two shares; a pool of like platforms must not forbid an unlike target. */
const leastSpread = 0.15;
/** A prediction is never below this share of the samples' least latency. */
const leastShare = 0.2;

const lineSchema = z.object({
  families: z.array(z.string()),
  /** MACs of a typical network learned from: the unit of the second column. */
  typicalMacs: z.number().positive(),
  range: knownRangeSchema,
  intervals: z.array(intervalScaleSchema).min(1),
});
const fittedSchema = lineSchema.extend({
  kind: z.literal("fitted"),
  noise: z.object({ meanLog: z.number(), sdLog: z.number().positive() }),
});
const adaptedSchema = lineSchema.extend({
  kind: z.literal("adapted"),
  platformId: z.string(),
  nSamples: z.number().int().positive(),
  noiseVariance: z.number().positive(),
  leastMs: z.number().positive(),
});

interface Line {
  readonly families: readonly string[];
  readonly typicalMacs: number;
  readonly range: KnownRange;
  readonly intervals: readonly IntervalScale[];
}
interface Learned extends Line {
  /** Over (a, b · typicalMacs) as shares of a platform's typical latency. */
  readonly prior: Gaussian;
  readonly noise: { readonly meanLog: number; readonly sdLog: number };
}
interface Adapted extends Line {
  readonly platformId: string;
  readonly nSamples: number;
  readonly posterior: Gaussian;
  readonly noiseVariance: number;
  readonly leastMs: number;
}

function macsOf(networks: FeatureTable, row: number): number {
  const { signatures } = networks;
  let total = 0;
  for (let s = 0; s < signatures.length; s++) {
    total += networks.counts.all[row * signatures.length + s]! * signatures[s]!.macs;
  }
  return total;
}

function designOf(networks: FeatureTable, rows: ArrayLike<number>, typicalMacs: number): Matrix {
  const values = new Float64Array(2 * rows.length);
  for (let i = 0; i < rows.length; i++) {
    values[2 * i] = 1;
    values[2 * i + 1] = macsOf(networks, rows[i]!) / typicalMacs;
  }
  return matrix(rows.length, 2, values);
}

interface SourceLine {
  readonly samples: PlatformSamples;
  readonly coefficients: Float64Array;
  readonly noiseSd: number;
}

function learnLine(sources: readonly SourceLine[]): Pick<Learned, "prior" | "noise"> {
  const { mean: centre, covariance } = mixMoments(
    sources.map(({ coefficients }) => ({ mean: coefficients, covariance: matrix(2, 2) })),
    new Float64Array(sources.length).fill(1),
  );
  const values = covariance.values.slice();
  values[0]! += leastSpread ** 2;
  values[3]! += leastSpread ** 2;
  const logNoise = sources.map(({ noiseSd }) => Math.log(noiseSd));
  const meanLog = mean(logNoise);
  const variance = mean(logNoise.map((value) => (value - meanLog) ** 2));
  return {
    prior: { mean: centre, covariance: { ...covariance, values } },
    noise: { meanLog, sdLog: Math.sqrt(variance + 0.5 ** 2) },
  };
}

/** Create the method. */
export function createFlopsLine(): Predictor {
  return {
    name,
    minSamples,
    async fit(pool, options) {
      checkPool(pool);
      return createFitted(await learn(pool, options));
    },
    async load(saved) {
      const settings = readSettings(saved, { method: name, formatVersion }, fittedSchema);
      const { kind: _, ...learned } = settings;
      return createFitted({
        ...learned,
        prior: {
          mean: readTensor(saved, "line.mean", [2]),
          covariance: matrix(2, 2, readTensor(saved, "line.covariance", [2, 2])),
        },
      });
    },
    async loadAdapted(saved) {
      const settings = readSettings(saved, { method: name, formatVersion }, adaptedSchema);
      const { kind: _, ...adapted } = settings;
      return createAdapted({
        ...adapted,
        posterior: {
          mean: readTensor(saved, "line.mean", [2]),
          covariance: matrix(2, 2, readTensor(saved, "line.covariance", [2, 2])),
        },
      });
    },
  };
}

async function learn(
  pool: TrainingPool,
  options: Parameters<Predictor["fit"]>[1],
): Promise<Learned> {
  const { networks, platforms } = pool;
  const rows = new Set(platforms.flatMap((platform) => [...platform.rows]));
  const typicalMacs = median(Float64Array.from(rows, (row) => macsOf(networks, row))) || 1;
  const sources = platforms.map((samples): SourceLine => {
    const typicalMs = median(samples.latencyMs);
    const fit = fitWellSampled(
      designOf(networks, samples.rows, typicalMacs),
      samples.latencyMs.map((latency) => latency / typicalMs),
      new Float64Array(2),
      samples.relativeSd,
    );
    return { samples, ...fit };
  });
  const learned: Learned = {
    families: familiesOf(platforms),
    typicalMacs,
    range: widenRange(emptyRange, networks, rows),
    intervals: [],
    ...learnLine(sources),
  };
  const intervals = await calibrateOnSources(
    {
      sources,
      networks,
      learnFrom: (others) => {
        const heldOut = { ...learned, ...learnLine(others) };
        return (target, testRows) =>
          predictRows(adapt(target, networks, heldOut), networks, testRows);
      },
    },
    options,
  );
  return { ...learned, intervals };
}

const noiseGrid = [0.02, 0.04, 0.07, 0.11, 0.16, 0.23, 0.33, 0.5];

function adapt(target: PlatformSamples, networks: FeatureTable, learned: Learned): Adapted {
  const { latencyMs, relativeSd, rows } = target;
  const design = designOf(networks, rows, learned.typicalMacs);
  const expected = multiplyVector(design, learned.prior.mean);
  const scale = median(latencyMs.map((latency, i) => latency / Math.max(expected[i]!, 0.05)));
  const { mean: shares, covariance } = learned.prior;
  const prior = preparePrior({
    mean: shares.map((value) => value * scale),
    covariance: matrix(
      2,
      2,
      covariance.values.map(
        (value, k) => scale ** 2 * (value + scaleSpread ** 2 * shares[k >> 1]! * shares[k & 1]!),
      ),
    ),
  });
  const posteriors = noiseGrid.map((sd) =>
    regress(design, latencyMs, prior, { sd, ...(relativeSd === undefined ? {} : { relativeSd }) }),
  );
  const logWeights = posteriors.map(
    ({ logEvidence }, h) =>
      logEvidence -
      0.5 * ((Math.log(noiseGrid[h]!) - learned.noise.meanLog) / learned.noise.sdLog) ** 2,
  );
  const best = Math.max(...logWeights);
  const weights = logWeights.map((value) => Math.exp(value - best));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const { families, typicalMacs, range, intervals } = learned;
  return {
    platformId: target.platformId,
    families,
    typicalMacs,
    range: widenRange(range, networks, rows),
    intervals,
    nSamples: rows.length,
    posterior: mixMoments(posteriors.map(gaussianOf), weights),
    noiseVariance: weights.reduce((sum, w, h) => sum + (w / total) * noiseGrid[h]! ** 2, 0),
    leastMs: leastShare * Math.min(...latencyMs),
  };
}

function predictRows(adapted: Adapted, networks: FeatureTable, rows: ArrayLike<number>): Belief {
  const { mean: line, covariance } = adapted.posterior;
  const [aa, ab, , bb] = covariance.values as unknown as [number, number, number, number];
  const meanMs = new Float64Array(rows.length);
  const deviation = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const x = macsOf(networks, rows[i]!) / adapted.typicalMacs;
    const latency = Math.max(line[0]! + line[1]! * x, adapted.leastMs);
    const variance = aa + 2 * ab * x + bb * x * x + adapted.noiseVariance * latency * latency;
    meanMs[i] = latency;
    deviation[i] = logDeviation(latency, variance);
  }
  return { meanMs, deviation };
}

function createFitted(learned: Learned): FittedPredictor {
  return {
    name,
    trainedFamilies: learned.families,
    async adapt(target, networks) {
      checkTarget(target, networks, { name, minSamples });
      return createAdapted(adapt(target, networks, learned));
    },
    save() {
      const { prior, ...settings } = learned;
      return saved({ kind: "fitted", ...settings }, prior);
    },
  };
}

function createAdapted(adapted: Adapted): AdaptedPredictor {
  return adaptedPredictor(adapted, {
    name,
    beliefOf: (networks, rows) => predictRows(adapted, networks, rows),
    save() {
      const { posterior, ...settings } = adapted;
      return saved({ kind: "adapted", ...settings }, posterior);
    },
  });
}

function saved(settings: Record<string, unknown>, line: Gaussian) {
  return {
    method: name,
    formatVersion,
    settings,
    tensors: new Map([
      ["line.mean", { shape: [2], values: line.mean }],
      ["line.covariance", { shape: [2, 2], values: line.covariance.values }],
    ]),
    features: [{ name: "multiply-accumulates", unit: "MACs" }],
  };
}
