// What an onboarding could have ended with: made-up figures, the same every time.
import type { Descriptor } from "../src/record/descriptor.js";
import type { Context, Grade } from "../src/record/measurement.js";
import type { ComparedNetwork, OnboardingReport } from "../src/record/onboarding.js";
import { createPlatform } from "../src/record/platform.js";
import { archStringFromCell, cellFromIndex, nCells } from "../src/space/nasbench201/cell.js";
import { operatorNetworks } from "../src/space/nasbench201/operators.js";
import { createRandom, drawWithoutReplacement } from "../src/tensor/random.js";

const platform = createPlatform(
  {
    id: "test-cpu-2c",
    cpuModel: "Test CPU",
    nCores: 2,
    architecture: "x64",
    memoryBytes: 8e9,
    os: "linux",
  },
  { family: "tflite", version: "2.9.0", threads: 1, settings: { delegate: "xnnpack" } },
  "tflite2.9-xnnpack-t1",
);

const context: Context = {
  id: "c0ffee",
  cpuModel: "Test CPU",
  nCores: 2,
  kernel: "6.1.0",
  governor: null,
  frequencyHz: null,
  temperatureC: null,
  loadAverage: 0.4,
  cpuPressure: 0.01,
  cgroupCpuLimit: null,
  virtualised: true,
  nodeVersion: "v20.19.0",
  toolVersion: "0.1.0",
  runtimeVersion: "2.9.0",
  throttled: null,
  takenAt: "2026-11-01T12:00:00.000Z",
};

function sampleDescriptor(): Descriptor {
  const random = createRandom(2);
  return {
    schema: "samara/descriptor/1",
    tool: { name: "samara", version: "0.1.0" },
    platform,
    inputSize: 32,
    latencyUnit: "ns",
    rows: operatorNetworks().map(({ operator }) => {
      const latencyNs = operator === "overhead" ? 900 : 10 ** (4 + 1.4 * random.uniform());
      return {
        operator,
        signatures: [],
        latencyNs,
        lowerNs: latencyNs * 0.97,
        upperNs: latencyNs * 1.03,
        grade: "A",
        counters: [
          {
            name: "task-clock",
            source: "software",
            perRun: latencyNs * (0.98 + 0.1 * random.uniform()),
            runningShare: 1,
          },
          { name: "page-faults", source: "software", perRun: random.uniform(), runningShare: 1 },
          {
            name: "context-switches",
            source: "software",
            perRun: random.uniform() < 0.5 ? 0 : 0.02 * random.uniform(),
            runningShare: 1,
          },
        ],
      };
    }),
    context,
    measuredAt: context.takenAt,
    durationS: 41,
  };
}

/** A report of 10 samples and 30 verified networks; one of these could not be measured. */
export function sampleReport(changes: Partial<OnboardingReport> = {}): OnboardingReport {
  const random = createRandom(1);
  const predictedMs = Array.from(
    { length: nCells },
    () => 0.8 + 4.6 * (random.uniform() * 0.5 + random.uniform() * 0.5) ** 1.3,
  ).sort((a, b) => a - b);
  const network = (index: number) => ({
    id: `nasbench201/${index}`,
    arch: archStringFromCell(cellFromIndex(index)),
  });
  const drawn = [...drawWithoutReplacement(createRandom(3), nCells, 40)];
  const grades: Grade[] = ["A", "A", "A", "A", "B", "B", "A", "C"];
  const compared = drawn.map((index, i): ComparedNetwork => {
    const latencyMs = predictedMs[index]!;
    const isMeasured = i !== 17;
    const spread = i < 10 ? 0.02 : 0.055;
    const measuredMs = latencyMs * Math.exp(spread * (2 * random.uniform() - 1) * 1.9);
    return {
      ...network(index),
      role: i < 10 ? "sample" : "verified",
      predictedMs: latencyMs,
      lowerMs: latencyMs * 0.91,
      upperMs: latencyMs * 1.1,
      measuredMs: isMeasured ? measuredMs : null,
      measuredLowerMs: isMeasured ? measuredMs * 0.975 : null,
      measuredUpperMs: isMeasured ? measuredMs * 1.025 : null,
      grade: isMeasured ? grades[i % grades.length]! : "X",
    };
  });
  const ranked = (indices: readonly number[], values: readonly number[]) =>
    indices.map((index, i) => ({
      ...network(index),
      latencyMs: values[i]!,
      lowerMs: values[i]! * 0.91,
      upperMs: values[i]! * 1.1,
    }));
  return {
    schema: "samara/onboarding-report/1",
    tool: { name: "samara", version: "0.1.0" },
    createdAt: "2026-11-01T12:04:00.000Z",
    result: {
      platform: platform.id,
      predictor: "operator-sum",
      predictorFolder: "predictors/operator-sum",
      heldOutFamilies: ["tflite"],
      familySeenInTraining: false,
      seed: 0,
      samples: 10,
      sampleIds: compared.slice(0, 10).map(({ id }) => id),
      nVerified: 30,
      verifiedIds: compared.slice(10).map(({ id }) => id),
      withinFivePercent: 0.6,
      withinTenPercent: 27 / 30,
      withinTenPercentInterval: [0.735, 0.979],
      mape: 0.048,
      spearman: 0.981,
      coverage90: 0.867,
      intervalWidth: 0.19,
      repeatNoise: 0.017,
      baselines: {
        operatorSum: { withinTenPercent: 0.9, mape: 0.048, spearman: 0.981 },
        flopsLine: { withinTenPercent: 0.5, mape: 0.131, spearman: 0.93 },
      },
      durationS: { profile: 41, measure: 22, adapt: 0.6, predict: 0.4, verify: 61, total: 127 },
    },
    compared,
    fastest: ranked([0, 1, 5, 25, 125], predictedMs.slice(0, 5)),
    slowest: ranked([15624, 15623, 15600, 15500, 15000], predictedMs.slice(-5).reverse()),
    predictedMs,
    descriptor: sampleDescriptor(),
    context,
    settings: { command: "onboard", seed: 0, samples: 10, budget: "240 s", threads: 1 },
    findings: [
      "this is a virtual machine: other guests on the same hardware may disturb what nobody here can see",
    ],
    ...changes,
  };
}
