/**
 * Searches of the service: lists of candidates are made once and predicted once.
 */
import type { SearchResult } from "../../record/search.js";
import { type AccuracyTable, warningsOfMerit } from "../../search/accuracy.js";
import type { Candidates } from "../../search/candidates.js";
import {
  listOfPlace,
  type SearchPlace,
  searchCandidates,
  searchPlace,
} from "../../search/search.js";
import { spaces } from "../../space/registry.js";
import type { SearchRequest } from "../api/schemas.js";
import type { Accuracies } from "./accuracies.js";
import type { Warning } from "./document.js";
import { type PredictorCache, warningsOf } from "./predictors.js";

/** Networks that evolution predicts unless told otherwise; a second or two. */
const defaultEvaluations = 20_000;

/** What was found, and what must be said of it. */
export interface SearchAnswer {
  readonly result: SearchResult;
  readonly warnings: readonly Warning[];
}

/** Searches over the predictors and tables of a worker. */
export class Searches {
  readonly #cache: PredictorCache;
  readonly #accuracies: Accuracies;
  /** Of tables, by the space that was asked for. */
  #lists = new WeakMap<AccuracyTable, Map<string | undefined, Candidates>>();

  constructor(cache: PredictorCache, accuracies: Accuracies) {
    this.#cache = cache;
    this.#accuracies = accuracies;
  }

  #listOf({ space, accuracies }: SearchPlace): Candidates | undefined {
    if (accuracies === undefined) {
      return (space ?? spaces[0].name) === spaces[0].name
        ? this.#cache.cellsByMacs
        : listOfPlace({ space });
    }
    const known = this.#lists.get(accuracies) ?? new Map<string | undefined, Candidates>();
    this.#lists.set(accuracies, known);
    const list = known.get(space) ?? listOfPlace({ space, accuracies })!;
    known.set(space, list);
    return list;
  }

  /** @throws NotFoundError for an unknown predictor or table; InputError as `searchPlace` */
  async search(request: SearchRequest): Promise<SearchAnswer> {
    const { predictor: id, accuracy, space, evaluations = defaultEvaluations } = request;
    const { budgetMs, confidence = 0.9, seed = 0 } = request;
    const ready = await this.#cache.get(id);
    const { predictor } = ready;
    const accuracies = accuracy === undefined ? undefined : this.#accuracies.get(accuracy);
    const warnings = [...warningsOf(id, ready), ...warningsOfMerit(accuracies)];
    const list = this.#listOf({ space, accuracies });
    const options = { predictor, budgetMs, confidence, seed };
    const result =
      list === undefined
        ? await searchPlace({ space, accuracies, evaluations }, options)
        : await searchCandidates(list, options);
    return { result, warnings };
  }
}
