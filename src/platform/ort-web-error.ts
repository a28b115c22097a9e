/**
 * What ONNX Runtime Web says of a model that it does not take. No Node imports: pages use it as well.
 */
import { FormatError, messageOf, UnsupportedError } from "../errors.js";

/** The error for what `InferenceSession.create` threw. */
export function ortWebLoadError(cause: unknown): Error {
  const message = messageOf(cause);
  const missing =
    /Could not find an implementation for (\w+)/.exec(message) ??
    /([\w.:]+)\(-?\d+\) is not a registered function\/op/.exec(message);
  return missing
    ? new UnsupportedError(`ONNX Runtime Web has no operator ${missing[1]}: ${message}`, { cause })
    : new FormatError(`ONNX Runtime Web cannot load the model: ${message}`, { cause });
}
