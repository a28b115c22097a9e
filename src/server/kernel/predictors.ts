/**
 * Predictors by the platform that they are adapted to, loaded once, with their predictions of all cells.
 */
import {
  adaptedOnShelf,
  chooseAdapted,
  type LoadedAdapted,
  loadAdapted,
  shippedPredictor,
} from "../../catalogue/predictors.js";
import { NotFoundError } from "../../errors.js";
import type { FeatureTable } from "../../graph/features.js";
import type { Predictions } from "../../predict/predictor.js";
import { remembering } from "../../predict/remembering.js";
import { allByMacs, type Candidates } from "../../search/candidates.js";
import { spaces } from "../../space/registry.js";
import { readPredictor } from "../../store/predictors.js";
import type { PredictorSummary } from "../api/schemas.js";
import type { Warning } from "./document.js";

/** What the general predictor is called, which is adapted to no platform. */
const generalId = "pool";

/** An adapted predictor that is ready to predict. */
export interface ReadyPredictor extends LoadedAdapted {
  readonly id: string;
  readonly isShipped: boolean;
  /** Changes when the predictor is adapted anew. */
  readonly stamp: string;
}

/** What must be said of an answer by a predictor that nobody named. */
export const warningsOf = (
  asked: string | undefined,
  { id, isShipped }: ReadyPredictor,
): Warning[] =>
  asked !== undefined || !isShipped
    ? []
    : [
        {
          code: "shipped-predictor",
          message: `no predictor is adapted here yet: these are latencies of ${id}, where the shipped pool was measured`,
          hint: "name a predictor, or onboard a platform of yours",
        },
      ];

function summaryOf(
  id: string,
  folder: string,
  isShipped: boolean,
  isDefault: boolean,
): PredictorSummary {
  const { saved, provenance } = readPredictor(folder);
  const { platform, accuracy, card = null, ...others } = provenance;
  return {
    id,
    isDefault,
    origin: isShipped ? "shipped" : "own",
    method: saved.method,
    platformId: platform?.id ?? null,
    accuracy,
    card,
    nSamples: others.nSamples,
    trainedFamilies: [...others.trainedFamilies],
    heldOutFamilies: [...others.heldOutFamilies],
    seed: others.seed,
    poolHash: others.poolHash,
  };
}

/** All predictors: the adapted ones by platform, and the general one. */
export async function predictorSummaries(): Promise<PredictorSummary[]> {
  const fallback = await defaultId();
  return [
    ...adaptedOnShelf().map(({ platformId, folder, isShipped }) =>
      summaryOf(platformId, folder, isShipped, platformId === fallback),
    ),
    summaryOf(generalId, shippedPredictor(), true, false),
  ];
}

/** The predictor that answers when none is named: the one that the command line would take. */
const defaultId = async (): Promise<string> =>
  (await chooseAdapted(undefined, undefined)).provenance.platform!.id;

/** @throws NotFoundError naming those there are */
export async function predictorSummary(id: string): Promise<PredictorSummary> {
  if (id === generalId) return summaryOf(generalId, shippedPredictor(), true, false);
  const found = shelvedPredictor(id);
  return summaryOf(id, found.folder, found.isShipped, id === (await defaultId()));
}

function shelvedPredictor(id: string) {
  const all = adaptedOnShelf();
  const found = all.find(({ platformId }) => platformId === id);
  if (found) return found;
  throw new NotFoundError(`no predictor is adapted to "${id}"`, {
    hint: `there are: ${all.map(({ platformId }) => platformId).join(", ")}`,
  });
}

/** Loaded predictors, and what they say of all cells. */
export class PredictorCache {
  #loaded = new Map<string, ReadyPredictor>();
  #cellsByMacs: Candidates | undefined;
  #checkedMs = Number.NEGATIVE_INFINITY;
  #default: string | undefined;

  /** All cells as candidates, by their MACs. */
  get cellsByMacs(): Candidates {
    this.#cellsByMacs ??= allByMacs(spaces[0])!;
    return this.#cellsByMacs;
  }

  /** Features of all cells. */
  get cells(): FeatureTable {
    return this.cellsByMacs.tables[0]!.features;
  }

  /** Look at the folders no more than about once a second: thousands of requests ask for the same one. */
  #forgetSometimes(): void {
    const nowMs = performance.now();
    if (nowMs - this.#checkedMs < 1000) return;
    this.#checkedMs = nowMs;
    this.#default = undefined;
    const stamps = new Map(
      adaptedOnShelf().map((one) => [one.platformId, `${one.folder} ${one.modifiedMs}`]),
    );
    for (const [id, { stamp }] of this.#loaded) {
      if (stamps.get(id) !== stamp) this.#loaded.delete(id);
    }
  }

  /**
   * A predictor by its platform; without an id the one that the command line would take.
   *
   * @throws NotFoundError
   */
  async get(id?: string): Promise<ReadyPredictor> {
    this.#forgetSometimes();
    let wanted = id ?? this.#default;
    if (wanted === undefined) {
      wanted = await defaultId();
      this.#default = wanted;
    }
    const known = this.#loaded.get(wanted);
    if (known) return known;
    const { folder, modifiedMs, isShipped } = shelvedPredictor(wanted);
    const loaded = await loadAdapted(folder);
    const predictor = remembering(loaded.predictor);
    const ready = { ...loaded, predictor, isShipped, id: wanted, stamp: `${folder} ${modifiedMs}` };
    this.#loaded.set(wanted, ready);
    return ready;
  }

  /** Predictions of all cells; entry i is architecture i. */
  ofCells({ predictor }: ReadyPredictor, coverage: number): Promise<Predictions> {
    return predictor.predict(this.cells, { coverage });
  }
}
