import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { lookForChromium } from "./find-chromium.js";

const folder = mkdtempSync(join(tmpdir(), "samara-find-chromium-"));
afterAll(() => rmSync(folder, { recursive: true }));

function writeProgram(name: string, says: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\necho "${says}"\n`);
  chmodSync(path, 0o755);
  return path;
}

describe.skipIf(process.platform === "win32")("lookForChromium()", () => {
  test("finds a browser on PATH and its version", async () => {
    const path = writeProgram("google-chrome", "Google Chrome 131.0.6778.85 ");
    expect(await lookForChromium({ PATH: `/no/such/folder:${folder}` })).toEqual({
      path,
      majorVersion: 131,
    });
  });

  test("prefers SAMARA_CHROMIUM, unless it is empty", async () => {
    const path = writeProgram("mine", "Chromium 200.1.2.3");
    expect(await lookForChromium({ PATH: "", SAMARA_CHROMIUM: path })).toEqual({
      path,
      majorVersion: 200,
    });
    expect(await lookForChromium({ PATH: "", SAMARA_CHROMIUM: "" })).toEqual({
      reason: "there is no chromium, chromium-browser, google-chrome on PATH",
    });
  });

  test("says when a program does not run or tells no version", async () => {
    const missing = join(folder, "missing");
    expect(await lookForChromium({ SAMARA_CHROMIUM: missing })).toEqual({
      reason: `${missing} cannot be run`,
    });
    const other = writeProgram("other", "hello");
    expect(await lookForChromium({ SAMARA_CHROMIUM: other })).toEqual({
      reason: `${other} --version tells no version`,
    });
  });
});
