/**
 * How long what is left of a campaign will take. Each platform has its own pace, because one may be fifty times slower
 * than another: a mean over all of them is wrong until the last round.
 */

interface Amount {
  planned: number;
  finished: number;
  durationMs: number;
}

/** Counts what is planned and done by platform and kind of subject, and tells the remaining time. */
export class Pace {
  private readonly amounts = new Map<string, Amount>();

  private amountOf(platformId: string, kind: string): Amount {
    const key = `${kind} ${platformId}`;
    let amount = this.amounts.get(key);
    if (amount === undefined) {
      amount = { planned: 0, finished: 0, durationMs: 0 };
      this.amounts.set(key, amount);
    }
    return amount;
  }

  /** So many more subject × process pairs are to be measured. */
  plan(platformId: string, kind: string, count: number): void {
    this.amountOf(platformId, kind).planned += count;
  }

  /** One was measured; a share of its process's start is part of the duration. */
  finish(platformId: string, kind: string, durationMs: number): void {
    const amount = this.amountOf(platformId, kind);
    amount.planned -= 1;
    amount.finished += 1;
    amount.durationMs += durationMs;
  }

  /**
   * Estimated ms for what is planned and not done. What has not been tried takes as long as the mean of the rest.
   *
   * @returns null before ten are finished: process starts included, fewer say nothing
   */
  remainingMs(): number | null {
    const all = [...this.amounts.values()];
    const finished = all.reduce((sum, amount) => sum + amount.finished, 0);
    if (finished < 10) return null;
    const meanMs = all.reduce((sum, amount) => sum + amount.durationMs, 0) / finished;
    return all.reduce((sum, { planned, finished: n, durationMs }) => {
      return sum + Math.max(0, planned) * (n === 0 ? meanMs : durationMs / n);
    }, 0);
  }
}
