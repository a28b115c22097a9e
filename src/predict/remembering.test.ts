import { expect, test } from "vitest";
import type { FeatureTable } from "../graph/features.js";
import type { AdaptedPredictor, Predictions } from "./predictor.js";
import { remembering } from "./remembering.js";

const table = () => ({ ids: ["one"] }) as unknown as FeatureTable;

function counting() {
  let nAsked = 0;
  const predictor = {
    name: "counting",
    async predict(_networks: FeatureTable, { coverage }: { coverage: number }) {
      nAsked++;
      if (coverage === 0.5) throw new Error("not this one");
      return { coverage } as Predictions;
    },
  } as unknown as AdaptedPredictor;
  return { predictor: remembering(predictor), nAsked: () => nAsked };
}

test("a table is predicted once at each coverage", async () => {
  const { predictor, nAsked } = counting();
  const [one, other] = [table(), table()];
  expect(predictor.name).toBe("counting");
  const first = await predictor.predict(one, { coverage: 0.9 });
  expect(await predictor.predict(one, { coverage: 0.9 })).toBe(first);
  expect(nAsked()).toBe(1);
  expect(await predictor.predict(one, { coverage: 0.8 })).toMatchObject({ coverage: 0.8 });
  await predictor.predict(other, { coverage: 0.9 });
  expect(nAsked()).toBe(3);
});

test("the oldest of many coverages are forgotten", async () => {
  const { predictor, nAsked } = counting();
  const one = table();
  for (let i = 1; i <= 9; i++) await predictor.predict(one, { coverage: 0.9 + i / 100 });
  await predictor.predict(one, { coverage: 0.99 });
  expect(nAsked()).toBe(9);
  await predictor.predict(one, { coverage: 0.91 });
  expect(nAsked()).toBe(10);
});

test("a failure is not remembered", async () => {
  const { predictor, nAsked } = counting();
  const one = table();
  for (let i = 0; i < 2; i++) {
    await expect(predictor.predict(one, { coverage: 0.5 })).rejects.toThrow("not this one");
  }
  expect(nAsked()).toBe(2);
});
