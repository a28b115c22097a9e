/**
 * What all native runtimes have in common: probed by the record of their build, loaded through `native-library.ts`,
 * and runnable under a simulator. A runtime's file says its variants and how a model file becomes its library's bytes.
 */
import type { RuntimeInfo } from "../record/platform.js";
import { loadNative, probeNative } from "./native-library.js";
import type { NativeForm, Runtime } from "./runtime.js";

/** A native runtime, as its file in `runtimes/` describes it. */
export interface NativeDescription
  extends Pick<Runtime, "family" | "slugPattern" | "title" | "isOnePerProcess" | "variants"> {
  /** Of the runtime and of its library, `native/build/lib<name>.so`. */
  readonly name: string;
  /** The library's bytes of an ONNX file. */
  readonly modelFor: NativeForm["modelFor"];
  /** Settings under a simulator without AVX-512; default the variant's own. */
  readonly simulatorSettings?: (settings: RuntimeInfo["settings"]) => RuntimeInfo["settings"];
}

/** The runtime of a description. */
export function createNativeRuntime(description: NativeDescription): Runtime {
  const {
    name,
    title,
    modelFor,
    simulatorSettings = (settings) => settings,
    ...rest
  } = description;
  return {
    ...rest,
    name,
    title,
    modelFormat: "onnx",
    probe: async () => probeNative(name),
    load: async (model, info) => loadNative({ name, title, model: await modelFor(model), info }),
    native: { library: name, modelFor, simulatorSettings },
  };
}
