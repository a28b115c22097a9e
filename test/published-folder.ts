/**
 * Writes folders of latencies in the form of published data, made up from multiply-accumulates.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { blocks, nPlaces } from "../src/space/fbnet/architecture.js";
import { featuresOfFbnet } from "../src/space/fbnet/features.js";
import { createRandom } from "../src/tensor/random.js";

/** A platform of a made-up folder. */
export interface MadeUpPlatform {
  readonly id: string;
  readonly device?: string;
  /** Milliseconds of a network without multiply-accumulates. */
  readonly overheadMs: number;
  /** Milliseconds of 100 million multiply-accumulates. */
  readonly speedMs: number;
  /** Share of networks that were not measured. */
  readonly missing?: number;
}

/**
 * Write `latency.f32`, `latency.json` and `architectures.csv` for some FBNet networks drawn by seed. Their place in the
 * published order is written as 4,999 less their row.
 */
export function writeLatencyFolder(
  folder: string,
  { nNetworks, seed }: { readonly nNetworks: number; readonly seed: number },
  platforms: readonly MadeUpPlatform[],
): void {
  const dice = createRandom(seed);
  const architectures = Array.from({ length: nNetworks }, () =>
    Array.from({ length: nPlaces }, () => dice.integer(blocks.length)),
  );
  const { counts, signatures } = featuresOfFbnet(architectures);
  const macs = architectures.map((_, row) =>
    signatures.reduce(
      (sum, signature, i) => sum + signature.macs * counts.all[row * signatures.length + i]!,
      0,
    ),
  );
  const rows = platforms.map(({ id, overheadMs, speedMs, missing = 0 }) => {
    const random = createRandom(id.length);
    return macs.map((n) => {
      const isMissing = random.uniform() < missing;
      const latency = (overheadMs + (speedMs * n) / 1e8) * (1 + 0.02 * random.normal());
      return isMissing ? Number.NaN : latency;
    });
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "latency.f32"), new Uint8Array(Float32Array.from(rows.flat()).buffer));
  const description = {
    file: "latency.f32",
    dtype: "float32",
    shape: [platforms.length, nNetworks],
    unit: "ms",
    space: "fbnet",
    rows: platforms.map(({ id, device }) => ({ id, ...(device === undefined ? {} : { device }) })),
  };
  writeFileSync(join(folder, "latency.json"), JSON.stringify(description));
  const header = ["index", ...Array.from({ length: nPlaces }, (_, i) => `b${i}`)].join();
  const lines = architectures.map((choices, row) => [4999 - row, ...choices].join());
  writeFileSync(join(folder, "architectures.csv"), `${header}\n${lines.join("\n")}\n`);
}
