/**
 * Messages between the planning process and a sampler process. Both are the same build of this package, so there
 * is no version; values travel by structured clone (`serialization: "advanced"`).
 */
import {
  FormatError,
  InputError,
  MeasurementError,
  messageOf,
  SamaraError,
  ShapeError,
  UnsupportedError,
} from "../errors.js";
import type { RuntimeInfo } from "../record/platform.js";
import type {
  LoadedModel,
  PairOptions,
  PairTimings,
  SamplerInfo,
  WarmupOptions,
  WarmupResult,
} from "./sampler-types.js";

/** Each command with what goes in and what comes out. */
export interface SamplerCommands {
  start: { input: { runtimeInfo: RuntimeInfo; counters: boolean }; output: SamplerInfo };
  load: { input: { key: string; model: Uint8Array }; output: LoadedModel };
  unload: { input: { key: string }; output: null };
  runOnce: { input: { key: string; input: Float32Array }; output: Float32Array };
  warmUp: { input: { key: string; options: WarmupOptions }; output: WarmupResult };
  timePairs: { input: PairOptions; output: PairTimings };
  exit: { input: null; output: null };
}

export type SamplerCommand = keyof SamplerCommands;

export type SamplerRequest = {
  [Command in SamplerCommand]: {
    readonly id: number;
    readonly command: Command;
    readonly input: SamplerCommands[Command]["input"];
  };
}[SamplerCommand];

interface SentError {
  readonly name: string;
  readonly message: string;
  readonly hint: string | undefined;
}

export type SamplerResponse =
  | { readonly id: number; readonly ok: true; readonly output: unknown }
  | { readonly id: number; readonly ok: false; readonly error: SentError };

/** Whether something that arrived is a response. */
export function isSamplerResponse(message: unknown): message is SamplerResponse {
  if (typeof message !== "object" || message === null) return false;
  const { id, ok, error } = message as Partial<Record<string, unknown>>;
  if (typeof id !== "number") return false;
  return ok === true || (ok === false && typeof error === "object" && error !== null);
}

/** An error in a form that survives the way between processes. */
export function sendableError(error: unknown): SentError {
  return {
    name: error instanceof Error ? error.name : "Error",
    message: messageOf(error),
    hint: error instanceof SamaraError ? error.hint : undefined,
  };
}

/**
 * The error that was sent, with the circumstances before its message. What the caller or the model did wrong keeps
 * its class; everything else is a failed measurement.
 */
export function receivedError(error: SentError, circumstances: string): SamaraError {
  const message = `${circumstances}: ${error.message}`;
  const options = error.hint === undefined ? {} : { hint: error.hint };
  switch (error.name) {
    case "FormatError":
      return new FormatError(message, options);
    case "UnsupportedError":
      return new UnsupportedError(message, options);
    case "InputError":
      return new InputError(message, options);
    case "ShapeError":
      return new ShapeError(message, options);
    default:
      return new MeasurementError(message, options);
  }
}
