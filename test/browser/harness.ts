/**
 * The dashboard in a real browser: the service of this process (its workers and pages from the build), one Chromium,
 * and what is expected of every page.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { PNG } from "pngjs";
import { expect, vi } from "vitest";
import { createStartCommand } from "../../src/cli/start-command.js";
import { findChromium } from "../../src/platform/browser/find-chromium.js";
import { type RunningService, startService } from "../../src/server/service.js";

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** Why there is no browser here; undefined when there is one. */
export async function reasonWithoutBrowser(): Promise<string | undefined> {
  try {
    await import("playwright-core");
  } catch {
    return "playwright-core is not installed";
  }
  const chromium = await findChromium();
  return "reason" in chromium ? chromium.reason : undefined;
}

/** Pages that are compared loosely: fonts and versions differ from machine to machine. */
const columns = 32;
const rows = 24;
/** Mean difference of the squares' grey, 0…255, that still passes for the same page. */
const mostDifference = 12;

/** A screenshot as the mean grey of a few hundred squares. */
function squaresOf(bytes: Buffer): Uint8Array {
  const { width, height, data } = PNG.sync.read(bytes);
  const sums = new Float64Array(columns * rows);
  const counts = new Float64Array(columns * rows);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      const square = Math.floor((y * rows) / height) * columns + Math.floor((x * columns) / width);
      sums[square]! += (data[at]! + data[at + 1]! + data[at + 2]!) / 3;
      counts[square]! += 1;
    }
  }
  return Uint8Array.from(sums, (sum, i) => Math.round(sum / counts[i]!));
}

const screenshots = join(import.meta.dirname, "screenshots");

/** A browser on a service of its own. */
export class Lab {
  readonly #home = mkdtempSync(join(tmpdir(), "samara-browser-"));
  /** What each page wrote to the console. */
  readonly #complaints = new WeakMap<Page, string[]>();
  readonly #token: string | undefined;
  #service!: RunningService;
  #browser!: Browser;

  /** @param token - that the service asks for */
  constructor({ token }: { token?: string } = {}) {
    this.#token = token;
  }

  async start(): Promise<this> {
    vi.stubEnv("SAMARA_HOME", this.#home);
    vi.stubEnv("SAMARA_FAKE_RUNTIME", "1");
    const log = pino({ level: "silent" });
    this.#service = await startService({
      ...{ host: "127.0.0.1", port: 0, log, startCommand: createStartCommand() },
      ...(this.#token === undefined ? {} : { token: this.#token }),
    });
    const chromium = await findChromium();
    const { chromium: driver } = await import("playwright-core");
    this.#browser = await driver.launch({
      executablePath: (chromium as { path: string }).path,
      args: ["--no-sandbox"],
    });
    return this;
  }

  async stop(): Promise<void> {
    await this.#browser?.close();
    await this.#service?.stop(1000);
    vi.unstubAllEnvs();
    rmSync(this.#home, { recursive: true, force: true });
  }

  /** Open a page and wait until it is at rest. */
  async open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.#browser.newPage({
      viewport: { width: 1280, height: 960 },
      ...options,
    });
    const complaints: string[] = [];
    this.#complaints.set(page, complaints);
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(new URL(path, this.#service.url).href);
    await page.waitForLoadState("networkidle");
    return page;
  }

  /** Nothing was written to the console, nothing is wider than the page, and axe finds nothing serious. */
  async expectSound(page: Page): Promise<void> {
    expect(this.#complaints.get(page)!.splice(0)).toEqual([]);
    const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
    expect(overflow).toBeLessThanOrEqual(0);
    // The page forbids scripts of others; the browser's own tools may run them.
    const tools = await page.context().newCDPSession(page);
    const { result } = await tools.send("Runtime.evaluate", {
      expression: `${axe};axe.run(document).then((found) => JSON.stringify(found.violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => id + ": " + nodes[0].html)))`,
      awaitPromise: true,
      returnByValue: true,
    });
    expect(JSON.parse(result.value)).toEqual([]);
  }

  /**
   * What the window shows is about what it showed when the reference was made (`SAMARA_NEW_SCREENSHOTS=1` makes them).
   */
  async expectLooksAs(page: Page, name: string): Promise<void> {
    const squares = squaresOf(await page.screenshot());
    const path = join(screenshots, `${name}.png`);
    if (process.env.SAMARA_NEW_SCREENSHOTS === "1") {
      const image = new PNG({ width: columns, height: rows });
      for (const [i, grey] of squares.entries()) image.data.set([grey, grey, grey, 255], 4 * i);
      writeFileSync(path, PNG.sync.write(image));
    }
    expect(existsSync(path), `there is no ${path}`).toBe(true);
    const { data } = PNG.sync.read(readFileSync(path));
    const difference =
      squares.reduce((sum, grey, i) => sum + Math.abs(grey - data[4 * i]!), 0) / squares.length;
    expect(difference).toBeLessThan(mostDifference);
  }
}
