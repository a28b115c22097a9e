/**
 * Networks named on the command line: architecture strings, indices, ONNX files, drawn samples, standard input.
 */
import { readFileSync } from "node:fs";
import { InputError } from "../errors.js";
import {
  modelFileOf,
  type Subject,
  subjectFromGraph,
  subjectFromIndex,
} from "../measure/subject.js";
import { fileId } from "../onnx/file-id.js";
import { readOnnx } from "../onnx/read.js";
import { nCells } from "../space/nasbench201/cell.js";
import { type Architecture, architectureFromText } from "../space/registry.js";
import { readBytes } from "../store/files.js";
import { createRandom, drawWithoutReplacement } from "../tensor/random.js";
import { InputChecks } from "./input-checks.js";

function linesOfStandardInput(): string[] {
  const lines = readFileSync(0, "utf8")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (lines.length === 0) throw new InputError("standard input holds no architecture");
  return lines;
}

/**
 * Architectures given as text, see `architectureFromText`; `-` reads one a line from standard input.
 *
 * @param seed - of the draws that `random` asks for
 * @throws InputErrors with all that are wrong
 */
export function architecturesFromArchs(archs: readonly string[], seed: number): Architecture[] {
  const texts = archs.flatMap((arch) => (arch === "-" ? linesOfStandardInput() : [arch]));
  const dice = createRandom(seed);
  const checks = new InputChecks();
  const architectures = texts.flatMap((text) =>
    checks.run(() => [architectureFromText(text, dice)], []),
  );
  checks.done();
  return architectures;
}

/** Draw architectures uniformly without replacement, none of them in `except`. */
export function drawIndices(
  seed: number,
  count: number,
  except: ReadonlySet<number> = new Set(),
): number[] {
  if (count > nCells - except.size) {
    throw new InputError(
      `only ${nCells - except.size} architectures are left to draw from, asked for ${count}`,
    );
  }
  const drawn = drawWithoutReplacement(
    createRandom(seed),
    nCells,
    Math.min(nCells, count + except.size),
  );
  return Array.from(drawn)
    .filter((index) => !except.has(index))
    .slice(0, count);
}

/**
 * A model file as a subject: ONNX runtimes run the very file, others a translation of its graph.
 *
 * @throws NotFoundError, FormatError, UnsupportedError from reading it
 */
export function subjectFromFile(path: string): Subject {
  const bytes = readBytes(path, "model file");
  // Read at once: a file that cannot be measured must fail before anything is measured.
  readOnnx(path);
  return {
    id: fileId(path, bytes),
    kind: "network",
    modelFile: (format) =>
      format === "onnx" ? bytes : modelFileOf(readOnnx(path, { values: true }), format),
  };
}

export const subjectsFromIndices = (indices: readonly number[]): Subject[] =>
  indices.map((index) => subjectFromIndex(index));

/** Each architecture once. */
export const subjectsFromArchitectures = (architectures: readonly Architecture[]): Subject[] =>
  [...new Map(architectures.map((architecture) => [architecture.id, architecture])).values()].map(
    ({ id, space, text }) => subjectFromGraph(id, "network", () => space.network(text)),
  );
