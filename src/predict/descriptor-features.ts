/**
 * A platform's descriptor as numbers for a network: per operator its latency and each counter per nanosecond of it.
 *
 * Dividing counters by latency is what lets one predictor serve several runtimes (Nair et al. 2022, arXiv 2204.12950);
 * the undivided form is for the ablation. What is absent is masked, never zero.
 */
import { z } from "zod";
import { counterLabel } from "../record/counter.js";
import type { Descriptor } from "../record/descriptor.js";
import { mean, standardDeviation } from "../tensor/stats.js";
import { nsPerMs } from "../units.js";
import { overheadRow } from "./operator-costs.js";

/** Which numbers, in which order, and how they are normalised. Plain JSON, part of a saved predictor. */
export const descriptorFormSchema = z.object({
  operators: z.array(z.string()),
  /** Labels of counters (simulated ones are others than real ones); each takes one column beside latency. */
  counters: z.array(z.string()),
  dividedByLatency: z.boolean(),
  /** Mean and deviation over source platforms of each entry, row-major (operators, 1 + counters). */
  centre: z.array(z.number()),
  spread: z.array(z.number().positive()),
});
export type DescriptorForm = z.infer<typeof descriptorFormSchema>;

/**
 * Logarithms of a descriptor's entries, (operators, 1 + counters) row-major; NaN where absent.
 *
 * Column 0 is latency in ms, relative to the sum over operators: the platform's speed is its scale, not its shape.
 */
function logEntries(
  descriptor: Descriptor,
  form: Pick<DescriptorForm, "operators" | "counters" | "dividedByLatency">,
): Float64Array {
  const rows = new Map(descriptor.rows.map((row) => [row.operator, row]));
  const scaleMs = platformScaleMs(descriptor, form.operators);
  const width = 1 + form.counters.length;
  const entries = new Float64Array(form.operators.length * width).fill(Number.NaN);
  form.operators.forEach((operator, r) => {
    const row = rows.get(operator);
    if (row === undefined) return;
    entries[r * width] = Math.log(row.latencyNs / nsPerMs / scaleMs);
    form.counters.forEach((name, c) => {
      const reading = row.counters.find((counter) => counterLabel(counter) === name);
      if (reading === undefined) return;
      const value = form.dividedByLatency ? reading.perRun / row.latencyNs : reading.perRun;
      entries[r * width + 1 + c] = Math.log(value + (form.dividedByLatency ? 1e-6 : 1));
    });
  });
  return entries;
}

/** Sum of a descriptor's operator latencies, ms: the speed that latencies are normalised by. */
export function platformScaleMs(descriptor: Descriptor, operators: readonly string[]): number {
  let sum = 0;
  for (const { operator, latencyNs } of descriptor.rows) {
    if (operator !== overheadRow && operators.includes(operator)) sum += latencyNs / nsPerMs;
  }
  return sum;
}

/** Choose operators and counters of source descriptors, and how to normalise them. */
export function descriptorFormOf(
  descriptors: readonly Descriptor[],
  operators: readonly string[],
  dividedByLatency: boolean,
): DescriptorForm {
  const counters = new Set<string>();
  for (const { rows } of descriptors) {
    for (const row of rows) for (const reading of row.counters) counters.add(counterLabel(reading));
  }
  const bare = { operators: [...operators], counters: [...counters].sort(), dividedByLatency };
  const all = descriptors.map((descriptor) => logEntries(descriptor, bare));
  const nEntries = operators.length * (1 + bare.counters.length);
  const centre: number[] = [];
  const spread: number[] = [];
  for (let i = 0; i < nEntries; i++) {
    const present = all.map((entries) => entries[i]!).filter((value) => !Number.isNaN(value));
    centre.push(present.length > 0 ? mean(present) : 0);
    // Few platforms may agree by chance: an entry never counts for less than 0.1 in log.
    spread.push(present.length > 1 ? Math.max(standardDeviation(present), 0.1) : 1);
  }
  return { ...bare, centre, spread };
}

/** Numbers of `descriptorVector`. */
export function descriptorWidth({ operators, counters }: DescriptorForm): number {
  return operators.length * (1 + counters.length) + 1 + counters.length;
}

/**
 * A descriptor as normalised numbers, absent entries 0, followed by a mask: 1 for latency and each counter that some
 * operator has. Without a descriptor everything is 0.
 */
export function descriptorVector(
  descriptor: Descriptor | undefined,
  form: DescriptorForm,
): Float32Array {
  const vector = new Float32Array(descriptorWidth(form));
  if (descriptor === undefined || form.operators.length === 0) return vector;
  const width = 1 + form.counters.length;
  const nEntries = form.operators.length * width;
  logEntries(descriptor, form).forEach((entry, i) => {
    if (Number.isNaN(entry)) return;
    vector[i] = Math.min(Math.max((entry - form.centre[i]!) / form.spread[i]!, -5), 5);
    vector[nEntries + (i % width)] = 1;
  });
  return vector;
}

/** What the numbers of `descriptorVector` are, in order. */
export function descriptorFeatures(form: DescriptorForm): { name: string; unit: string }[] {
  const { operators, counters, dividedByLatency } = form;
  if (operators.length === 0) return [{ name: "no descriptor", unit: "0" }];
  const columns = [
    { name: "latency", unit: "log share of the operators' sum, standardised" },
    ...counters.map((name) => ({
      name,
      unit: `log events per ${dividedByLatency ? "ns" : "run"}, standardised`,
    })),
  ];
  return [
    ...operators.flatMap((operator) =>
      columns.map(({ name, unit }) => ({ name: `${operator} ${name}`, unit })),
    ),
    ...columns.map(({ name }) => ({ name: `${name} is present`, unit: "0 or 1" })),
  ];
}
