/**
 * Messages between `samara benchmark` and its worker processes. Both are the same build, so there is no version.
 */

import {
  FormatError,
  InputError,
  InternalError,
  messageOf,
  NotFittedError,
  SamaraError,
  ShapeError,
  UnsupportedError,
} from "../errors.js";
import type { Protocol, Selection } from "../evaluate/transfer.js";
import type { ScoredUnit } from "../evaluate/transfer-summary.js";

/** A row of a folder of published latencies. */
export interface PlatformRow {
  readonly folder: string;
  readonly id: string;
}

/** A task by where its platforms are found. */
export interface TaskSpec {
  readonly name: string;
  readonly sources: readonly PlatformRow[];
  readonly targets: readonly PlatformRow[];
  /** Where tables of architectures are looked for last. */
  readonly dataFolder?: string;
}

/** A trial on a target of the task, by the target's place. */
export interface Trial {
  readonly target: number;
  readonly trial: number;
  readonly samples: number;
  readonly select: Selection;
}

/** Whether two trials of one job are the same. */
export const isSameTrial = (a: Trial, b: Trial): boolean =>
  a.target === b.target && a.trial === b.trial && a.samples === b.samples && a.select === b.select;

/** To learn once and to adapt to targets. */
export interface Job {
  readonly task: TaskSpec;
  readonly predictor: string;
  readonly protocol: Protocol;
  readonly seed: number;
  /** Number of the draw of source networks. */
  readonly draw: number;
  readonly trials: readonly Trial[];
}

/** An error as it travels. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly hint: string | undefined;
}

/** An error in a form that survives the way between processes. */
export function sendableError(error: unknown): SentError {
  return {
    name: error instanceof Error ? error.name : "Error",
    message: messageOf(error),
    hint: error instanceof SamaraError ? error.hint : undefined,
  };
}

/** What methods refuse with; a worker throws nothing else but by a fault of ours. */
const refusals = [InputError, FormatError, NotFittedError, ShapeError, UnsupportedError];

/** The error that was sent, of the same class where the input was at fault. */
export function receivedError({ name, message, hint }: SentError): SamaraError {
  const Refusal = refusals.find((candidate) => candidate.name === name);
  if (Refusal === undefined) return new InternalError(message);
  return new Refusal(message, hint === undefined ? {} : { hint });
}

/** What a worker says while it works on a job; `done` comes last. */
export type WorkerMessage =
  | { readonly kind: "scored"; readonly at: Trial; readonly unit: ScoredUnit }
  | { readonly kind: "failed"; readonly trials: readonly Trial[]; readonly error: SentError }
  | { readonly kind: "progress"; readonly text: string }
  | { readonly kind: "done" };
