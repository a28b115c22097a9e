/**
 * Progress on stderr: one line that is redrawn on a terminal, one line each ten seconds elsewhere, and JSON lines for a
 * program that started this one (`SAMARA_PROGRESS=jsonl`).
 */
import { logUpdateStderr } from "log-update";

const lineIntervalMs = 10_000;
/** Between two lines of progress for a program: four a second are as many as anybody reads. */
const jsonIntervalMs = 250;

export interface Progress {
  /** Say what is being done now; cheap enough for every step. */
  update(text: string): void;
  /** A line that stays. */
  note(text: string): void;
  /** Take the redrawn line away. */
  clear(): void;
}

/** Progress of a process, which also has warnings to tell. */
export interface ProcessProgress extends Progress {
  /** Something that the reader must know; also when quiet. */
  warning(text: string): void;
}

export interface ProgressOptions {
  readonly quiet?: boolean;
  /** JSON lines `{type: "note" | "progress" | "warning", text}`; default whether SAMARA_PROGRESS asks for them. */
  readonly isJson?: boolean;
  readonly isTerminal?: boolean;
  readonly write?: (text: string) => void;
  readonly now?: () => number;
}

/** Lines for a program: the latest of what comes too fast is told a little later. */
function jsonProgress(write: (text: string) => void, now: () => number): ProcessProgress {
  const tell = (type: string, text: string) => write(`${JSON.stringify({ type, text })}\n`);
  let lastMs = Number.NEGATIVE_INFINITY;
  let waiting: { text: string; timer: NodeJS.Timeout } | undefined;
  const drop = () => {
    clearTimeout(waiting?.timer);
    waiting = undefined;
  };
  const tellProgress = (text: string) => {
    drop();
    lastMs = now();
    tell("progress", text);
  };
  return {
    update(text) {
      const waitMs = lastMs + jsonIntervalMs - now();
      if (waitMs <= 0) tellProgress(text);
      else if (waiting) waiting.text = text;
      else waiting = { text, timer: setTimeout(() => tellProgress(waiting!.text), waitMs).unref() };
    },
    note: (text) => tell("note", text),
    warning: (text) => tell("warning", text),
    clear: drop,
  };
}

/** Progress for this process; silent but for warnings when `quiet`. */
export function createProgress(options: ProgressOptions = {}): ProcessProgress {
  const {
    quiet = false,
    isJson = process.env.SAMARA_PROGRESS === "jsonl",
    isTerminal = process.stderr.isTTY === true && process.env.CI === undefined,
    write = (text) => void process.stderr.write(text),
    now = () => performance.now(),
  } = options;
  if (isJson) return jsonProgress(write, now);
  const warning = (text: string) => write(`warning: ${text}\n`);
  if (quiet) return { update() {}, note() {}, clear() {}, warning };
  if (isTerminal) {
    const redraw = logUpdateStderr;
    return {
      update: (text) => redraw(text),
      note(text) {
        redraw.clear();
        write(`${text}\n`);
      },
      clear: () => redraw.clear(),
      warning(text) {
        redraw.clear();
        warning(text);
      },
    };
  }
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    update(text) {
      if (now() - lastMs < lineIntervalMs) return;
      lastMs = now();
      write(`${text}\n`);
    },
    note: (text) => write(`${text}\n`),
    clear() {},
    warning,
  };
}
