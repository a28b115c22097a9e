/**
 * What a perfect predictor of the true latency would reach on noisy measurements: `nasbench201/noise.csv` of the
 * published data, estimated there from pairs of architectures that are the same cell.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { normalQuantile } from "../tensor/stats.js";
import type { Protocol } from "./transfer.js";

/** Best scores that noise allows on one platform; NaN where unknown. */
export interface NoiseCeiling {
  readonly spearman: number;
  readonly withinTenPercent: number;
  /** Width of a 90 % interval around the true latency that holds the noise and nothing else, over that latency. */
  readonly intervalWidth: number;
}

/** Ceilings by dataset and platform. */
export type NoiseCeilings = (dataset: string, id: string) => NoiseCeiling | undefined;

const columns = {
  all: "spearman_ceiling",
  help: "spearman_ceiling_help_window",
} as const satisfies Record<Protocol, string>;

/**
 * Read the ceilings of a data folder.
 *
 * @returns none for any platform when the folder has no such file
 */
export function readNoiseCeilings(dataFolder: string, protocol: Protocol): NoiseCeilings {
  const path = join(dataFolder, "nasbench201", "noise.csv");
  if (!existsSync(path)) return () => undefined;
  const [header = "", ...lines] = readFileSync(path, "utf8").trimEnd().split(/\r?\n/);
  const names = header.split(",");
  const byPlatform = new Map<string, NoiseCeiling>();
  for (const line of lines) {
    const fields = line.split(",");
    const number = (name: string) => {
      const text = fields[names.indexOf(name)] ?? "";
      return text === "" ? Number.NaN : Number(text);
    };
    const key = JSON.stringify([fields[names.indexOf("dataset")], fields[names.indexOf("id")]]);
    byPlatform.set(key, {
      spearman: number(columns[protocol]),
      withinTenPercent: number("within10_ceiling"),
      intervalWidth: 2 * normalQuantile(0.95) * number("noise_sd"),
    });
  }
  return (dataset, id) => byPlatform.get(JSON.stringify([dataset, id]));
}
