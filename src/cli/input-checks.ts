/**
 * Everything that is wrong with a command's input, so that the user can correct it in one go.
 */
import { InputErrors, SamaraError } from "../errors.js";

/** The errors themselves, where several had been joined. */
const parts = (error: SamaraError): readonly SamaraError[] =>
  error instanceof InputErrors ? error.errors : [error];

/** Keeps the errors of checks until all have been made. */
export class InputChecks {
  readonly #errors: SamaraError[] = [];

  /** Keep an error for `done`. */
  add(error: SamaraError): void {
    this.#errors.push(...parts(error));
  }

  /** What a check gives, or the fallback when it throws a SamaraError, which is kept. */
  run<T>(check: () => T, fallback: T): T {
    try {
      return check();
    } catch (error) {
      return this.#keep(error, fallback);
    }
  }

  /** As `run`, for a check that takes its time. */
  async wait<T>(check: () => Promise<T>, fallback: T): Promise<T> {
    try {
      return await check();
    } catch (error) {
      return this.#keep(error, fallback);
    }
  }

  #keep<T>(error: unknown, fallback: T): T {
    if (!(error instanceof SamaraError)) throw error;
    this.add(error);
    return fallback;
  }

  /**
   * To be called after the last check.
   *
   * @throws the error that was kept, or InputErrors with all of them
   */
  done(): void {
    if (this.#errors.length === 1) throw this.#errors[0]!;
    if (this.#errors.length > 1) throw new InputErrors(this.#errors);
  }
}
