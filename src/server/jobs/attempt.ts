/**
 * One attempt at a job: its command runs, tells what it does, can be stopped in two stages, and ends.
 */
import {
  type CommandDocument,
  CommandListener,
  type CommandMessage,
  DocumentCollector,
  type StartCommand,
  type StartedCommand,
} from "./command.js";

/** What a command ended with, read. */
export interface AttemptEnd {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  /** What it said was wrong, or which signal ended it. */
  readonly error: string | null;
  readonly document: CommandDocument | undefined;
}

/** Exit code of a command that was asked to stop. */
const interruptedCode = 130;
/** Hints that name a command line: whoever has a job resumes it. */
const commandHint = /^ {2}(?:go on|start again) with: /;

/** Whether a command stopped because it was asked to. */
export const wasInterrupted = ({ exitCode }: AttemptEnd): boolean => exitCode === interruptedCode;

/** Runs the commands of one attempt, one after the other. */
export class Attempt {
  readonly #startCommand: StartCommand;
  readonly #onMessage: (message: CommandMessage) => void;
  readonly #graceMs: number;
  #running: StartedCommand | undefined;
  #isStopped = false;
  #killTimer: NodeJS.Timeout | undefined;

  /** @param graceMs - between asking a command to stop and ending it */
  constructor(
    startCommand: StartCommand,
    onMessage: (message: CommandMessage) => void,
    graceMs: number,
  ) {
    this.#startCommand = startCommand;
    this.#onMessage = onMessage;
    this.#graceMs = graceMs;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Run a command to its end; `undefined` when the attempt was stopped before. */
  async run(args: readonly string[]): Promise<AttemptEnd | undefined> {
    if (this.#isStopped) return undefined;
    const collector = new DocumentCollector();
    const listener = new CommandListener(this.#onMessage);
    const running = this.#startCommand(args, {
      stdout: (text) => collector.take(text),
      stderr: (text) => listener.take(text),
    });
    this.#running = running;
    try {
      const { exitCode, signal } = await running.ended;
      const lines = listener.error()?.split("\n") ?? [];
      const said = lines.filter((line) => !commandHint.test(line)).join("\n");
      const ended = signal === null ? null : `the command was ended by ${signal}`;
      return {
        exitCode,
        error: exitCode === 0 ? null : [ended, said].filter(Boolean).join("\n") || null,
        document: collector.document(),
      };
    } finally {
      this.#running = undefined;
      clearTimeout(this.#killTimer);
    }
  }

  /** Ask the command to stop; end it after the grace time, or at once when asked before. */
  stop(graceMs: number = this.#graceMs): void {
    if (this.#isStopped) {
      this.#running?.kill();
      return;
    }
    this.#isStopped = true;
    this.#running?.interrupt();
    this.#killTimer = setTimeout(() => this.#running?.kill(), graceMs);
  }
}
