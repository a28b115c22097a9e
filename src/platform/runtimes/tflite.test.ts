import { afterEach, describe, expect, test, vi } from "vitest";
import { tinyTfliteConvNet } from "../../../test/contract/tiny-models.js";
import { FormatError, UnsupportedError } from "../../errors.js";
import type { RuntimeInfo } from "../../record/platform.js";
import { copyToNchw, copyToNhwc } from "../layout.js";
import { runtime as tflite } from "./tflite.js";

const availability = await tflite.probe();
const whyNot = availability.available ? "" : `: skipped, ${availability.reason}`;
const info = (delegate: string): RuntimeInfo => ({
  family: "tflite",
  version: availability.available ? availability.version : "",
  threads: 1,
  settings: { delegate },
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

describe("copyToNhwc() and copyToNchw()", () => {
  const shape = [2, 3, 2, 2];
  const nchw = Float32Array.from({ length: 24 }, (_, i) => i);

  test("puts channels last", () => {
    const nhwc = new Float32Array(24);
    copyToNhwc(nchw, nhwc, shape);
    expect([...nhwc.subarray(0, 6)]).toEqual([0, 4, 8, 1, 5, 9]);
    expect(nhwc[12]).toBe(12);
  });

  test("undo each other", () => {
    const nhwc = new Float32Array(24);
    const back = new Float32Array(24);
    copyToNhwc(nchw, nhwc, shape);
    copyToNchw(nhwc, back, shape);
    expect(back).toEqual(nchw);
  });

  test("leave other ranks as they are", () => {
    const values = new Float32Array(24);
    copyToNhwc(nchw, values, [2, 12]);
    expect(values).toEqual(nchw);
  });
});

describe("probe()", () => {
  test("says that SAMARA_TFLITE_LIBRARY names no file", async () => {
    vi.stubEnv("SAMARA_TFLITE_LIBRARY", "/nowhere/libtensorflowlite_c.so");
    vi.resetModules();
    const fresh = await import("./tflite.js");
    expect(await fresh.runtime.probe()).toMatchObject({
      available: false,
      reason: "SAMARA_TFLITE_LIBRARY names no file: /nowhere/libtensorflowlite_c.so",
    });
  });

  test("says that a file is no TensorFlow Lite library", async () => {
    vi.stubEnv("SAMARA_TFLITE_LIBRARY", import.meta.filename);
    vi.resetModules();
    const fresh = await import("./tflite.js");
    expect(await fresh.runtime.probe()).toMatchObject({
      available: false,
      reason: expect.stringContaining("cannot be loaded"),
    });
  });
});

describe.skipIf(!availability.available)(`load()${whyNot}`, () => {
  test("hands the nodes to XNNPACK, which is faster than the builtin kernels", async () => {
    const model = tinyTfliteConvNet(6, 32, 32);
    const sessions = await Promise.all(
      ["xnnpack", "builtin"].map((delegate) => tflite.load(model, info(delegate))),
    );
    const timesMs: [number[], number[]] = [[], []];
    for (let i = 0; i < 15; i++) {
      sessions.forEach((session, which) => {
        const start = performance.now();
        session.run();
        timesMs[which]!.push(performance.now() - start);
      });
    }
    // The fastest runs, interleaved: other load can make neither of them faster. About 1.1 against 4.5 ms here.
    const [xnnpackMs, builtinMs] = timesMs.map((times) => Math.min(...times)) as [number, number];
    expect(builtinMs / xnnpackMs).toBeGreaterThan(1.5);
    const outputs = await Promise.all(sessions.map((session) => session.output()));
    for (let i = 0; i < outputs[0]!.length; i++) {
      expect(outputs[0]![i]).toBeCloseTo(outputs[1]![i]!, 5);
    }
    for (const session of sessions) await session.dispose();
  });

  test("passes on what the library says about an operator that it does not know", async () => {
    const model = tinyTfliteConvNet(1, 4, 8, 9999);
    await expect(tflite.load(model, info("xnnpack"))).rejects.toThrow(UnsupportedError);
    await expect(tflite.load(model, info("xnnpack"))).rejects.toThrow(/9999/);
  });

  test("refuses an unknown delegate and a file that is none", async () => {
    const model = tinyTfliteConvNet(1);
    await expect(tflite.load(model, info("gpu"))).rejects.toThrow(UnsupportedError);
    await expect(tflite.load(model, info("gpu"))).rejects.toThrow(
      'tflite has no delegate "gpu"; there are: xnnpack, builtin',
    );
    await expect(tflite.load(Uint8Array.of(1, 2), info("xnnpack"))).rejects.toThrow(FormatError);
  });
});
