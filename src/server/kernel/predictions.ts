/**
 * Predictions for networks that requests name, many requests at once: cells come from the table of all cells, whatever
 * else is named from its space's features.
 */
import { FormatError, InputError, InputErrors, messageOf, SamaraError } from "../../errors.js";
import type { Predictions } from "../../predict/predictor.js";
import { type Architecture, type Space, spaces } from "../../space/registry.js";
import type { Prediction } from "../api/schemas.js";
import type { Warning } from "./document.js";
import { namedArchitecture } from "./networks.js";
import { type PredictorCache, type ReadyPredictor, warningsOf } from "./predictors.js";

/** How to predict. */
export interface PredictOptions {
  readonly predictor?: string | undefined;
  readonly coverage?: number | undefined;
  readonly budgetMs?: number | undefined;
  /** Of the one-sided bound that a budget is held against. */
  readonly confidence?: number | undefined;
}

/** Networks of one request. */
export interface PredictBatch extends PredictOptions {
  readonly networks: readonly string[];
}

/** The answer to one request: of which platform, and what must be said of it. */
export interface PredictedBatch {
  readonly platform: string;
  readonly predictions: readonly Prediction[];
  readonly warnings: readonly Warning[];
}

const defaultCoverage = 0.9;
const defaultConfidence = 0.9;
/** Of a line; no network's name is nearly as long. */
export const maxLineLength = 4096;
/** Complaints of one request that are listed. */
const mostComplaints = 20;

/**
 * With a budget, the interval whose ends are the one-sided bounds at the confidence.
 *
 * @throws InputError when both are asked for
 */
function coverageOf({ coverage, budgetMs, confidence }: PredictOptions): number {
  if (budgetMs === undefined) return coverage ?? defaultCoverage;
  if (coverage === undefined) return 2 * (confidence ?? defaultConfidence) - 1;
  throw new InputError("coverage and budgetMs exclude each other", {
    hint: "with a budget the interval is that of the confidence: it covers 2 confidence - 1",
  });
}

function predictionOf(
  id: string,
  predictions: Predictions,
  row: number,
  budgetMs: number | undefined,
): Prediction {
  const lowerMs = predictions.lowerMs[row]!;
  const upperMs = predictions.upperMs[row]!;
  const reason = predictions.outsideReasons.get(row);
  return {
    id,
    latencyMs: predictions.latencyMs[row]!,
    lowerMs,
    upperMs,
    coverage: predictions.coverage,
    withinKnownRange: predictions.withinKnownRange[row] === 1,
    ...(reason === undefined ? {} : { outsideReason: reason }),
    ...(budgetMs === undefined
      ? {}
      : { verdict: upperMs <= budgetMs ? "yes" : lowerMs > budgetMs ? "no" : "undecided" }),
  };
}

/** Predictions of architectures, in their order. */
async function predictArchitectures(
  cache: PredictorCache,
  ready: ReadyPredictor,
  architectures: readonly (Architecture | null)[],
  options: PredictOptions,
): Promise<(Prediction | null)[]> {
  const coverage = coverageOf(options);
  const found: (Prediction | null)[] = architectures.map(() => null);
  const bySpace = new Map<Space, number[]>();
  architectures.forEach((architecture, i) => {
    if (architecture === null) return;
    const places = bySpace.get(architecture.space);
    if (places) places.push(i);
    else bySpace.set(architecture.space, [i]);
  });
  for (const [space, places] of bySpace) {
    const isCells = space === spaces[0];
    const predictions = isCells
      ? await cache.ofCells(ready, coverage)
      : await ready.predictor.predict(space.features(places.map((i) => architectures[i]!.text)), {
          coverage,
        });
    places.forEach((i, place) => {
      const { id, text } = architectures[i]!;
      const row = isCells ? Number(text) : place;
      found[i] = predictionOf(id, predictions, row, options.budgetMs);
    });
  }
  return found;
}

/**
 * Predict the networks of one request.
 *
 * @throws NotFoundError for an unknown predictor; InputErrors with all networks that are none
 */
export async function predictBatch(
  cache: PredictorCache,
  batch: PredictBatch,
): Promise<PredictedBatch> {
  const ready = await cache.get(batch.predictor);
  const complaints: SamaraError[] = [];
  const architectures = batch.networks.flatMap((text) => {
    try {
      return [namedArchitecture(text)];
    } catch (error) {
      if (!(error instanceof SamaraError)) throw error;
      if (complaints.length < mostComplaints) complaints.push(error);
      return [];
    }
  });
  if (complaints.length === 1) throw complaints[0]!;
  if (complaints.length > 0) throw new InputErrors(complaints);
  const predictions = await predictArchitectures(cache, ready, architectures, batch);
  return {
    platform: ready.id,
    predictions: predictions as Prediction[],
    warnings: warningsOf(batch.predictor, ready),
  };
}

/** The network that a line names: a JSON string, or an object with `network`. */
function networkOfLine(line: string): string {
  if (line.length > maxLineLength) {
    throw new FormatError(`a line may have ${maxLineLength} characters, this one has more`);
  }
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new FormatError(`the line is no JSON: ${messageOf(cause)}`, { cause });
  }
  const network = (value as { network?: unknown } | null)?.network ?? value;
  if (typeof network === "string") return network;
  if (typeof network === "number") return String(network);
  throw new FormatError('a line must be a network, or an object with "network"', {
    hint: '"1462" or {"network":"fbnet/7818488874147327324245"}',
  });
}

/**
 * Predict lines of a stream. A line that names no network is answered by an error and stops nothing.
 *
 * @param firstLine - number of the first line, from 1
 * @returns one JSON line each, as UTF-8
 * @throws NotFoundError for an unknown predictor
 */
export async function predictLines(
  cache: PredictorCache,
  lines: readonly string[],
  firstLine: number,
  options: PredictOptions,
): Promise<Uint8Array> {
  const ready = await cache.get(options.predictor);
  const problems = new Map<number, SamaraError>();
  const architectures = lines.map((line, i) => {
    try {
      return namedArchitecture(networkOfLine(line));
    } catch (error) {
      if (!(error instanceof SamaraError)) throw error;
      problems.set(i, error);
      return null;
    }
  });
  const predictions = await predictArchitectures(cache, ready, architectures, options);
  const answers = predictions.map((prediction, i) => {
    if (prediction !== null) return JSON.stringify(prediction);
    const { code, message, hint } = problems.get(i)!;
    return JSON.stringify({
      line: firstLine + i,
      error: { code, detail: message, ...(hint === undefined ? {} : { hint }) },
    });
  });
  return new TextEncoder().encode(`${answers.join("\n")}\n`);
}
