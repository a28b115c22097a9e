// ONNX Runtime Web has one thread count a process: its two threads are checked in a process of their own.
import { describe, test } from "vitest";
import { listPlatforms } from "../src/platform/registry.js";
import { checkOutputsAgree } from "./contract/outputs-agree.js";

const { available } = await listPlatforms();
const find = (family: string, threads: number) =>
  available.find(
    ({ platform: { runtime } }) => runtime.family === family && runtime.threads === threads,
  );
const web = find("onnxruntime-web", 2);
const reference = find("onnxruntime", 1);

if (web && reference) {
  checkOutputsAgree(web, reference);
} else {
  describe.skip("ONNX Runtime Web with 2 threads: it cannot run here", () => {
    test("agrees", () => {});
  });
}
