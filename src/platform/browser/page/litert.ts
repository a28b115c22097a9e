/**
 * LiteRT.js in a page: its WebAssembly build with relaxed SIMD (XNNPACK underneath), one thread.
 */
// The page's import map says which file that is.
import * as litertCore from "@litertjs/core";
import { FormatError, messageOf, UnsupportedError } from "../../../errors.js";
import { theOnlyTensor } from "../../onnx-session.js";
import { type PageSession, servePage } from "./sessions.js";

/** The part of @litertjs/core that is used; its own types want those of a browser. */
interface LiteRt {
  supportsFeature(name: "relaxedSimd"): Promise<boolean>;
  loadLiteRt(path: string): Promise<unknown>;
  loadAndCompile(model: Uint8Array, options: object): Promise<CompiledModel>;
  readonly Tensor: new (data: Float32Array, shape: readonly number[]) => LiteRtTensor;
}

interface CompiledModel {
  getInputDetails(): readonly TensorDetails[];
  getOutputDetails(): readonly TensorDetails[];
  run(input: LiteRtTensor): Promise<readonly LiteRtTensor[]>;
  delete(): void;
}

interface TensorDetails {
  readonly name: string;
  readonly dtype: string;
  readonly shape: Int32Array;
}

interface LiteRtTensor {
  toTypedArray(): Float32Array;
  delete(): void;
}

const litert = litertCore as unknown as LiteRt;
let starting: Promise<void> | undefined;
let messages: string[] = [];

async function startLiteRt(): Promise<void> {
  // It would run its other build, which computes convolutions without fused multiply-add.
  if (!(await litert.supportsFeature("relaxedSimd"))) {
    throw new UnsupportedError("this browser has no relaxed SIMD for LiteRT.js");
  }
  // Its loader takes settings from here, and its library tells its complaints here only.
  const printErr = (text: string) => messages.push(text);
  Object.assign(globalThis, { Module: { print: () => {}, printErr } });
  await litert.loadLiteRt("packages/@litertjs/core/wasm/");
}

function loadError(cause: unknown): Error {
  const errors = messages.filter((message) => message.startsWith("ERROR"));
  const text = [messageOf(cause), ...errors.map((message) => message.trim())].join("; ");
  return /load model/i.test(text)
    ? new FormatError(`LiteRT.js cannot read the model: ${text}`, { cause })
    : new UnsupportedError(`LiteRT.js cannot run the model: ${text}`, { cause });
}

async function compile(model: Uint8Array): Promise<CompiledModel> {
  starting ??= startLiteRt();
  await starting;
  messages = [];
  try {
    return await litert.loadAndCompile(model, {
      accelerator: "wasm",
      cpuOptions: { numThreads: 1 },
    });
  } catch (cause) {
    throw loadError(cause);
  }
}

const describe = ({ name, dtype, shape }: TensorDetails) => ({
  name,
  dataType: dtype,
  dims: Array.from(shape),
});

async function load(model: Uint8Array): Promise<PageSession> {
  const compiled = await compile(model);
  try {
    const input = theOnlyTensor("input", compiled.getInputDetails().map(describe));
    const output = theOnlyTensor("output", compiled.getOutputDetails().map(describe));
    const nInputs = input.shape.reduce((product, dim) => product * dim, 1);
    let inputTensor = new litert.Tensor(new Float32Array(nInputs), input.shape);
    let outputs: readonly LiteRtTensor[] = [];
    const run = async () => {
      // The library allocates outputs anew in each run, and wants them deleted.
      for (const tensor of outputs) tensor.delete();
      outputs = await compiled.run(inputTensor);
    };
    await run().catch((cause: unknown) => {
      inputTensor.delete();
      throw loadError(cause);
    });
    return {
      inputShape: input.shape,
      outputShape: output.shape,
      setInput(values) {
        inputTensor.delete();
        inputTensor = new litert.Tensor(values, input.shape);
      },
      run,
      output: () => outputs[0]!.toTypedArray(),
      dispose() {
        for (const tensor of outputs) tensor.delete();
        inputTensor.delete();
        compiled.delete();
      },
    };
  } catch (error) {
    compiled.delete();
    throw error;
  }
}

servePage(load);
