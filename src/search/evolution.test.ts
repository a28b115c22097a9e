import { describe, expect, test } from "vitest";
import type { Space } from "../space/registry.js";
import { createRandom } from "../tensor/random.js";
import { evolve } from "./evolution.js";

const nPlaces = 12;
const nChoices = 4;

/** Words of 12 digits 0…3. */
const words: Pick<Space, "draw" | "mutate"> = {
  draw: (dice) => Array.from({ length: nPlaces }, () => dice.integer(nChoices)).join(""),
  mutate(text, dice) {
    const at = dice.integer(nPlaces);
    const other = (Number(text[at]) + 1 + dice.integer(nChoices - 1)) % nChoices;
    return text.slice(0, at) + other + text.slice(at + 1);
  },
};

/** A digit d is worth 2d + 1 and takes d². */
const sum = (text: string, value: (digit: number) => number) =>
  Array.from(text, (digit) => value(Number(digit))).reduce((a, b) => a + b);
const meritOf = (text: string) => sum(text, (digit) => 2 * digit + 1);
const latencyOf = (text: string) => sum(text, (digit) => digit * digit);

async function run(budgetMs: number, evaluations: number, seed = 1) {
  const looked: string[] = [];
  const n = await evolve(
    words,
    async (texts) => {
      looked.push(...texts);
      return {
        merit: texts.map(meritOf),
        upperMs: texts.map(latencyOf),
        isTrusted: texts.map(() => 1),
      };
    },
    { seed, budgets: [{ budgetMs, evaluations }] },
  );
  return { looked, n };
}

const bestOf = (texts: readonly string[], budgetMs: number) =>
  Math.max(...texts.filter((text) => latencyOf(text) <= budgetMs).map(meritOf));

describe("evolve()", () => {
  // Within 12 all digits 1 are the best: 36. Within 30: six digits 2 and six of 1, 48.
  test.each([
    [12, 36],
    [30, 48],
    [108, 84],
  ])("finds the best of 16 million within %i", async (budgetMs, best) => {
    const { looked } = await run(budgetMs, 6000);
    expect(bestOf(looked, budgetMs)).toBe(best);
  });

  test("as many draws do not find it", () => {
    const random = createRandom(1);
    const drawn = Array.from({ length: 6000 }, () => words.draw(random));
    expect(bestOf(drawn, 12)).toBeLessThan(36);
    expect(bestOf(drawn, 108)).toBeLessThan(84);
  });

  test("the same seed gives the same networks, another seed others", async () => {
    const [first, again, other] = [
      await run(20, 2000),
      await run(20, 2000),
      await run(20, 2000, 2),
    ];
    expect(again.looked).toEqual(first.looked);
    expect(other.looked).not.toEqual(first.looked);
  });

  test("looks at exactly as many as asked for, none twice", async () => {
    const { looked, n } = await run(20, 1234);
    expect(n).toBe(1234);
    expect(new Set(looked).size).toBe(1234);
  });

  test("ends where a space has no more networks", async () => {
    const coin: Pick<Space, "draw" | "mutate"> = {
      draw: (dice) => String(dice.integer(2)),
      mutate: (text) => (text === "0" ? "1" : "0"),
    };
    const n = await evolve(
      coin,
      async (texts) => ({
        merit: texts.map(Number),
        upperMs: texts.map(() => 1),
        isTrusted: texts.map(() => 1),
      }),
      { seed: 1, budgets: [{ budgetMs: 2, evaluations: 100 }] },
    );
    expect(n).toBe(2);
  });

  test("prefers what can be trusted", async () => {
    const looked: string[] = [];
    await evolve(
      words,
      async (texts) => {
        looked.push(...texts);
        return {
          merit: texts.map(meritOf),
          upperMs: texts.map(() => 1),
          // The best words are those that nothing is known of.
          isTrusted: texts.map((text) => Number(!text.includes("3"))),
        };
      },
      { seed: 1, budgets: [{ budgetMs: 2, evaluations: 5000 }] },
    );
    const late = looked.slice(-500);
    const trusted = late.filter((text) => !text.includes("3"));
    expect(trusted.length).toBeGreaterThan(250);
    expect(looked).toContain("2".repeat(nPlaces));
  });
});
