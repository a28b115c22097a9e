/**
 * OpenCV's DNN module on the CPU, with its own kernels and its fusion, as it comes by default. It runs operators whose
 * result nobody reads; operators on constants alone it cannot take, so they are folded before (`opencv-model.ts`).
 */
import { UnsupportedError } from "../../errors.js";
import { formatShape } from "../../graph/size.js";
import type { RuntimeInfo } from "../../record/platform.js";
import { loadNative, probeNative } from "../native-library.js";
import { shortVersion, threadCounts } from "../onnx-session.js";
import { opencvModel } from "../opencv-model.js";
import type { Runtime, Session } from "../runtime.js";

const family = "opencv-dnn";
const library = "opencv";
const title = "OpenCV DNN";

async function load(model: Uint8Array, info: RuntimeInfo): Promise<Session> {
  const { bytes, input, output } = await opencvModel(model);
  const settings = { ...info.settings, input: formatShape(input.shape) };
  const session = await loadNative({
    name: library,
    title,
    model: bytes,
    info: { ...info, settings },
  });
  const made = formatShape(session.outputShape);
  if (made !== formatShape(output.shape)) {
    await session.dispose();
    throw new UnsupportedError(
      `${title} gives an output of ${made}, which must be ${formatShape(output.shape)}`,
    );
  }
  return session;
}

/** OpenCV DNN, CPU, as built by Debian. */
export const runtime: Runtime = {
  name: family,
  family,
  slugPattern: /^opencv/,
  title,
  modelFormat: "onnx",
  probe: async () => probeNative(library),
  variants: (version, nCores) =>
    threadCounts(nCores).map((threads) => ({
      slug: `opencv${shortVersion(version)}-t${threads}`,
      info: { family, version, threads, settings: {} },
    })),
  load,
};
