/**
 * A body of lines in batches, whatever its size; no line is longer than a network's name can be.
 */
import { FormatError } from "../../errors.js";
import { maxLineLength } from "../kernel/predictions.js";

/**
 * Lines of a body, empty ones left out, as they come: a batch is smaller than `batchSize` where more is still on its way.
 * Of a line that is too long only as much is kept as shows that it is.
 *
 * @throws FormatError when the body is no UTF-8
 */
export async function* linesOf(
  body: ReadableStream<Uint8Array> | null,
  batchSize: number,
): AsyncGenerator<string[], undefined, undefined> {
  if (body === null) return undefined;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  let batch: string[] = [];
  const decode = (chunk?: Uint8Array) => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch (cause) {
      throw new FormatError("the body is no UTF-8", { cause });
    }
  };
  const bounded = (line: string) => line.slice(0, maxLineLength + 1);
  for await (const chunk of body) {
    const lines = (rest + decode(chunk)).split("\n");
    rest = bounded(lines.pop()!);
    for (const line of lines) {
      if (line.trim() === "") continue;
      batch.push(bounded(line));
      if (batch.length < batchSize) continue;
      yield batch;
      batch = [];
    }
    // Who waits for an answer before sending more gets it.
    if (batch.length > 0) yield batch;
    batch = [];
  }
  const last = rest + decode();
  if (last.trim() !== "") yield [bounded(last)];
  return undefined;
}
