/**
 * What ONNX Runtime Web has in Node and in pages: the part of its interface that is used, and what it says of a model
 * that it does not take. No Node imports.
 */
import { FormatError, messageOf, UnsupportedError } from "../errors.js";
import { sizeOf, theOnlyTensor } from "./onnx-session.js";

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

interface OrtWebSession {
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
const describeTensor = (metadata: OrtWebMetadata) => ({
  name: metadata.name,
  dataType: metadata.type ?? "not a tensor",
  dims: metadata.shape ?? [],
});

/** The error for what `InferenceSession.create` threw. */
function loadError(cause: unknown): Error {
  const message = messageOf(cause);
  const missing =
    /Could not find an implementation for (\w+)/.exec(message) ??
    /([\w.:]+)\(-?\d+\) is not a registered function\/op/.exec(message);
  return missing
    ? new UnsupportedError(`ONNX Runtime Web has no operator ${missing[1]}: ${message}`, { cause })
    : new FormatError(`ONNX Runtime Web cannot load the model: ${message}`, { cause });
}

/** A model with one input and one output, run once. */
export interface OpenOrtWebModel {
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  setInput(values: Float32Array): void;
  run(): Promise<void>;
  /** Values of the last run, which the next may overwrite. */
  output(): Float32Array;
  release(): Promise<void>;
}

/**
 * Load a model for the CPU, with all optimisations.
 *
 * @throws UnsupportedError, FormatError
 */
export async function openOrtWebModel(ort: OrtWeb, model: Uint8Array): Promise<OpenOrtWebModel> {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
  }).catch((cause: unknown) => {
    throw loadError(cause);
  });
  try {
    const input = theOnlyTensor("input", session.inputMetadata.map(describeTensor));
    const inputValues = new Float32Array(sizeOf(input.shape));
    const feeds = { [input.name]: new ort.Tensor("float32", inputValues, input.shape) };
    // A free batch of the output is known only after a run.
    let outputs = await session.run(feeds);
    const output = theOnlyTensor(
      "output",
      session.outputMetadata.map((metadata) => ({
        ...describeTensor(metadata),
        dims: outputs[metadata.name]!.dims,
      })),
    );
    return {
      inputShape: input.shape,
      outputShape: output.shape,
      setInput: (values) => inputValues.set(values),
      async run() {
        outputs = await session.run(feeds);
      },
      output: () => outputs[output.name]!.data as Float32Array,
      release: () => session.release(),
    };
  } catch (error) {
    await session.release();
    throw error;
  }
}
