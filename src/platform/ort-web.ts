/**
 * What ONNX Runtime Web has in Node and in pages: the part of its interface that is used, and what it says of a model
 * that it does not take. No Node imports.
 */
import { FormatError, messageOf, UnsupportedError } from "../errors.js";

/** The part of onnxruntime-web that is used; its own types belong to onnxruntime-common. */
export interface OrtWeb {
  readonly env: {
    readonly versions: { readonly web?: string; readonly common: string };
    readonly wasm: { numThreads?: number; wasmPaths?: string };
    logLevel?: string;
  };
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<OrtWebSession>;
  };
  readonly Tensor: new (
    type: "float32",
    data: Float32Array,
    dims: readonly number[],
  ) => OrtWebTensor;
}

interface OrtWebTensor {
  readonly data: unknown;
  readonly dims: readonly number[];
}

/** A model that is loaded. */
export interface OrtWebSession {
  readonly inputMetadata: readonly OrtWebMetadata[];
  readonly outputMetadata: readonly OrtWebMetadata[];
  run(feeds: Record<string, OrtWebTensor>): Promise<Record<string, OrtWebTensor>>;
  release(): Promise<void>;
}

interface OrtWebMetadata {
  readonly name: string;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

/** An input or output as `theOnlyTensor` takes it. */
export const describeOrtWebTensor = (metadata: OrtWebMetadata) => ({
  name: metadata.name,
  dataType: metadata.type ?? "not a tensor",
  dims: metadata.shape ?? [],
});

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
