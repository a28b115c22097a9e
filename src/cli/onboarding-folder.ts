/**
 * The folder of an onboarding: its settings and what it has drawn, written before anything is measured, so that it can
 * go on after whatever stopped it. Its measurements and descriptor are those of a pool (`store/pool.ts`).
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { FormatError, InputError, NotFoundError, type SamaraError } from "../errors.js";
import { readBytes, writeJsonAtomic } from "../store/files.js";
import { onboardingFiles, onboardings } from "../store/paths.js";

const onboardingSchema = z.object({
  schema: z.literal("samara/onboarding/1"),
  /** Platform id. */
  platform: z.string(),
  samples: z.number().int().positive(),
  verify: z.number().int().positive(),
  select: z.enum(["designed", "random"]),
  seed: z.number().int().nonnegative(),
  /** Folders; null for what the package ships. */
  predictor: z.string().nullable(),
  baselines: z.string().nullable(),
  /** Architectures by index, as drawn at the beginning: another predictor would choose others. */
  drawn: z.object({
    samples: z.array(z.number().int().nonnegative()),
    verified: z.array(z.number().int().nonnegative()),
  }),
  /** How often it was begun or gone on with. */
  nAttempts: z.number().int().positive(),
});
/** What an onboarding was begun with. */
export type BegunOnboarding = z.infer<typeof onboardingSchema>;

const settingsPath = (folder: string) => join(folder, onboardingFiles.begun);

/** Whether an onboarding was begun in a folder. */
export const isBegun = (folder: string): boolean => existsSync(settingsPath(folder));

const isFinished = (folder: string) => existsSync(join(folder, onboardingFiles.finished));

/** Write down what an onboarding is begun with; an older file is replaced. */
export function writeBegun(folder: string, begun: BegunOnboarding): void {
  writeJsonAtomic(settingsPath(folder), begun);
}

/**
 * What the unfinished onboarding in a folder was begun with.
 *
 * @throws NotFoundError when there is none; InputError when it has finished; FormatError when its file is damaged
 */
export function readBegun(folder: string): BegunOnboarding {
  const path = settingsPath(folder);
  if (!existsSync(path)) {
    throw new NotFoundError(
      `no onboarding was begun in ${folder}: it has no ${onboardingFiles.begun}`,
      {
        hint: "name the folder that the interrupted command printed",
      },
    );
  }
  if (isFinished(folder)) {
    throw new InputError(`the onboarding in ${folder} has finished`, {
      hint: `its report is ${join(folder, onboardingFiles.report)}; without --resume another one is begun`,
    });
  }
  const text = readBytes(path, "onboarding").toString("utf8");
  try {
    return onboardingSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new FormatError(`${path} is not what \`samara onboard\` wrote`, { path, cause });
  }
}

/**
 * The newest unfinished onboarding of a platform.
 *
 * @throws NotFoundError when there is none
 */
export function newestBegun(home: string, platformId: string): string {
  const parent = onboardings(home);
  const begun = existsSync(parent) ? readdirSync(parent) : [];
  const unfinished = begun
    .map((name) => join(parent, name))
    .filter((folder) => isBegun(folder) && !isFinished(folder) && isOf(folder, platformId))
    .sort();
  const newest = unfinished.at(-1);
  if (newest !== undefined) return newest;
  throw new NotFoundError(`no onboarding of ${platformId} waits to be gone on with`, {
    hint: "leave --resume out to begin one",
  });
}

function isOf(folder: string, platformId: string): boolean {
  try {
    return JSON.parse(readFileSync(settingsPath(folder), "utf8")).platform === platformId;
  } catch {
    return false; // damaged: whoever names the folder is told so
  }
}

/** Settings that a command line gives, with the values they have when it does not. */
type Given = Pick<BegunOnboarding, "samples" | "verify" | "select" | "seed"> & {
  readonly predictor: string | null;
  readonly baselines: string | null;
};

/**
 * What speaks against going on with other settings than an onboarding was begun with; defaults are no settings.
 */
export function differences(
  begun: BegunOnboarding,
  given: Given,
  defaults: Given,
): readonly SamaraError[] {
  return (Object.keys(given) as (keyof Given)[])
    .filter((name) => given[name] !== defaults[name] && given[name] !== begun[name])
    .map(
      (name) =>
        new InputError(
          `the onboarding was begun with --${name} ${begun[name] ?? "as shipped"}, got ${given[name]}`,
          { hint: `leave --${name} out, or begin another onboarding without --resume` },
        ),
    );
}
