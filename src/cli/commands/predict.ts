/**
 * `samara predict`: latencies with intervals, and whether a budget is met.
 */
import { InputError } from "../../errors.js";
import { durationMsFromText, formatMs, formatShare } from "../../units.js";
import { exitCodes } from "../exit-codes.js";
import { InputChecks } from "../input-checks.js";
import type { Register } from "../main.js";
import { collect, confidenceOption, shareOption } from "../settings.js";

interface PredictOptions {
  predictor?: string;
  platform?: string;
  arch?: string[];
  all?: boolean;
  budget?: string;
  confidence: number;
  coverage: number;
  card?: boolean;
  layers?: string;
}

type Verdict = "yes" | "no" | "undecided";

/** Whether the one-sided bounds of a prediction lie within a budget. */
function verdictOf(lowerMs: number, upperMs: number, budgetMs: number): Verdict {
  if (upperMs <= budgetMs) return "yes";
  return lowerMs > budgetMs ? "no" : "undecided";
}

function exitCodeOfVerdicts(verdicts: readonly Verdict[]): number {
  if (verdicts.includes("yes")) return exitCodes.ok;
  return verdicts.includes("undecided") ? exitCodes.undecided : exitCodes.no;
}

export function registerPredict(register: Register): void {
  register<PredictOptions>(
    "predict",
    "predict latencies with intervals; hold them against a budget",
    (command) =>
      command
        .argument("[files...]", "ONNX files")
        .option(
          "--predictor <dir>",
          "predictor folder (default: adapted last for the platform, else shipped)",
        )
        .option("--platform <id>", "platform to predict for")
        .option("--arch <arch>", "architecture as for generate; - reads one a line", collect)
        .option("--all", "all 15,625 architectures of NAS-Bench-201")
        .option("--budget <duration>", "latency budget, e.g. 12ms: answers yes, no or undecided")
        .option(
          "--confidence <share>",
          "one-sided bound that the budget is held against",
          confidenceOption,
          0.9,
        )
        .option("--coverage <share>", "of the printed intervals", shareOption("coverage"), 0.9)
        .option(
          "--layers <file>",
          "write the latency of every node of one network, for Netron to show beside the model",
        )
        .option("--card", "print what is known of the predictor's accuracy"),
    async (context) => {
      const { options, args, out, warn, warnings } = context;
      const { chooseAdapted } = await import("../../catalogue/predictors.js");
      const { cardOwners, cardText, emitCards } = await import("../accuracy-card.js");
      const nothing = !options.all && !options.arch?.length && args.length === 0;
      if (nothing && !options.card) {
        throw new InputError("predict needs something to predict: --arch, --all or ONNX files");
      }
      if (nothing && options.layers !== undefined) {
        throw new InputError("--layers needs exactly one network: one --arch or one ONNX file");
      }
      if (nothing) {
        emitCards(out, context.settings, await cardOwners(options.predictor, options.platform));
        return exitCodes.ok;
      }
      const { predictTables } = await import("../../catalogue/predicting.js");
      const { tableOfFiles, tableOfIndices } = await import("../predicting.js");
      const { warnOfPlatform } = await import("../asked-platform.js");
      const { architecturesFromArchs } = await import("../subjects.js");
      const { featuresOfArchitectures } = await import("../../space/registry.js");
      const checks = new InputChecks();
      const { budget, all, arch = [] } = options;
      const budgetMs =
        budget === undefined ? undefined : checks.run(() => durationMsFromText(budget), 0);
      const architectures = all
        ? []
        : checks.run(() => architecturesFromArchs(arch, options.seed), []);
      const { layers } = options;
      const layering = layers === undefined ? undefined : await import("../layers.js");
      const fileTable = args.length > 0 ? checks.run(() => tableOfFiles(args), null) : null;
      const layered =
        layering &&
        checks.run(() => layering.layeredNetwork(architectures, args, all === true), null);
      const found = await checks.wait(
        () => chooseAdapted(options.predictor, options.platform),
        null,
      );
      checks.done();
      const chosen = found!;
      const adaptedTo = chosen.provenance.platform!;
      await warnOfPlatform(chosen, options.platform, warn);

      // The interval at coverage 2c - 1 has its upper end at the one-sided bound c.
      const coverage = budgetMs === undefined ? options.coverage : 2 * options.confidence - 1;
      const tables = [
        ...(all ? [tableOfIndices()] : featuresOfArchitectures(architectures)),
        ...(fileTable === null ? [] : [fileTable]),
      ];
      const predictions = await predictTables(chosen.predictor, tables, coverage);
      for (const { id, withinKnownRange, outsideReason } of predictions) {
        if (!withinKnownRange) {
          warn(
            "outside-known-range",
            `${id}: ${outsideReason ?? "outside the known range"}`,
            "measure it with `samara measure`",
          );
        }
      }
      if (layers !== undefined && layering && layered) {
        await layering.writeLayers(layers, layered, chosen.predictor, warn);
      }
      const results = predictions.map((predicted) => {
        const { outsideReason: _, ...shown } = predicted;
        return budgetMs === undefined
          ? shown
          : { ...shown, verdict: verdictOf(predicted.lowerMs, predicted.upperMs, budgetMs) };
      });
      const verdicts = results.flatMap((r) => ("verdict" in r ? [r.verdict] : []));
      if (options.card) {
        out.line(cardText({ ...chosen, method: chosen.predictor.name }));
      }
      const nYes = verdicts.filter((verdict) => verdict === "yes").length;
      out.emit(
        {
          name: "predictions",
          context: {
            ...context.settings,
            predictor: chosen.folder,
            method: chosen.predictor.name,
            platform: adaptedTo.id,
            nTargetSamples: chosen.provenance.nSamples,
            ...(budgetMs === undefined ? {} : { budgetMs, confidence: options.confidence }),
          },
          results,
          warnings,
        },
        [
          { title: "network", value: (r) => r.id },
          { title: "latency", value: (r) => formatMs(r.latencyMs), align: "right" },
          {
            title: `${formatShare(coverage, 0)} interval`,
            value: (r) => `${formatMs(r.lowerMs)} – ${formatMs(r.upperMs)}`,
            align: "right",
          },
          ...(budgetMs === undefined
            ? []
            : [
                {
                  title: "verdict",
                  value: (r: object) => String((r as { verdict?: Verdict }).verdict),
                },
              ]),
          { title: "", value: (r) => (r.withinKnownRange ? "" : "outside the known range") },
        ],
        budgetMs === undefined
          ? `\nPredicted for ${adaptedTo.id} from ${chosen.provenance.nSamples} measured networks.`
          : `\n${nYes} of ${verdicts.length} within ${formatMs(budgetMs)} at ${formatShare(options.confidence, 0)} one-sided confidence, on ${adaptedTo.id}.`,
      );
      return budgetMs === undefined ? exitCodes.ok : exitCodeOfVerdicts(verdicts);
    },
  );
}
