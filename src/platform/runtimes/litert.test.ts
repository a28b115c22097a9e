import { describe, expect, test } from "vitest";
import { smallGraphs } from "../../../test/networks.js";
import { UnsupportedError } from "../../errors.js";
import { writeTflite } from "../../tflite/write.js";
import { runtime as litert } from "./litert.js";

const model = writeTflite(smallGraphs.get("3x3 convolution")!);
const availability = await litert.probe();
const whyNot = availability.available ? "" : `: skipped, ${availability.reason}`;
const variants = availability.available ? litert.variants(availability.version, 2) : [];

describe.skipIf(!availability.available)(`LiteRT.js in Node${whyNot}`, () => {
  test("offers a platform for each build", () => {
    expect(variants.map(({ slug }) => slug.replace(/^litert[\d.]+-/, ""))).toEqual([
      "wasm-compat-t1",
      "wasm-relaxed-t1",
      "wasm-relaxed-t2",
    ]);
  });

  test.each(variants)("$slug runs without a turn of the event loop", async ({ info }) => {
    const session = await litert.load(model, info);
    await session.run();
    let hasTurned = false;
    setImmediate(() => {
      hasTurned = true;
    });
    for (let i = 0; i < 10; i++) await session.run();
    expect(hasTurned).toBe(false);
    await session.dispose();
  });

  test("leaves nothing of a browser behind", async () => {
    const session = await litert.load(model, variants[0]!.info);
    for (const name of ["self", "importScripts", "ModuleFactory"]) {
      expect(globalThis).not.toHaveProperty(name);
    }
    await session.dispose();
  });

  test("refuses a file that was cut short", async () => {
    const loading = litert.load(model.subarray(0, model.length / 2), variants[0]!.info);
    await expect(loading).rejects.toThrow("LiteRT.js cannot read the model");
  });

  test("refuses a build it does not have", async () => {
    const info = { ...variants[0]!.info, settings: { simd: "avx" } };
    const loading = litert.load(model, info);
    await expect(loading).rejects.toThrow(UnsupportedError);
    await expect(loading).rejects.toThrow('no build for SIMD "avx"');
  });
});
