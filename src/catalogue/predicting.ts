/**
 * Predictions of an adapted predictor as records, one a network.
 */
import type { FeatureTable } from "../graph/features.js";
import type { AdaptedPredictor } from "../predict/predictor.js";

/** What is predicted of a network; the `predict` result of the command line and the service. */
export interface PredictedNetwork {
  readonly id: string;
  readonly latencyMs: number;
  readonly lowerMs: number;
  readonly upperMs: number;
  readonly coverage: number;
  readonly withinKnownRange: boolean;
  readonly outsideReason?: string;
}

/** Predict every row of tables, in their order. */
export async function predictTables(
  predictor: AdaptedPredictor,
  tables: readonly FeatureTable[],
  coverage: number,
): Promise<PredictedNetwork[]> {
  const predicted: PredictedNetwork[] = [];
  for (const table of tables) {
    const predictions = await predictor.predict(table, { coverage });
    for (const [i, id] of table.ids.entries()) {
      const reason = predictions.outsideReasons.get(i);
      predicted.push({
        id,
        latencyMs: predictions.latencyMs[i]!,
        lowerMs: predictions.lowerMs[i]!,
        upperMs: predictions.upperMs[i]!,
        coverage: predictions.coverage,
        withinKnownRange: predictions.withinKnownRange[i] === 1,
        ...(reason === undefined ? {} : { outsideReason: reason }),
      });
    }
  }
  return predicted;
}
