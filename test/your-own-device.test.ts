// The examples of docs/your-own-device.md: device files are read, measurement files are adapted to.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readDeviceFile } from "../src/edge/device-file.js";
import { edgeTools } from "../src/edge/registry.js";
import { packageRoot } from "../src/package.js";
import { samaraJson, Workplace } from "./command-line.js";

const text = readFileSync(join(packageRoot, "docs", "your-own-device.md"), "utf8");

/** Blocks of a language, in their order. */
function blocks(language: string): string[] {
  const pattern = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g");
  return [...text.matchAll(pattern)].map((match) => match[1]!);
}

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
});
afterAll(() => place.remove());

describe("docs/your-own-device.md", () => {
  test("has complete device files, at least one for each tool", () => {
    const devices = blocks("yaml").map((block, i) =>
      readDeviceFile(place.file(`device-${i}.yaml`, block)),
    );
    expect(new Set(devices.map(({ tool }) => tool))).toEqual(new Set(edgeTools));
    // The commands after the first name its platform.
    expect(text).toContain(`samara adapt --platform ${devices[0]!.platform.id}\n`);
    expect(text).toContain(`samara predict --platform ${devices[0]!.platform.id} --all\n`);
  });

  test.each(["csv", "jsonl"])("has a complete %s file", async (form) => {
    const [content, ...others] = blocks(form);
    expect(others).toEqual([]);
    const out = place.path(`adapted-${form}`);
    const adapted = await samaraJson(
      ...["adapt", "--measurements", place.file(`mine.${form}`, content!), "-o", out],
    );
    expect(adapted.code).toBe(0);
    expect(adapted.document.results[0].nSamples).toBe(10);
    const predicted = await samaraJson("predict", "--predictor", out, "--arch", "1462");
    expect(predicted.document.results[0].latencyMs).toBeGreaterThan(0);
  });
});
