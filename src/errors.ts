/**
 * Every error class, one per kind of failure, caught by type.
 *
 * `code` is stable and documented in `docs/errors.md`; fields carry the values; `cause` the origin.
 * Wording: the thing, the rule, the value; then what to do. Exit codes and HTTP statuses are not known here.
 */

/** Common base: a stable `code` beside the message, and a `hint` that says what to do next. */
export abstract class SamaraError extends Error {
  abstract readonly code: string;
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.hint = options.hint;
  }
}

/** A bad argument, option or combination of them. */
export class InputError extends SamaraError {
  readonly code: string = "input";
}

/** Several bad inputs of one command, reported together. */
export class InputErrors extends InputError {
  override readonly code = "inputs";
  readonly errors: readonly SamaraError[];

  constructor(errors: readonly SamaraError[]) {
    super(errors.map((error) => error.message).join("\n"));
    this.errors = errors;
  }
}

/** A file or message that does not have the form it must have; says which file and where in it. */
export class FormatError extends SamaraError {
  readonly code: string = "format";
  readonly path: string | undefined;
  readonly field: string | undefined;

  constructor(
    message: string,
    options: { path?: string; field?: string; hint?: string; cause?: unknown } = {},
  ) {
    super(message, options);
    this.path = options.path;
    this.field = options.field;
  }
}

/** Shapes that do not fit together. */
export class ShapeError extends SamaraError {
  readonly code: string = "shape";
}

/** A predictor used before it was fitted or adapted. */
export class NotFittedError extends SamaraError {
  readonly code: string = "not-fitted";
}

/** A named thing (file, platform, predictor) that does not exist. */
export class NotFoundError extends SamaraError {
  readonly code: string = "not-found";
}

/** A runtime, operator, counter or setting that is not available here. */
export class UnsupportedError extends SamaraError {
  readonly code: string = "unsupported";
}

/** A platform that cannot run here; says why and what would help. */
export class PlatformUnavailableError extends UnsupportedError {
  override readonly code = "platform-unavailable";
}

/** A measurement that failed or whose quality makes it unusable. */
export class MeasurementError extends SamaraError {
  readonly code: string = "measurement";
}

/** A measurement that succeeded but whose grade forbids its use. */
export class UnusableQualityError extends MeasurementError {
  override readonly code = "unusable-quality";
}

/** Something took longer than it was allowed to. */
export class TimeoutError extends SamaraError {
  readonly code: string = "timeout";
}

/** A file that could not be written or read for lack of permission, room, or a usable path. */
export class StorageError extends SamaraError {
  readonly code: string = "storage";
  readonly path: string;
  readonly errno: string | undefined;

  constructor(
    message: string,
    options: { path: string; errno?: string; hint?: string; cause?: unknown },
  ) {
    super(message, options);
    this.path = options.path;
    this.errno = options.errno;
  }
}

/** Something that one process at a time may do, and another is doing it. */
export class BusyError extends SamaraError {
  readonly code: string = "busy";
}

/** The user asked to stop (Ctrl-C); what was measured is kept and `hint` says how to resume. */
export class InterruptedError extends SamaraError {
  readonly code: string = "interrupted";
}

/** A fault of ours, never the user's. */
export class InternalError extends SamaraError {
  readonly code: string = "internal";

  constructor(message: string, options: { cause?: unknown } = {}) {
    super(`internal: ${message}`, options);
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
