/**
 * Runs the command line: in this process where that is enough, else the build as a child.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { z } from "zod";
import { main } from "../src/cli/main.js";
import { packageRoot, tool } from "../src/package.js";

/** What every JSON document of the command line is. */
export const envelope = z.strictObject({
  schema: z.string().regex(/^samara\/[a-z-]+\/1$/),
  tool: z.strictObject({ name: z.literal("samara"), version: z.literal(tool.version) }),
  context: z.record(z.string(), z.unknown()),
  results: z.array(z.record(z.string(), z.unknown())),
  warnings: z.array(
    z.strictObject({ code: z.string(), message: z.string(), hint: z.string().optional() }),
  ),
});

/** What a command line ended with. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Run `main` in this process. */
export async function samara(...argv: string[]): Promise<Ran> {
  const written = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((stream) =>
    vi.spyOn(process[stream], "write").mockImplementation((chunk) => {
      written[stream] += String(chunk);
      return true;
    }),
  );
  try {
    return { code: await main(argv), ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** The JSON document that a command printed. */
export async function samaraJson(...argv: string[]) {
  const ran = await samara(...argv, "--json");
  if (ran.stdout === "") throw new Error(`nothing was printed: ${ran.stderr}`);
  return { ...ran, document: JSON.parse(ran.stdout) };
}

/** The build's command line. */
const bin = join(packageRoot, "dist", "cli", "bin.js");

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ran & { readonly signal: NodeJS.Signals | null }>;
  stderr(): string;
}

/** Start the build's command line as a child. */
export function startSamara(
  argv: readonly string[],
  { env = {}, cwd }: { env?: Readonly<Record<string, string>>; cwd?: string } = {},
): Running {
  const child = spawn(process.execPath, [bin, ...argv], {
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const written = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      written[stream] += text;
    });
  }
  const ended = new Promise<Ran & { signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code: code ?? -1, signal, ...written }));
  });
  return { child, ended, stderr: () => written.stderr };
}

/** Run the build's command line with a text on its standard input. */
export async function samaraWithInput(input: string, argv: readonly string[]): Promise<Ran> {
  const { child, ended } = startSamara(argv);
  child.stdin!.end(input);
  return ended;
}

/** Start `samara serve` on a free port and wait for the address that it prints. */
export async function serve(...argv: string[]): Promise<{ running: Running; url: string }> {
  const running = startSamara(["serve", "--port", "0", "--quiet", ...argv]);
  const url = await new Promise<string>((fulfil, reject) => {
    let printed = "";
    running.child.stdout!.on("data", (text: string) => {
      printed += text;
      const found = /at (http:\S+\/)/.exec(printed)?.[1];
      if (found) fulfil(found);
    });
    void running.ended.then(({ code, stderr }) =>
      reject(new Error(`it ended with ${code}: ${stderr}`)),
    );
  });
  return { running, url };
}

/** A folder of its own for everything that a test's command lines keep, with the fake runtime there. */
export class Workplace {
  readonly folder = mkdtempSync(join(tmpdir(), "samara-cli-"));
  readonly home = this.path("home");

  constructor() {
    mkdirSync(this.home);
    vi.stubEnv("SAMARA_HOME", this.home);
    vi.stubEnv("SAMARA_FAKE_RUNTIME", "1");
    vi.stubEnv("NO_COLOR", "1");
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  /** Write a file and say where it lies. */
  file(name: string, content: string | Uint8Array): string {
    writeFileSync(this.path(name), content);
    return this.path(name);
  }

  remove(): void {
    vi.unstubAllEnvs();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
