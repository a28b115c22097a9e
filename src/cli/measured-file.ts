/**
 * Measured latencies from a file of the user's, as samples of one platform: a pool's Parquet, or one of the texts that
 * `measured-rows.ts` reads.
 */
import { extname } from "node:path";
import { knownOfRuntime } from "../catalogue/training.js";
import { InputError } from "../errors.js";
import type { FeatureTable } from "../graph/features.js";
import type { PlatformSamples } from "../predict/predictor.js";
import type { Platform } from "../record/platform.js";
import { featuresOfCells } from "../space/nasbench201/features.js";
import { type Architecture, architectureFromId } from "../space/registry.js";
import { readBytes } from "../store/files.js";
import { readMeasurements } from "../store/pool.js";
import { type MeasuredNetwork, type MeasuredRows, measuredRows } from "./measured-rows.js";

async function readRows(path: string): Promise<MeasuredRows> {
  const form = extname(path).slice(1).toLowerCase();
  switch (form) {
    case "parquet": {
      const networks = (await readMeasurements(path)).flatMap((measurement) => {
        const architecture = architectureFromId(measurement.subjectId);
        if (architecture === undefined || measurement.grade === "X") return [];
        const { latencyMs, lowerMs, upperMs, platformId } = measurement;
        const relativeSd = (upperMs - lowerMs) / (2 * 1.645 * latencyMs);
        return [{ architecture, latencyMs, relativeSd, platformId }];
      });
      // A pool holds operators and files beside: nobody meant them here.
      return { networks, skipped: [] };
    }
    case "csv":
    case "jsonl":
    case "json":
      return measuredRows(readBytes(path, "measurements file").toString("utf8"), path, form);
    default:
      throw new InputError(
        `measurements come as .parquet (a pool's), .csv, .jsonl or .json (of \`samara measure\`), got ${path}`,
        { hint: "write a CSV with the columns network,latencyMs" },
      );
  }
}

/**
 * Read measured latencies of one platform, of networks of one search space.
 *
 * @param platformId - keep only this platform's; when undefined the file must hold one platform
 * @throws FormatError naming line and field; InputError when the file holds other platforms, or several, or networks of
 *   several search spaces
 */
export async function readMeasuredNetworks(
  path: string,
  platformId: string | undefined,
): Promise<{ networks: MeasuredNetwork[]; platformId: string | null; skipped: readonly string[] }> {
  const { networks, skipped } = await readRows(path);
  if (networks.length === 0) {
    const why = skipped.length === 0 ? "" : ` (left out: ${skipped.join(", ")})`;
    throw new InputError(
      `measurements file ${path} holds no usable latency of a network of a search space${why}`,
    );
  }
  const platforms = [...new Set(networks.map((network) => network.platformId))];
  if (platformId === undefined && platforms.length > 1) {
    throw new InputError(`measurements file ${path} holds ${platforms.length} platforms`, {
      hint: `choose one with --platform: ${platforms.join(", ")}`,
    });
  }
  const own = networks.filter(
    (network) =>
      platformId === undefined || network.platformId === null || network.platformId === platformId,
  );
  if (own.length === 0) {
    throw new InputError(
      `measurements file ${path} is of ${platforms.join(", ")}, not of ${platformId}`,
      {
        hint: "a latency belongs to its platform: measure this one, or name the other",
      },
    );
  }
  const ofOneSpace =
    extname(path) === ".parquet" ? cellsFirst(own) : { networks: own, skipped: [] };
  const spaces = [...new Set(ofOneSpace.networks.map(({ architecture }) => spaceOf(architecture)))];
  if (spaces.length > 1) {
    throw new InputError(
      `measurements file ${path} holds networks of ${spaces.join(" and ")}: samples must be of one search space`,
      { hint: "write a file for each space" },
    );
  }
  return {
    networks: ofOneSpace.networks,
    platformId: platformId ?? platforms[0] ?? null,
    skipped: [...skipped, ...ofOneSpace.skipped],
  };
}

const cellSpace = "nasbench201";
const spaceOf = (architecture: Architecture): string => architecture.space.name;

/** A pool is measured for many purposes: where it has cells, they are meant. */
function cellsFirst(networks: MeasuredNetwork[]): {
  networks: MeasuredNetwork[];
  skipped: string[];
} {
  const cells = networks.filter(({ architecture }) => spaceOf(architecture) === cellSpace);
  const nOthers = networks.length - cells.length;
  if (cells.length === 0 || nOthers === 0) return { networks, skipped: [] };
  return { networks: cells, skipped: [`networks of other search spaces: ${nOthers}`] };
}

/** Features of measured networks, one row each, in their order. */
export function featuresOfMeasured(networks: readonly MeasuredNetwork[]): FeatureTable {
  return networks[0]!.architecture.space.features(
    networks.map(({ architecture }) => architecture.text),
  );
}

/**
 * Measured networks as samples of a predictor, and the table that their rows point into: of NAS-Bench-201 the table of
 * all cells, of other spaces that of the measured networks.
 */
export function samplesFromNetworks(
  networks: readonly MeasuredNetwork[],
  platformId: string,
  runtime: Platform["runtime"],
): { samples: PlatformSamples; table: FeatureTable } {
  const hasSd = networks.every(({ relativeSd }) => relativeSd !== null);
  const [first] = networks;
  const isCells = first === undefined || spaceOf(first.architecture) === cellSpace;
  return {
    table: isCells ? featuresOfCells() : featuresOfMeasured(networks),
    samples: {
      platformId,
      family: runtime.family,
      ...knownOfRuntime(runtime),
      rows: Int32Array.from(networks, ({ architecture }, i) =>
        isCells ? Number(architecture.text) : i,
      ),
      latencyMs: Float64Array.from(networks, ({ latencyMs }) => latencyMs),
      ...(hasSd
        ? { relativeSd: Float64Array.from(networks, ({ relativeSd }) => relativeSd!) }
        : {}),
    },
  };
}
