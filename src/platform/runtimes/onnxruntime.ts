/**
 * ONNX Runtime for Node on the CPU. Its optimisation levels are platforms of their own: `disabled` runs every
 * operator as written, `all` fuses and prunes.
 *
 * Threads spin within a run, as users get it, but not after it: the pool of one session would otherwise take a core
 * from the next session that is timed.
 */
import { messageOf, UnsupportedError } from "../../errors.js";
import { createOrtSession, type OrtOptimisation, ortVersion } from "../../ort/session.js";
import type { RuntimeInfo } from "../../record/platform.js";
import { shortVersion, sizeOf, theOnlyTensor, threadCounts } from "../onnx-session.js";
import type { Availability, Runtime, RuntimeVariant, Session } from "../runtime.js";

const family = "onnxruntime";
const levels = [
  "all",
  "layout",
  "extended",
  "basic",
  "disabled",
] as const satisfies readonly OrtOptimisation[];

function optimisationOf(info: RuntimeInfo): OrtOptimisation {
  const level = levels.find((known) => known === info.settings.optimisation);
  if (level !== undefined) return level;
  throw new UnsupportedError(
    `onnxruntime has no optimisation "${String(info.settings.optimisation)}"; there are: ${levels.join(", ")}`,
  );
}

async function load(model: Uint8Array, info: RuntimeInfo): Promise<Session> {
  const session = await createOrtSession(model, {
    optimisation: optimisationOf(info),
    threads: info.threads,
  });
  try {
    const input = theOnlyTensor("input", session.inputs);
    const inputValues = new Float32Array(sizeOf(input.shape));
    const feeds = { [input.name]: { data: inputValues, dims: input.shape } };
    // A free batch of the output is known only after a run.
    const outputs = await session.run(feeds).catch((cause: unknown) => {
      throw new UnsupportedError(`ONNX Runtime cannot run the model: ${messageOf(cause)}`, {
        cause,
      });
    });
    const output = theOnlyTensor(
      "output",
      session.outputs.map(({ name, dataType }) => ({ name, dataType, dims: outputs[name]!.dims })),
    );
    const outputValues = new Float32Array(sizeOf(output.shape));
    const binding = session.bind(feeds, {
      [output.name]: { data: outputValues, dims: output.shape },
    });
    return {
      inputShape: input.shape,
      outputShape: output.shape,
      setInput: (values) => inputValues.set(values),
      run: () => binding.run(),
      output: () => outputValues.slice(),
      dispose: () => session.dispose(),
    };
  } catch (error) {
    await session.dispose();
    throw error;
  }
}

/** ONNX Runtime (Node), CPU, at its optimisation levels. */
export const runtime: Runtime = {
  name: family,
  family,
  slugPattern: /^(?:ort(?!web)|onnxruntime(?!-web))/,
  title: "ONNX Runtime (Node)",
  modelFormat: "onnx",

  async probe(): Promise<Availability> {
    try {
      return { available: true, version: await ortVersion() };
    } catch (error) {
      return {
        available: false,
        reason: messageOf(error),
        remedy: "reinstall onnxruntime-node; it has binaries for Linux, macOS (arm64) and Windows",
      };
    }
  },

  variants(version: string, nCores: number): readonly RuntimeVariant[] {
    return levels.flatMap((optimisation) =>
      threadCounts(nCores).map((threads) => ({
        slug: `ort${shortVersion(version)}-cpu-${optimisation}-t${threads}`,
        info: { family, version, threads, settings: { optimisation } },
      })),
    );
  },

  load,
};
