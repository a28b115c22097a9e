import { afterEach, describe, expect, test, vi } from "vitest";
import { NotFoundError, PlatformUnavailableError } from "../errors.js";
import { findPlatform, listPlatforms } from "./registry.js";
import type { Runtime } from "./runtime.js";

const device = {
  id: "board-4c",
  cpuModel: "test",
  nCores: 4,
  architecture: "arm64",
  memoryBytes: 1,
  os: "Linux",
};

function createRuntime(family: string, slug: string, isAvailable = true): Runtime {
  return {
    name: family,
    family,
    slugPattern: new RegExp(`^${slug.slice(0, 3)}`),
    title: family,
    modelFormat: "onnx",
    probe: async () =>
      isAvailable
        ? { available: true, version: "1.2.3" }
        : { available: false, reason: "its library is missing", remedy: "install it" },
    variants: (version, nCores) =>
      [1, nCores].map((threads) => ({
        slug: `${slug}-t${threads}`,
        info: { family, version, threads, settings: {} },
      })),
    load: async () => {
      throw new Error("not for loading");
    },
  };
}

const list = () =>
  listPlatforms(
    [createRuntime("onnxruntime", "ort1.2-cpu"), createRuntime("tflite", "tflite2.9", false)],
    device,
  );

afterEach(() => vi.unstubAllEnvs());

describe("listPlatforms()", () => {
  test("makes ids of device, runtime and precision", async () => {
    const { available } = await list();
    expect(available.map(({ platform }) => platform.id)).toEqual([
      "board-4c.ort1.2-cpu-t1.fp32",
      "board-4c.ort1.2-cpu-t4.fp32",
    ]);
    expect(available[1]!.platform.runtime.version).toBe("1.2.3");
  });

  test("says why a runtime cannot run and what would help", async () => {
    const { unavailable } = await list();
    expect(unavailable).toMatchObject([{ reason: "its library is missing", remedy: "install it" }]);
  });

  test("hides the fake runtime unless SAMARA_FAKE_RUNTIME is 1", async () => {
    const families = async () => {
      const { available, unavailable } = await listPlatforms();
      return [
        ...available.map(({ platform }) => platform.runtime.family),
        ...unavailable.map(({ runtime }) => runtime.family),
      ];
    };
    vi.stubEnv("SAMARA_FAKE_RUNTIME", undefined);
    expect(await families()).not.toContain("fake");
    vi.stubEnv("SAMARA_FAKE_RUNTIME", "1");
    expect(await families()).toContain("fake");
  });
});

describe("findPlatform()", () => {
  test.each([
    "board-4c.ort1.2-cpu-t4.fp32",
    "board-4c.ort1.2-cpu-t4",
    "ort1.2-cpu-t4.fp32",
    "ort1.2-cpu-t4",
  ])("finds %s", async (name) => {
    const found = await findPlatform(name, await list());
    expect(found.platform.id).toBe("board-4c.ort1.2-cpu-t4.fp32");
  });

  test("suggests the closest names for an unknown one", async () => {
    const finding = findPlatform("ort1.2-cpu-t3", await list());
    await expect(finding).rejects.toThrow(NotFoundError);
    await expect(finding).rejects.toThrow(
      'platform "ort1.2-cpu-t3" does not exist on board-4c; closest: ort1.2-cpu-t1, ort1.2-cpu-t4',
    );
  });

  test("says why a platform of a missing runtime is unavailable", async () => {
    const finding = findPlatform("board-4c.tflite2.9-xnnpack-t1.fp32", await list());
    await expect(finding).rejects.toThrow(PlatformUnavailableError);
    await expect(finding).rejects.toThrow("its library is missing");
  });

  test("says that no runtime is available at all", async () => {
    const none = await listPlatforms([createRuntime("other", "other", false)], device);
    await expect(findPlatform("ort1.2-cpu-t1", none)).rejects.toThrow(PlatformUnavailableError);
  });
});
