/**
 * The planning process's side of a sampler process: one fresh process for one platform.
 *
 * A child that crashes, hangs or talks nonsense costs itself only: the error names the platform and the network,
 * the child is killed, and the caller may start another.
 */
import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  InternalError,
  InterruptedError,
  MeasurementError,
  SamaraError,
  TimeoutError,
} from "../errors.js";
import { packageRoot } from "../package.js";
import type { Platform } from "../record/platform.js";
import {
  isSamplerResponse,
  receivedError,
  type SamplerCommand,
  type SamplerCommands,
} from "./sampler-protocol.js";
import type {
  LoadedModel,
  PairOptions,
  PairTimings,
  Sampler,
  SamplerInfo,
  WarmupOptions,
  WarmupResult,
} from "./sampler-types.js";

/** How to start a sampler process. */
export interface SamplerOptions {
  /** Open counters; default true. */
  readonly counters?: boolean;
  /** Kills the process at once; pending calls fail with the signal's reason or InterruptedError. */
  readonly signal?: AbortSignal;
  /** Longest time for a command, ms; default 60,000 (a warm-up's own limit comes on top of it). */
  readonly commandTimeoutMs?: number;
}

const defaultTimeoutMs = 60_000;
/** After this, a child that was asked to exit is killed. */
const exitTimeoutMs = 3_000;
/** What is kept of a child's stderr for the message when it crashes. */
const stderrTailChars = 2_000;

/**
 * glibc's allocator in the sampler keeps what is freed. By default a freed output of 64 KiB is given back to the
 * kernel or not by the chance of what lies above it in the heap: a ReLU on 16x32x32 took 14 µs or 50 µs a run, in
 * page faults. Applications that run a network again and again settle; a measurement must not toss a coin.
 */
const allocatorSettings = {
  MALLOC_TRIM_THRESHOLD_: String(2 ** 30),
  MALLOC_MMAP_THRESHOLD_: String(2 ** 30),
  MALLOC_TOP_PAD_: String(2 ** 25),
} as const;

interface Pending {
  readonly command: SamplerCommand;
  readonly key: string | undefined;
  readonly timer: NodeJS.Timeout;
  resolve(output: unknown): void;
  reject(error: Error): void;
}

class SamplerProcess {
  readonly #platform: Platform;
  readonly #child: ChildProcess;
  readonly #timeoutMs: number;
  readonly #pending = new Map<number, Pending>();
  readonly #exited: Promise<void>;
  readonly #signal: AbortSignal | undefined;
  #nextId = 1;
  #stderr = "";
  /** Why nothing can be asked any more. */
  #end: SamaraError | undefined;

  constructor(platform: Platform, options: SamplerOptions) {
    const main = join(packageRoot, "dist", "platform", "sampler-main.js");
    if (!existsSync(main)) {
      throw new InternalError("the sampler process is not built: run `npm run build`");
    }
    this.#platform = platform;
    this.#timeoutMs = options.commandTimeoutMs ?? defaultTimeoutMs;
    this.#child = fork(main, {
      serialization: "advanced",
      execArgv: ["--expose-gc"],
      env: { ...process.env, ...allocatorSettings },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-stderrTailChars);
    });
    this.#child.on("message", (message) => this.#receive(message));
    this.#child.on("error", (cause) => {
      this.#stop(
        new MeasurementError(`${this.#name} cannot be reached: ${cause.message}`, { cause }),
      );
    });
    // "close" comes after the last of stderr, "exit" may come before; a failed start has neither.
    this.#exited = new Promise((resolve) => {
      if (this.#child.pid === undefined) resolve();
      this.#child.on("close", (code, signal) => {
        this.#stop(this.#crashError(code, signal));
        resolve();
      });
    });
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#abort);
    if (this.#signal?.aborted) this.#abort();
  }

  get #name(): string {
    return `the sampler process of ${this.#platform.id}`;
  }

  readonly #abort = (): void => {
    const reason: unknown = this.#signal?.reason;
    this.#stop(
      reason instanceof SamaraError
        ? reason
        : new InterruptedError(`sampling on ${this.#platform.id} was stopped`),
    );
  };

  #crashError(code: number | null, signal: NodeJS.Signals | null): MeasurementError {
    const how = signal === null ? `exit code ${code}` : signal;
    const busy = [...this.#pending.values()].map(activityOf).join(", ") || "idle";
    const said = this.#stderr.trim().split("\n").slice(-3).join(" / ");
    return new MeasurementError(
      `${this.#name} ended (${how}) while ${busy}${said === "" ? "" : `: ${said}`}`,
      { hint: "the model may be more than this runtime can take: leave it out, or try it alone" },
    );
  }

  /** End everything: kill the child and fail what is pending. The first reason counts. */
  #stop(reason: SamaraError): void {
    this.#end ??= reason;
    this.#signal?.removeEventListener("abort", this.#abort);
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGKILL");
    }
    for (const [id, pending] of this.#pending) {
      clearTimeout(pending.timer);
      this.#pending.delete(id);
      pending.reject(this.#end);
    }
  }

  #receive(message: unknown): void {
    const pending = isSamplerResponse(message) ? this.#pending.get(message.id) : undefined;
    if (!isSamplerResponse(message) || pending === undefined) {
      this.#stop(new MeasurementError(`${this.#name} sent something that is not an answer`));
      return;
    }
    this.#pending.delete(message.id);
    clearTimeout(pending.timer);
    if (message.ok) {
      pending.resolve(message.output);
    } else {
      const circumstances = `${this.#platform.id}, ${activityOf(pending)}`;
      pending.reject(receivedError(message.error, circumstances));
    }
  }

  /** Send a command and wait for its answer. */
  ask<Command extends SamplerCommand>(
    command: Command,
    input: SamplerCommands[Command]["input"],
    settings: { readonly key?: string; readonly extraMs?: number } = {},
  ): Promise<SamplerCommands[Command]["output"]> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    const id = this.#nextId++;
    const limitMs = this.#timeoutMs + (settings.extraMs ?? 0);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const activity = activityOf({ command, key: settings.key });
        this.#stop(
          new TimeoutError(
            `${this.#name} gave no answer within ${limitMs / 1000} s while ${activity}`,
          ),
        );
      }, limitMs);
      this.#pending.set(id, {
        command,
        key: settings.key,
        timer,
        resolve: (output) => resolve(output as SamplerCommands[Command]["output"]),
        reject,
      });
      this.#child.send({ id, command, input }, (error) => {
        if (error !== null) {
          this.#stop(new MeasurementError(`${this.#name} cannot be reached: ${error.message}`));
        }
      });
    });
  }

  async exit(): Promise<void> {
    if (this.#end === undefined) {
      const timer = setTimeout(() => this.#child.kill("SIGKILL"), exitTimeoutMs);
      // An error here is one of a process that is to end anyway.
      await this.ask("exit", null).catch(() => {});
      await this.#exited;
      clearTimeout(timer);
    }
    await this.#exited;
  }
}

function activityOf({
  command,
  key,
}: {
  command: SamplerCommand;
  key: string | undefined;
}): string {
  const words: Record<SamplerCommand, string> = {
    start: "starting",
    load: "loading",
    unload: "unloading",
    runOnce: "running",
    warmUp: "warming up",
    timePairs: "timing",
    exit: "exiting",
  };
  return key === undefined ? words[command] : `${words[command]} "${key}"`;
}

class ProcessSampler implements Sampler {
  readonly info: SamplerInfo;
  readonly #process: SamplerProcess;

  constructor(process: SamplerProcess, info: SamplerInfo) {
    this.#process = process;
    this.info = info;
  }

  load(key: string, model: Uint8Array): Promise<LoadedModel> {
    return this.#process.ask("load", { key, model }, { key });
  }

  async unload(key: string): Promise<void> {
    await this.#process.ask("unload", { key }, { key });
  }

  runOnce(key: string, input: Float32Array): Promise<Float32Array> {
    return this.#process.ask("runOnce", { key, input }, { key });
  }

  warmUp(key: string, options: WarmupOptions): Promise<WarmupResult> {
    const extraMs = options.mode === "steady" ? (options.maxMs ?? 10_000) : 0;
    return this.#process.ask("warmUp", { key, options }, { key, extraMs });
  }

  timePairs(options: PairOptions): Promise<PairTimings> {
    return this.#process.ask("timePairs", options, { key: options.target });
  }

  async close(): Promise<void> {
    await this.#process.exit();
  }
}

/**
 * Start a fresh process for a platform. Close it when done.
 *
 * @throws MeasurementError when it breaks, TimeoutError when it hangs, InterruptedError when `signal` is aborted
 */
export async function startSampler(
  platform: Platform,
  options: SamplerOptions = {},
): Promise<Sampler> {
  const process = new SamplerProcess(platform, options);
  try {
    const info = await process.ask("start", {
      runtimeInfo: platform.runtime,
      counters: options.counters ?? true,
    });
    return new ProcessSampler(process, info);
  } catch (error) {
    await process.exit();
    throw error;
  }
}
