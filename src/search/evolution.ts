/**
 * Ageing evolution (Real et al. 2019, arXiv 1802.01548) within a latency budget, in batches.
 *
 * Each child is a mutation of the best of a random few; the oldest die, so that a lucky prediction does not live for
 * ever. A whole batch of children is evaluated at once, because predictors are fast on tables. Among networks whose
 * bound is within the budget the better merit wins; the others are ranked by how far they exceed it. No network is
 * evaluated twice.
 */
import type { Space } from "../space/registry.js";
import { createRandom, deriveSeed, type Random } from "../tensor/random.js";

/** Evaluations of a batch, one entry a network. */
export interface Evaluated {
  readonly merit: ArrayLike<number>;
  /** One-sided bound of the latency. */
  readonly upperMs: ArrayLike<number>;
  /** 0 where the prediction or the merit cannot be relied on: such a network loses against any that can. */
  readonly isTrusted: ArrayLike<number>;
}

/** A budget and how many networks may be evaluated to find the best within it. */
export interface Stint {
  /** Infinite: the best at any latency. */
  readonly budgetMs: number;
  readonly evaluations: number;
}

/** Size of the population; smaller where few evaluations would leave no time for generations. */
const sizeLimits = { least: 50, most: 500 };
const leastGenerations = 8;
/** Networks of which the best is a parent; a smaller share of a population would hardly select. */
const tournament = { most: 25, share: 0.2 };
/** Mutations tried for one child that was not evaluated before, until it is drawn anew. */
const mostTries = 8;

interface Individual {
  readonly text: string;
  readonly merit: number;
  readonly upperMs: number;
  readonly isTrusted: number;
}

/** Negative when `a` is the fitter. */
function compare(a: Individual, b: Individual, budgetMs: number): number {
  if (a.isTrusted !== b.isTrusted) return b.isTrusted - a.isTrusted;
  const [isIn, isOtherIn] = [a.upperMs <= budgetMs, b.upperMs <= budgetMs];
  if (isIn !== isOtherIn) return isIn ? -1 : 1;
  return (isIn ? b.merit - a.merit : 0) || a.upperMs - b.upperMs;
}

function parentOf(population: readonly Individual[], budgetMs: number, random: Random): Individual {
  const nDrawn = Math.min(tournament.most, Math.ceil(tournament.share * population.length));
  let best = population[random.integer(population.length)]!;
  for (let i = 1; i < nDrawn; i++) {
    const other = population[random.integer(population.length)]!;
    if (compare(other, best, budgetMs) < 0) best = other;
  }
  return best;
}

/**
 * Evolve networks of a space for one budget after the other. The fittest of a stint, with fresh draws, begin the next.
 * The same seed gives the same networks.
 *
 * @param evaluate - predicts a batch of distinct architectures in canonical form, none of which it was given before;
 *   keeping them is up to it
 * @returns networks evaluated; fewer than asked for when hardly any new ones are found
 */
export async function evolve(
  space: Pick<Space, "draw" | "mutate">,
  evaluate: (texts: readonly string[]) => Promise<Evaluated>,
  { seed, budgets }: { readonly seed: number; readonly budgets: readonly Stint[] },
): Promise<number> {
  const random = createRandom(deriveSeed(seed, "evolution"));
  const seen = new Set<string>();
  let population: Individual[] = [];

  /** Distinct new networks, at most `count`: fewer only where the space is about exhausted. */
  function batchOf(count: number, next: (nTries: number) => string): string[] {
    const texts: string[] = [];
    for (let nTries = 0, nFailed = 0; texts.length < count && nFailed < 50 * mostTries; ) {
      const text = next(nTries);
      if (seen.has(text)) {
        nTries++;
        nFailed++;
        continue;
      }
      seen.add(text);
      texts.push(text);
      nTries = 0;
      nFailed = 0;
    }
    return texts;
  }

  async function evaluated(texts: readonly string[]): Promise<Individual[]> {
    if (texts.length === 0) return [];
    const { merit, upperMs, isTrusted } = await evaluate(texts);
    return texts.map((text, i) => ({
      text,
      merit: merit[i]!,
      upperMs: upperMs[i]!,
      isTrusted: isTrusted[i]!,
    }));
  }

  for (const { budgetMs, evaluations } of budgets) {
    const { least, most } = sizeLimits;
    const size = Math.min(most, Math.max(least, Math.ceil(evaluations / leastGenerations)));
    let left = evaluations;
    const drawn = await evaluated(batchOf(Math.min(left, size), () => space.draw(random)));
    left -= drawn.length;
    // The oldest stand first: the least fit are the first to die.
    population = [...population, ...drawn].sort((a, b) => compare(b, a, budgetMs)).slice(-size);
    while (left > 0 && population.length > 0) {
      let parent = population[0]!;
      const texts = batchOf(Math.min(left, Math.ceil(size / 2)), (nTries) => {
        if (nTries >= mostTries) return space.draw(random);
        // Where a mutation was known already, another one of the same parent is tried.
        parent = nTries === 0 ? parentOf(population, budgetMs, random) : parent;
        return space.mutate(parent.text, random);
      });
      if (texts.length === 0) break;
      left -= texts.length;
      population = [...population, ...(await evaluated(texts))].slice(-size);
    }
  }
  return seen.size;
}
