/**
 * From what was asked for to the command that does it: checked before it is queued, as arguments that no shell reads.
 */
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { parse as parseYaml } from "yaml";
import { FormatError, InputError, InputErrors, messageOf, SamaraError } from "../../errors.js";
import { type CampaignPlan, campaignPlanSchema } from "../../record/campaign-plan.js";
import { architectureFromText } from "../../space/registry.js";
import { campaignPools, onboardingFolder } from "../../store/paths.js";
import { createRandom } from "../../tensor/random.js";
import type { JobRequest } from "../api/schemas.js";
import type { JobRecord } from "./job-store.js";
import type { MachineFacts } from "./machine.js";

/** What a request comes to on this machine. */
export interface Order {
  readonly platform: string | null;
  readonly networks: string[] | null;
  readonly folder: string | null;
  /** Text of a campaign's plan. */
  readonly plan?: string;
}

/** Names of pools that the service may write: folders right below `<home>/pools`. */
const poolName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

type Measure = Extract<JobRequest, { kind: "measure" }>;

function idsOfNetworks(texts: readonly string[], seed: number): string[] {
  const dice = createRandom(seed);
  const errors: SamaraError[] = [];
  const ids = texts.flatMap((text) => {
    try {
      return [architectureFromText(text, dice).id];
    } catch (error) {
      if (!(error instanceof SamaraError)) throw error;
      errors.push(error);
      return [];
    }
  });
  if (errors.length === 1) throw errors[0]!;
  if (errors.length > 1) throw new InputErrors(errors);
  return [...new Set(ids)];
}

function checkMeasure({ networks, samples, next }: Measure): void {
  if (!networks?.length && samples === undefined && next === undefined) {
    throw new InputError("a measure job needs something to measure: networks, samples or next");
  }
  if (next !== undefined && samples !== undefined) {
    throw new InputError("next and samples exclude each other", {
      hint: "next lets a predictor choose networks, samples draws them by seed",
    });
  }
}

function planOf(text: string): CampaignPlan {
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (cause) {
    throw new FormatError(`the plan is not YAML: ${messageOf(cause)}`, { field: "plan", cause });
  }
  const result = campaignPlanSchema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    ({ path, message }) => `${path.join(".") || "plan"}: ${message}`,
  );
  throw new FormatError(`the plan: ${problems.join("; ")}`, {
    field: "plan",
    hint: "docs/measuring.md has a complete plan",
  });
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/** The folder of a plan's pool. A request must not write wherever the service may. */
function poolFolder(home: string, name: string): string {
  const folder = join(campaignPools(home), name);
  if (poolName.test(name) && !isLink(folder)) return folder;
  throw new InputError(
    `the plan's pool must be a name of letters, digits, ".", "_" and "-", got "${name}"`,
    {
      hint: "it becomes a folder in SAMARA_HOME/pools; `samara campaign` on the command line writes anywhere",
    },
  );
}

async function campaignOrder(text: string, machine: MachineFacts, home: string): Promise<Order> {
  const plan = planOf(text);
  const folder = poolFolder(home, plan.pool);
  const platforms: string[] = [];
  for (const name of plan.platforms) platforms.push(await machine.platformId(name));
  // JSON is YAML.
  const written = `${JSON.stringify({ ...plan, platforms, pool: folder }, null, 2)}\n`;
  return { platform: null, networks: null, folder, plan: written };
}

/**
 * Check a request.
 *
 * @param createdAt - of the job that it becomes
 * @throws InputError, InputErrors, FormatError, NotFoundError with what is wrong with it
 */
export async function orderOf(
  request: JobRequest,
  { createdAt, machine, home }: { createdAt: Date; machine: MachineFacts; home: string },
): Promise<Order> {
  switch (request.kind) {
    case "campaign":
      return campaignOrder(request.plan, machine, home);
    case "measure": {
      checkMeasure(request);
      const networks = idsOfNetworks(request.networks ?? [], request.seed ?? 0);
      const platform = await machine.platformId(request.platform);
      return { platform, networks, folder: null };
    }
    case "onboard": {
      if (request.samples !== undefined && request.samples < 5) {
        throw new InputError(`samples must be an integer in 5…1000, got ${request.samples}`);
      }
      const platform = await machine.platformId(request.platform);
      return { platform, networks: null, folder: onboardingFolder(home, platform, createdAt) };
    }
    default:
      return request satisfies never;
  }
}

const option = (name: string, value: string | number | null | undefined) =>
  value === undefined || value === null ? [] : [`--${name}=${value}`];

/**
 * The command that lets a predictor choose the networks of a measure job; undefined when nothing is to be chosen, or
 * was chosen before. Measuring changes what would be chosen next, so it is asked once.
 */
export function proposingCommand({ request, platform, networks, folder }: JobRecord) {
  if (request.kind !== "measure" || request.next === undefined || folder !== null) return undefined;
  return [
    ...["measure", `--platform=${platform}`, `--next=${request.next}`, "--dry-run", "--json"],
    ...option("seed", request.seed),
    ...networks!.map((id) => `--arch=${id}`),
  ];
}

/**
 * The command of a job.
 *
 * @param hasBegun - whether there is something to go on with
 */
export function commandOf(record: JobRecord, planPath: string, hasBegun: boolean): string[] {
  const { request, platform, networks, folder } = record;
  switch (request.kind) {
    case "campaign":
      return ["campaign", planPath, "--resume", "--json"];
    case "measure":
      return [
        ...["measure", `--platform=${platform}`, "--resume", "--json"],
        ...option("seed", request.seed),
        ...option("samples", request.samples),
        ...option("out", folder),
        ...networks!.map((id) => `--arch=${id}`),
      ];
    case "onboard":
      return hasBegun
        ? ["onboard", `--resume=${folder}`, "--json"]
        : [
            ...["onboard", `--platform=${platform}`, `--folder=${folder}`, "--json"],
            ...option("samples", request.samples),
            ...option("seed", request.seed),
          ];
    default:
      return request satisfies never;
  }
}
