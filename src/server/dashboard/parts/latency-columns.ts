/**
 * The two columns of a predicted latency: itself, and its interval.
 */
import { formatMs } from "../../../units.js";
import type { Column } from "./data-table.js";

interface PredictedLatency {
  readonly latencyMs: number;
  readonly lowerMs: number;
  readonly upperMs: number;
}

const intervalText = ({ lowerMs, upperMs }: PredictedLatency): string =>
  `${formatMs(lowerMs)} to ${formatMs(upperMs)}`;

/** Columns of rows whose predictions `of` knows, at 90 %. */
export function latencyColumns<T>(of: (row: T) => PredictedLatency): Column<T>[] {
  return [
    {
      name: "Latency",
      isNumber: true,
      sortBy: (row) => of(row).latencyMs,
      cell: (row) => formatMs(of(row).latencyMs),
    },
    { name: "90 % interval", isNumber: true, cell: (row) => intervalText(of(row)) },
  ];
}
