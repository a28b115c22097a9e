/**
 * A small world for predictors: networks with known counts, platforms with known operator costs, exact or noisy
 * latencies, descriptors. Nothing is measured; everything follows from the seed.
 */
import {
  type FeatureTable,
  type OperatorSignature,
  type RewriteSemantics,
  rewriteSemantics,
} from "../../src/graph/features.js";
import type { PlatformSamples, TrainingPool } from "../../src/predict/predictor.js";
import type { Descriptor } from "../../src/record/descriptor.js";
import { createRandom, deriveSeed, drawWithoutReplacement } from "../../src/tensor/random.js";

/** Operators of the world at a width factor and input size; 1 and 32 are those learned from. */
export function worldSignatures(width = 1, inputSize = 32): OperatorSignature[] {
  const channels = 16 * width;
  const elements = channels * inputSize * inputSize;
  const shape = `${channels}x${inputSize}x${inputSize}`;
  const signature = (
    group: string,
    macsPerElement: number,
    tensors: number,
  ): OperatorSignature => ({
    key: `${group} ${shape}`,
    group,
    macs: macsPerElement * elements,
    bytesMoved: 4 * tensors * elements,
    outputElements: elements,
  });
  return [
    signature("Conv 3x3/1", 9 * channels, 2),
    signature("Conv 1x1/1", channels, 2),
    signature("AveragePool 3x3/1", 0, 2),
    signature("Relu", 0, 2),
    signature("Add", 0, 3),
    signature("Conv 3x3/2", 9 * channels, 1),
  ];
}

/** Choices of a network: convolutions, pools and additions alive, and how many more are dead. */
interface Choice {
  readonly conv3: number;
  readonly conv1: number;
  readonly pool: number;
  readonly add: number;
  readonly dead: number;
  readonly connected: boolean;
}

function drawChoices(n: number, seed: number): Choice[] {
  const random = createRandom(deriveSeed(seed, "choices"));
  return Array.from({ length: n }, (_, i) => ({
    conv3: random.integer(5),
    conv1: random.integer(5),
    pool: random.integer(4),
    add: random.integer(4),
    dead: random.integer(3),
    connected: i % 40 !== 39,
  }));
}

/** A table of networks; `extraOperator` adds one unknown operator to every network. */
export function worldTable(
  n: number,
  seed: number,
  change: { width?: number; inputSize?: number; extraOperator?: string; timesLarger?: number } = {},
): FeatureTable {
  const choices = drawChoices(n, seed);
  const signatures = worldSignatures(change.width, change.inputSize);
  if (change.extraOperator !== undefined) {
    signatures.push({
      key: `${change.extraOperator} 16x32x32`,
      group: change.extraOperator,
      macs: 0,
      bytesMoved: 1e5,
      outputElements: 1e4,
    });
  }
  const times = 5 * (change.timesLarger ?? 1);
  const countsOf = (choice: Choice, semantics: RewriteSemantics): number[] => {
    const prunesDead = semantics.startsWith("backward") || semantics.startsWith("both");
    if (prunesDead && !choice.connected) return signatures.map(() => 0);
    const dead = prunesDead ? 0 : choice.dead;
    const convolutions = choice.conv3 + dead + choice.conv1;
    const relu = semantics.includes("+") ? Math.min(convolutions, 3) : convolutions;
    const cell = [choice.conv3 + dead, choice.conv1, choice.pool, relu, choice.add];
    return [...cell.map((count) => times * count), 2, 1].slice(0, signatures.length);
  };
  const entries = rewriteSemantics.map((semantics) => {
    const counts = choices.map((choice) => countsOf(choice, semantics));
    const path = counts.map((row) => row.reduce((sum, count) => sum + count, 0) / 2);
    return { semantics, counts: Float32Array.from(counts.flat()), path: Float32Array.from(path) };
  });
  const encodingWidth = 6;
  const encoding = choices.flatMap(({ conv3, conv1, pool, add, dead, connected }) => [
    conv3 / 4,
    conv1 / 4,
    pool / 3,
    add / 3,
    dead / 2,
    connected ? 1 : 0,
  ]);
  return {
    ids: choices.map((_, i) => `world/${i}`),
    signatures,
    counts: Object.fromEntries(
      entries.map(({ semantics, counts }) => [semantics, counts]),
    ) as FeatureTable["counts"],
    longestPath: Object.fromEntries(
      entries.map(({ semantics, path }) => [semantics, path]),
    ) as FeatureTable["longestPath"],
    heaviestPath: Object.fromEntries(
      entries.map(({ semantics, path }) => [semantics, path.map((length) => 4 * length)]),
    ) as FeatureTable["heaviestPath"],
    connected: Uint8Array.from(choices, ({ connected }) => (connected ? 1 : 0)),
    encoding: { space: "world", width: encodingWidth, values: Float32Array.from(encoding) },
  };
}

/** A platform of the world. */
export interface WorldPlatform {
  readonly id: string;
  readonly family: string;
  readonly semantics: RewriteSemantics;
  /** ms per giga-MAC, per gigabyte, per operator launched, per run. */
  readonly msPerGmac: number;
  readonly msPerGbyte: number;
  readonly launchMs: number;
  readonly overheadMs: number;
  readonly noiseSd: number;
}

/** Platforms of `nFamilies` families with two siblings each. */
export function worldPlatforms(nFamilies: number, seed: number): WorldPlatform[] {
  const random = createRandom(deriveSeed(seed, "platforms"));
  const semantics: RewriteSemantics[] = ["all", "backward+shared", "both"];
  return Array.from({ length: 2 * nFamilies }, (_, i) => ({
    id: `device.runtime${i}.fp32`,
    family: `family-${Math.floor(i / 2)}`,
    semantics: semantics[Math.floor(i / 2) % semantics.length]!,
    msPerGmac: 40 * Math.exp(0.5 * random.normal()),
    msPerGbyte: 150 * Math.exp(0.5 * random.normal()),
    launchMs: 0.004 * Math.exp(0.5 * random.normal()),
    overheadMs: 0.05 * Math.exp(0.5 * random.normal()),
    noiseSd: 0.02,
  }));
}

const costMs = (platform: WorldPlatform, { macs, bytesMoved }: OperatorSignature) =>
  platform.launchMs + (macs * platform.msPerGmac + bytesMoved * platform.msPerGbyte) / 1e9;

/** The true latencies of all networks of a table, ms. */
export function trueLatencies(platform: WorldPlatform, table: FeatureTable): Float64Array {
  const counts = table.counts[platform.semantics];
  const costs = table.signatures.map((signature) => costMs(platform, signature));
  return Float64Array.from(table.ids, (_, row) => {
    let sum = platform.overheadMs;
    costs.forEach((cost, s) => {
      sum += 0.9 * cost * counts[row * costs.length + s]!;
    });
    return sum;
  });
}

/** A descriptor whose rows are the operators alone; `without` leaves rows out. */
export function worldDescriptor(platform: WorldPlatform, without: string[] = []): Descriptor {
  const takenAt = "2026-01-01T00:00:00.000Z";
  const row = (operator: string, latencyMs: number, keys: string[]) => ({
    operator,
    signatures: keys.map((key) => ({ key, count: 1 })),
    latencyNs: latencyMs * 1e6,
    lowerNs: latencyMs * 0.98e6,
    upperNs: latencyMs * 1.02e6,
    grade: "A" as const,
    counters: [
      {
        name: "instructions",
        source: "pmu" as const,
        perRun: latencyMs * 2e6,
        runningShare: 1,
      },
    ],
  });
  const rows = worldSignatures().map((signature) =>
    row(`${signature.group}@world`, platform.overheadMs + costMs(platform, signature), [
      signature.key,
    ]),
  );
  return {
    schema: "samara/descriptor/1",
    tool: { name: "samara", version: "0.0.0" },
    platform: {
      id: platform.id,
      device: {
        id: "device",
        cpuModel: "synthetic",
        nCores: 2,
        architecture: "x64",
        memoryBytes: 0,
        os: "linux",
      },
      runtime: { family: platform.family, version: "1.0.0", threads: 1, settings: {} },
      precision: "fp32",
    },
    inputSize: 32,
    latencyUnit: "ns",
    rows: [row("overhead", platform.overheadMs, []), ...rows].filter(
      ({ operator }) => !without.includes(operator),
    ),
    context: {
      id: "c",
      cpuModel: "synthetic",
      nCores: 2,
      kernel: "none",
      governor: null,
      frequencyHz: null,
      temperatureC: null,
      loadAverage: null,
      cpuPressure: null,
      cgroupCpuLimit: null,
      virtualised: null,
      nodeVersion: "none",
      toolVersion: "0.0.0",
      runtimeVersion: "1.0.0",
      throttled: null,
      takenAt,
    },
    measuredAt: takenAt,
    durationS: 0,
  };
}

/** Noisy samples of a platform: `n` different networks drawn by seed. */
export function worldSamples(
  platform: WorldPlatform,
  table: FeatureTable,
  n: number,
  seed: number,
): PlatformSamples {
  const random = createRandom(deriveSeed(seed, platform.id));
  const latencies = trueLatencies(platform, table);
  const rows = drawWithoutReplacement(random, table.ids.length, n);
  return {
    platformId: platform.id,
    family: platform.family,
    descriptor: worldDescriptor(platform),
    rows,
    latencyMs: Float64Array.from(
      rows,
      (row) => latencies[row]! * Math.exp(platform.noiseSd * random.normal()),
    ),
  };
}

/** A pool of the world: `nFamilies` families of two siblings, `nSamples` samples each. */
export function worldPool(nFamilies: number, nSamples: number, seed: number): TrainingPool {
  const networks = worldTable(400, seed);
  return {
    networks,
    platforms: worldPlatforms(nFamilies, seed).map((platform) =>
      worldSamples(platform, networks, nSamples, seed),
    ),
  };
}
