/**
 * The service as a library: start it, or put its application into a server of one's own.
 *
 * @packageDocumentation
 */
export { type AppDeps, createApp } from "./app.js";
export type { FixedAccuracies } from "./kernel/accuracies.js";
export { Kernel, OverloadedError } from "./kernel/kernel.js";
export type { KernelOptions, ModelUpload } from "./kernel/methods.js";
export type { PredictBatch, PredictOptions } from "./kernel/predictions.js";
export type { SecurityOptions } from "./security.js";
export { type RunningService, type ServiceOptions, startService } from "./service.js";
