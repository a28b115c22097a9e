/**
 * Running a program to its end: arguments as a list, never a shell's text; a time limit; all output kept.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { MeasurementError, messageOf, PlatformUnavailableError, TimeoutError } from "../errors.js";

/** What a program ended with. */
export interface Ended {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface ProcessOptions {
  readonly timeoutMs: number;
  /** Written to standard input, which is empty otherwise. */
  readonly input?: Uint8Array;
  readonly cwd?: string;
  /** Said in errors, e.g. `trtexec on user@jetson`. */
  readonly what: string;
  /** What to do when the program cannot be started. */
  readonly missingHint: string;
}

/** No benchmark prints so much; what does is out of hand. */
const maxOutputBytes = 64 * 1024 * 1024;

const running = new Set<ChildProcess>();

/** The whole group: a tool may have children of its own. */
function kill(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

let isWatchingExit = false;

/** A second Ctrl-C ends this process at once: what it started must not go on. */
function killAtExit(): void {
  if (isWatchingExit) return;
  isWatchingExit = true;
  process.on("exit", () => {
    for (const child of running) kill(child);
  });
}

/**
 * Run a program. It has a process group of its own, so that Ctrl-C does not reach it: the invocation in progress ends
 * and is kept.
 *
 * @throws PlatformUnavailableError when it cannot be started; TimeoutError after `timeoutMs`, when it was killed;
 *   MeasurementError when it prints without end
 */
export async function runProcess(argv: readonly string[], options: ProcessOptions): Promise<Ended> {
  const { what, timeoutMs } = options;
  killAtExit();
  const child = spawn(argv[0]!, argv.slice(1), {
    detached: true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  running.add(child);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  let sizeBytes = 0;
  let stopped: Error | undefined;
  const stop = (error: Error) => {
    stopped ??= error;
    kill(child);
  };
  const keep = (chunks: Buffer[]) => (chunk: Buffer) => {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes > maxOutputBytes) stop(new MeasurementError(`${what} prints without end`));
  };
  child.stdout.on("data", keep(stdout));
  child.stderr.on("data", keep(stderr));
  // A program that ends before it has read everything is judged by its exit code.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input);
  const timer = setTimeout(() => {
    stop(
      new TimeoutError(`${what} took longer than ${timeoutMs / 1000} s and was stopped`, {
        hint: "raise `timeoutS` in the device file, or see why it hangs",
      }),
    );
  }, timeoutMs);
  try {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>(
      (resolve, reject) => {
        child.on("error", reject);
        child.on("close", (...ended) => resolve(ended));
      },
    );
    if (stopped !== undefined) throw stopped;
    return {
      code,
      signal,
      stdout: Buffer.concat(stdout),
      stderr: Buffer.concat(stderr).toString("utf8"),
    };
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code;
    if (errno !== "ENOENT" && errno !== "EACCES") throw error;
    const why = errno === "ENOENT" ? "is not there" : "may not be executed";
    throw new PlatformUnavailableError(`${what} cannot run: ${argv[0]} ${why}`, {
      hint: options.missingHint,
      cause: messageOf(error),
    });
  } finally {
    clearTimeout(timer);
    running.delete(child);
  }
}
