import { describe, expect, test } from "vitest";
import { csvFromText } from "./csv.js";
import { FormatError } from "./errors.js";

const read = (text: string) => csvFromText(text, "table t.csv");

describe("csvFromText()", () => {
  test("reads rows with the lines that they begin on", () => {
    expect(read("a,b\n1,2\n\n3,4\n")).toEqual({
      columns: ["a", "b"],
      rows: [
        { fields: ["1", "2"], line: 2 },
        { fields: ["3", "4"], line: 4 },
      ],
    });
  });

  test("understands what spreadsheets write: a byte order mark, CRLF, quotes, commas and lines in them", () => {
    const text = '\uFEFF"na""me", value \r\n"a,b","x\r\ny"\r\n c , 2 \r\n';
    expect(read(text)).toEqual({
      columns: ['na"me', "value"],
      rows: [
        { fields: ["a,b", "x\r\ny"], line: 2 },
        { fields: ["c", "2"], line: 4 },
      ],
    });
  });

  test("keeps empty fields, and the last line without an end", () => {
    expect(read("a,b,c\n,,\n1,,3").rows).toEqual([
      { fields: ["", "", ""], line: 2 },
      { fields: ["1", "", "3"], line: 3 },
    ]);
  });

  test("a quote that is never closed is named by its line", () => {
    expect(() => read('a\n1\n"2\n3\n')).toThrow(FormatError);
    expect(() => read('a\n1\n"2\n3\n')).toThrow("table t.csv, line 3: a quote is opened");
  });

  test.each(["", "\n\n", "\uFEFF"])("an empty text %j has no header", (text) => {
    expect(() => read(text)).toThrow("table t.csv is empty: it must have a header line");
  });
});
