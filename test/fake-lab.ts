/**
 * A laboratory without hardware: platforms of known latency on one step clock, sampled in this process.
 * Every latency is exact and no time passes but the clock's.
 */
import type { CampaignPlatform, RunSink } from "../src/measure/campaign.js";
import type { Subject } from "../src/measure/subject.js";
import type { StartSampler } from "../src/measure/unit.js";
import { hashOf } from "../src/onnx/file-id.js";
import { StepClock } from "../src/platform/clock.js";
import type { WaitSource } from "../src/platform/run-queue.js";
import type { Runtime } from "../src/platform/runtime.js";
import {
  createReferenceRuntime,
  type ReferenceCosts,
  referenceLatencyNs,
} from "../src/platform/runtimes/reference.js";
import { createLocalSampler } from "../src/platform/sampler-local.js";
import type { Context, ProcessSummary } from "../src/record/measurement.js";
import { createPlatform, type Device, type Platform } from "../src/record/platform.js";
import { tinyConvNet } from "./contract/tiny-models.js";

export const labDevice: Device = {
  id: "lab-2c",
  cpuModel: "none",
  nCores: 2,
  architecture: "x64",
  memoryBytes: 0,
  os: "linux",
};

/** A platform of the fake runtime; costs not given are those of its one-thread variant. */
export function labPlatform(
  slug = "fake1-t1",
  costs: Partial<ReferenceCosts> = {},
  family = "fake",
): Platform {
  const [variant] = createReferenceRuntime().variants("1.0.0", 1);
  const info = variant!.info;
  return createPlatform(
    labDevice,
    { ...info, family, settings: { ...info.settings, ...costs } },
    slug,
  );
}

export const inLab = (platform: Platform): CampaignPlatform => ({ platform, modelFormat: "onnx" });

/** A subject of `nConvs` convolutions; a graph name `fault:…` makes the fake runtime fail. */
export function labSubject(nConvs: number, graphName = "tiny"): Subject {
  return {
    id: graphName === "tiny" ? `net/${nConvs}` : `net/${graphName}`,
    kind: "network",
    modelFile: () => tinyConvNet(nConvs, 8, 8, graphName),
  };
}

export const labReference: Subject = { ...labSubject(12), id: "reference" };

/** Latency that a perfect measurement finds, ms. */
export const trueLatencyMs = (subject: Subject, platform: Platform): number =>
  referenceLatencyNs(subject.modelFile("onnx"), platform.runtime) / 1e6;

/** One model in one process: what a disturbance depends on. */
export interface LabRun {
  readonly platformId: string;
  readonly modelHash: string;
  /** Processes started before on all platforms. */
  readonly process: number;
}

export interface LabOptions {
  /** How many times slower than its true latency a model runs; default 1. */
  readonly slowdown?: (run: LabRun) => number;
  /** Called before a process starts: may throw. */
  readonly onStart?: (platform: Platform, process: number) => void;
}

/** Samplers on a step clock, each with the id `p0`, `p1`, … in the order they start. */
export function createLab({ slowdown = () => 1, onStart = () => {} }: LabOptions = {}) {
  const clock = new StepClock();
  const base = createReferenceRuntime((ns) => clock.advance(ns));
  const noWaits: WaitSource = {
    threadIds: () => [],
    open: () => ({ nThreads: 1, read: (into) => void into.fill(0), close() {} }),
  };
  let nStarted = 0;
  let nOpen = 0;
  const startSampler: StartSampler = async (platform) => {
    const process = nStarted++;
    onStart(platform, process);
    const runtime: Runtime = {
      ...base,
      async load(model, info) {
        const session = await base.load(model, info);
        const factor = slowdown({ platformId: platform.id, modelHash: hashOf(model), process });
        const extraNs = (factor - 1) * referenceLatencyNs(model, info);
        return {
          ...session,
          run() {
            clock.advance(extraNs);
            return session.run();
          },
        };
      },
    };
    const sampler = createLocalSampler({
      runtime,
      runtimeInfo: platform.runtime,
      clock,
      waits: noWaits,
      processId: `p${process}`,
    });
    nOpen += 1;
    return {
      info: sampler.info,
      load: (key, model) => sampler.load(key, model),
      unload: (key) => sampler.unload(key),
      runOnce: (key, input) => sampler.runOnce(key, input),
      warmUp: (key, options) => sampler.warmUp(key, options),
      timePairs: (options) => sampler.timePairs(options),
      async close() {
        nOpen -= 1;
        await sampler.close();
      },
    };
  };
  return {
    clock,
    startSampler,
    nowMs: () => Number(clock.nowNs()) / 1e6,
    nStarted: () => nStarted,
    nOpen: () => nOpen,
  };
}

/** A sink in memory. */
export function createMemorySink(): RunSink & { lines: ProcessSummary[]; contexts: Context[] } {
  const lines: ProcessSummary[] = [];
  const contexts: Context[] = [];
  return {
    lines,
    contexts,
    append: (line) => void lines.push(line),
    addContext: (context) => void contexts.push(context),
  };
}
