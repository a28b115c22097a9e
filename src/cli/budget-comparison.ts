/**
 * Searches within budgets on published latencies, as `scripts/search-docs.mjs` compares them with published searches:
 * learn from a task's sources, measure a few networks of a target, search, and look up what was found.
 *
 * Everything that is read of a target before the answer is given is counted; the answer itself is looked up afterwards.
 */

import { samplesAt, type TransferSettings, transferTo } from "../evaluate/transfer.js";
import type { MeasuredPlatform, TransferTask } from "../evaluate/transfer-task.js";
import type { FittedPredictor } from "../predict/predictor.js";
import { remembering } from "../predict/remembering.js";
import type { SearchResult } from "../record/search.js";
import type { Candidates } from "../search/candidates.js";
import { searchCandidates } from "../search/search.js";
import { verifySearch } from "../search/verify.js";
import { deriveSeed } from "../tensor/random.js";

/** Networks to choose from: one table whose ids are those of the task's. */
export interface NamedList {
  readonly name: string;
  readonly candidates: Candidates;
}

/** What is searched with the same samples. */
export interface BudgetQuestions {
  readonly budgetsMs: readonly number[];
  readonly lists: readonly NamedList[];
  readonly ways: readonly SearchWay[];
}

/** How sure an answer must be, and how many networks may be measured to verify it (0: none). */
export interface SearchWay {
  readonly confidence: number;
  readonly nVerify: number;
}

/** One answer, and what it is worth. */
export interface BudgetAnswer extends SearchWay {
  readonly budgetMs: number;
  readonly list: string;
  /** Null where nothing was recommended. */
  readonly id: string | null;
  readonly merit: number | null;
  readonly trueMs: number | null;
  /** Networks whose latency on the target was read before the answer. */
  readonly readIds: readonly string[];
}

/**
 * Answer budgets on one target in one trial.
 *
 * @param settings - of the samples that the predictor is adapted with first
 */
export async function answerBudgets(
  fitted: FittedPredictor,
  task: TransferTask,
  target: MeasuredPlatform,
  settings: TransferSettings & { readonly trial: number },
  questions: BudgetQuestions,
): Promise<BudgetAnswer[]> {
  const { trial } = settings;
  const { adapted, read } = await transferTo(fitted, task, target, settings, trial);
  const seed = deriveSeed(settings.seed, `adapt/${trial}`);
  const first = remembering(adapted);
  const placeOfId = new Map(
    Array.from(target.rows, (row, place) => [task.networks.ids[row]!, place]),
  );
  const latencyOf = (id: string) => target.latencyMs[placeOfId.get(id)!]!;

  async function verified(
    result: SearchResult,
    nVerify: number,
    candidates: Candidates,
  ): Promise<{ result: SearchResult; places: readonly number[] }> {
    const isRead = new Set(read);
    const { result: final } = await verifySearch(result, nVerify, {
      // A table has one latency for each network, which is also what answers are held against: there is no doubt in it.
      measure: async (asked) =>
        new Map(
          asked.map(({ id }) => {
            isRead.add(placeOfId.get(id)!);
            return [id, { latencyMs: latencyOf(id), relativeSd: 0 }] as const;
          }),
        ),
      search: async (measured, prefersMeasured) => {
        const predictor = await fitted.adapt(samplesAt(target, [...isRead]), task.networks, {
          seed,
        });
        const { budgetMs, confidence } = result;
        return searchCandidates(candidates, {
          ...{ predictor, budgetMs, confidence, seed, measured, prefersMeasured },
        });
      },
    });
    return { result: final, places: [...isRead] };
  }

  const answers: BudgetAnswer[] = [];
  for (const { name: list, candidates } of questions.lists) {
    for (const budgetMs of questions.budgetsMs) {
      for (const { confidence, nVerify } of questions.ways) {
        const found = await searchCandidates(candidates, {
          ...{ predictor: first, budgetMs, confidence, seed },
        });
        const { result, places } =
          nVerify === 0
            ? { result: found, places: read }
            : await verified(found, nVerify, candidates);
        const { winner } = result;
        answers.push({
          ...{ budgetMs, confidence, list, nVerify },
          readIds: places.map((place) => task.networks.ids[target.rows[place]!]!),
          id: winner?.id ?? null,
          merit: winner?.merit ?? null,
          trueMs: winner === null ? null : latencyOf(winner.id),
        });
      }
    }
  }
  return answers;
}

/** The best merit of a list whose true latency is within a budget: what nobody can beat. */
export function bestWithin(
  { candidates }: NamedList,
  task: Pick<TransferTask, "networks">,
  target: MeasuredPlatform,
  budgetMs: number,
): number {
  const latencyOfId = new Map(
    Array.from(target.rows, (row, place) => [task.networks.ids[row]!, target.latencyMs[place]!]),
  );
  let best = Number.NEGATIVE_INFINITY;
  for (const { features, merit } of candidates.tables) {
    features.ids.forEach((id, row) => {
      if (latencyOfId.get(id)! <= budgetMs) best = Math.max(best, merit[row]!);
    });
  }
  return best;
}
