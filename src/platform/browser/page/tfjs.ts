/**
 * TensorFlow.js in a page, with its WebAssembly backend (SIMD, one thread). Gets networks as descriptions
 * (`tfjs-parcel.ts`); model files are read on Node's side.
 */
import { InternalError, messageOf, UnsupportedError } from "../../../errors.js";
import { createTfjsNetwork, type Tfjs, type TfjsExecutor } from "../tfjs-network.js";
import { unpackTfjsNetwork } from "../tfjs-parcel.js";
import { type PageSession, servePage } from "./sessions.js";

/** What scripts of the page have put into the global `tf`: core and backend. */
interface TfjsInPage extends Tfjs {
  enableProdMode(): void;
  env(): { set(flag: string, value: boolean): void };
  setBackend(name: "wasm"): Promise<boolean>;
  ready(): Promise<void>;
  readonly wasm: { setWasmPaths(prefix: string): void };
}

let starting: Promise<TfjsInPage> | undefined;

async function startTfjs(): Promise<TfjsInPage> {
  const { tf } = globalThis as unknown as { tf: TfjsInPage };
  tf.enableProdMode();
  // Else a page that is cross-origin isolated gets threads.
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  tf.wasm.setWasmPaths("packages/@tensorflow/tfjs-backend-wasm/dist/");
  if (!(await tf.setBackend("wasm"))) {
    throw new UnsupportedError("TensorFlow.js cannot start its WebAssembly backend");
  }
  await tf.ready();
  return tf;
}

/** Outputs are copied by `output` only: a run reads nothing back. */
async function load(bytes: Uint8Array): Promise<PageSession> {
  starting ??= startTfjs();
  const tf = await starting;
  const network = unpackTfjsNetwork(bytes);
  let executor: TfjsExecutor | undefined;
  try {
    executor = createTfjsNetwork(tf, network);
    executor.run();
  } catch (cause) {
    executor?.dispose();
    throw new UnsupportedError(`TensorFlow.js cannot run the model: ${messageOf(cause)}`, {
      cause,
    });
  }
  const { setInput, run, output, dispose } = executor;
  return {
    inputShape: network.inputShape,
    outputShape: network.outputShape,
    setInput,
    run,
    output() {
      const values = output();
      if (values === undefined) throw new InternalError("the output was asked for before a run");
      return values;
    },
    dispose,
  };
}

servePage(load);
