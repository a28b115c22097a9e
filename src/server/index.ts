/**
 * The service as a library: start it, or put its application into a server of one's own.
 *
 * @packageDocumentation
 */
export type { JobEvent } from "./api/schemas.js";
export { type AppDeps, createApp } from "./app.js";
export type { CommandEnd, CommandSinks, StartCommand, StartedCommand } from "./jobs/command.js";
export type { Followed, Follower, StoredEvent } from "./jobs/event-log.js";
export { Jobs, type JobsOptions } from "./jobs/jobs.js";
export { MachineFacts } from "./jobs/machine.js";
export type { FixedAccuracies } from "./kernel/accuracies.js";
export type { Warning } from "./kernel/document.js";
export { Kernel, OverloadedError } from "./kernel/kernel.js";
export type { KernelOptions, ModelUpload } from "./kernel/methods.js";
export type { PredictBatch, PredictedBatch, PredictOptions } from "./kernel/predictions.js";
export type { JobsDeps } from "./routes/jobs.js";
export type { SecurityOptions } from "./security.js";
export { type RunningService, type ServiceOptions, startService } from "./service.js";
