/**
 * `samara onboard`: the main job. Profile, measure, adapt, predict, verify, report.
 */
import { join, resolve } from "node:path";
import { Option } from "commander";
import { InputError } from "../../errors.js";
import { runtimePartOf } from "../../record/platform.js";
import {
  adaptedPredictors,
  dataHome,
  onboardingFiles,
  onboardingFolder,
} from "../../store/paths.js";
import { exitCodes } from "../exit-codes.js";
import { InputChecks } from "../input-checks.js";
import { asTyped } from "../invocation.js";
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
  folder?: string;
  /** `true` without a folder: the newest one of the platform. */
  resume?: string | true;
  serve?: boolean;
}

/** A runtime family that the shipped predictor has not seen. */
const defaultPlatform = "tflite2.9-xnnpack-t1";
const defaults = {
  samples: 10,
  verify: 30,
  select: "designed",
  seed: 0,
  predictor: null,
  baselines: null,
} as const;

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
          defaults.samples,
        )
        .addOption(
          new Option(
            "--select <how>",
            "samples that tell most about the others, or uniform by seed",
          )
            .choices(["designed", "random"])
            .default(defaults.select),
        )
        .option(
          "--verify <n>",
          "networks measured to check",
          integerOption("verify", 5, 1000),
          defaults.verify,
        )
        .option("--predictor <dir>", "predictor to adapt (default: the shipped one)")
        .option(
          "--baselines <dir>",
          "folder of the predictors to compare with (default: the shipped ones)",
        )
        .option("-o, --out <file>", "HTML report to write (default: beside the measurements)")
        .option("--folder <dir>", "folder for its measurements (default: a new one of your own)")
        .option(
          "--resume [dir]",
          "go on with an interrupted onboarding (default: the platform's newest)",
        )
        .option("--serve", "start the dashboard afterwards"),
    async (context) => {
      const { options, out, progress, signal, settings, warn, warnings } = context;
      const { findPlatforms } = await import("../platforms.js");
      const { folderNameOf, loadFitted, shippedBaselines, shippedPredictor } = await import(
        "../../catalogue/predictors.js"
      );
      const {
        defaultTimeBudget,
        describeResult,
        drawForOnboarding,
        loadBaselines,
        onboardPlatform,
      } = await import("../onboarding.js");
      const { Pool } = await import("../../store/pool.js");
      const { writeFileAtomic, writeJsonAtomic } = await import("../../store/files.js");
      const { renderOnboardingReport } = await import("../../evaluate/report.js");
      const { writeBegun } = await import("../onboarding-folder.js");
      const { begun, folder: given } = await findBegun(options);
      const { predictor, baselines: baselinesFolder, ...asked } = begun ?? askedFor(options);
      const checks = new InputChecks();
      const [platform] = await checks.wait(() => findPlatforms([asked.platform]), []);
      const fitted = await checks.wait(() => loadFitted(predictor ?? shippedPredictor()), null);
      // Read first as well: baselines that are missing must not cost four minutes.
      const baselines = await checks.wait(
        () => loadBaselines(baselinesFolder ?? shippedBaselines()),
        null,
      );
      checks.done();
      const { id } = platform!.platform;
      const folder = given ?? onboardingFolder(dataHome(), id, new Date());
      const reportPath = options.out ?? join(folder, onboardingFiles.report);
      // Written first: a path that cannot be written must not cost four minutes.
      writeFileAtomic(reportPath, "<!doctype html><title>onboarding in progress</title>\n");
      const measured = {
        fitted: fitted!,
        nSamples: asked.samples,
        nVerified: asked.verify,
        select: asked.select,
        seed: asked.seed,
      };
      const drawn = begun?.drawn ?? drawForOnboarding(measured);
      const nAttempts = (begun?.nAttempts ?? 0) + 1;
      writeBegun(folder, {
        schema: "samara/onboarding/1",
        ...asked,
        platform: id,
        predictor,
        baselines: baselinesFolder,
        drawn: { samples: [...drawn.samples], verified: [...drawn.verified] },
        nAttempts,
      });
      progress.note(`${begun ? "going on in" : "folder     "} ${folder}`);
      const report = await onboardPlatform({
        ...measured,
        platform: platform!,
        baselines: baselines!,
        drawn,
        nAttempts,
        budget: scaledBudget(defaultTimeBudget, asked.samples + asked.verify),
        pool: new Pool(folder),
        predictorFolder: join(adaptedPredictors(), folderNameOf(id)),
        progress,
        signal,
        warn,
      });
      progress.clear();
      writeFileAtomic(reportPath, renderOnboardingReport(report));
      writeJsonAtomic(join(folder, onboardingFiles.finished), report);
      out.emit(
        {
          name: "onboard",
          context: { ...settings, seed: asked.seed, folder, report: reportPath },
          results: [report.result],
          warnings,
        },
        [
          { title: "platform", value: (r) => r.platform },
          { title: "predictor", value: (r) => r.predictor },
          { title: "samples", value: (r) => String(r.samples), align: "right" },
          { title: "verified", value: (r) => String(r.nVerified), align: "right" },
        ],
        [
          describeResult(report.result),
          "",
          `Report      ${reportPath}`,
          `Predictor   ${report.result.predictorFolder}`,
          `Next        ${asTyped(`predict --platform ${runtimePartOf(id)} --all`)}`,
          ...(options.serve ? [] : [`Dashboard   ${asTyped("serve")}`]),
        ].join("\n"),
      );
      if (options.serve) {
        const { defaultAddress, serveUntilStopped } = await import("../serving.js");
        await serveUntilStopped({ ...defaultAddress, orAnyPort: true }, context);
      }
      return exitCodes.ok;
    },
  );
}

/** What the options ask for. */
const askedFor = ({ platform, samples, verify, select, seed, ...given }: AskedOptions) => ({
  platform,
  samples,
  verify,
  select,
  seed,
  predictor: given.predictor === undefined ? null : resolve(given.predictor),
  baselines: given.baselines === undefined ? null : resolve(given.baselines),
});
type AskedOptions = OnboardCommandOptions & { readonly seed: number };

/**
 * The onboarding that `--resume` goes on with, and the folder to work in where one is known.
 *
 * @throws NotFoundError, InputError, InputErrors when there is none, or it was begun with other settings
 */
async function findBegun(options: AskedOptions) {
  const { differences, isBegun, newestBegun, readBegun } = await import("../onboarding-folder.js");
  const { resume, platform } = options;
  const named = options.folder === undefined ? undefined : resolve(options.folder);
  const checks = new InputChecks();
  if (resume === undefined) {
    if (named !== undefined && isBegun(named)) {
      throw new InputError(`an onboarding was begun in ${named} before`, {
        hint: `go on with it: ${asTyped(`onboard --resume ${named}`)}; or name another folder`,
      });
    }
    return { begun: undefined, folder: named };
  }
  if (named !== undefined) checks.add(new InputError("--resume and --folder exclude each other"));
  checks.done();
  const { findPlatforms } = await import("../platforms.js");
  // Only what is not the default names a platform to be held against the folder's.
  const isNamed = resume === true || platform !== defaultPlatform;
  const [found] = isNamed ? await findPlatforms([platform]) : [];
  const folder = resume === true ? newestBegun(dataHome(), found!.platform.id) : resolve(resume);
  const begun = readBegun(folder);
  if (found !== undefined && found.platform.id !== begun.platform) {
    checks.add(
      new InputError(`the onboarding in ${folder} is of ${begun.platform}, not of ${platform}`, {
        hint: "leave --platform out",
      }),
    );
  }
  const { platform: _, ...given } = askedFor(options);
  for (const difference of differences(begun, given, defaults)) checks.add(difference);
  checks.done();
  return { begun, folder };
}

/** More networks than the default 40 may take more time; the default never does. */
function scaledBudget<T extends { measureS: number; totalS: number }>(
  budget: T,
  nNetworks: number,
): T {
  const factor = Math.max(1, nNetworks / 40);
  return { ...budget, measureS: budget.measureS * factor, totalS: budget.totalS * factor };
}
