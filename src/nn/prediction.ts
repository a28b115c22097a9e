/**
 * Predicting with learned weights: a graph with constant weights, run in chunks.
 *
 * One call over a million rows would be slower (caches) and take gigabytes; chunks also let the event loop turn.
 */
import { InputError, ShapeError } from "../errors.js";
import { createOrtSession } from "../ort/session.js";
import type { Network } from "./layers.js";
import type { Columns } from "./trainer.js";
import { predictionGraph } from "./training-graph.js";

/** Rows of one call; 4–16 thousand measured best for perceptrons. */
const defaultChunkRows = 8192;

/** A network ready to predict. */
export interface Forward {
  /**
   * Outputs (rows · outputs) of rows of columns.
   *
   * @throws InputError on a missing column; ShapeError on columns of different length
   */
  predict(columns: Columns): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/**
 * Make a network with its weights ready to predict.
 *
 * @param options.chunkRows - rows of one call, default 8192; fewer for networks with large intermediate results
 */
export async function createForward(
  network: Network,
  widths: Readonly<Record<string, number>>,
  weights: Float32Array,
  options: { threads?: number; chunkRows?: number } = {},
): Promise<Forward> {
  const chunkRows = options.chunkRows ?? defaultChunkRows;
  const session = await createOrtSession(predictionGraph(network, widths, weights), {
    threads: options.threads ?? 1,
    allowSpinning: false,
  });
  return {
    async predict(columns) {
      const entries = Object.entries(widths);
      const nRows = (columns[entries[0]![0]]?.length ?? 0) / entries[0]![1];
      for (const [name, width] of entries) {
        const values = columns[name];
        if (values === undefined) throw new InputError(`column "${name}" is missing`);
        if (values.length !== nRows * width) {
          throw new ShapeError(
            `column "${name}" must have ${nRows} rows of ${width}, got ${values.length} values`,
          );
        }
      }
      const parts: Float32Array[] = [];
      for (let start = 0; start < nRows; start += chunkRows) {
        const end = Math.min(start + chunkRows, nRows);
        const feeds = Object.fromEntries(
          entries.map(([name, width]) => [
            `data.${name}`,
            {
              data: columns[name]!.subarray(start * width, end * width),
              dims: [end - start, width],
            },
          ]),
        );
        const { predicted } = await session.run(feeds);
        parts.push(predicted!.data as Float32Array);
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (parts.length === 1) return parts[0]!;
      const total = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
      let offset = 0;
      for (const part of parts) {
        total.set(part, offset);
        offset += part.length;
      }
      return total;
    },
    dispose: () => session.dispose(),
  };
}
