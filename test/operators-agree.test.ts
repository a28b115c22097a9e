// Operators that our search spaces do not have: native runtimes with importers of their own compute what ONNX Runtime
// computes, or refuse the operator by name. None may be silently wrong.
import { describe, test } from "vitest";
import { listPlatforms } from "../src/platform/registry.js";
import { computeHere, expectAgreement, expectRefusal } from "./contract/outputs-agree.js";
import { operatorGraphs } from "./operator-graphs.js";

/** By runtime and graph, part of the message. */
const refused: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "opencv-dnn": {
    "fully connected, alpha and beta": "(Gemm): alpha or beta other than 1",
    "fully connected, one bias for all": "Node [Gemm",
    "joined with a constant": "(Concat): an input is constant",
    padding: "(Pad): known are",
    "product with a constant a column": "OpenCV DNN cannot run the model",
    squeeze: "(Squeeze): known are",
    unsqueeze: "(Unsqueeze): known are",
  },
  torchscript: {
    "average pool, SAME_UPPER": "(AveragePool) cannot be translated to TorchScript: uneven padding",
    "average pool, uneven padding":
      "(AveragePool) cannot be translated to TorchScript: uneven padding",
  },
};

const { available, unavailable } = await listPlatforms();
const reference = available.find(
  ({ platform: { runtime } }) =>
    runtime.family === "onnxruntime" && runtime.settings.optimisation === "disabled",
)!;

for (const [name, messages] of Object.entries(refused)) {
  const platform = available.find(({ runtime }) => runtime.name === name);
  if (platform === undefined) {
    const reason = unavailable.find(({ runtime }) => runtime.name === name)?.reason;
    describe.skip(`${name}: ${reason}`, () => {
      test("agrees", () => {});
    });
    continue;
  }
  describe(platform.platform.id, () => {
    for (const [what, graph] of operatorGraphs) {
      const message = messages[what];
      if (message === undefined) {
        test(`agrees on: ${what}`, async () => {
          await expectAgreement(computeHere(reference), computeHere(platform), graph);
        });
      } else {
        test(`refuses, and says why: ${what}`, async () => {
          await expectRefusal(computeHere(platform), graph, message);
        });
      }
    }
  });
}
