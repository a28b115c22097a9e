/**
 * Profile a platform: its operators run one by one with counters around them, and become a descriptor.
 */
import { MeasurementError } from "../errors.js";
import { featuresOfGraphs } from "../graph/feature-table.js";
import { tool } from "../package.js";
import type { Descriptor, DescriptorRow } from "../record/descriptor.js";
import type { Context, Measurement } from "../record/measurement.js";
import type { Platform } from "../record/platform.js";
import { type OperatorNetwork, operatorNetworks } from "../space/nasbench201/operators.js";
import { nsPerMs } from "../units.js";
import { type CampaignOptions, type Protocol, runCampaign } from "./campaign.js";
import { takeContext } from "./environment.js";
import { type Subject, subjectFromGraph } from "./subject.js";
import { summarise } from "./summarise.js";

/** Operators are short and their latency depends on where a process's memory lies: five processes, more pairs. */
export const profileProtocol: Protocol = {
  nProcesses: 5,
  nPairs: 15,
  warmupRuns: 10,
  chunkSize: 64,
  nExtraProcesses: 0,
};

/** Descriptor rows are measured at this input size unless asked otherwise: that of the shipped pool. */
const defaultInputSize = 32;

const subjectIdOf = ({ operator }: OperatorNetwork) => `operator/${operator}`;

/** The subjects to measure for a descriptor. */
export function operatorSubjects(inputSize = defaultInputSize): Subject[] {
  return operatorNetworks({ inputSize }).map((network) =>
    subjectFromGraph(subjectIdOf(network), "operator", () => network.graph),
  );
}

/**
 * Build the descriptor of a platform from the measurements of its operators.
 *
 * @param measurements - of this platform's operators; others are ignored
 * @throws MeasurementError naming the operators that were not measured
 */
export function descriptorFromMeasurements(
  platform: Platform,
  measurements: readonly Measurement[],
  context: Context,
  { inputSize = defaultInputSize, durationS = 0 }: { inputSize?: number; durationS?: number } = {},
): Descriptor {
  const networks = operatorNetworks({ inputSize });
  const table = featuresOfGraphs(
    networks.map((network) => ({ id: network.operator, graph: network.graph })),
  );
  const counts = table.counts.all;
  const nSignatures = table.signatures.length;
  const ofPlatform = new Map(
    measurements
      .filter(({ platformId }) => platformId === platform.id)
      .map((measurement) => [measurement.subjectId, measurement]),
  );
  const missing = networks.filter((network) => !ofPlatform.has(subjectIdOf(network)));
  if (missing.length > 0) {
    throw new MeasurementError(
      `the descriptor of ${platform.id} lacks ${missing.map(({ operator }) => operator).join(", ")}`,
      { hint: "profile the platform again; what was measured is kept" },
    );
  }
  const rows = networks.map((network, i): DescriptorRow => {
    const measurement = ofPlatform.get(subjectIdOf(network))!;
    const isOverhead = network.operator === "overhead";
    return {
      operator: network.operator,
      signatures: isOverhead
        ? []
        : table.signatures.flatMap(({ key }, j) => {
            const count = counts[i * nSignatures + j]!;
            return count > 0 ? [{ key, count }] : [];
          }),
      latencyNs: measurement.latencyMs * nsPerMs,
      lowerNs: measurement.lowerMs * nsPerMs,
      upperNs: measurement.upperMs * nsPerMs,
      grade: measurement.grade,
      counters: measurement.counters,
    };
  });
  return {
    schema: "samara/descriptor/1",
    tool: { ...tool },
    platform,
    inputSize,
    latencyUnit: "ns",
    rows,
    context,
    measuredAt: context.takenAt,
    durationS,
  };
}

/** Which platform to profile, and how. */
export type ProfileOptions = Omit<CampaignOptions, "subjects" | "platforms" | "counters"> & {
  readonly platform: CampaignOptions["platforms"][number];
  readonly inputSize?: number;
};

/**
 * Measure a platform's operators and build its descriptor.
 *
 * @throws MeasurementError when an operator could not be measured (also when the deadline came first)
 */
export async function profilePlatform(options: ProfileOptions): Promise<Descriptor> {
  const startMs = performance.now();
  let context: Context | undefined;
  const { platform, inputSize = defaultInputSize, ...rest } = options;
  const result = await runCampaign({
    ...rest,
    platforms: [platform],
    subjects: operatorSubjects(inputSize),
    counters: true,
    sink: {
      append: (line) => options.sink.append(line),
      addContext: (taken) => {
        context ??= taken;
        options.sink.addContext(taken);
      },
    },
  });
  options.signal?.throwIfAborted();
  const failure = result.failures[0];
  if (failure) {
    throw new MeasurementError(
      `${failure.subjectId} could not be measured on ${platform.platform.id}: ${failure.reason}`,
    );
  }
  return descriptorFromMeasurements(
    platform.platform,
    summarise(result.lines),
    context ?? takeContext(platform.platform.runtime.version),
    { inputSize, durationS: (performance.now() - startMs) / 1000 },
  );
}
