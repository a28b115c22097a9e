/**
 * One invocation of a tool on a device: the model goes there, the tool runs, its output becomes a line of the run log.
 */
import { createHash, randomUUID } from "node:crypto";
import { MeasurementError } from "../errors.js";
import { ownClock, type ProcessSummary } from "../record/measurement.js";
import type { DeviceFile } from "./device-file.js";
import type { ToolTimes } from "./tool.js";
import type { DeviceSession } from "./transport.js";

/** A network or operator as a model file. */
export interface EdgeModel {
  readonly id: string;
  readonly kind: "network" | "operator";
  readonly file: Uint8Array;
}

/** The last lines that a failed tool printed. */
function lastLines(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.slice(-3).join(" | ").slice(-400) || "it printed nothing";
}

/** Latencies as the log has them: single runs, or one value that stands for all. */
function valuesOf(times: ToolTimes): { valuesMs: number[]; runsPerValue: number } {
  if (times.kind === "runs") return { valuesMs: [...times.latenciesMs], runsPerValue: 1 };
  const { medianMs, meanMs, nRuns } = times.summary;
  return { valuesMs: [medianMs ?? meanMs], runsPerValue: nRuns };
}

/**
 * Time a model.
 *
 * @throws MeasurementError when the tool fails, FormatError when its output is not what it must be, TimeoutError; all
 *   of them are this model's. PlatformUnavailableError when the device or the tool is gone, InputError when the device
 *   file is wrong about it
 */
export async function timeModel(
  session: DeviceSession,
  { tool, setup, executable, platform, timeoutMs }: DeviceFile,
  model: EdgeModel,
  contextId: string,
): Promise<ProcessSummary> {
  const startedAt = new Date().toISOString();
  const processId = `edge-${randomUUID()}`;
  // A name of its own: what an earlier invocation left must never be read as this one's.
  const resultFile = `times-${processId.slice(-12)}.json`;
  await session.put(tool.modelFile, model.file);
  const argv = [executable, ...setup.arguments(tool.modelFile, model.file, resultFile)];
  const { code, stdout, stderr } = await session.run(argv, { timeoutMs });
  const text = `${stdout}\n${stderr}`;
  if (code !== 0) {
    throw new MeasurementError(
      `${tool.name} on ${session.where} failed with exit code ${code}: ${lastLines(text)}`,
      { hint: `run it there by hand: ${argv.join(" ")}` },
    );
  }
  let result: string | undefined;
  if (tool.writesResult) {
    const bytes = await session.fetch(resultFile);
    result = bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    await session.remove(resultFile);
  }
  const times = setup.parse({ text, result }, tool.modelFile);
  const { valuesMs, runsPerValue } = valuesOf(times);
  return {
    schema: "samara/process-summary/1",
    platformId: platform.id,
    kind: model.kind,
    subjectId: model.id,
    modelHash: createHash("sha256").update(model.file).digest("hex").slice(0, 16),
    referenceHash: ownClock,
    processId,
    startedAt,
    contextId,
    runsPerBlock: runsPerValue,
    warmupRuns: times.nWarmupRuns,
    steady: false,
    ratios: valuesMs,
    wallMs: valuesMs,
    waitShares: [],
    cleanReferenceMs: [],
    referenceMs: 1,
    counters: [],
  };
}
