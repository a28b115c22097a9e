/**
 * `samara search --verify`: measure the networks that decide a search, adapt the predictor with them, and say what was
 * predicted of them.
 */
import { type LoadedAdapted, loadFitted } from "../catalogue/predictors.js";
import { knownOfRuntime, samplesOf } from "../catalogue/training.js";
import { InputError, UnusableQualityError } from "../errors.js";
import { featuresOfGraphs, type NamedGraph } from "../graph/feature-table.js";
import type { FeatureTable } from "../graph/features.js";
import { bulkProtocol } from "../measure/campaign.js";
import { readOnnx } from "../onnx/read.js";
import type { AvailablePlatform } from "../platform/registry.js";
import type { AdaptedPredictor, PlatformSamples } from "../predict/predictor.js";
import type { Measurement } from "../record/measurement.js";
import type { Platform } from "../record/platform.js";
import type { Candidate, SearchResult } from "../record/search.js";
import type { MeasuredLatency } from "../search/archive.js";
import { type Measured, verifySearch } from "../search/verify.js";
import { cellFromIndex, indexFromNetworkId } from "../space/nasbench201/cell.js";
import { featuresOfCells } from "../space/nasbench201/features.js";
import { networkFromCell } from "../space/nasbench201/network.js";
import { architectureFromId } from "../space/registry.js";
import { userPool } from "../store/paths.js";
import { Pool } from "../store/pool.js";
import { normalQuantile } from "../tensor/stats.js";
import { measureNetworks } from "./measuring.js";
import type { Warn } from "./predicting.js";
import type { Progress } from "./progress.js";
import { measuredBefore } from "./proposing.js";
import { subjectFromFile, subjectsFromArchitectures } from "./subjects.js";

/** A network of the first search and what measuring it gave. */
export interface VerifiedNetwork {
  readonly id: string;
  readonly network: string;
  readonly merit: number;
  /** As predicted before it was measured. */
  readonly predictedMs: number;
  readonly lowerMs: number;
  readonly upperMs: number;
  /** Null where it could not be measured well enough. */
  readonly measuredMs: number | null;
  readonly grade: Measurement["grade"];
}

export interface Verification {
  /** Of the search with everything measured. */
  readonly result: SearchResult;
  readonly networks: readonly VerifiedNetwork[];
  /** Latencies of the platform that the predictor knew in the end. */
  readonly nSamples: number;
  readonly pool: Pool;
}

export interface VerifyOptions {
  readonly count: number;
  readonly chosen: LoadedAdapted;
  /** Predictor that the chosen one was adapted from. */
  readonly fittedFolder: string;
  readonly platform: AvailablePlatform;
  /** Paths of networks that are files, by id. */
  readonly pathOfId: ReadonlyMap<string, string>;
  readonly seed: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly warn: Warn;
}

/** Half-width of a stored 90 % interval in standard deviations. */
const halfWidthSds = normalQuantile(0.95);

const relativeSdOf = ({ latencyMs, lowerMs, upperMs }: Measurement): number =>
  (upperMs - lowerMs) / (2 * halfWidthSds * latencyMs);

/** The graph that was measured under an id. */
function graphOf(id: string, pathOfId: ReadonlyMap<string, string>): NamedGraph {
  const index = indexFromNetworkId(id);
  if (index !== undefined) return { id, graph: networkFromCell(cellFromIndex(index)) };
  const path = pathOfId.get(id);
  if (path !== undefined) return { id, graph: readOnnx(path) };
  const { space, text } = architectureFromId(id)!;
  return { id, graph: space.network(text) };
}

/** Everything measured of a platform that its predictor can be adapted to, with the table of the networks. */
function samplesToAdapt(
  platform: Platform,
  pool: Pool,
  measurements: readonly Measurement[],
  verifiedIds: ReadonlySet<string>,
  pathOfId: ReadonlyMap<string, string>,
): { samples: PlatformSamples; networks: FeatureTable } {
  const descriptor = pool.descriptor(platform.id) ?? new Pool(userPool()).descriptor(platform.id);
  if ([...verifiedIds].every((id) => indexFromNetworkId(id) !== undefined)) {
    return { samples: samplesOf(platform, measurements, descriptor), networks: featuresOfCells() };
  }
  const usable = measurements.filter(
    ({ platformId, subjectId, grade }) =>
      platformId === platform.id &&
      grade !== "X" &&
      (verifiedIds.has(subjectId) || indexFromNetworkId(subjectId) !== undefined),
  );
  return {
    networks: featuresOfGraphs(usable.map(({ subjectId }) => graphOf(subjectId, pathOfId))),
    samples: {
      platformId: platform.id,
      family: platform.runtime.family,
      platform,
      ...(descriptor ? { descriptor } : {}),
      ...knownOfRuntime(platform.runtime),
      rows: Int32Array.from(usable.keys()),
      latencyMs: Float64Array.from(usable, ({ latencyMs }) => latencyMs),
      relativeSd: Float64Array.from(usable, relativeSdOf),
    },
  };
}

/**
 * The predictor that another was adapted from.
 *
 * @throws InputError when it learned by another method or from another pool
 */
async function loadOrigin(folder: string, { predictor, provenance }: LoadedAdapted) {
  const fitted = await loadFitted(folder);
  const isOrigin =
    fitted.predictor.name === predictor.name && fitted.provenance.poolHash === provenance.poolHash;
  if (isOrigin) return fitted;
  throw new InputError(
    `--verify adapts again, but the predictor was not adapted from the one in ${folder} (${fitted.predictor.name}, pool ${fitted.provenance.poolHash}): it is ${predictor.name}, pool ${provenance.poolHash}`,
    { hint: "name the folder that `samara train` wrote with --adapt-from" },
  );
}

/** Searches with a predictor and with what is measured. */
type Search = (
  predictor: AdaptedPredictor,
  held: { readonly measured: Measured; readonly prefersMeasured: boolean },
) => Promise<SearchResult>;

/**
 * Measure the networks that decide a search, at most `count`, adapt the predictor with everything that is measured of its
 * platform, and search again.
 *
 * @throws UnusableQualityError when none of them could be measured well enough; InterruptedError on Ctrl-C, with what was
 *   measured in the pool; else as measuring and adapting
 */
export async function verifyHere(
  first: SearchResult,
  search: Search,
  options: VerifyOptions,
): Promise<Verification> {
  const { platform, pathOfId, progress, signal, seed, warn, chosen, count } = options;
  const platformId = platform.platform.id;
  const fitted = await loadOrigin(options.fittedFolder, chosen);
  const { pool } = await measuredBefore(platform.platform, undefined);
  let bySubject = new Map<string, Measurement>();
  let nSamples = 0;

  async function measure(candidates: readonly Candidate[]): Promise<Measured> {
    const subjects = candidates.flatMap(({ id }) => {
      const path = pathOfId.get(id);
      return path === undefined
        ? subjectsFromArchitectures([architectureFromId(id)!])
        : [subjectFromFile(path)];
    });
    progress.note(`to verify   ${candidates.map(({ id }) => id).join(" ")}`);
    const { result: campaign } = await measureNetworks([platform], subjects, {
      pool,
      progress,
      signal,
      protocol: { ...bulkProtocol, nProcesses: 5, nPairs: 15, nExtraProcesses: 1 },
      resumeCommand: "the same command: what is in the pool's log is not measured again",
      label: `verify ${subjects.length} network(s)`,
    });
    for (const { subjectId, reason } of campaign.failures) {
      warn("not-measured", `${subjectId} on ${platformId}: ${reason}`);
    }
    // The anchor grows with every process: what was measured earlier has other milliseconds now.
    bySubject = new Map(
      (await pool.measurements())
        .filter((measurement) => measurement.platformId === platformId)
        .map((measurement) => [measurement.subjectId, measurement]),
    );
    return usableOf(candidates.map(({ id }) => id));
  }

  /** Measurements of networks that can be relied on. */
  function usableOf(ids: Iterable<string>): Map<string, MeasuredLatency> {
    return new Map(
      [...ids].flatMap((id) => {
        const measurement = bySubject.get(id);
        if (measurement === undefined || measurement.grade === "X") return [];
        return [
          [
            id,
            { latencyMs: measurement.latencyMs, relativeSd: relativeSdOf(measurement) },
          ] as const,
        ];
      }),
    );
  }

  async function adaptAndSearch(known: Measured, isLast: boolean): Promise<SearchResult> {
    const { samples, networks } = samplesToAdapt(
      platform.platform,
      pool,
      [...bySubject.values()],
      new Set(known.keys()),
      pathOfId,
    );
    nSamples = samples.rows.length;
    if (nSamples < chosen.provenance.nSamples) {
      warn(
        "fewer-samples",
        `the predictor was adapted to ${chosen.provenance.nSamples} networks of ${platformId}; ${pool.folder} holds only some of them: the others are not used`,
      );
    }
    const predictor = await fitted.predictor.adapt(samples, networks, { seed, signal });
    return search(predictor, { measured: usableOf(known.keys()), prefersMeasured: isLast });
  }

  const { result, asked } = await verifySearch(first, count, { measure, search: adaptAndSearch });
  if (usableOf(asked.map(({ id }) => id)).size === 0) {
    throw new UnusableQualityError("none of the networks to verify could be measured well enough", {
      hint: "run `samara doctor`, stop other work, then search again",
    });
  }
  return {
    result,
    nSamples,
    pool,
    networks: asked.map((candidate): VerifiedNetwork => {
      const measurement = bySubject.get(candidate.id);
      const isUsable = measurement !== undefined && measurement.grade !== "X";
      return {
        id: candidate.id,
        network: candidate.network,
        merit: candidate.merit,
        predictedMs: candidate.latencyMs,
        lowerMs: candidate.lowerMs,
        upperMs: candidate.upperMs,
        measuredMs: isUsable ? measurement.latencyMs : null,
        grade: measurement?.grade ?? "X",
      };
    }),
  };
}
