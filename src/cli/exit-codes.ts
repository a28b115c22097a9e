/**
 * The only place that knows exit codes (docs/errors.md lists them).
 */
import {
  FormatError,
  InputError,
  InputErrors,
  InterruptedError,
  NotFittedError,
  NotFoundError,
  PlatformUnavailableError,
  ShapeError,
  StorageError,
  TimeoutError,
  UnsupportedError,
  UnusableQualityError,
} from "../errors.js";

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  no: 3,
  undecided: 4,
  unusable: 5,
  unavailable: 6,
  timeout: 7,
  permission: 8,
  interrupted: 130,
} as const;

const permissionErrnos = ["EACCES", "EPERM", "EROFS"];
const badPathErrnos = ["ENOTDIR", "EEXIST", "EISDIR", "ENOTEMPTY", "ENAMETOOLONG"];

/** The exit code for an error that ended a command. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof InputErrors) {
    const codes = new Set(error.errors.map(exitCodeOf));
    return codes.size === 1 ? [...codes][0]! : exitCodes.usage;
  }
  if (error instanceof InterruptedError) return exitCodes.interrupted;
  if (error instanceof TimeoutError) return exitCodes.timeout;
  if (error instanceof PlatformUnavailableError) return exitCodes.unavailable;
  if (error instanceof UnusableQualityError) return exitCodes.unusable;
  if (error instanceof StorageError) {
    if (permissionErrnos.includes(error.errno ?? "")) return exitCodes.permission;
    return badPathErrnos.includes(error.errno ?? "") ? exitCodes.usage : exitCodes.failed;
  }
  const isUsersMistake =
    error instanceof InputError ||
    error instanceof FormatError ||
    error instanceof ShapeError ||
    error instanceof NotFoundError ||
    error instanceof NotFittedError ||
    error instanceof UnsupportedError;
  return isUsersMistake ? exitCodes.usage : exitCodes.failed;
}
