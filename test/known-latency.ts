/**
 * A predictor of known beliefs: so many ms for an operator and for a million multiply-accumulates, the same doubt about
 * every network.
 */
import type { FeatureTable } from "../src/graph/features.js";
import { emptyRange, widenRange } from "../src/predict/known-range.js";
import { predictTable } from "../src/predict/predict-table.js";
import type { AdaptedPredictor } from "../src/predict/predictor.js";

const degreesOfFreedom = 6;

export interface KnownLatency {
  readonly operatorMs?: number;
  readonly megaMacMs?: number;
  /** Standard deviation over latency. */
  readonly deviation?: number;
  /** Whether its predictions can be relied on; default always. */
  readonly isKnown?: boolean;
}

/** Latency of a row, as `knownLatency` believes. */
export function latencyOfRow(
  { signatures, counts }: FeatureTable,
  row: number,
  { operatorMs = 0.01, megaMacMs = 0.02 }: KnownLatency = {},
): number {
  let latencyMs = 0.1;
  signatures.forEach(({ macs }, s) => {
    const count = counts.both[row * signatures.length + s]!;
    latencyMs += count * (operatorMs + (megaMacMs * macs) / 1e6);
  });
  return latencyMs;
}

export function knownLatency(options: KnownLatency = {}): AdaptedPredictor & { nCalls(): number } {
  const { deviation = 0.1, isKnown = true } = options;
  let nCalls = 0;
  return {
    name: "known-latency",
    platformId: "lab.known",
    nCalls: () => nCalls,
    predict(networks, { coverage }) {
      nCalls++;
      const meanMs = Float64Array.from(networks.ids, (_, row) =>
        latencyOfRow(networks, row, options),
      );
      return predictTable(
        networks,
        (rows) => ({
          meanMs: Float64Array.from(rows, (row) => meanMs[row]!),
          deviation: new Float64Array(rows.length).fill(deviation),
        }),
        {
          coverage,
          nSamples: 10,
          range: isKnown ? widenRange(emptyRange, networks, networks.ids.keys()) : emptyRange,
          intervals: [{ samples: 10, scale: 1, degreesOfFreedom, n: 1000 }],
        },
      );
    },
    save() {
      throw new Error("not saved");
    },
  };
}
