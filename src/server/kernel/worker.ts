/**
 * A worker thread of the service: answers calls of `methods.ts`, one message each.
 */
import { parentPort, workerData } from "node:worker_threads";
import { createMethods, type KernelOptions } from "./methods.js";
import { type ToldError, toldOf } from "./told-error.js";

/** A call, as the service sends it. */
export interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: never;
}

/** Its answer. */
export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: ToldError };

const port = parentPort!;
const methods = createMethods(workerData as KernelOptions) as Record<
  string,
  (params: never) => Promise<unknown>
>;

/** Errors inside of a list of settled promises would lose what they say on the way. */
const sendable = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map((one: PromiseSettledResult<unknown>) =>
        one.status === "rejected" ? { error: toldOf(one.reason) } : { value: one.value },
      )
    : value;

port.on("message", async ({ id, method, params }: Call) => {
  let answer: Answer;
  try {
    answer = { id, value: sendable(await methods[method]!(params)) };
  } catch (error) {
    answer = { id, error: toldOf(error) };
  }
  const { value } = answer as { value?: unknown };
  // Documents are not copied: nobody here needs them any more.
  port.postMessage(answer, isWhole(value) ? [value.buffer as ArrayBuffer] : []);
});

function isWhole(value: unknown): value is Uint8Array {
  return (
    value instanceof Uint8Array &&
    value.byteOffset === 0 &&
    value.byteLength === value.buffer.byteLength &&
    value.byteLength > 4096
  );
}
