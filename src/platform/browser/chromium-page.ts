/**
 * A page in a headless Chromium of its own, driven by playwright-core, and the files behind it.
 *
 * The browser ends with this process, however that ends: it is driven through a pipe, and leaves when the pipe
 * closes. Its profile goes with it: a shell waits for the browser and then removes the folder of both.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, CDPSession, Page } from "playwright-core";
import { InternalError, MeasurementError, messageOf, UnsupportedError } from "../../errors.js";
import { receivedError } from "../sampler-protocol.js";
import { type FileServer, type ServedFile, startFileServer } from "./file-server.js";
import type { Chromium } from "./find-chromium.js";
import type { PageCommands, PageRequest, PageResponse } from "./page/sessions.js";

/** A page that answers. */
export interface ChromiumPage {
  ask<Command extends keyof PageCommands>(
    command: Command,
    input: PageCommands[Command]["input"],
  ): Promise<PageCommands[Command]["output"]>;
  /** Keep bytes for the page to fetch once. */
  offer(bytes: Uint8Array): string;
  /** Processor time that the thread of the page has had so far, ns, in steps of 1 µs; null where it does not tell. */
  threadTimeNs(): Promise<number | null>;
  close(): Promise<void>;
}

/** What a page is made of. */
export interface PageSite {
  /** The page itself, as HTML; it must load a module that calls `servePage`. */
  readonly html: string;
  /** By path, relative to the page. */
  readonly files: ReadonlyMap<string, ServedFile>;
}

const launchTimeoutMs = 30_000;

/** A word of a shell command. */
const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** A program that runs the browser and, when that has ended, removes its folder. */
function writeLauncher(chromiumPath: string, folder: string): string {
  const launcher = join(folder, "launch");
  const lines = ["#!/bin/sh", `${quote(chromiumPath)} "$@"`, `rm -rf ${quote(folder)}`];
  writeFileSync(launcher, `${lines.join("\n")}\n`);
  chmodSync(launcher, 0o700);
  return launcher;
}

function removeFolder(folder: string): void {
  // Processes of a browser that was killed may still write for a moment.
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

class OpenPage implements ChromiumPage {
  readonly #chromium: Chromium;
  readonly #context: BrowserContext;
  readonly #server: FileServer;
  readonly #devtools: CDPSession;
  readonly #onClose: () => void;
  /** Fails what the page was asked and has not answered. */
  readonly #unanswered = new Set<(error: Error) => void>();
  /** Why the page answers no more. */
  #end: MeasurementError | undefined;

  constructor(parts: {
    readonly chromium: Chromium;
    readonly context: BrowserContext;
    readonly page: Page;
    readonly server: FileServer;
    readonly devtools: CDPSession;
    readonly onClose: () => void;
  }) {
    this.#chromium = parts.chromium;
    this.#context = parts.context;
    this.#server = parts.server;
    this.#devtools = parts.devtools;
    this.#onClose = parts.onClose;
    // Requests to a page that has crashed are never answered.
    parts.page.on("crash", () => this.#stop("the page crashed"));
    parts.context.on("close", () => this.#stop("the browser ended"));
  }

  #stop(what: string): void {
    this.#end ??= new MeasurementError(`${what} (Chromium ${this.#chromium.majorVersion})`, {
      hint: "the model may be more than a page can take: leave it out, or try it alone",
    });
    for (const fail of this.#unanswered) fail(this.#end);
  }

  /** The answer, or an error when there will be none. */
  async #answerOf<Answer>(answer: Promise<Answer>): Promise<Answer> {
    let fail: (error: Error) => void;
    const failure = new Promise<never>((_, reject) => {
      fail = reject;
      if (this.#end !== undefined) reject(this.#end);
      this.#unanswered.add(reject);
    });
    return Promise.race([answer, failure]).finally(() => this.#unanswered.delete(fail));
  }

  async ask<Command extends keyof PageCommands>(
    command: Command,
    input: PageCommands[Command]["input"],
  ): Promise<PageCommands[Command]["output"]> {
    const request = { command, input } as PageRequest;
    // Through playwright's own `evaluate` each request would take half as long again.
    const { result, exceptionDetails } = await this.#answerOf(
      this.#devtools.send("Runtime.evaluate", {
        expression: `answerSamara(${JSON.stringify(request)})`,
        awaitPromise: true,
        returnByValue: true,
      }),
    );
    if (exceptionDetails !== undefined) {
      throw new InternalError(`the page failed: ${exceptionDetails.text}`);
    }
    const response = result.value as PageResponse;
    if (!response.ok) {
      throw receivedError(response.error, `Chromium ${this.#chromium.majorVersion}`);
    }
    return response.output as PageCommands[Command]["output"];
  }

  offer(bytes: Uint8Array): string {
    return this.#server.offer(bytes);
  }

  async threadTimeNs(): Promise<number | null> {
    const { metrics } = await this.#answerOf(this.#devtools.send("Performance.getMetrics"));
    const seconds = metrics.find(({ name }) => name === "ThreadTime")?.value;
    return seconds === undefined ? null : seconds * 1e9;
  }

  async close(): Promise<void> {
    try {
      await this.#context.close();
    } finally {
      this.#server.close();
      this.#onClose();
    }
  }
}

/** Load the site; what goes wrong in it is the message of the error. */
async function openSite(page: Page, url: string): Promise<void> {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(messageOf(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(url);
  const { isIsolated, isServing } = await page.evaluate(() => ({
    isIsolated: (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true,
    isServing: "answerSamara" in globalThis,
  }));
  if (!isServing) throw new InternalError(`the page does not work: ${complaints.join(" / ")}`);
  if (!isIsolated) {
    throw new UnsupportedError("the page is not cross-origin isolated: its clock is too coarse");
  }
}

/**
 * Start a browser and open a page in it.
 *
 * @throws UnsupportedError when the browser does not start
 */
export async function openChromiumPage(chromium: Chromium, site: PageSite): Promise<ChromiumPage> {
  const { chromium: launcher } = await import("playwright-core");
  const folder = mkdtempSync(join(tmpdir(), "samara-chromium-"));
  const onExit = () => removeFolder(folder);
  let server: FileServer | undefined;
  let context: BrowserContext | undefined;
  const onClose = () => {
    process.off("exit", onExit);
    removeFolder(folder);
  };
  try {
    server = await startFileServer(
      new Map([...site.files, ["index.html", { text: site.html }] as const]),
    );
    context = await launcher
      .launchPersistentContext(join(folder, "profile"), {
        executablePath: writeLauncher(chromium.path, folder),
        artifactsDir: join(folder, "artifacts"),
        headless: true,
        timeout: launchTimeoutMs,
        // No picture is needed, and a software GPU would cost time to start.
        args: ["--disable-gpu"],
        handleSIGINT: false,
        handleSIGTERM: false,
        handleSIGHUP: false,
      })
      .catch((cause: unknown) => {
        throw new UnsupportedError(`${chromium.path} does not start: ${messageOf(cause)}`, {
          cause,
        });
      });
    // After playwright's own handler, which kills the browser.
    process.once("exit", onExit);
    const page = context.pages()[0] ?? (await context.newPage());
    await openSite(page, `${server.url}index.html`);
    const devtools = await context.newCDPSession(page);
    await devtools.send("Performance.enable");
    return new OpenPage({ chromium, context, page, server, devtools, onClose });
  } catch (error) {
    await context?.close();
    server?.close();
    onClose();
    throw error;
  }
}
