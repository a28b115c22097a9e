/**
 * Errors on their way between threads: what a reader of the answer gets to know, without stack or cause.
 */
import { InputErrors, InternalError, messageOf, SamaraError } from "../../errors.js";

/** An error as plain data. */
export interface ToldError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  /** Everything that is wrong, when it is more than one thing. */
  readonly errors?: readonly ToldError[];
}

/** Any error as plain data; a fault of ours says nothing of its insides. */
export function toldOf(error: unknown): ToldError {
  const known =
    error instanceof SamaraError ? error : new InternalError(messageOf(error), { cause: error });
  return {
    code: known.code,
    message: known.message,
    ...(known.hint === undefined ? {} : { hint: known.hint }),
    ...(known instanceof InputErrors ? { errors: known.errors.map(toldOf) } : {}),
  };
}

/** An error that another thread, or a child, has told. */
export class RelayedError extends SamaraError {
  readonly code: string;
  readonly errors: readonly ToldError[];

  constructor({ code, message, hint, errors = [] }: ToldError) {
    super(message, hint === undefined ? {} : { hint });
    this.code = code;
    this.errors = errors;
  }
}
