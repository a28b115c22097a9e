/**
 * LiteRT.js, TensorFlow Lite's successor for the web (WebAssembly, XNNPACK underneath), run in Node. Its builds are
 * platforms of their own: `compat` with plain SIMD, `relaxed` with fused multiply-add, and that with threads.
 *
 * `run` is a promise that is settled without a turn of the event loop; it allocates its output anew each time, as in
 * every application that uses this runtime. How a build gets into Node: `litert-module.ts`.
 */
import { FormatError, InternalError, messageOf, UnsupportedError } from "../../errors.js";
import type { RuntimeInfo } from "../../record/platform.js";
import { copyToNchw, copyToNhwc, nchwShape } from "../layout.js";
import {
  allowRelaxedSimd,
  type LitertBuild,
  type LitertModel,
  type LitertTensor,
  type LoadedLitert,
  litertPackage,
  loadLitert,
} from "../litert-module.js";
import { shortVersion, sizeOf, theOnlyTensor, threadCounts } from "../onnx-session.js";
import { findPackage } from "../optional-package.js";
import type { Availability, Runtime, RuntimeVariant, Session } from "../runtime.js";
import { checkTfliteMark } from "../tflite-model.js";

const family = "litert";

function buildOf({ settings, threads }: RuntimeInfo): LitertBuild {
  if (settings.simd === "compat") return "compat";
  if (settings.simd === "relaxed") return threads > 1 ? "threaded" : "relaxed";
  throw new UnsupportedError(
    `litert has no build for SIMD "${String(settings.simd)}"; there are: compat, relaxed`,
  );
}

function loadError(cause: unknown, errors: string): Error {
  const text = [messageOf(cause), errors].filter((part) => part !== "").join("; ");
  return /load model/i.test(text)
    ? new FormatError(`LiteRT.js cannot read the model: ${text}`, { cause })
    : new UnsupportedError(`LiteRT.js cannot run the model: ${text}`, { cause });
}

function openSession(model: LitertModel, { createTensor }: LoadedLitert): Session {
  const describe = ({
    name,
    dtype,
    shape,
  }: ReturnType<LitertModel["getInputDetails"]>[number]) => ({
    name,
    dataType: dtype,
    dims: [...shape],
  });
  const input = theOnlyTensor("input", model.getInputDetails().map(describe));
  const output = theOnlyTensor("output", model.getOutputDetails().map(describe));
  const inputShape = nchwShape(input.shape);
  const outputShape = nchwShape(output.shape);
  const nhwc = new Float32Array(sizeOf(inputShape));
  let inputTensor = createTensor(nhwc, input.shape);
  let outputTensor: LitertTensor | undefined;
  return {
    inputShape,
    outputShape,
    setInput(values) {
      copyToNhwc(values, nhwc, inputShape);
      inputTensor.delete();
      inputTensor = createTensor(nhwc, input.shape);
    },
    async run() {
      outputTensor?.delete();
      outputTensor = (await model.run(inputTensor))[0];
    },
    output() {
      if (outputTensor === undefined) {
        throw new InternalError("the output was asked for before a run");
      }
      const values = new Float32Array(sizeOf(outputShape));
      copyToNchw(outputTensor.toTypedArray(), values, outputShape);
      return values;
    },
    dispose() {
      // Each of them may be deleted twice.
      outputTensor?.delete();
      inputTensor.delete();
      model.delete();
    },
  };
}

async function load(model: Uint8Array, info: RuntimeInfo): Promise<Session> {
  checkTfliteMark(model);
  const litert = await loadLitert(buildOf(info));
  litert.takeErrors();
  let compiled: LitertModel | undefined;
  try {
    compiled = await litert.loadAndCompile(model, info.threads);
    return openSession(compiled, litert);
  } catch (cause) {
    compiled?.delete();
    throw cause instanceof UnsupportedError ? cause : loadError(cause, litert.takeErrors());
  }
}

/** LiteRT.js: WebAssembly in Node. */
export const runtime: Runtime = {
  name: family,
  family,
  slugPattern: /^litert/,
  title: "LiteRT.js (WebAssembly in Node)",
  modelFormat: "tflite",

  async probe(): Promise<Availability> {
    try {
      return { available: true, version: findPackage(litertPackage).version };
    } catch (error) {
      return { available: false, reason: messageOf(error), remedy: `npm install ${litertPackage}` };
    }
  },

  variants(version: string, nCores: number): readonly RuntimeVariant[] {
    const variant = (simd: "compat" | "relaxed", threads: number): RuntimeVariant => ({
      slug: `litert${shortVersion(version)}-wasm-${simd}-t${threads}`,
      info: {
        family,
        version,
        threads,
        settings: { target: "wasm", simd },
        removesDeadOperators: true,
      },
    });
    if (!allowRelaxedSimd()) return [variant("compat", 1)];
    return [
      variant("compat", 1),
      ...threadCounts(nCores).map((threads) => variant("relaxed", threads)),
    ];
  },

  load,
};
