// The same network gives the same outputs on every runtime that can run here, whichever file format it reads.
import { describe, test } from "vitest";
import { type AvailablePlatform, listPlatforms } from "../src/platform/registry.js";
import { checkOutputsAgree } from "./contract/outputs-agree.js";

const { available, unavailable } = await listPlatforms();
const real = available.filter(({ runtime }) => runtime.family !== "fake");

const isReference = ({ platform: { runtime } }: AvailablePlatform) =>
  runtime.family === "onnxruntime" &&
  runtime.settings.optimisation === "disabled" &&
  runtime.threads === 1;
const reference = real.find(isReference)!;

for (const { runtime, reason } of unavailable) {
  describe.skip(`${runtime.title}: ${reason}`, () => {
    test("agrees", () => {});
  });
}

for (const platform of real) {
  const { family, threads } = platform.platform.runtime;
  if (family === "onnxruntime-web" && threads > 1) {
    describe.skip(`${platform.platform.id}: one thread count a process`, () => {
      test("is checked by outputs-agree-threads.test.ts", () => {});
    });
  } else {
    checkOutputsAgree(platform, reference);
  }
}
