import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { quoted } from "./remote.js";

describe("quoted()", () => {
  const awkward = [
    "plain",
    "",
    "two words",
    "it's",
    "$HOME `id` $(id)",
    'a"b\\c',
    "*?[a]~",
    "a;b&c|d>e<f#g",
    "-x",
    "ünï",
    "''",
    "tab\there",
  ];

  test.each(awkward)("%j is one word of a shell", (text) => {
    const { stdout } = spawnSync("sh", ["-c", `printf '%s\\037' ${quoted(text)} end`], {
      encoding: "utf8",
    });
    expect(stdout).toBe(`${text}\x1fend\x1f`);
  });

  test.each(["a\nb", "a\rb", "a\0b"])("refuses %j", (text) => {
    expect(() => quoted(text)).toThrow("must be one line");
  });
});
