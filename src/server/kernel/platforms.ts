/**
 * Platforms as the service shows them: summaries, circumstances, descriptors, measurements.
 */
import { adaptedOnShelf } from "../../catalogue/predictors.js";
import { NotFoundError } from "../../errors.js";
import { counterLabel } from "../../record/counter.js";
import type { Descriptor } from "../../record/descriptor.js";
import type { Grade } from "../../record/measurement.js";
import { readPredictor } from "../../store/predictors.js";
import { median } from "../../tensor/stats.js";
import type { MeasurementRow, PlatformDetail, PlatformSummary } from "../api/schemas.js";
import { isUsable, type Shelf, type ShelvedPlatform } from "./shelf.js";

/** 90 % intervals are this many standard deviations wide. */
const ninetyPercentWidth = 2 * 1.645;

function countersOf(descriptor: Descriptor | undefined): string[] {
  const labels = new Set<string>();
  for (const { counters } of descriptor?.rows ?? []) {
    for (const counter of counters) labels.add(counterLabel(counter));
  }
  return [...labels];
}

function predictorOf(platformId: string): PlatformSummary["predictor"] {
  const found = adaptedOnShelf().find((one) => one.platformId === platformId);
  if (!found) return null;
  const { saved, provenance } = readPredictor(found.folder);
  return {
    origin: found.isShipped ? "shipped" : "own",
    method: saved.method,
    nSamples: provenance.nSamples,
  };
}

function summaryOf(shelved: ShelvedPlatform): PlatformSummary {
  const { platform, origin, measurements, loaded, pool } = shelved;
  const usable = measurements.filter(isUsable);
  const latencies = usable.map(({ latencyMs }) => latencyMs);
  const grades: Record<Grade, number> = { A: 0, B: 0, C: 0, X: 0 };
  for (const { grade } of measurements) grades[grade] += 1;
  const descriptor = pool.descriptor(platform.id);
  return {
    platform,
    origin,
    nMeasured: usable.length,
    nTest: usable.filter(({ subjectId }) => loaded.testIds.has(subjectId)).length,
    fastestMs: latencies.length > 0 ? Math.min(...latencies) : null,
    medianMs: latencies.length > 0 ? median(latencies) : null,
    slowestMs: latencies.length > 0 ? Math.max(...latencies) : null,
    repeatNoise:
      usable.length > 0
        ? median(
            usable.map((one) => (one.upperMs - one.lowerMs) / (ninetyPercentWidth * one.latencyMs)),
          )
        : null,
    grades,
    hasDescriptor: descriptor !== undefined,
    nOperators: descriptor?.rows.length ?? 0,
    counters: countersOf(descriptor),
    predictor: predictorOf(platform.id),
  };
}

/** All platforms. */
export async function platformSummaries(shelf: Shelf): Promise<PlatformSummary[]> {
  return (await shelf.platforms()).map(summaryOf);
}

/**
 * One platform with its circumstances.
 *
 * @throws NotFoundError
 */
export async function platformDetail(shelf: Shelf, id: string): Promise<PlatformDetail> {
  const shelved = await shelf.platform(id);
  const used = new Set(shelved.measurements.map(({ contextId }) => contextId));
  const contexts = shelved.pool.contexts().filter((context) => used.has(context.id));
  const times = contexts.map(({ takenAt }) => takenAt).sort();
  return {
    ...summaryOf(shelved),
    contexts,
    measuredFrom: times[0] ?? null,
    measuredTo: times.at(-1) ?? null,
  };
}

/** @throws NotFoundError when the platform was not profiled */
export async function descriptorOf(shelf: Shelf, id: string): Promise<Descriptor> {
  const descriptor = (await shelf.platform(id)).pool.descriptor(id);
  if (descriptor) return descriptor;
  throw new NotFoundError(`${id} has no descriptor: its operators were not measured`, {
    hint: `measure them with \`samara profile --platform ${id}\` where it runs`,
  });
}

/** Measurements of one platform, of one part of its pool's split. */
export async function measurementRows(
  shelf: Shelf,
  id: string,
  split: "train" | "test" | "all",
): Promise<MeasurementRow[]> {
  const { measurements, loaded } = await shelf.platform(id);
  return measurements
    .map((one): MeasurementRow => {
      const { latencyMs, lowerMs, upperMs, grade, reasons, nProcesses, nRuns } = one;
      const part = loaded.testIds.has(one.subjectId) ? "test" : "train";
      return {
        ...{ id: one.subjectId, latencyMs, lowerMs, upperMs, grade, nProcesses, nRuns },
        reasons: [...reasons],
        split: part,
      };
    })
    .filter((row) => split === "all" || row.split === split);
}
