/**
 * Predictor `best-proxy`: one source platform stands in for the target. After Lu et al. 2021 (arXiv 2111.01203): where
 * latencies of two devices rise and fall together, networks need to be ranked on one proxy device only.
 *
 * As published: the proxy's latencies come from a predictor fitted on the proxy. Ours: which predictor (see
 * `source-functions.ts`; for all networks alike, also those measured on the proxy); every source is a candidate, and
 * the one is taken from whose latencies a line leads to the target's samples with the least squared log error, which
 * on source platforms chose better than the rank correlation; milliseconds by that line. Their adaptation of a proxy's
 * weights (AdaProxy), for targets that resemble no source, is not rebuilt.
 */
import { z } from "zod";
import type { FeatureTable } from "../../graph/features.js";
import { calibrateOnSources } from "../hold-out.js";
import { type Belief, type IntervalScale, intervalScaleSchema } from "../intervals.js";
import { emptyRange, type KnownRange, knownRangeSchema, widenRange } from "../known-range.js";
import { adaptedPredictor } from "../predict-table.js";
import type {
  AdaptedPredictor,
  FitOptions,
  FittedPredictor,
  PlatformSamples,
  Predictor,
  SavedPredictor,
  TrainingPool,
} from "../predictor.js";
import { breathe, checkPool, checkTarget, familiesOf } from "../samples.js";
import { readSettings } from "../saved.js";
import { describeCountFeatures } from "./count-features.js";
import {
  deviationOfErrors,
  fitScoreLine,
  latencyOfScores,
  type ScoreLine,
  scoreLineSchema,
} from "./score-line.js";
import {
  fitSourceFunctions,
  functionsOf,
  loadFunctions,
  logLatencies,
  type SourceFunctions,
  saveFunctions,
  sourceFunctionsSchema,
} from "./source-functions.js";

const name = "best-proxy";
const formatVersion = 1;
const minSamples = 3;

const commonSchema = z.object({
  families: z.array(z.string()),
  range: knownRangeSchema,
  intervals: z.array(intervalScaleSchema).min(1),
  functions: sourceFunctionsSchema,
});
const fittedSchema = commonSchema.extend({ kind: z.literal("fitted") });
const adaptedSchema = commonSchema.extend({
  kind: z.literal("adapted"),
  platformId: z.string(),
  nSamples: z.number().int().positive(),
  line: scoreLineSchema,
  deviation: z.number().positive(),
});

interface Common {
  readonly families: readonly string[];
  readonly range: KnownRange;
  readonly intervals: readonly IntervalScale[];
  /** Of all sources in a fitted predictor, of the proxy alone in an adapted one. */
  readonly functions: SourceFunctions;
}
interface Adapted extends Common {
  readonly platformId: string;
  readonly nSamples: number;
  /** From the proxy's milliseconds to the target's. */
  readonly line: ScoreLine;
  /** Relative deviation about the line, the same for all networks. */
  readonly deviation: number;
}

/** Create the method. */
export function createBestProxy(): Predictor {
  return {
    name,
    minSamples,
    async fit(pool, options) {
      checkPool(pool);
      return createFitted(await learn(pool, options));
    },
    async load(saved) {
      const settings = readSettings(saved, { method: name, formatVersion }, fittedSchema);
      const { kind: _, functions, ...others } = settings;
      return createFitted({ ...others, functions: loadFunctions(saved, functions) });
    },
    async loadAdapted(saved) {
      const settings = readSettings(saved, { method: name, formatVersion }, adaptedSchema);
      const { kind: _, functions, ...others } = settings;
      return createAdapted({ ...others, functions: loadFunctions(saved, functions) });
    },
  };
}

async function learn({ networks, platforms }: TrainingPool, options: FitOptions): Promise<Common> {
  await breathe(options);
  const rows = new Set(platforms.flatMap((platform) => [...platform.rows]));
  const learned: Common = {
    families: familiesOf(platforms),
    range: widenRange(emptyRange, networks, rows),
    intervals: [],
    functions: fitSourceFunctions(networks, platforms, options.seed),
  };
  const intervals = await calibrateOnSources(
    {
      sources: platforms.map((samples) => ({ samples })),
      networks,
      learnFrom: (others) => {
        const functions = functionsOf(
          learned.functions,
          others.map(({ samples }) => samples.platformId),
        );
        return (target, testRows) =>
          predictRows(adapt(target, networks, { ...learned, functions }), networks, testRows);
      },
    },
    options,
  );
  return { ...learned, intervals };
}

const latenciesOfLogs = (logs: Float64Array) => logs.map(Math.exp);

function logErrors(line: ScoreLine, proxyMs: ArrayLike<number>, latencyMs: ArrayLike<number>) {
  return latencyOfScores(line, proxyMs).map((ms, i) => Math.log(latencyMs[i]! / ms));
}

/** Errors on samples that are left out of the line one by one. */
function leftOutErrors(proxyMs: Float64Array, latencyMs: Float64Array): Float64Array {
  return latencyMs.map((latency, i) => {
    const isOther = (_: number, j: number) => j !== i;
    const line = fitScoreLine(proxyMs.filter(isOther), latencyMs.filter(isOther));
    return logErrors(line, [proxyMs[i]!], [latency])[0]!;
  });
}

function adapt(target: PlatformSamples, networks: FeatureTable, learned: Common): Adapted {
  const { rows, latencyMs } = target;
  const candidates = logLatencies(learned.functions, networks, rows).map((logs, p) => {
    const proxyMs = latenciesOfLogs(logs);
    const line = fitScoreLine(proxyMs, latencyMs);
    const error = logErrors(line, proxyMs, latencyMs).reduce((sum, e) => sum + e * e, 0);
    return { platform: learned.functions.platforms[p]!, proxyMs, line, error };
  });
  const best = candidates.reduce((a, b) => (b.error < a.error ? b : a));
  return {
    platformId: target.platformId,
    families: learned.families,
    range: widenRange(learned.range, networks, rows),
    intervals: learned.intervals,
    nSamples: rows.length,
    functions: functionsOf(learned.functions, [best.platform.platformId]),
    line: best.line,
    deviation: deviationOfErrors(leftOutErrors(best.proxyMs, latencyMs)),
  };
}

function predictRows(adapted: Adapted, networks: FeatureTable, rows: ArrayLike<number>): Belief {
  const [logs] = logLatencies(adapted.functions, networks, rows);
  return {
    meanMs: latencyOfScores(adapted.line, latenciesOfLogs(logs!)),
    deviation: new Float64Array(rows.length).fill(adapted.deviation),
  };
}

function save(kind: "fitted" | "adapted", { functions, ...scalars }: Common): SavedPredictor {
  const { settings, tensors } = saveFunctions(functions);
  return {
    method: name,
    formatVersion,
    settings: { kind, ...scalars, functions: settings },
    tensors: new Map(tensors),
    features: describeCountFeatures(functions.basis.features),
  };
}

function createFitted(learned: Common): FittedPredictor {
  return {
    name,
    trainedFamilies: learned.families,
    async adapt(target, networks) {
      checkTarget(target, networks, { name, minSamples });
      return createAdapted(adapt(target, networks, learned));
    },
    save: () => save("fitted", learned),
  };
}

function createAdapted(adapted: Adapted): AdaptedPredictor {
  return adaptedPredictor(adapted, {
    name,
    beliefOf: (networks, rows) => predictRows(adapted, networks, rows),
    save: () => save("adapted", adapted),
  });
}
