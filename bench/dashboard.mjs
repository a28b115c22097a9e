// How long pages of the dashboard take to load, and to answer a click or a key, with all 15,625 networks in the chart:
// measured by the browser itself (Navigation Timing; Event Timing: from the input to the next frame that was painted).
// `npm run bench -- dashboard`; needs Chromium. `--repetitions 10`, `--platform ID`.
import { availableParallelism, cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { findChromium } from "../dist/platform/browser/find-chromium.js";
import { median } from "../dist/tensor/stats.js";
import { startService } from "../scripts/start-service.mjs";

const { values } = parseArgs({
  options: {
    repetitions: { type: "string", default: "10" },
    platform: { type: "string", default: "amd-epyc-f26m2-2c.ort1.30-cpu-all-t1.fp32" },
  },
});
const repetitions = Number(values.repetitions);
const { platform } = values;
const found = await findChromium();
if ("reason" in found) throw new Error(`no browser to measure in: ${found.reason}`);

const service = await startService();
const { url } = service;
const browser = await chromium.launch({ executablePath: found.path, args: ["--no-sandbox"] });
console.log(
  `${cpus()[0].model}, ${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)}, Chromium ${browser.version()}, Node ${process.version}; ${repetitions} repetitions`,
);

const shown = (durationsMs) =>
  `median ${median(durationsMs).toFixed(0)} ms, longest ${Math.max(...durationsMs).toFixed(0)} ms`;

const atRest = (page) =>
  page.evaluate(() => new Promise((fulfil) => requestAnimationFrame(() => setTimeout(fulfil, 60))));

/** Loads with an empty cache: until the load event, and until what the page is for is there. */
async function loads(name, path, ready) {
  const loadMs = [];
  const readyMs = [];
  for (let i = 0; i < repetitions; i++) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 960 } });
    const page = await context.newPage();
    await page.goto(new URL(path, url).href);
    await page.locator(ready).first().waitFor();
    readyMs.push(await page.evaluate(() => performance.now()));
    loadMs.push(
      await page.evaluate(() => performance.getEntriesByType("navigation")[0].loadEventEnd),
    );
    await context.close();
  }
  console.log(`${name}: loaded ${shown(loadMs)}; content there ${shown(readyMs)}`);
}

/** What the browser says of the inputs that `act` makes; inputs faster than 16 ms are not reported by it, and count so. */
async function interactions(name, page, act) {
  const durationsMs = [];
  for (let i = 0; i < repetitions; i++) {
    await page.evaluate(() => {
      globalThis.longestMs = 16;
      globalThis.watcher?.disconnect();
      globalThis.watcher = new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) {
          globalThis.longestMs = Math.max(globalThis.longestMs, duration);
        }
      });
      globalThis.watcher.observe({ type: "event", durationThreshold: 16, buffered: false });
    });
    await act(i);
    await atRest(page);
    await atRest(page);
    durationsMs.push(await page.evaluate(() => globalThis.longestMs));
  }
  console.log(`${name}: ${shown(durationsMs)}`);
}

async function explore() {
  const page = await browser.newPage({ viewport: { width: 1280, height: 960 } });
  await page.goto(
    new URL(`/explore?platform=${platform}&accuracy=none&unconnected=shown`, url).href,
  );
  await page.getByText("15,625 networks of NAS-Bench-201").waitFor();
  await atRest(page);
  const box = await page.locator("canvas").first().boundingBox();
  const at = (i) => [
    box.x + box.width * (0.3 + (0.4 * i) / repetitions),
    box.y + box.height * (0.6 - (0.3 * i) / repetitions),
  ];
  await interactions("Explore: the pointer moves over the points", page, (i) =>
    page.mouse.move(...at(i)),
  );
  await interactions("Explore: a point is chosen", page, (i) => page.mouse.click(...at(i)));
  await interactions("Explore: a step along the front", page, () =>
    page.getByRole("button", { name: "Better on the front" }).click(),
  );
  await interactions("Explore: an area is drawn", page, async (i) => {
    await page.getByRole("button", { name: "Select an area" }).click();
    await page.mouse.move(box.x + 120, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width - 80 - i, box.y + box.height - 120, { steps: 5 });
    await page.mouse.up();
    await page.getByText("networks selected").waitFor();
  });
  await interactions("Explore: the area is looked at closer", page, (i) =>
    page.getByRole("button", { name: i % 2 === 0 ? "Look closer" : "Show all" }).click(),
  );
  await interactions("Explore: unconnected networks are left out or shown", page, () =>
    page.getByRole("checkbox").click(),
  );
  await page.close();
}

async function budget() {
  const page = await browser.newPage({ viewport: { width: 1280, height: 960 } });
  await page.goto(new URL(`/budget?platform=${platform}&accuracy=none`, url).href);
  await page.getByRole("slider", { name: "Budget" }).focus();
  await interactions("Budget: a step of the slider", page, () => page.keyboard.press("ArrowLeft"));
  await page.close();
}

try {
  const startedMs = performance.now();
  await fetch(new URL("/api/v1/platforms", url));
  console.log(
    `the service, just started, names its platforms after ${(performance.now() - startedMs).toFixed(0)} ms`,
  );
  await fetch(new URL(`/api/v1/predictors/${platform}/networks`, url));
  await loads("Platforms", `/platforms?platform=${platform}`, "table");
  await loads("Predictor", `/predictor/${platform}`, "svg");
  await loads("Explore", `/explore?platform=${platform}&accuracy=none`, "canvas");
  await loads("Budget", `/budget?platform=${platform}&accuracy=none`, "svg");
  await loads("Onboard", "/onboard", "h1");
  await loads("Drop a file", "/model", "h1");
  await explore();
  await budget();
} finally {
  await browser.close();
  await service.stop();
}
