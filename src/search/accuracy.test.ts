import { describe, expect, test } from "vitest";
import { FormatError, InputError, InputErrors } from "../errors.js";
import {
  accuraciesFromCsv,
  accuraciesOfSpace,
  candidatesWithAccuracies,
  warningsOfMerit,
} from "./accuracy.js";
import { spaceNamed } from "./candidates.js";

const arch = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|nor_conv_1x1~1|none~2|";
const digits = "7818488874147327324245";
const read = (text: string, column?: string) =>
  accuraciesFromCsv(text, { source: "a.csv", column });
const messagesOf = (text: string, column?: string): string[] => {
  try {
    read(text, column);
  } catch (error) {
    if (error instanceof InputErrors) return error.errors.map(({ message }) => message);
    return [(error as Error).message];
  }
  return [];
};

describe("accuraciesFromCsv()", () => {
  test("reads networks in every form that commands read", () => {
    const table = read(
      `network,top1\n"${arch}",71\n1462,65.5\nfbnet/${digits},70\nnets/a.onnx,9\n`,
    );
    expect(table).toMatchObject({ source: "a.csv", column: "top1", unit: "%", nWithout: 0 });
    const names = table.entries.map(({ network }) =>
      network.kind === "file" ? network.path : network.architecture.id,
    );
    expect(names).toEqual([
      "nasbench201/9410",
      "nasbench201/1462",
      `fbnet/${digits}`,
      "nets/a.onnx",
    ]);
    expect(table.entries.map(({ line }) => line)).toEqual([2, 3, 4, 5]);
  });

  test("calls values up to 1 fractions", () => {
    expect(read("id,accuracy\n1,0.7\n2,1\n").unit).toBe("fraction");
  });

  test("takes the column arch before an index, which is of the published numbering", () => {
    const table = read(`index,arch,cifar100_test_acc\n7,${arch},71\n`);
    expect(table.column).toBe("cifar100_test_acc");
    expect(table.entries[0]!.network).toMatchObject({ architecture: { id: "nasbench201/9410" } });
  });

  test("refuses an index alone and says why", () => {
    expect(() => read("index,acc\n7,71\n")).toThrow(FormatError);
    expect(messagesOf("index,acc\n7,71\n")[0]).toContain("another order than Samara");
  });

  test("leaves out and counts networks without an accuracy", () => {
    const table = read("id,acc\n1,70\n2,\n3,\n");
    expect(table).toMatchObject({ nWithout: 2, entries: [{ accuracy: 70 }] });
    expect(warningsOfMerit(table)).toMatchObject([
      { code: "rows-without-accuracy", message: expect.stringContaining("2 networks") },
    ]);
    expect(warningsOfMerit(read("id,acc\n1,70\n"))).toEqual([]);
    expect(warningsOfMerit(undefined)).toMatchObject([{ code: "proxy-merit" }]);
  });

  test("refuses a row that breaks off, numbers in other notations, and names what separates columns", () => {
    expect(messagesOf("id,acc\n1,70\n3\n")).toEqual([
      "accuracy file a.csv, line 3: 1 of 2 fields: the one of acc is missing",
    ]);
    expect(messagesOf("id,acc\n1,0x20\n")[0]).toContain('got "0x20"');
    expect(() => read("id;acc\n1;70\n")).toThrow(
      expect.objectContaining({ hint: "separate columns by commas, not by semicolons" }),
    );
    const [message] = messagesOf(`${"x".repeat(5000)},${"y,".repeat(500)}z\n1,2\n`);
    expect(message!.length).toBeLessThan(1000);
  });

  test("asks which of several columns is meant, and takes the one that is named", () => {
    const text = "id,cifar10_test_acc,cifar100_test_acc\n1,90,70\n";
    expect(messagesOf(text)).toEqual([
      "accuracy file a.csv has several columns of accuracies: cifar10_test_acc, cifar100_test_acc",
    ]);
    expect(read(text, "cifar10_test_acc").entries[0]!.accuracy).toBe(90);
    expect(messagesOf(text, "top1")).toEqual([
      'accuracy file a.csv has no column "top1"; it has id, cifar10_test_acc, cifar100_test_acc',
    ]);
  });

  test("names all wrong lines at once", () => {
    const text = [
      "network,accuracy",
      "1,seventy",
      "2,NaN",
      "3,101",
      "4,-1",
      "resnet/18,70",
      "5,70",
      "nasbench201/5,71",
      "random,70",
      "99999,70",
      ",70",
      "6,70,more",
    ].join("\n");
    const messages = messagesOf(text);
    expect(messages).toEqual([
      'accuracy file a.csv, line 2: accuracy must be a number in 0…1 or in 0…100 %, got "seventy"',
      'accuracy file a.csv, line 3: accuracy must be a number in 0…1 or in 0…100 %, got "NaN"',
      'accuracy file a.csv, line 4: accuracy must be a number in 0…1 or in 0…100 %, got "101"',
      'accuracy file a.csv, line 5: accuracy must be a number in 0…1 or in 0…100 %, got "-1"',
      expect.stringContaining('line 6: unknown search space "resnet"'),
      "accuracy file a.csv, line 8: nasbench201/5 stands on line 7 already",
      expect.stringContaining("line 9: "),
      expect.stringContaining("line 10: an architecture index is an integer"),
      "accuracy file a.csv, line 11: no network is named",
      "accuracy file a.csv, line 12: 3 fields under 2 columns",
    ]);
  });

  test("lists twenty wrong lines and counts the others", () => {
    const lines = Array.from({ length: 50 }, (_, i) => `${i},x`);
    const messages = messagesOf(["id,acc", ...lines].join("\n"));
    expect(messages).toHaveLength(21);
    expect(messages.at(-1)).toBe("accuracy file a.csv: 30 more lines are wrong");
  });

  test.each([
    ["", "is empty"],
    ["a,b\n1,2\n", "must have a column that names networks"],
    ["id,b\n1,2\n", "must have a column of accuracies"],
    ["id,acc\n", "holds no accuracy in its column acc"],
    ["id,acc\n1,\n", "holds no accuracy in its column acc"],
  ])("refuses %j", (text, message) => {
    expect(messagesOf(text)).toEqual([expect.stringContaining(message)]);
  });
});

describe("candidatesWithAccuracies()", () => {
  const table = read(`network,accuracy\nfbnet/${digits},70\n3,60\nfbnet/${"8".repeat(22)},50\n`);

  test("makes a table for each space, with accuracies by row", () => {
    const { space, merit, tables } = candidatesWithAccuracies(table);
    expect(space).toBe("fbnet+nasbench201");
    expect(merit).toEqual({ kind: "accuracy", source: "a.csv: accuracy", unit: "%" });
    expect(tables.map(({ merit: accuracies }) => [...accuracies])).toEqual([[70, 50], [60]]);
    expect(tables[0]!.features.ids).toEqual([`fbnet/${digits}`, `fbnet/${"8".repeat(22)}`]);
    expect(tables[1]!.written(0)).toBe("|none~0|+|none~0|none~1|+|none~0|none~1|nor_conv_3x3~2|");
  });

  test("of one space, or an error when there are none", () => {
    const ofCells = accuraciesOfSpace(table, spaceNamed("nasbench201"));
    expect(candidatesWithAccuracies(ofCells).tables).toHaveLength(1);
    expect(() => accuraciesOfSpace(table, spaceNamed("ofa"))).toThrow("names no network of ofa");
  });

  test("needs the features of files that the table names", () => {
    const withFile = read("file,accuracy\na.onnx,70\n");
    expect(() => candidatesWithAccuracies(withFile)).toThrow(InputError);
    const features = spaceNamed("nasbench201").features(["1"]);
    const { space, tables } = candidatesWithAccuracies(withFile, { files: features });
    expect([space, tables[0]!.written(0), tables[0]!.merit[0]]).toEqual(["files", "a.onnx", 70]);
  });
});
