/**
 * All that a worker thread does for the service, by name. Parameters and answers pass between threads: plain data, and
 * documents as bytes.
 */
import type { LearningCurve, SearchRequest } from "../api/schemas.js";
import { Accuracies, type FixedAccuracies } from "./accuracies.js";
import { documentOf } from "./document.js";
import { evaluationOf, learningCurveOf, nextNetworks } from "./evaluation.js";
import { predictModel, readModel } from "./models.js";
import { layersOf, modelOf, namedArchitecture, networkColumns, networkDetail } from "./networks.js";
import { descriptorOf, measurementRows, platformDetail, platformSummaries } from "./platforms.js";
import {
  type PredictBatch,
  type PredictOptions,
  predictBatch,
  predictLines,
} from "./predictions.js";
import { PredictorCache, predictorSummaries, predictorSummary } from "./predictors.js";
import { Searches } from "./searches.js";
import { Shelf } from "./shelf.js";

/** What a worker is started with. */
export interface KernelOptions {
  readonly accuracies: readonly FixedAccuracies[];
}

/** Make the methods over one cache of pools and predictors. */
export function createMethods({ accuracies: fixed }: KernelOptions) {
  const shelf = new Shelf();
  const cache = new PredictorCache();
  const accuracies = new Accuracies(fixed);
  const searches = new Searches(cache, accuracies);
  const kept = new Map<string, Promise<LearningCurve>>();
  const one = (name: string, result: unknown) => documentOf(name, [result]);

  return {
    /** Read and compute what the first request would wait for. */
    async warm() {
      await platformSummaries(shelf);
      accuracies.all();
      await cache.ofCells(await cache.get(), 0.9);
      return new Uint8Array();
    },
    async platforms() {
      return documentOf("platforms", await platformSummaries(shelf));
    },
    async platform({ id }: { id: string }) {
      return one("platform", await platformDetail(shelf, id));
    },
    async descriptor({ id }: { id: string }) {
      return one("descriptor-document", await descriptorOf(shelf, id));
    },
    async measurements({ id, split }: { id: string; split: "train" | "test" | "all" }) {
      return documentOf("measurements", await measurementRows(shelf, id, split));
    },
    async predictors() {
      return documentOf("predictors", await predictorSummaries());
    },
    async predictor({ id }: { id: string }) {
      return one("predictor-card", await predictorSummary(id));
    },
    async evaluation({ id }: { id: string }) {
      return one("evaluation", await evaluationOf(shelf, await cache.get(id)));
    },
    async learningCurve({ id, select }: { id: string; select: LearningCurve["select"] }) {
      const ready = await cache.get(id);
      const key = `${ready.stamp} ${select}`;
      let curve = kept.get(key);
      if (!curve) {
        curve = learningCurveOf(shelf, ready, select);
        kept.set(key, curve);
        curve.catch(() => kept.delete(key));
      }
      return one("learning-curve", await curve);
    },
    async next({ id, count }: { id: string; count: number }) {
      return one("next-networks", await nextNetworks(shelf, cache, await cache.get(id), count));
    },
    async columns(params: { id: string; coverage: number; accuracy?: string | undefined }) {
      const { id, coverage, accuracy } = params;
      const options = { coverage, ...(accuracy === undefined ? {} : { accuracy }) };
      return one("networks", await networkColumns(cache, await cache.get(id), options, accuracies));
    },
    async network(params: {
      network: string;
      predictor?: string | undefined;
      accuracy?: string | undefined;
    }) {
      const architecture = namedArchitecture(params.network);
      const ready = await cache.get(params.predictor);
      return one(
        "network",
        await networkDetail({ shelf, accuracies }, ready, architecture, params.accuracy),
      );
    },
    async model({ network }: { network: string }) {
      return modelOf(namedArchitecture(network));
    },
    async networkLayers({
      network,
      predictor,
    }: {
      network: string;
      predictor?: string | undefined;
    }) {
      const { space, text } = namedArchitecture(network);
      return layersOf(await cache.get(predictor), space.network(text));
    },
    /** Requests that came within one turn of the event loop; each has an answer or an error of its own. */
    async predict({ batches }: { batches: readonly PredictBatch[] }) {
      return Promise.allSettled(batches.map((batch) => predictBatch(cache, batch)));
    },
    async predictLines(params: {
      lines: readonly string[];
      firstLine: number;
      options: PredictOptions;
    }) {
      return predictLines(cache, params.lines, params.firstLine, params.options);
    },
    async models({ bytes, name, predictors }: ModelUpload) {
      const ids =
        predictors ?? (await predictorSummaries()).flatMap(({ platformId }) => platformId ?? []);
      const ready = [];
      for (const id of ids) ready.push(await cache.get(id));
      return one("model-predictions", await predictModel(bytes, name, ready, cache));
    },
    async modelLayers({ bytes, predictor }: { bytes: Uint8Array; predictor?: string | undefined }) {
      return layersOf(await cache.get(predictor), readModel(bytes));
    },
    async search(request: SearchRequest) {
      const { result, warnings } = await searches.search(request);
      return documentOf("search", [result], { platform: result.platform }, warnings);
    },
    async accuracies() {
      return documentOf("accuracies", accuracies.all());
    },
    async putAccuracies(params: { name: string; text: string; column?: string | undefined }) {
      return one("accuracies", accuracies.put(params.name, params.text, params.column));
    },
    async deleteAccuracies({ name }: { name: string }) {
      accuracies.delete(name);
      return new Uint8Array();
    },
  };
}

/** A model file to predict. */
export interface ModelUpload {
  readonly bytes: Uint8Array;
  readonly name: string;
  /** Default: all. */
  readonly predictors?: readonly string[] | undefined;
}

/** The methods by name. */
export type Methods = ReturnType<typeof createMethods>;
