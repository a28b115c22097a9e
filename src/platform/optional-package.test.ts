import { describe, expect, test } from "vitest";
import { findPackage } from "./optional-package.js";

describe("findPackage()", () => {
  test("finds a package that hides its package.json, without loading it", () => {
    const { folder, version } = findPackage("onnxruntime-web");
    expect(folder).toMatch(/node_modules.onnxruntime-web$/);
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
  });

  test("names a package that is not installed", () => {
    expect(() => findPackage("@nobody/nothing")).toThrow(
      "the optional package @nobody/nothing is not installed",
    );
  });
});
