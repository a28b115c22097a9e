// Which folder may import which: the table of docs/architecture.md, checked on every import.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const src = resolve(import.meta.dirname, "../src");
const bottom = ["errors", "units", "package", "csv"];

const mayImport: Record<string, readonly string[]> = {
  record: [],
  tensor: [],
  graph: [],
  ort: [],
  onnx: ["graph"],
  tflite: ["graph"],
  ncnn: ["graph"],
  nn: ["tensor", "ort", "onnx", "graph"],
  space: ["graph"],
  counters: ["record"],
  platform: ["record", "counters", "ort", "graph", "onnx"],
  measure: ["record", "tensor", "graph", "onnx", "tflite", "ncnn", "space", "counters", "platform"],
  edge: ["record"],
  predict: ["record", "tensor", "nn", "graph"],
  evaluate: ["record", "tensor", "nn", "graph", "space", "predict"],
  store: ["record"],
  catalogue: ["record", "tensor", "graph", "space", "predict", "search", "store"],
  search: ["record", "tensor", "graph", "space", "predict"],
  server: [
    "record",
    "tensor",
    "graph",
    "onnx",
    "space",
    "predict",
    "evaluate",
    "search",
    "store",
    "catalogue",
  ],
};
/** Compose the parts, so they see everything. */
const seeAll = ["cli", "index"];

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
}

const layerOf = (file: string) =>
  relative(src, file)
    .replace(/(\.test)?\.tsx?$/, "")
    .split("/")[0]!;

interface Import {
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, "utf8");
  const specifiers = [...text.matchAll(/(?:from\s+|import\s*\(?\s*)["'](\.[^"']+)["']/g)];
  return specifiers.map((match) => {
    const target = resolve(dirname(file), match[1]!);
    return {
      from: layerOf(file),
      to: layerOf(target.replace(/\.js$/, ".ts")),
      text: `${relative(src, file)} -> ${match[1]}`,
    };
  });
}

describe("layers", () => {
  const files = sourceFiles(src);
  const imports = files.filter((file) => !file.endsWith(".test.ts")).flatMap(importsOf);

  test("reads the sources and their imports", () => {
    expect(files.length).toBeGreaterThan(10);
    expect(imports.length).toBeGreaterThan(10);
  });

  test("every folder is in the table", () => {
    const known = new Set([...Object.keys(mayImport), ...seeAll, ...bottom]);
    expect([...new Set(files.map(layerOf))].filter((layer) => !known.has(layer))).toEqual([]);
  });

  test("imports point down only", () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        from !== to &&
        !bottom.includes(to) &&
        !seeAll.includes(from) &&
        !(mayImport[from] ?? []).includes(to),
    );
    expect(wrong.map(({ text }) => text)).toEqual([]);
  });

  test("onnxruntime-node is imported in one file", () => {
    const users = files.filter((file) =>
      /["']onnxruntime-node["']/.test(readFileSync(file, "utf8")),
    );
    expect(users.map((file) => relative(src, file))).toEqual(["ort/session.ts"]);
  });
});
