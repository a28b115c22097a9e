/**
 * A command of this program as a child: how it is started, and what becomes of what it prints.
 *
 * Whoever starts the service says how commands are started (`StartCommand`); nothing here goes through a shell.
 */
import { z } from "zod";

/** What a child ended with; one of them is null. */
export interface CommandEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** A command that runs. */
export interface StartedCommand {
  readonly ended: Promise<CommandEnd>;
  /** Ask it to stop; it keeps what it has measured. */
  interrupt(): void;
  /** End it and its children at once. */
  kill(): void;
}

/** Where what a command prints goes, piece by piece. */
export interface CommandSinks {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/**
 * Starts a command with JSON lines of progress (`SAMARA_PROGRESS=jsonl`), in such a way that it never outlives this
 * process.
 *
 * @param args - as on the command line, without the program's name
 */
export type StartCommand = (args: readonly string[], sinks: CommandSinks) => StartedCommand;

const messageSchema = z.object({
  type: z.enum(["note", "progress", "warning"]),
  text: z.string(),
});
/** What a command tells while it works. */
export type CommandMessage = z.infer<typeof messageSchema>;

/** Longer lines are cut: nobody reads them. */
const mostLineChars = 4096;
/** Lines kept of what is no message: the error comes last. */
const mostKeptLines = 40;

function messageOfLine(line: string): CommandMessage | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return messageSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** Splits what a command prints on standard error into messages and the rest, of which the last lines are kept. */
export class CommandListener {
  readonly #onMessage: (message: CommandMessage) => void;
  #rest = "";
  #kept: string[] = [];

  constructor(onMessage: (message: CommandMessage) => void) {
    this.#onMessage = onMessage;
  }

  /** Take a piece of text. */
  take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop()!;
    // A line without an end must not grow for ever.
    if (this.#rest.length > 4 * mostLineChars) this.#rest = this.#rest.slice(0, mostLineChars);
    for (const line of lines) this.#takeLine(line);
  }

  #takeLine(line: string): void {
    const message = messageOfLine(line);
    if (message !== undefined) {
      this.#onMessage({ ...message, text: message.text.slice(0, mostLineChars) });
      return;
    }
    this.#kept.push(line.slice(0, mostLineChars));
    if (this.#kept.length > mostKeptLines) this.#kept.shift();
  }

  /** The error that the command ended with, as its user would read it; null when it printed none. */
  error(): string | null {
    if (this.#rest !== "") this.#takeLine(this.#rest);
    this.#rest = "";
    const first = this.#kept.findIndex((line) => line.startsWith("error["));
    const lines = first < 0 ? this.#kept.slice(-5) : this.#kept.slice(first);
    return lines.join("\n").trim() || null;
  }
}

const documentSchema = z.object({
  context: z.record(z.string(), z.unknown()),
  results: z.array(z.unknown()),
});
/** The JSON document of a command, as far as jobs read it. */
export type CommandDocument = z.infer<typeof documentSchema>;

/** More than any command prints. */
const mostDocumentChars = 64 * 2 ** 20;

/** Collects the JSON document that a command prints on standard output. */
export class DocumentCollector {
  #pieces: string[] = [];
  #nChars = 0;

  /** Take a piece of text. */
  take(text: string): void {
    this.#nChars += text.length;
    if (this.#nChars <= mostDocumentChars) this.#pieces.push(text);
  }

  /** The document; undefined when there is none. */
  document(): CommandDocument | undefined {
    try {
      return documentSchema.safeParse(JSON.parse(this.#pieces.join(""))).data;
    } catch {
      return undefined;
    }
  }
}
