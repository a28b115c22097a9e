/**
 * `samara evaluate`: hold an adapted predictor against measured latencies.
 */
import { InputError } from "../../errors.js";
import { formatShare } from "../../units.js";
import { exitCodes } from "../exit-codes.js";
import type { Register } from "../main.js";

interface EvaluateOptions {
  predictor?: string;
  measurements?: string;
  platform?: string;
}

export function registerEvaluate(register: Register): void {
  register<EvaluateOptions>(
    "evaluate",
    "score an adapted predictor against measured latencies",
    (command) =>
      command
        .option("--predictor <dir>", "adapted predictor")
        .option("--platform <id>", "platform whose predictor and latencies to take")
        .option(
          "--measurements <file>",
          "a pool's .parquet, .csv or .jsonl with network,latencyMs, or what measure printed",
        ),
    async ({ options, out, settings, warn, warnings }) => {
      if (options.measurements === undefined) {
        throw new InputError("evaluate needs --measurements FILE");
      }
      const { chooseAdapted } = await import("../../catalogue/predictors.js");
      const { featuresOfMeasured, readMeasuredNetworks } = await import("../measured-file.js");
      const { scorePredictions } = await import("../../evaluate/metrics.js");
      const { binomialInterval } = await import("../../tensor/stats.js");
      const chosen = await chooseAdapted(options.predictor, options.platform);
      const adaptedTo = chosen.provenance.platform!;
      const { networks, platformId } = await readMeasuredNetworks(
        options.measurements,
        adaptedTo.id,
      );
      if (platformId !== adaptedTo.id) {
        throw new InputError(
          `the latencies are of ${platformId}, the predictor is adapted to ${adaptedTo.id}`,
        );
      }
      warn(
        "samples-included",
        "networks that the predictor was adapted with are not told apart here",
        "give a file without them for an honest score",
      );
      const predictions = await chosen.predictor.predict(featuresOfMeasured(networks), {
        coverage: 0.9,
      });
      const scores = scorePredictions({
        measuredMs: Float64Array.from(networks, ({ latencyMs }) => latencyMs),
        predictedMs: predictions.latencyMs,
        lowerMs: predictions.lowerMs,
        upperMs: predictions.upperMs,
        coverage: 0.9,
      });
      const hits = Math.round(scores.withinTenPercent * networks.length);
      const interval = binomialInterval(hits, networks.length, 0.95);
      out.emit(
        {
          name: "evaluate",
          context: { ...settings, predictor: chosen.folder },
          results: [
            {
              platform: adaptedTo.id,
              nTest: networks.length,
              ...scores,
              withinTenPercentInterval: [interval.lower, interval.upper],
            },
          ],
          warnings,
        },
        [
          { title: "platform", value: (r) => r.platform },
          { title: "networks", value: (r) => String(r.nTest), align: "right" },
          { title: "±5 %", value: (r) => formatShare(r.withinFivePercent), align: "right" },
          { title: "±10 %", value: (r) => formatShare(r.withinTenPercent), align: "right" },
          { title: "MAPE", value: (r) => formatShare(r.mape), align: "right" },
          { title: "Spearman", value: (r) => r.spearman.toFixed(3), align: "right" },
          { title: "coverage", value: (r) => formatShare(r.coverage), align: "right" },
          { title: "width", value: (r) => formatShare(r.intervalWidth), align: "right" },
        ],
      );
      return exitCodes.ok;
    },
  );
}
