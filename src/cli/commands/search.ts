/**
 * `samara search`: the best networks within a latency budget, and how sure that is.
 */
import { InputError } from "../../errors.js";
import type { SearchResult } from "../../record/search.js";
import type { AccuracyTable } from "../../search/accuracy.js";
import type { SearchOptions, SearchPlace } from "../../search/search.js";
import { durationMsFromText } from "../../units.js";
import type { NamedCandidates } from "../accuracy-file.js";
import type { CommandContext } from "../command.js";
import { exitCodes } from "../exit-codes.js";
import { InputChecks } from "../input-checks.js";
import type { Register } from "../main.js";
import { confidenceOption, integerOption } from "../settings.js";
import type { Verification } from "../verifying.js";

interface SearchCommandOptions {
  predictor?: string;
  platform?: string;
  budget?: string;
  confidence: number;
  accuracy?: string;
  accuracyColumn?: string;
  space?: string;
  evaluations?: number;
  verify?: number;
  adaptFrom?: string;
}

/** @throws InputErrors naming the options that do not go together */
function checkOptions(options: SearchCommandOptions, nFiles: number, checks: InputChecks): number {
  const refuse = (message: string, hint?: string) =>
    checks.add(new InputError(message, hint === undefined ? {} : { hint }));
  const { budget } = options;
  if (budget === undefined) refuse("search needs a budget", "for example --budget 12ms");
  if (options.accuracyColumn !== undefined && options.accuracy === undefined) {
    refuse("--accuracy-column needs --accuracy");
  }
  if (options.space !== undefined && nFiles > 0) {
    refuse("--space and ONNX files exclude each other", "the files are what is chosen from");
  }
  if (options.evaluations !== undefined && (options.accuracy !== undefined || nFiles > 0)) {
    refuse("--evaluations is for a space that is searched by evolution: a list is looked at whole");
  }
  if (options.adaptFrom !== undefined && options.verify === undefined) {
    refuse("--adapt-from needs --verify");
  }
  return budget === undefined ? 1 : checks.run(() => durationMsFromText(budget), 1);
}

/** A list to choose from, or a place to search; whichever the options ask for. */
type Choice = { readonly accuracies: AccuracyTable | undefined } & (
  | ({ readonly kind: "list" } & NamedCandidates)
  | { readonly kind: "place"; readonly place: SearchPlace }
);

async function choiceOf(options: SearchCommandOptions, files: readonly string[]): Promise<Choice> {
  const { readAccuracies } = await import("../../catalogue/accuracy-file.js");
  const { candidatesOfFiles, candidatesOfTable } = await import("../accuracy-file.js");
  const { accuraciesOfSpace } = await import("../../search/accuracy.js");
  const { spaceNamed } = await import("../../search/candidates.js");
  const { accuracy, accuracyColumn, space, evaluations } = options;
  const accuracies = accuracy === undefined ? undefined : readAccuracies(accuracy, accuracyColumn);
  if (files.length > 0)
    return { kind: "list", accuracies, ...candidatesOfFiles(files, accuracies) };
  const only = space === undefined ? undefined : spaceNamed(space);
  if (accuracies === undefined) return { kind: "place", accuracies, place: { space, evaluations } };
  const table = only === undefined ? accuracies : accuraciesOfSpace(accuracies, only);
  return { kind: "list", accuracies, ...candidatesOfTable(table) };
}

async function searchChoice(choice: Choice, options: SearchOptions): Promise<SearchResult> {
  const { searchCandidates, searchPlace } = await import("../../search/search.js");
  return choice.kind === "list"
    ? searchCandidates(choice.candidates, options)
    : searchPlace(choice.place, options);
}

function exitCodeOfSearch({ winner, nPossible, bestUncertain }: SearchResult): number {
  if (winner !== null) return exitCodes.ok;
  return nPossible > 0 || bestUncertain !== null ? exitCodes.undecided : exitCodes.no;
}

export function registerSearch(register: Register): void {
  register<SearchCommandOptions>(
    "search",
    "find the best networks within a latency budget, and how sure that is",
    (command) =>
      command
        .argument("[files...]", "ONNX files to choose from")
        .option("--budget <duration>", "latency budget, e.g. 12ms")
        .option(
          "--predictor <dir>",
          "predictor folder (default: adapted last for the platform, else shipped)",
        )
        .option("--platform <id>", "platform to search for")
        .option(
          "--confidence <share>",
          "one-sided bound that the budget is held against",
          confidenceOption,
          0.9,
        )
        .option(
          "--accuracy <file>",
          "CSV (also .csv.gz) of the networks to choose from with their accuracies",
        )
        .option("--accuracy-column <name>", "its column of accuracies (default: accuracy, top1, …)")
        .option(
          "--space <name>",
          "space to search: nasbench201, fbnet, fbnet-imagenet, ofa (default: nasbench201)",
        )
        .option(
          "--evaluations <n>",
          "networks that evolution looks at in a large space (default: 20000)",
          integerOption("evaluations", 100, 2_000_000),
        )
        .option(
          "--verify <n>",
          "measure n networks around the budget here, adapt with them, and search again",
          integerOption("verify", 1, 100),
        )
        .option(
          "--adapt-from <dir>",
          "with --verify: predictor that the one in use was adapted from (default: the shipped one)",
        ),
    async (context) => {
      const { options, args, progress, signal, warn } = context;
      const { chooseAdapted, shippedPredictor } = await import("../../catalogue/predictors.js");
      const checks = new InputChecks();
      const budgetMs = checkOptions(options, args.length, checks);
      const choice = await checks.wait(() => choiceOf(options, args), null);
      const found = await checks.wait(
        () => chooseAdapted(options.predictor, options.platform),
        null,
      );
      checks.done();
      const chosen = found!;
      const { warnOfPlatform } = await import("../asked-platform.js");
      await warnOfPlatform(chosen, options.platform, warn);
      const verifying =
        options.verify === undefined
          ? undefined
          : {
              platform: await platformToVerify(chosen.provenance.platform!.id),
              count: options.verify,
            };
      const { warningsOfMerit } = await import("../../search/accuracy.js");
      for (const { code, message, hint } of warningsOfMerit(choice!.accuracies)) {
        warn(code, message, code === "proxy-merit" ? "give accuracies with --accuracy FILE" : hint);
      }
      const searchOptions: SearchOptions = {
        predictor: chosen.predictor,
        budgetMs,
        confidence: options.confidence,
        seed: options.seed,
        signal,
        onProgress: (done, total, what) => progress.update(`search: ${done}/${total} ${what}`),
      };
      const first = await searchChoice(choice!, searchOptions);
      progress.clear();
      if (verifying === undefined) {
        await emitSearch(context, first, chosen.folder);
        return exitCodeOfSearch(first);
      }
      const { verifyHere } = await import("../verifying.js");
      const search: Parameters<typeof verifyHere>[1] = (predictor, held) =>
        searchChoice(choice!, { ...searchOptions, predictor, ...held });
      const verified = await verifyHere(first, search, {
        ...verifying,
        chosen,
        fittedFolder: options.adaptFrom ?? shippedPredictor(),
        pathOfId: choice!.kind === "list" ? choice!.pathOfId : new Map(),
        seed: options.seed,
        progress,
        signal,
        warn,
      });
      progress.clear();
      await emitSearch(context, verified.result, chosen.folder, { first, ...verified });
      return exitCodeOfSearch(verified.result);
    },
  );
}

/**
 * The platform that predictions are of, to be measured here.
 *
 * @throws PlatformUnavailableError or NotFoundError that says what to do instead
 */
async function platformToVerify(id: string) {
  const { findPlatforms } = await import("../platforms.js");
  const { NotFoundError, PlatformUnavailableError } = await import("../../errors.js");
  try {
    return (await findPlatforms([id]))[0]!;
  } catch (error) {
    if (!(error instanceof NotFoundError || error instanceof PlatformUnavailableError)) throw error;
    throw new PlatformUnavailableError(`--verify cannot measure ${id} here: ${error.message}`, {
      hint: "search without --verify, measure the networks of the front there (`samara measure`, on that machine or with --device), `samara adapt` with them, and search again",
      cause: error,
    });
  }
}

async function emitSearch(
  { out, settings, warnings, warn }: CommandContext<SearchCommandOptions>,
  result: SearchResult,
  predictorFolder: string,
  verified?: Verification & { readonly first: SearchResult },
): Promise<void> {
  const { describeSearch, frontColumns, frontRows, nearBudget, verifiedColumns } = await import(
    "../search-output.js"
  );
  if (result.winner?.withinKnownRange === false) {
    warn(
      "outside-known-range",
      `the winner ${result.winner.id} is outside the range that the predictor knows`,
      "measure it: --verify, or `samara measure`",
    );
  }
  const verification =
    verified === undefined
      ? undefined
      : {
          networks: verified.networks,
          winnerBefore: verified.first.winner?.id ?? null,
          winnerAfter: result.winner?.id ?? null,
          winnerChanged: verified.first.winner?.id !== result.winner?.id,
          nTargetSamples: verified.nSamples,
          pool: verified.pool.folder,
        };
  const document = {
    name: "search",
    context: {
      ...settings,
      predictor: predictorFolder,
      ...(verification === undefined ? {} : { verification }),
    },
    warnings,
  };
  if (out.format === "json") {
    out.emit({ ...document, results: [result] }, []);
    return;
  }
  const rows = frontRows(result);
  const shown = out.format === "table" ? nearBudget(rows, result.budgetMs) : rows;
  out.emit(
    { ...document, results: shown },
    frontColumns(result),
    describeSearch(result, shown.length),
  );
  if (verified === undefined || verification === undefined) return;
  const { adaptCommand } = await import("../proposing.js");
  out.table(verified.networks, verifiedColumns(result.merit));
  out.line(
    verification.winnerChanged
      ? `The winner changed: before, it was ${verified.first.winner?.network ?? "none"}.`
      : "The winner is the same as before.",
  );
  out.line(
    `The measured networks are kept in ${verified.pool.folder}; keep the better predictor, too: ${adaptCommand(verified.pool, result.platform)}`,
  );
  if (result.winner !== null && result.winner.measuredMs === undefined) {
    out.line("None of the measured networks fits: the winner is only predicted to.");
  }
}
