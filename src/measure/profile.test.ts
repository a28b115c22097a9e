// Profiles of a laboratory platform: the descriptor's latencies are known exactly.
import { describe, expect, test } from "vitest";
import {
  createLab,
  createMemorySink,
  inLab,
  type LabOptions,
  labPlatform,
  labReference,
  trueLatencyMs,
} from "../../test/fake-lab.js";
import { InterruptedError, MeasurementError } from "../errors.js";
import { hashOf } from "../onnx/file-id.js";
import { descriptorSchema } from "../record/descriptor.js";
import { operatorNetworks } from "../space/nasbench201/operators.js";
import { takeContext } from "./environment.js";
import {
  descriptorFromMeasurements,
  operatorSubjects,
  type ProfileOptions,
  profilePlatform,
  profileProtocol,
} from "./profile.js";
import { summarise } from "./summarise.js";

/** Costs in whole nanoseconds: the step clock knows no others. */
const platform = labPlatform("fake1-t1", { weightNs: 1 });
const protocol = { ...profileProtocol, nProcesses: 2, nPairs: 3, warmupRuns: 1 };

async function profile(changes: Partial<ProfileOptions> = {}, labOptions: LabOptions = {}) {
  const lab = createLab(labOptions);
  const sink = createMemorySink();
  const descriptor = await profilePlatform({
    platform: inLab(platform),
    reference: labReference,
    protocol,
    doneLines: [],
    sink,
    startSampler: lab.startSampler,
    now: lab.nowMs,
    ...changes,
  });
  return { descriptor, sink, lab };
}

describe("operatorSubjects()", () => {
  test("are the operators of the search space, each under an id of its own", () => {
    const ids = operatorSubjects().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain("operator/nor_conv_3x3@16x32x32");
    expect(ids).toContain("operator/overhead");
    expect(operatorSubjects(224).map(({ id }) => id)).toContain("operator/nor_conv_3x3@16x224x224");
  });
});

describe("profilePlatform()", () => {
  test("describes each operator by its exact latency, in ns", async () => {
    const { descriptor } = await profile();
    expect(descriptorSchema.parse(descriptor)).toEqual(descriptor);
    expect(descriptor).toMatchObject({ platform, inputSize: 32, latencyUnit: "ns" });
    const subjects = operatorSubjects();
    expect(descriptor.rows).toHaveLength(subjects.length);
    descriptor.rows.forEach((row, i) => {
      expect(`operator/${row.operator}`).toBe(subjects[i]!.id);
      expect(row.latencyNs).toBeCloseTo(1e6 * trueLatencyMs(subjects[i]!, platform), 2);
      expect(row.lowerNs).toBeLessThan(row.latencyNs);
      expect(row.upperNs).toBeGreaterThan(row.latencyNs);
    });
  });

  test("names the signatures that each operator network runs, none for the overhead", async () => {
    const { descriptor } = await profile();
    const row = (operator: string) => descriptor.rows.find((one) => one.operator === operator)!;
    expect(row("overhead").signatures).toEqual([]);
    expect(row("nor_conv_3x3@16x32x32").signatures.map(({ key }) => key)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^Conv 3x3\/1 16x32x32>16x32x32/)]),
    );
    for (const { operator, signatures } of descriptor.rows) {
      if (operator !== "overhead") expect(signatures.length).toBeGreaterThan(0);
    }
  });

  test("keeps the context of its first process", async () => {
    const { descriptor, sink } = await profile();
    expect(sink.contexts).toHaveLength(2);
    expect(descriptor.context).toEqual(sink.contexts[0]);
  });

  test("goes on from lines that are done", async () => {
    const first = await profile();
    const second = await profile({ doneLines: first.sink.lines.slice(0, -1) });
    expect(second.sink.lines).toHaveLength(1);
    expect(second.descriptor.rows.map(({ latencyNs }) => Math.round(latencyNs))).toEqual(
      first.descriptor.rows.map(({ latencyNs }) => Math.round(latencyNs)),
    );
  });

  test("names the operator that could not be measured", async () => {
    const failing = operatorSubjects()[3]!;
    const running = profile(
      {},
      {
        slowdown({ modelHash }) {
          if (modelHash === hashOf(failing.modelFile("onnx"))) {
            throw new MeasurementError("out of memory");
          }
          return 1;
        },
      },
    );
    await expect(running).rejects.toThrow(MeasurementError);
    await expect(running).rejects.toThrow(
      `${failing.id} could not be measured on ${platform.id}: out of memory`,
    );
  });

  test("says at the deadline which operators are missing, blaming none of them", async () => {
    await expect(profile({ deadlineMs: 1 })).rejects.toThrow(
      /^the descriptor of lab-2c\.fake1-t1\.fp32 lacks .*nor_conv_3x3@16x32x32/,
    );
  });

  test("ends with the signal's reason", async () => {
    const signal = AbortSignal.abort(new InterruptedError("interrupted"));
    await expect(profile({ signal })).rejects.toThrow(InterruptedError);
  });
});

describe("descriptorFromMeasurements()", () => {
  test("lists what is missing and ignores other platforms", async () => {
    const { sink } = await profile();
    const measurements = summarise(sink.lines);
    const context = takeContext("1.0.0");
    const build = (change: (list: typeof measurements) => typeof measurements) =>
      descriptorFromMeasurements(platform, change(measurements), context);
    expect(build((list) => list).rows).toHaveLength(operatorNetworks().length);
    expect(() => build((list) => list.slice(2))).toThrow(
      `lacks ${operatorNetworks()
        .slice(0, 2)
        .map(({ operator }) => operator)
        .join(", ")}`,
    );
    expect(() =>
      build((list) => list.map((m) => ({ ...m, platformId: "other.fake1-t1.fp32" }))),
    ).toThrow(MeasurementError);
  });
});
