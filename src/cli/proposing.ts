/**
 * Which networks to measure next on a platform, as `samara measure --next` asks: what its predictor would know, without
 * what is measured already.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  chooseAdapted,
  folderNameOf,
  type LoadedAdapted,
  type LoadedFitted,
  loadFitted,
  shippedPredictor,
} from "../catalogue/predictors.js";
import { samplesOf } from "../catalogue/training.js";
import { InputError, NotFoundError } from "../errors.js";
import type { AdaptedPredictor, NextSamples } from "../predict/predictor.js";
import type { Measurement } from "../record/measurement.js";
import type { Platform } from "../record/platform.js";
import { indexFromNetworkId, networkId } from "../space/nasbench201/cell.js";
import { featuresOfCells } from "../space/nasbench201/features.js";
import { dataHome, userPool } from "../store/paths.js";
import { Pool } from "../store/pool.js";
import { readPredictor } from "../store/predictors.js";
import { formatShare } from "../units.js";
import { type Warn, warnOfDifferences } from "./predicting.js";

/** Networks of a platform that are measured already, and the pool that further ones belong to. */
export interface MeasuredBefore {
  readonly pool: Pool;
  /** Architectures by index, whatever their grade. */
  readonly indices: ReadonlySet<number>;
  /** How many of them a predictor can be adapted to. */
  readonly nUsable: number;
}

async function measurementsOf(folder: string, platformId: string): Promise<Measurement[]> {
  if (!existsSync(join(folder, "measurements.parquet"))) return [];
  const all = await new Pool(folder).measurements();
  return all.filter(
    (one) => one.platformId === platformId && indexFromNetworkId(one.subjectId) !== undefined,
  );
}

/** Folders of a platform's onboardings, the newest first. */
function onboardingsOf(platformId: string): string[] {
  const parent = join(dataHome(), "onboard");
  if (!existsSync(parent)) return [];
  return readdirSync(parent)
    .filter((name) => name.startsWith(folderNameOf(platformId)))
    .sort()
    .reverse()
    .map((name) => join(parent, name));
}

/**
 * What is measured of a platform, in the folder named, in the user's pool and in its onboardings.
 *
 * Samples of one platform belong into one pool, because its anchor makes their milliseconds: further ones go where the
 * platform has measurements already, the user's pool before the newest onboarding.
 */
export async function measuredBefore(
  platform: Platform,
  folder: string | undefined,
): Promise<MeasuredBefore> {
  const own = userPool();
  const indices = new Set<number>();
  const usable = new Set<number>();
  let home = folder;
  const folders = [...(folder === undefined ? [] : [folder]), own, ...onboardingsOf(platform.id)];
  for (const one of folders) {
    const measurements = await measurementsOf(one, platform.id);
    for (const { subjectId } of measurements) indices.add(indexFromNetworkId(subjectId)!);
    for (const row of samplesOf(platform, measurements).rows) usable.add(row);
    if (measurements.length > 0) home ??= one;
  }
  return { pool: new Pool(home ?? own), indices, nUsable: usable.size };
}

type Chosen = (LoadedAdapted & { kind: "adapted" }) | (LoadedFitted & { kind: "fitted" });

/** The predictor in a folder; else the one adapted to the platform; else the shipped one. */
async function choosePredictor(folder: string | undefined, platformId: string): Promise<Chosen> {
  if (folder !== undefined && readPredictor(folder).provenance.platform === null) {
    return { ...(await loadFitted(folder)), kind: "fitted" };
  }
  try {
    return { ...(await chooseAdapted(folder, platformId)), kind: "adapted" };
  } catch (error) {
    if (folder !== undefined || !(error instanceof NotFoundError)) throw error;
    return { ...(await loadFitted(shippedPredictor())), kind: "fitted" };
  }
}

/** The command that adapts to all that a pool holds of a platform. */
export function adaptCommand(pool: Pool, platformId: string): string {
  const command = `samara adapt --platform ${platformId}`;
  if (pool.folder === userPool()) return command;
  const descriptor = pool.descriptorPath(platformId);
  const described = existsSync(descriptor) ? ` --descriptor ${descriptor}` : "";
  return `${command} --measurements ${join(pool.folder, "measurements.parquet")}${described}`;
}

/** What `--next` proposes; `proposal` of the JSON document. */
export interface Proposal {
  /** Ids, the most telling first. */
  readonly networks: readonly string[];
  /**
   * Share of networks expected within ±10 % after the first k of them, k = 0…n; null with `reason` where no predictor
   * is adapted yet.
   */
  readonly expectedWithinTenPercent: readonly number[] | null;
  readonly reason: string | null;
  readonly predictor: string;
  readonly method: string;
  /** Samples of the platform that the predictor knows. */
  readonly nTargetSamples: number;
  /** Networks of the platform that were measured before, and are not proposed. */
  readonly nMeasuredBefore: number;
}

export interface ProposeOptions {
  readonly count: number;
  readonly seed: number;
  readonly platform: Platform;
  readonly before: MeasuredBefore;
  /** Architectures by index that are measured anyway. */
  readonly alsoMeasured: readonly number[];
  readonly predictorFolder?: string;
  readonly warn: Warn;
}

const otherMethod =
  "train and adapt a hypothesis-mixture or an operator-sum (`samara train`, `samara adapt`), or draw networks with --samples";

/** Say what the adapted predictor does not know of its platform. */
function warnOfUnknown({ provenance }: LoadedAdapted, options: ProposeOptions): void {
  const { before, platform, warn } = options;
  warnOfDifferences(provenance.platform!, platform, warn);
  if (before.nUsable <= provenance.nSamples) return;
  warn(
    "measured-since",
    `${before.nUsable} networks of ${platform.id} are measured, the predictor knows ${provenance.nSamples}: the proposal and what it expects leave the others out`,
    `adapt again first: ${adaptCommand(before.pool, platform.id)}`,
  );
}

/**
 * Propose networks of NAS-Bench-201 to measure next on a platform.
 *
 * @returns the proposal, its networks by index, and the adapted predictor if there is one
 * @throws InputError when the predictor's method has no opinion or too few networks are left; NotFoundError, FormatError
 *   from loading it
 */
export async function proposeNetworks(options: ProposeOptions): Promise<{
  proposal: Proposal;
  indices: number[];
  adapted: AdaptedPredictor | null;
}> {
  const { count, seed, platform, before } = options;
  const chosen = await choosePredictor(options.predictorFolder, platform.id);
  const networks = featuresOfCells();
  const taken = new Set([...before.indices, ...options.alsoMeasured]);
  const candidates = Array.from(networks.ids.keys()).filter((index) => !taken.has(index));
  const question = { count, seed, candidates };
  const refuse = () =>
    new InputError(
      `${chosen.predictor.name} in ${chosen.folder} does not say which networks to measure`,
      { hint: otherMethod },
    );
  let next: Omit<NextSamples, "expectedWithinTenPercent"> & Partial<NextSamples>;
  if (chosen.kind === "adapted") {
    if (chosen.predictor.chooseNextSamples === undefined) throw refuse();
    warnOfUnknown(chosen, options);
    next = chosen.predictor.chooseNextSamples(networks, question);
  } else {
    if (chosen.predictor.chooseSamples === undefined) throw refuse();
    next = { rows: chosen.predictor.chooseSamples(networks, question) };
  }
  const indices = Array.from(next.rows);
  const expected = next.expectedWithinTenPercent;
  return {
    indices,
    adapted: chosen.kind === "adapted" ? chosen.predictor : null,
    proposal: {
      networks: indices.map(networkId),
      expectedWithinTenPercent: expected === undefined ? null : Array.from(expected),
      reason: expected === undefined ? `no predictor is adapted to ${platform.id} yet` : null,
      predictor: chosen.folder,
      method: chosen.predictor.name,
      nTargetSamples: chosen.kind === "adapted" ? chosen.provenance.nSamples : 0,
      nMeasuredBefore: before.indices.size,
    },
  };
}

/** What to expect of a proposal, for people. */
export function describeExpectation(proposal: Proposal): string {
  const { expectedWithinTenPercent: expected, networks, method, nTargetSamples } = proposal;
  const after = `after ${networks.length === 1 ? "this network" : `these ${networks.length} networks`}`;
  if (expected === null) return `What to expect ${after} is not known: ${proposal.reason}.`;
  const share = (value: number) => formatShare(value, 0);
  return `${method} expects ${share(expected[0]!)} of all networks within ±10 % of measured latencies now (${nTargetSamples} samples), ${share(expected.at(-1)!)} ${after} and adapting again. This is its belief; \`samara evaluate\` checks.`;
}
