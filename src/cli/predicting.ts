/**
 * Predictions for networks named on the command line, and what must be said about them.
 */

import { type PredictedNetwork, predictTables } from "../catalogue/predicting.js";
import { chooseAdapted } from "../catalogue/predictors.js";
import { NotFoundError } from "../errors.js";
import { featuresOfGraphs } from "../graph/feature-table.js";
import type { FeatureTable } from "../graph/features.js";
import { fileId } from "../onnx/file-id.js";
import { readOnnx } from "../onnx/read.js";
import type { AdaptedPredictor } from "../predict/predictor.js";
import type { Measurement } from "../record/measurement.js";
import type { Platform } from "../record/platform.js";
import { featuresOfCells } from "../space/nasbench201/features.js";
import { architectureFromId, featuresOfArchitectures } from "../space/registry.js";
import { readBytes } from "../store/files.js";
import { InputChecks } from "./input-checks.js";

export type Warn = (code: string, message: string, hint?: string) => void;

/** Features of architectures by index, or of all. */
export function tableOfIndices(indices?: readonly number[]): FeatureTable {
  return indices === undefined ? featuresOfCells() : featuresOfCells(indices);
}

/**
 * Features of ONNX files.
 *
 * @throws NotFoundError, FormatError, UnsupportedError naming file and operator; InputErrors for several files
 */
export function tableOfFiles(paths: readonly string[]): FeatureTable {
  const checks = new InputChecks();
  const graphs = paths.flatMap((path) =>
    checks.run(() => {
      return [{ id: fileId(path, readBytes(path, "model file")), graph: readOnnx(path) }];
    }, []),
  );
  checks.done();
  return featuresOfGraphs(graphs);
}

/** Say where the platform that is asked about differs from the one that a predictor was adapted to. */
export function warnOfDifferences(adapted: Platform, asked: Platform, warn: Warn): void {
  const adaptAgain = "adapt again with `samara onboard` for figures of this platform";
  const differ = (what: string, a: unknown, b: unknown) => {
    if (a === b) return;
    warn(
      "platform-differs",
      `${what} differs: the predictor was adapted to ${String(a)}, here it is ${String(b)}`,
      adaptAgain,
    );
  };
  differ("processor", adapted.device.cpuModel, asked.device.cpuModel);
  differ("number of cores", adapted.device.nCores, asked.device.nCores);
  differ("runtime", adapted.runtime.family, asked.runtime.family);
  if (adapted.runtime.family === asked.runtime.family) {
    differ("runtime version", adapted.runtime.version, asked.runtime.version);
  }
  differ("number of threads", adapted.runtime.threads, asked.runtime.threads);
  differ(
    "settings",
    JSON.stringify(adapted.runtime.settings),
    JSON.stringify(asked.runtime.settings),
  );
}

/**
 * Predictions beside fresh measurements, by `<platform> <subject>`; empty for platforms without an adapted predictor.
 */
export async function predictBeside(
  measurements: readonly Measurement[],
  files: readonly string[],
  warn: Warn,
): Promise<Map<string, PredictedNetwork>> {
  const result = new Map<string, PredictedNetwork>();
  for (const platformId of new Set(measurements.map((measurement) => measurement.platformId))) {
    let predictor: AdaptedPredictor;
    try {
      predictor = (await chooseAdapted(undefined, platformId)).predictor;
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      continue;
    }
    const own = measurements.filter((measurement) => measurement.platformId === platformId);
    const architectures = own.flatMap(({ subjectId }) => architectureFromId(subjectId) ?? []);
    const tables = [
      ...featuresOfArchitectures(architectures),
      ...(files.length > 0 ? [tableOfFiles(files)] : []),
    ];
    for (const predicted of await predictTables(predictor, tables, 0.9)) {
      result.set(`${platformId} ${predicted.id}`, predicted);
      if (!predicted.withinKnownRange) {
        warn("outside-known-range", `${predicted.id} on ${platformId}: ${predicted.outsideReason}`);
      }
    }
  }
  return result;
}
