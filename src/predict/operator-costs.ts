/**
 * What each operator costs alone on a platform, solved from the rows of its descriptor.
 *
 * A row's latency is the per-run overhead plus its operators (`nor_conv_3x3` is Relu and Conv). Rows may be fewer
 * than operators, so each cost is drawn towards the platform's own typical rate per multiply-accumulate or byte.
 */
import { z } from "zod";
import { InputError } from "../errors.js";
import type { OperatorSignature } from "../graph/features.js";
import type { Descriptor, DescriptorRow } from "../record/descriptor.js";
import {
  addDiagonal,
  cholesky,
  inverseFromCholesky,
  matrix,
  solveCholesky,
  symmetricProduct,
  transposedTimesVector,
} from "../tensor/linalg.js";
import { median, normalQuantile } from "../tensor/stats.js";
import { nsPerMs } from "../units.js";

/** Row of the identity network: what a run costs before any operator. */
export const overheadRow = "overhead";

/** How far costs may leave the typical rate, relative. */
const rateSpread = 1;
/** How exactly a row is met at best, relative: operators in a row of several are not quite a sum either. */
const leastRowSpread = 0.03;
/** Width of a 90 % interval in standard deviations. */
const ninetyPercentWidth = 2 * normalQuantile(0.95);
/** Least cost of an operator as a share of its typical rate: never free, never negative. */
const leastShare = 0.02;

/** Costs of operators on one platform, ms. */
export interface OperatorCosts {
  readonly overheadMs: number;
  /** Typical cost of one operator of the descriptor: the unit of columns that only count. */
  readonly unitMs: number;
  /** Known from the descriptor, else from the group's or the platform's rate. */
  costMs(signature: OperatorSignature): number;
  /** How well `costMs` is known, relative. */
  relativeSd(signature: OperatorSignature): number;
}

/** Plain JSON form, part of a saved adapted predictor. */
export const operatorCostsSchema = z.object({
  overheadMs: z.number().positive(),
  unitMs: z.number().positive(),
  costMsByKey: z.record(z.string(), z.number().positive()),
  relativeSdByKey: z.record(z.string(), z.number().positive()),
  /** ms per multiply-accumulate, or per byte for groups without. */
  rateByGroup: z.record(z.string(), z.number().positive()),
  rates: z.object({ macs: z.number().positive(), bytes: z.number().positive() }),
});
export type SavedOperatorCosts = z.infer<typeof operatorCostsSchema>;

/** An operator signature as plain JSON. */
export const operatorSignatureSchema = z.object({
  key: z.string(),
  group: z.string(),
  macs: z.number().nonnegative(),
  bytesMoved: z.number().nonnegative(),
  outputElements: z.number().nonnegative(),
});

/** Operators that a descriptor names, without the overhead row. */
export function operatorsOf(descriptor: Descriptor): string[] {
  return descriptor.rows.map(({ operator }) => operator).filter((name) => name !== overheadRow);
}

/** Operators that every descriptor of some platforms names, sorted; platforms without one do not count. */
export function commonOperators(
  platforms: readonly { readonly descriptor?: Descriptor }[],
): string[] {
  const described = platforms.flatMap(({ descriptor }) => (descriptor ? [descriptor] : []));
  const [first, ...others] = described.map((descriptor) => operatorsOf(descriptor));
  if (first === undefined) return [];
  return first
    .filter((operator) => others.every((operators) => operators.includes(operator)))
    .sort();
}

/**
 * Check that a descriptor has every operator a predictor was trained with.
 *
 * @throws InputError naming the missing ones, or the unit when it is not ns
 */
export function checkDescriptor(descriptor: Descriptor, required: readonly string[]): void {
  const platformId = descriptor.platform.id;
  if (descriptor.latencyUnit !== "ns") {
    throw new InputError(
      `descriptor of ${platformId}: latencies must be in ns, got "${descriptor.latencyUnit}"`,
      { hint: "profile the platform again with this version" },
    );
  }
  const present = new Set(descriptor.rows.map(({ operator }) => operator));
  const missing = required.filter((operator) => !present.has(operator));
  if (missing.length > 0) {
    throw new InputError(
      `descriptor of ${platformId} has ${required.length - missing.length} of the ${required.length} operators that the predictor was trained with; missing: ${missing.join(", ")}`,
      { hint: "measure the missing operators, or profile the platform again" },
    );
  }
  for (const { operator, latencyNs } of descriptor.rows) {
    if (!(latencyNs > 0 && Number.isFinite(latencyNs))) {
      throw new InputError(
        `descriptor of ${platformId}: latencyNs of ${operator} must be finite and greater than 0, got ${latencyNs}`,
      );
    }
  }
}

interface RowEquation {
  readonly netMs: number;
  /** How exactly the row is known, relative to `netMs`. */
  readonly spread: number;
  readonly terms: readonly { readonly key: string; readonly count: number }[];
}

/** Fewer page faults a run than this are noise, not the price of every output. */
const leastFaults = 0.5;

const faultsOf = ({ counters }: DescriptorRow) =>
  counters.find(({ name }) => name === "page-faults")?.perRun ?? 0;

/**
 * What a row's latency holds besides its operators: the per-run overhead, and page faults.
 *
 * Some runtimes take fresh memory for every output of a run, and a lone operator's output is large: ten faults of
 * 3.7 µs a run beside a ReLU of 3 µs were measured. Inside a network memory is reused. What a fault costs is seen in
 * rows of Identity alone (`skip_connect`), which compute nothing.
 */
function createBaseline(
  descriptor: Descriptor,
  byKey: ReadonlyMap<string, OperatorSignature>,
): { overheadMs: number; baseMs: (row: DescriptorRow) => number } {
  const latencyMs = ({ latencyNs }: DescriptorRow) => latencyNs / nsPerMs;
  const overhead = descriptor.rows.find(({ operator }) => operator === overheadRow);
  // Without an overhead row the cheapest operator bounds it.
  const overheadMs = overhead
    ? latencyMs(overhead)
    : 0.5 * Math.min(...descriptor.rows.map(latencyMs));
  const idle = descriptor.rows.filter(
    (row) =>
      row.signatures.length > 0 &&
      row.signatures.every(({ key }) => byKey.get(key)?.group === "Identity") &&
      faultsOf(row) >= leastFaults,
  );
  const perFault = idle.map((row) => (latencyMs(row) - overheadMs) / faultsOf(row));
  const faultMs = perFault.length > 0 ? Math.max(0, median(perFault)) : 0;
  return { overheadMs, baseMs: (row) => overheadMs + faultMs * faultsOf(row) };
}

function equationsOf(
  descriptor: Descriptor,
  byKey: ReadonlyMap<string, OperatorSignature>,
): { overheadMs: number; equations: RowEquation[] } {
  const { overheadMs, baseMs } = createBaseline(descriptor, byKey);
  const usable = descriptor.rows.filter(
    ({ operator, signatures }) =>
      operator !== overheadRow &&
      signatures.length > 0 &&
      signatures.every(({ key }) => byKey.has(key)),
  );
  const equations = usable.map((row) => {
    const latencyMs = row.latencyNs / nsPerMs;
    const netMs = Math.max(latencyMs - baseMs(row), 0.05 * latencyMs);
    const deviationMs = (row.upperNs - row.lowerNs) / nsPerMs / ninetyPercentWidth;
    return { netMs, spread: Math.max(leastRowSpread, deviationMs / netMs), terms: row.signatures };
  });
  return { overheadMs, equations };
}

const amountOf = ({ macs, bytesMoved }: OperatorSignature) => (macs > 0 ? macs : bytesMoved);

/**
 * Costs of a platform's operators.
 *
 * @param signatures - what the descriptor's keys stand for; keys of none of them are ignored
 * @throws InputError when no row of the descriptor has a known operator
 */
export function operatorCostsOf(
  descriptor: Descriptor,
  signatures: readonly OperatorSignature[],
): SavedOperatorCosts {
  const byKey = new Map(signatures.map((signature) => [signature.key, signature]));
  const { overheadMs, equations: usable } = equationsOf(descriptor, byKey);
  if (usable.length === 0) {
    throw new InputError(
      `descriptor of ${descriptor.platform.id}: none of its operators occurs in the networks`,
      { hint: "profile the platform with the same input size as the networks" },
    );
  }
  const rates = typicalRates(usable, byKey);
  const typicalMs = (signature: OperatorSignature) =>
    amountOf(signature) * (signature.macs > 0 ? rates.macs : rates.bytes);
  const keys = [...new Set(usable.flatMap(({ terms }) => terms.map(({ key }) => key)))].sort();
  const typical = Float64Array.from(keys, (key) => Math.max(typicalMs(byKey.get(key)!), 1e-9));
  // Unknowns are costs relative to typical; each row is one relative equation.
  const design = matrix(usable.length, keys.length);
  usable.forEach(({ netMs, spread, terms }, r) => {
    for (const { key, count } of terms) {
      const k = keys.indexOf(key);
      design.values[r * keys.length + k]! += (count * typical[k]!) / (netMs * spread);
    }
  });
  const residual = new Float64Array(usable.length);
  for (let r = 0; r < usable.length; r++) {
    let sum = 1 / usable[r]!.spread;
    for (let k = 0; k < keys.length; k++) sum -= design.values[r * keys.length + k]!;
    residual[r] = sum;
  }
  const gram = addDiagonal(symmetricProduct(design), 1 / rateSpread ** 2);
  const lower = cholesky(gram);
  const deviation = solveCholesky(lower, transposedTimesVector(design, residual));
  const covariance = inverseFromCholesky(lower);
  const costMs = typical.map((value, k) => value * Math.max(1 + deviation[k]!, leastShare));
  const costMsByKey = Object.fromEntries(keys.map((key, k) => [key, costMs[k]!]));
  const relativeSd = costMs.map(
    (cost, k) => (Math.sqrt(covariance.values[k * keys.length + k]!) * typical[k]!) / cost,
  );
  return {
    overheadMs,
    unitMs: median(costMs),
    costMsByKey,
    relativeSdByKey: Object.fromEntries(keys.map((key, k) => [key, relativeSd[k]!])),
    rateByGroup: ratesByGroup(costMsByKey, byKey),
    rates,
  };
}

function typicalRates(
  equations: readonly RowEquation[],
  byKey: ReadonlyMap<string, OperatorSignature>,
): { macs: number; bytes: number } {
  const perMac: number[] = [];
  const perByte: number[] = [];
  for (const { netMs, terms } of equations) {
    let macs = 0;
    let bytes = 0;
    for (const { key, count } of terms) {
      macs += count * byKey.get(key)!.macs;
      bytes += count * byKey.get(key)!.bytesMoved;
    }
    if (macs > 0) perMac.push(netMs / macs);
    else if (bytes > 0) perByte.push(netMs / bytes);
  }
  // A kind without rows of its own: a byte is taken to cost about as much as ten multiply-accumulates.
  const macs = perMac.length > 0 ? median(perMac) : median(perByte) / 10;
  return { macs, bytes: perByte.length > 0 ? median(perByte) : macs * 10 };
}

function ratesByGroup(
  costMsByKey: Readonly<Record<string, number>>,
  byKey: ReadonlyMap<string, OperatorSignature>,
): Record<string, number> {
  const rates = new Map<string, number[]>();
  for (const [key, costMs] of Object.entries(costMsByKey)) {
    const signature = byKey.get(key)!;
    const amount = amountOf(signature);
    if (amount === 0) continue;
    const ofGroup = rates.get(signature.group) ?? [];
    ofGroup.push(costMs / amount);
    rates.set(signature.group, ofGroup);
  }
  return Object.fromEntries([...rates].map(([group, values]) => [group, median(values)]));
}

/** The usable form of saved costs. */
export function createOperatorCosts(saved: SavedOperatorCosts): OperatorCosts {
  return {
    overheadMs: saved.overheadMs,
    unitMs: saved.unitMs,
    costMs(signature) {
      const known = saved.costMsByKey[signature.key];
      if (known !== undefined) return known;
      const rate =
        saved.rateByGroup[signature.group] ??
        (signature.macs > 0 ? saved.rates.macs : saved.rates.bytes);
      return amountOf(signature) * rate;
    },
    relativeSd: ({ key }) => Math.min(saved.relativeSdByKey[key] ?? 1, 1),
  };
}
