import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { featuresOfGraphs } from "../graph/feature-table.js";
import { createRandom } from "../tensor/random.js";
import {
  architectureFromId,
  architectureFromText,
  featuresOfArchitectures,
  spaces,
} from "./registry.js";

const dice = createRandom(1);
const ids = (texts: readonly string[]) => texts.map((text) => architectureFromText(text, dice).id);

describe("architectureFromText()", () => {
  test("takes the space before the slash, else NAS-Bench-201", () => {
    expect(
      ids([
        "1462",
        "nasbench201/1462",
        "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|nor_conv_1x1~1|none~2|",
        `fbnet/${"8".repeat(22)}`,
        "ofa/128-3333-3333-3333-3333-3333",
      ]),
    ).toEqual([
      "nasbench201/1462",
      "nasbench201/1462",
      "nasbench201/9410",
      `fbnet/${"8".repeat(22)}`,
      "ofa/128-3333-3333-3333-3333-3333",
    ]);
  });

  test.each(spaces)("draws of $name by seed, and its example is an architecture", (space) => {
    const draw = (seed: number) => architectureFromText(`${space.name}/random`, createRandom(seed));
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3).id).not.toBe(draw(4).id);
    const { id } = draw(3);
    expect(architectureFromId(id)).toEqual(draw(3));
    expect(space.canonical(space.example)).toBe(space.example);
  });

  test("names the spaces there are", () => {
    expect(() => architectureFromText("resnet/18", dice)).toThrow(
      'unknown search space "resnet" in "resnet/18"; known: nasbench201, fbnet, fbnet-imagenet, ofa',
    );
  });
});

describe("architectureFromId()", () => {
  test.each(["file/net.onnx#0123", "operator/add@16x32x32", "reference", "fbnet/12", "1462"])(
    "knows no architecture in %s",
    (id) => {
      expect(architectureFromId(id)).toBeUndefined();
    },
  );
});

describe("spaces", () => {
  test.each(spaces)("$name: features are those of its networks", (space) => {
    const texts = [space.example, space.draw(dice), space.draw(dice)];
    const graphs = texts.map((text) => ({
      id: `${space.name}/${text}`,
      graph: space.network(text),
    }));
    const expected = featuresOfGraphs(graphs);
    expect(space.features(texts)).toEqual(expected);
    expect(expected.encoding?.space).toBe(space.name);
  });

  test.each(spaces)("$name: a mutation is another architecture, the same by seed", (space) => {
    const walk = (seed: number) => {
      const steps = createRandom(seed);
      let text = space.example;
      return Array.from({ length: 300 }, () => {
        const next = space.mutate(text, steps);
        expect(next).not.toBe(text);
        expect(space.canonical(next)).toBe(next);
        text = next;
        return next;
      });
    };
    expect(walk(5)).toEqual(walk(5));
    expect(new Set(walk(5)).size).toBeGreaterThan(250);
  });

  test("a mutation changes one choice", () => {
    const differing = (a: string, b: string) => [...a].filter((c, i) => c !== b[i]).length;
    for (const [space, form] of [
      [spaces[0], (text: string) => Number(text).toString(5).padStart(6, "0")],
      [spaces[1]!, (text: string) => text],
    ] as const) {
      for (let i = 0; i < 100; i++) {
        const text = space.draw(dice);
        expect(differing(form(text), form(space.mutate(text, dice)))).toBe(1);
      }
    }
  });

  test("a mutation of a once-for-all network changes its input, one depth, one kernel or one expansion", () => {
    const ofa = spaces[3]!;
    const kinds = new Set<string>();
    for (let i = 0; i < 300; i++) {
      const text = ofa.draw(dice);
      const [a, b] = [text.split("-"), ofa.mutate(text, dice).split("-")];
      const places = a.flatMap((part, at) => (part === b[at] ? [] : [at]));
      expect(places).toHaveLength(1);
      const [part, other] = [a[places[0]!]!, b[places[0]!]!];
      if (places[0] === 0) kinds.add("input");
      else if (part.length !== other.length) {
        kinds.add("depth");
        const short = Math.min(part.length, other.length);
        expect(part.slice(0, short)).toBe(other.slice(0, short));
      } else {
        const digits = [...part].flatMap((digit, at) => (digit === other[at] ? [] : [at]));
        expect(digits).toHaveLength(1);
        kinds.add(digits[0]! % 2 === 0 ? "kernel" : "expansion");
      }
    }
    expect([...kinds].sort()).toEqual(["depth", "expansion", "input", "kernel"]);
  });

  test.each(spaces)("$name: what is written is read again", (space) => {
    const text = space.draw(dice);
    const { id } = architectureFromText(space.written(text), dice);
    expect(id).toBe(`${space.name}/${text}`);
  });

  test("all of a small space are its networks, in order", () => {
    const all = spaces[0].all!();
    expect(all).toHaveLength(15_625);
    expect(all[1462]).toBe("1462");
    expect(spaces.slice(1).map((space) => space.all)).toEqual([undefined, undefined, undefined]);
  });

  test("chains refuse options that only cells have", () => {
    const { space, text } = architectureFromText("ofa/random", dice);
    expect(() => space.network(text, { channels: 8, seed: 1 })).toThrow(InputError);
    expect(() => space.network(text, { channels: 8, seed: 1 })).toThrow("no option channels");
    expect(space.network(text, { seed: 1, foldBatchNorm: false }).metadata).toMatchObject({
      seed: "1",
      batchNorm: "kept",
    });
  });

  test("tables of several spaces come one a space", () => {
    const named = ["1462", "fbnet/random", "3", "fbnet/random"].map((text) =>
      architectureFromText(text, dice),
    );
    const tables = featuresOfArchitectures(named);
    expect(tables.map((table) => table.ids)).toEqual([
      [named[0]!.id, named[2]!.id],
      [named[1]!.id, named[3]!.id],
    ]);
  });
});
