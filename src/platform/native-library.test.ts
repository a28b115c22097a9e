import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FormatError, MeasurementError, UnsupportedError } from "../errors.js";
import { nativeError, probeNative, settingsText } from "./native-library.js";

describe.skipIf(process.platform !== "linux")("probeNative() (Linux)", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "samara-native-"));
    vi.stubEnv("SAMARA_NATIVE", folder);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  const record = {
    name: "mine",
    version: "1.2.3",
    architecture: process.arch,
    libraries: [process.execPath],
  };
  function write(content: unknown): void {
    writeFileSync(join(folder, "libmine.so"), "");
    writeFileSync(join(folder, "mine.json"), JSON.stringify(content));
  }

  test("tells the version that the build wrote down, without loading the library", () => {
    write(record);
    expect(probeNative("mine")).toEqual({ available: true, version: "1.2.3" });
  });

  test("says what was not built, and how to build it", () => {
    expect(probeNative("mine")).toEqual({
      available: false,
      reason: "its native library is not built",
      remedy: expect.stringContaining("node scripts/build-native.mjs mine --install"),
    });
  });

  test.each([
    [
      "a library whose parts are gone",
      { ...record, libraries: ["/nowhere/lib.so"] },
      "lib.so, which is gone",
    ],
    ["a library of another architecture", { ...record, architecture: "pdp11" }, "built for pdp11"],
    ["a record without a version", { ...record, version: "" }, "cannot be read"],
  ])("refuses %s", (_what, content, reason) => {
    write(content);
    expect(probeNative("mine")).toMatchObject({
      available: false,
      reason: expect.stringContaining(reason),
    });
  });
});

describe("nativeError()", () => {
  test.each([
    ["unsupported: no pools", UnsupportedError, "It cannot run the model: no pools"],
    ["format: ends too early", FormatError, "It cannot read the model: ends too early"],
    ["out of memory", MeasurementError, "It failed on the model: out of memory"],
    ["", MeasurementError, "It failed on the model: it does not say why"],
  ])("knows the kind of %j", (message, kind, text) => {
    const error = nativeError("It", message);
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toBe(text);
  });
});

describe("settingsText()", () => {
  test("joins names and values", () => {
    expect(settingsText({ isa: "avx2", layers: 3 })).toBe("isa=avx2;layers=3");
    expect(settingsText({})).toBe("");
  });
});
