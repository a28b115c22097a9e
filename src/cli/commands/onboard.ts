/**
 * `samara onboard`: the main job. Profile, measure, adapt, predict, verify, report.
 */
import { join } from "node:path";
import { Option } from "commander";
import { adaptedPredictors, dataHome } from "../../store/paths.js";
import { exitCodes } from "../exit-codes.js";
import { InputChecks } from "../input-checks.js";
import type { Register } from "../main.js";
import { integerOption } from "../settings.js";

interface OnboardCommandOptions {
  platform: string;
  samples: number;
  verify: number;
  select: "random" | "designed";
  predictor?: string;
  baselines?: string;
  out?: string;
}

/** A runtime family that the shipped predictor has not seen. */
const defaultPlatform = "tflite2.9-xnnpack-t1";

export function registerOnboard(register: Register): void {
  register<OnboardCommandOptions>(
    "onboard",
    "the main job: from an unseen platform to checked predictions for all networks",
    (command) =>
      command
        .option("--platform <id>", "platform to onboard", defaultPlatform)
        .option(
          "--samples <n>",
          "networks measured to adapt",
          integerOption("samples", 5, 1000),
          10,
        )
        .addOption(
          new Option(
            "--select <how>",
            "samples that tell most about the others, or uniform by seed",
          )
            .choices(["designed", "random"])
            .default("designed"),
        )
        .option("--verify <n>", "networks measured to check", integerOption("verify", 5, 1000), 30)
        .option("--predictor <dir>", "predictor to adapt (default: the shipped one)")
        .option(
          "--baselines <dir>",
          "folder of the predictors to compare with (default: the shipped ones)",
        )
        .option("-o, --out <file>", "HTML report to write (default: beside the measurements)"),
    async ({ options, out, progress, signal, settings, warn, warnings }) => {
      const { findPlatforms } = await import("../platforms.js");
      const { folderNameOf, loadFitted, shippedBaselines, shippedPredictor } = await import(
        "../../catalogue/predictors.js"
      );
      const {
        defaultTimeBudget,
        describeResult,
        loadBaselines,
        onboardingFolder,
        onboardPlatform,
      } = await import("../onboarding.js");
      const { Pool } = await import("../../store/pool.js");
      const { writeFileAtomic, writeJsonAtomic } = await import("../../store/files.js");
      const { renderOnboardingReport } = await import("../../evaluate/report.js");
      const checks = new InputChecks();
      const [platform] = await checks.wait(() => findPlatforms([options.platform]), []);
      const fitted = await checks.wait(
        () => loadFitted(options.predictor ?? shippedPredictor()),
        null,
      );
      // Read first as well: baselines that are missing must not cost four minutes.
      const baselines = await checks.wait(
        () => loadBaselines(options.baselines ?? shippedBaselines()),
        null,
      );
      checks.done();
      const id = platform!.platform.id;
      const folder = onboardingFolder(dataHome(), id, new Date());
      const reportPath = options.out ?? join(folder, "report.html");
      // Written first: a path that cannot be written must not cost four minutes.
      writeFileAtomic(reportPath, "<!doctype html><title>onboarding in progress</title>\n");
      const report = await onboardPlatform({
        platform: platform!,
        fitted: fitted!,
        baselines: baselines!,
        nSamples: options.samples,
        nVerified: options.verify,
        select: options.select,
        seed: options.seed,
        budget: scaledBudget(defaultTimeBudget, options.samples + options.verify),
        pool: new Pool(folder),
        predictorFolder: join(adaptedPredictors(), folderNameOf(id)),
        progress,
        signal,
        warn,
      });
      progress.clear();
      writeFileAtomic(reportPath, renderOnboardingReport(report));
      writeJsonAtomic(join(folder, "report.json"), report);
      out.emit(
        {
          name: "onboard",
          context: { ...settings, folder, report: reportPath },
          results: [report.result],
          warnings,
        },
        [
          { title: "platform", value: (r) => r.platform },
          { title: "predictor", value: (r) => r.predictor },
          { title: "samples", value: (r) => String(r.samples), align: "right" },
          { title: "verified", value: (r) => String(r.nVerified), align: "right" },
        ],
        `${describeResult(report.result)}\n\nReport      ${reportPath}\nPredictor   ${report.result.predictorFolder}\nNext        samara predict --platform ${options.platform} --all`,
      );
      return exitCodes.ok;
    },
  );
}

/** More networks than the default 40 may take more time; the default never does. */
function scaledBudget<T extends { measureS: number; totalS: number }>(
  budget: T,
  nNetworks: number,
): T {
  const factor = Math.max(1, nNetworks / 40);
  return { ...budget, measureS: budget.measureS * factor, totalS: budget.totalS * factor };
}
