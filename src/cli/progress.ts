/**
 * Progress on stderr: one line that is redrawn on a terminal, one line each ten seconds elsewhere.
 */
import { logUpdateStderr } from "log-update";

const lineIntervalMs = 10_000;

export interface Progress {
  /** Say what is being done now; cheap enough for every step. */
  update(text: string): void;
  /** A line that stays. */
  note(text: string): void;
  /** Take the redrawn line away. */
  clear(): void;
}

export interface ProgressOptions {
  readonly quiet?: boolean;
  readonly isTerminal?: boolean;
  readonly write?: (text: string) => void;
  readonly now?: () => number;
}

/** Progress for this process; silent when `quiet`. */
export function createProgress(options: ProgressOptions = {}): Progress {
  const {
    quiet = false,
    isTerminal = process.stderr.isTTY === true && process.env.CI === undefined,
    write = (text) => void process.stderr.write(text),
    now = () => performance.now(),
  } = options;
  if (quiet) return { update() {}, note() {}, clear() {} };
  if (isTerminal) {
    const redraw = logUpdateStderr;
    return {
      update: (text) => redraw(text),
      note(text) {
        redraw.clear();
        write(`${text}\n`);
      },
      clear: () => redraw.clear(),
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
  };
}
