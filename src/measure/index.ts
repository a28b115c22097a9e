/**
 * Measuring as a library: what runs here, latencies of networks and operators, descriptors.
 *
 * @packageDocumentation
 */
export type { AbsentCounter, CounterInfo } from "../counters/counter.js";
export type { ClockQuality } from "../platform/clock.js";
export {
  type AvailablePlatform,
  findPlatform,
  listPlatforms,
  type PlatformList,
  type UnavailableRuntime,
} from "../platform/registry.js";
export type { Thread, WaitReader } from "../platform/run-queue.js";
export type {
  Availability,
  ModelFormat,
  NativeForm,
  Runtime,
  RuntimeVariant,
  Session,
} from "../platform/runtime.js";
export { type SamplerOptions, startSampler } from "../platform/sampler.js";
export type {
  BlockSeries,
  LoadedModel,
  PairOptions,
  PairTimings,
  Sampler,
  SamplerInfo,
  WarmupOptions,
  WarmupResult,
} from "../platform/sampler-types.js";
export {
  bulkProtocol,
  type CampaignFailure,
  type CampaignOptions,
  type CampaignPlatform,
  type CampaignProgress,
  type CampaignResult,
  type OwnClockUnit,
  type Protocol,
  type RunSink,
  runCampaign,
} from "./campaign.js";
export { type Finding, judgeContext, type ReadText, takeContext } from "./environment.js";
export { examineMachine } from "./examine.js";
export { Pace } from "./pace.js";
export { type ProfileOptions, profilePlatform, profileProtocol } from "./profile.js";
export { referenceSubject, type Subject, subjectFromGraph, subjectFromIndex } from "./subject.js";
export { summarise } from "./summarise.js";
export type { StartSampler, UnitModel, UnitOutcome } from "./unit.js";
