/**
 * `samara train`: learn a predictor from a pool.
 */
import { InputError } from "../../errors.js";
import { shippedPool } from "../../store/paths.js";
import { formatDuration } from "../../units.js";
import { exitCodes } from "../exit-codes.js";
import type { Register } from "../main.js";
import { collect } from "../settings.js";

interface TrainOptions {
  pool: string;
  predictor: string;
  holdOut?: string[];
  descriptor: boolean;
  out?: string;
}

export function registerTrain(register: Register): void {
  register<TrainOptions>(
    "train",
    "learn a predictor from a pool",
    (command) =>
      command
        .option("--pool <dir>", "pool folder", shippedPool)
        .option(
          "--predictor <name>",
          "method: operator-sum, maple-edge or flops-line",
          "operator-sum",
        )
        .option("--hold-out <family>", "leave a runtime family out; repeat for several", collect)
        .option("--no-descriptor", "learn from latencies alone, for comparison")
        .option("-o, --out <dir>", "folder to write the predictor to"),
    async ({ options, out, progress, signal, settings, warnings }) => {
      if (options.out === undefined) throw new InputError("train needs -o, the folder to write");
      const { createPredictor } = await import("../../predict/registry.js");
      const { Pool } = await import("../../store/pool.js");
      const { loadPool, trainingPool } = await import("../../catalogue/training.js");
      const { writePredictor } = await import("../../store/predictors.js");
      const method = createPredictor(options.predictor);
      const loaded = await loadPool(new Pool(options.pool));
      const heldOut = options.holdOut ?? [];
      const families = new Set(loaded.platforms.map(({ runtime }) => runtime.family));
      const unknown = heldOut.filter((family) => !families.has(family));
      if (unknown.length > 0) {
        throw new InputError(
          `--hold-out ${unknown.join(", ")} is no family of the pool; it has ${[...families].join(", ")}`,
        );
      }
      const pool = trainingPool(loaded, heldOut, { descriptors: options.descriptor });
      const startMs = performance.now();
      const fitted = await method.fit(pool, {
        seed: options.seed,
        signal,
        onProgress: (done, total, what) =>
          progress.update(`train ${method.name}: ${what} ${done}/${total}`),
      });
      progress.clear();
      writePredictor(options.out, fitted.save(), {
        poolHash: loaded.hash,
        seed: options.seed,
        trainedFamilies: fitted.trainedFamilies,
        heldOutFamilies: heldOut,
        platform: null,
        nSamples: pool.platforms.reduce((sum, { rows }) => sum + rows.length, 0),
      });
      const durationMs = performance.now() - startMs;
      out.emit(
        {
          name: "train",
          context: settings,
          results: [
            {
              folder: options.out,
              predictor: method.name,
              nPlatforms: pool.platforms.length,
              trainedFamilies: fitted.trainedFamilies,
              heldOutFamilies: heldOut,
              durationS: durationMs / 1000,
            },
          ],
          warnings,
        },
        [
          { title: "predictor", value: (r) => r.predictor },
          { title: "platforms", value: (r) => String(r.nPlatforms), align: "right" },
          { title: "families", value: (r) => r.trainedFamilies.join(", ") },
          { title: "took", value: (r) => formatDuration(r.durationS * 1000), align: "right" },
        ],
        `\nSaved in ${options.out}`,
      );
      return exitCodes.ok;
    },
  );
}
