/**
 * What the runtimes that read TensorFlow Lite files share: a look at the bytes before a library trusts them.
 */
import { FormatError } from "../errors.js";

/**
 * Refuse bytes without the identifier of the FlatBuffers schema: libraries read far outside of them.
 *
 * @throws FormatError
 */
export function checkTfliteMark(model: Uint8Array): void {
  if (model.length >= 16 && Buffer.from(model.subarray(4, 8)).toString("latin1") === "TFL3") return;
  throw new FormatError("the model is not a TensorFlow Lite file: it lacks the mark TFL3");
}
