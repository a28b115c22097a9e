// Takes the README's pictures of the dashboard, in docs/dashboard/, from the shipped pool.
//
//   npm run build && node scripts/dashboard-pictures.mjs [--accuracy FILE --accuracy-column NAME]
//
// Needs Chromium and the optional package sharp.
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import sharp from "sharp";
import { findChromium } from "../dist/platform/browser/find-chromium.js";
import { startService } from "./start-service.mjs";

const root = resolve(import.meta.dirname, "..");
const { values } = parseArgs({
  options: { accuracy: { type: "string" }, "accuracy-column": { type: "string" } },
});
const platform = "amd-epyc-f26m2-2c.ort1.30-cpu-all-t1.fp32";
const found = await findChromium();
if ("reason" in found) throw new Error(`no browser to take pictures with: ${found.reason}`);

const service = await startService(
  Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]),
);
const { url } = service;
const browser = await chromium.launch({ executablePath: found.path, args: ["--no-sandbox"] });
const folder = join(root, "docs", "dashboard");
mkdirSync(folder, { recursive: true });

const pictures = [
  { name: "explore", path: `/explore?platform=${platform}&network=10011`, colorScheme: "light" },
  { name: "budget", path: `/budget?platform=${platform}&budget=0.53`, colorScheme: "dark" },
];
try {
  for (const { name, path, colorScheme } of pictures) {
    const viewport = { width: 1180, height: 880 };
    const page = await browser.newPage({ viewport, colorScheme });
    await page.goto(new URL(path, url).href);
    await page.locator("figure.chart").first().waitFor();
    await page.waitForLoadState("networkidle");
    // The answer of the search that a page asks once it is at rest.
    await page.waitForTimeout(1500);
    if (name === "explore") {
      await page.getByRole("heading", { name: "All networks" }).scrollIntoViewIfNeeded();
      await page.evaluate(() => scrollBy(0, 330));
      await page.waitForTimeout(300);
    }
    const file = join(folder, `${name}.png`);
    await sharp(await page.screenshot())
      .png({ palette: true, colours: 64 })
      .toFile(file);
    process.stderr.write(`wrote ${file}\n`);
    await page.close();
  }
} finally {
  await browser.close();
  await service.stop();
}
