/**
 * `samara report`: what is known of a platform and its predictor, in one HTML file; charts as files of their own.
 */
import { InputError } from "../../errors.js";
import { durationMsFromText, formatShare } from "../../units.js";
import { exitCodes } from "../exit-codes.js";
import type { FigureFormat } from "../figure-files.js";
import { InputChecks } from "../input-checks.js";
import type { Register } from "../main.js";
import { collect, confidenceOption } from "../settings.js";

interface ReportOptions {
  out: string;
  predictor?: string;
  platform?: string;
  accuracy?: string;
  accuracyColumn?: string;
  budget?: string[];
  confidence: number;
  figures?: string;
  format?: string;
  learningCurve: boolean;
}

/** The command that writes the same report; values are quoted for a shell. */
function commandOf(options: ReportOptions, platformId: string, seed: number): string {
  const quoted = (text: string) =>
    /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
  const flags = [
    ["--platform", platformId],
    ["--predictor", options.predictor],
    ["--accuracy", options.accuracy],
    ["--accuracy-column", options.accuracyColumn],
    ...(options.budget ?? []).map((budget) => ["--budget", budget]),
    ["--confidence", String(options.confidence)],
    ["--seed", String(seed)],
    ["-o", options.out],
  ].flatMap(([flag, value]) => (value === undefined ? [] : [flag!, quoted(value)]));
  return [
    "samara report",
    ...flags,
    ...(options.learningCurve ? [] : ["--no-learning-curve"]),
  ].join(" ");
}

export function registerReport(register: Register): void {
  register<ReportOptions>(
    "report",
    "write what is known of a platform and its predictor as one HTML file",
    (command) =>
      command
        .option("-o, --out <file>", "file to write", "samara-report.html")
        .option(
          "--predictor <dir>",
          "predictor folder (default: adapted last for the platform, else shipped)",
        )
        .option("--platform <id>", "platform to report on")
        .option("--accuracy <file>", "CSV (also .csv.gz) of networks with their accuracies")
        .option("--accuracy-column <name>", "its column of accuracies (default: accuracy, top1, …)")
        .option(
          "--budget <duration>",
          "find the best network within it; may be repeated (default: four within the space's latencies)",
          collect,
        )
        .option(
          "--confidence <share>",
          "one-sided bound that budgets are held against",
          confidenceOption,
          0.9,
        )
        .option("--figures <dir>", "write every chart as a file of its own, too")
        .option("--format <format>", "of these files: svg or png (default: svg)")
        .option("--no-learning-curve", "leave out the chart that a predictor has to learn for"),
    async (context) => {
      const { options, out, progress, signal, warn, warnings } = context;
      const { figureFormats, writeFigures } = await import("../figure-files.js");
      const { chooseAdapted } = await import("../../catalogue/predictors.js");
      const { readAccuracies } = await import("../../catalogue/accuracy-file.js");
      const checks = new InputChecks();
      const format = (options.format ?? "svg") as FigureFormat;
      if (!figureFormats.includes(format)) {
        checks.add(
          new InputError(`--format is one of ${figureFormats.join(", ")}, got "${options.format}"`),
        );
      }
      if (options.format !== undefined && options.figures === undefined) {
        checks.add(new InputError("--format needs --figures"));
      }
      if (options.accuracyColumn !== undefined && options.accuracy === undefined) {
        checks.add(new InputError("--accuracy-column needs --accuracy"));
      }
      const budgetsMs = (options.budget ?? []).map((text) =>
        checks.run(() => durationMsFromText(text), 1),
      );
      const { accuracy, accuracyColumn } = options;
      const accuracies =
        accuracy === undefined
          ? undefined
          : checks.run(() => readAccuracies(accuracy, accuracyColumn), undefined);
      const found = await checks.wait(
        () => chooseAdapted(options.predictor, options.platform),
        null,
      );
      checks.done();
      const chosen = found!;
      const platformId = chosen.provenance.platform!.id;
      if (chosen.isShipped && options.platform === undefined) {
        warn(
          "shipped-predictor",
          `no predictor is adapted here yet: this report is of ${platformId}, where the shipped pool was measured`,
          "adapt one to a platform of yours with `samara onboard`",
        );
      }
      const { platformReport } = await import("../reporting.js");
      const report = await platformReport({
        chosen,
        accuracies,
        budgetsMs,
        confidence: options.confidence,
        hasLearningCurve: options.learningCurve,
        seed: options.seed,
        command: commandOf(options, platformId, options.seed),
        progress,
        signal,
      });
      const { renderPlatformReport, reportCharts } = await import(
        "../../evaluate/platform-report.js"
      );
      const { writeFileAtomic } = await import("../../store/files.js");
      progress.update("drawing");
      const page = renderPlatformReport(report);
      const figures =
        options.figures === undefined
          ? []
          : await writeFigures(reportCharts(report), options.figures, format);
      writeFileAtomic(options.out, page);
      const scores = "value" in report.checked ? report.checked.value.scores : undefined;
      progress.clear();
      out.emit(
        {
          name: "report",
          context: { ...context.settings, platform: platformId, predictor: chosen.folder },
          results: [
            {
              file: options.out,
              platform: platformId,
              nPlatforms: report.platforms.length,
              nTest: scores?.n ?? null,
              withinTenPercent: scores?.withinTenPercent ?? null,
              figures,
            },
          ],
          warnings,
        },
        [
          { title: "report", value: (r) => r.file },
          { title: "platform", value: (r) => r.platform },
          { title: "test networks", value: (r) => String(r.nTest ?? "–"), align: "right" },
          {
            title: "±10 %",
            value: (r) => (r.withinTenPercent === null ? "–" : formatShare(r.withinTenPercent)),
            align: "right",
          },
          { title: "figures", value: (r) => String(r.figures.length), align: "right" },
        ],
      );
      return exitCodes.ok;
    },
  );
}
