/**
 * Runtimes that run in a page of Chromium: all but what the page does with a model, which is a module in `page/`.
 *
 * One thread only. More would be workers, for which the page's own thread may not sleep: it spins, and on few
 * cores it is then the contention that is measured.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { InternalError, messageOf, UnsupportedError } from "../../errors.js";
import { packageRoot } from "../../package.js";
import type { RuntimeInfo } from "../../record/platform.js";
import { copyToNchw, copyToNhwc, nchwShape } from "../layout.js";
import { shortVersion, sizeOf } from "../onnx-session.js";
import { findPackage } from "../optional-package.js";
import type { Availability, ModelFormat, Runtime, RuntimeVariant, Session } from "../runtime.js";
import { type ChromiumPage, openChromiumPage, type PageSite } from "./chromium-page.js";
import type { ServedFile } from "./file-server.js";
import { type Chromium, chromiumRemedy, findChromium } from "./find-chromium.js";
import { PageTimer } from "./page-timer.js";

/** A runtime in a page. */
export interface PageRuntimeOptions {
  readonly name: string;
  readonly family: string;
  readonly title: string;
  readonly modelFormat: ModelFormat;
  /** Begins the second part of the slug: `litert` of `chromium156-litert2.5-t1`. */
  readonly slugStem: string;
  readonly removesDeadOperators?: true;
  /** What changes latency, beside the browser. */
  readonly settings: RuntimeInfo["settings"];
  /** Files of packages, by package; the first package gives the version. */
  readonly packages: Readonly<Record<string, readonly string[]>>;
  /** What the page imports by a package's name: the file, as `package/path`. */
  readonly imports: Readonly<Record<string, string>>;
  /** Scripts that the page loads before its module, as `package/path`. */
  readonly scripts?: readonly string[];
  /** The module in `page/` and what else of this build the page imports; without `.js`, relative to `dist/`. */
  readonly modules: readonly [string, ...string[]];
  /** Order of the values in the page, where a tensor has four dimensions. */
  readonly layout: "nchw" | "nhwc";
  /** What the page gets for a model file, which may be refused here; default the file. */
  parcelOf?(model: Uint8Array): Uint8Array;
}

/** Of this build, needed by every page. */
const commonModules = ["errors", "platform/sampler-protocol", "platform/browser/page/sessions"];

/** A page with its timer. */
interface OpenPage {
  readonly page: ChromiumPage;
  readonly timer: PageTimer;
}

function packageFiles(options: PageRuntimeOptions): [string, ServedFile][] {
  return Object.entries(options.packages).flatMap(([name, files]) => {
    const { folder } = findPackage(name);
    return files.map((file): [string, ServedFile] => [
      `packages/${name}/${file}`,
      { file: join(folder, file) },
    ]);
  });
}

/** The build's modules: a browser cannot read TypeScript. */
function moduleFiles(modules: readonly string[]): [string, ServedFile][] {
  return modules.map((module) => {
    const file = join(packageRoot, "dist", `${module}.js`);
    if (!existsSync(file)) {
      throw new InternalError("the modules of the page are not built: run `npm run build`");
    }
    return [`dist/${module}.js`, { file }];
  });
}

function siteOf(options: PageRuntimeOptions): PageSite {
  const imports = Object.entries(options.imports).map(([name, file]) => [
    name,
    `./packages/${file}`,
  ]);
  const html = [
    '<!doctype html><meta charset="utf-8"><title>Samara</title>',
    `<script type="importmap">${JSON.stringify({ imports: Object.fromEntries(imports) })}</script>`,
    ...(options.scripts ?? []).map((file) => `<script src="packages/${file}"></script>`),
    `<script type="module" src="dist/${options.modules[0]}.js"></script>`,
    "<body></body>",
  ].join("\n");
  const modules = [...commonModules, ...options.modules];
  return { html, files: new Map([...packageFiles(options), ...moduleFiles(modules)]) };
}

async function loadInPage(
  { page, timer }: OpenPage,
  parcel: Uint8Array,
  layout: PageRuntimeOptions["layout"],
): Promise<Session> {
  timer.forget();
  const loaded = await page.ask("load", { parcel: page.offer(parcel) });
  await timer.learn();
  const { session } = loaded;
  const shapeOf = layout === "nhwc" ? nchwShape : (shape: readonly number[]) => shape;
  const inputShape = shapeOf(loaded.inputShape);
  const outputShape = shapeOf(loaded.outputShape);
  const waits = timer.reader();
  let isDisposed = false;
  return {
    inputShape,
    outputShape,
    async setInput(values) {
      const ordered = layout === "nhwc" ? new Float32Array(sizeOf(inputShape)) : values;
      if (layout === "nhwc") copyToNhwc(values, ordered, inputShape);
      const bytes = new Uint8Array(ordered.buffer, ordered.byteOffset, ordered.byteLength);
      timer.forget();
      await page.ask("setInput", { session, parcel: page.offer(bytes) });
    },
    async run() {
      timer.forget();
      await page.ask("run", { session });
    },
    timeRuns: (nRuns) => timer.timeRuns(session, nRuns),
    ...(waits === undefined ? {} : { waits }),
    async output() {
      timer.forget();
      const bytes = Buffer.from(await page.ask("output", { session }), "base64");
      const values = new Float32Array(new Uint8Array(bytes).buffer);
      if (layout === "nchw") return values;
      const ordered = new Float32Array(values.length);
      copyToNchw(values, ordered, outputShape);
      return ordered;
    },
    async dispose() {
      if (isDisposed) return;
      isDisposed = true;
      timer.forget();
      await page.ask("dispose", { session });
    },
  };
}

/** The runtime that these options describe. Its sessions share one page, opened by the first `load`. */
export function createPageRuntime(options: PageRuntimeOptions): Runtime {
  const { name, family, layout } = options;
  const packages = Object.keys(options.packages);
  let chromiumSeen: Chromium | undefined;
  let opening: Promise<OpenPage> | undefined;

  async function open(browserVersion: unknown): Promise<OpenPage> {
    const chromium = await findChromium();
    if ("reason" in chromium) throw new UnsupportedError(chromium.reason, { hint: chromiumRemedy });
    if (chromium.majorVersion !== browserVersion) {
      throw new UnsupportedError(
        `the platform is of Chromium ${String(browserVersion)}, installed is ${chromium.majorVersion}`,
      );
    }
    const page = await openChromiumPage(chromium, siteOf(options));
    return { page, timer: await PageTimer.start(page) };
  }

  return {
    name,
    family,
    slugPattern: new RegExp(`^(?:chromium\\d*-${options.slugStem}|${name})`),
    title: options.title,
    modelFormat: options.modelFormat,
    isElsewhere: true,

    async probe(): Promise<Availability> {
      let version: string;
      try {
        findPackage("playwright-core");
        [version] = packages.map((needed) => findPackage(needed).version) as [string];
      } catch (error) {
        return {
          available: false,
          reason: messageOf(error),
          remedy: `npm install playwright-core ${packages.join(" ")}`,
        };
      }
      const chromium = await findChromium();
      if ("reason" in chromium) {
        return { available: false, reason: chromium.reason, remedy: chromiumRemedy };
      }
      chromiumSeen = chromium;
      return { available: true, version };
    },

    variants(version: string): readonly RuntimeVariant[] {
      if (chromiumSeen === undefined) {
        throw new InternalError(`${name} was not probed: its browser's version is not known`);
      }
      const browserVersion = chromiumSeen.majorVersion;
      const info: RuntimeInfo = {
        family,
        name,
        version,
        threads: 1,
        settings: { host: "chromium", browserVersion, ...options.settings },
        ...(options.removesDeadOperators ? { removesDeadOperators: true } : {}),
      };
      const slug = `chromium${browserVersion}-${options.slugStem}${shortVersion(version)}-t1`;
      return [{ slug, info }];
    },

    async load(model: Uint8Array, info: RuntimeInfo): Promise<Session> {
      const parcel = options.parcelOf?.(model) ?? model;
      opening ??= open(info.settings.browserVersion).catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
      return loadInPage(await opening, parcel, layout);
    },

    async close(): Promise<void> {
      const opened = opening;
      opening = undefined;
      await (await opened)?.page.close();
    },
  };
}
