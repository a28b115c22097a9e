/**
 * Predictions of large tables that are asked for again and again: all cells of a space, by pages and searches.
 */
import type { AdaptedPredictor, Predictions } from "./predictor.js";

/** Coverages of one table that are remembered: 0.4 MB each for 15,625 networks. */
const mostCoverages = 8;

/** The same predictor, which predicts a table at a coverage once, as long as somebody holds on to the table. */
export function remembering(predictor: AdaptedPredictor): AdaptedPredictor {
  const known = new WeakMap<object, Map<number, Promise<Predictions>>>();
  return {
    ...predictor,
    predict(networks, options) {
      const { coverage } = options;
      const byCoverage = known.get(networks) ?? new Map<number, Promise<Predictions>>();
      known.set(networks, byCoverage);
      const found = byCoverage.get(coverage);
      if (found) return found;
      const predictions = predictor.predict(networks, options);
      if (byCoverage.size >= mostCoverages) byCoverage.delete(byCoverage.keys().next().value!);
      byCoverage.set(coverage, predictions);
      predictions.catch(() => byCoverage.delete(coverage));
      return predictions;
    },
  };
}
