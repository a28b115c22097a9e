/**
 * What the machine that serves can run and what would disturb a measurement on it, as its own commands say; asked once,
 * and again on request. Never while something is measured: asking takes processor time.
 */
import { z } from "zod";
import { InternalError, NotFoundError, PlatformUnavailableError } from "../../errors.js";
import type { Machine } from "../api/schemas.js";
import { CommandListener, DocumentCollector, type StartCommand } from "./command.js";

const platformRowSchema = z.object({
  id: z.string().nullable(),
  name: z.string().nullable(),
  family: z.string(),
  runtime: z.string(),
  version: z.string().nullable(),
  threads: z.number().int().nullable(),
  reason: z.string().nullable(),
  remedy: z.string().nullable(),
});
type PlatformRow = z.infer<typeof platformRowSchema>;

const findingSchema = z.object({
  severity: z.string(),
  message: z.string(),
  remedy: z.string().nullable(),
});
type Finding = z.infer<typeof findingSchema>;

/** Both commands take seconds. */
const timeoutMs = 60_000;

const notExamined: Finding = {
  severity: "note",
  message: "the machine was not examined, because a job measures on it",
  remedy: "ask again when it has ended",
};

const withoutPrecision = (name: string) => name.replace(/\.fp32$/, "");

/** The machine that serves. */
export class MachineFacts {
  readonly #startCommand: StartCommand;
  #platforms: Promise<PlatformRow[]> | undefined;
  #findings: Promise<Finding[]> | undefined;
  #running = new Map<Promise<unknown>, () => void>();
  /** Whether a job measures now. */
  isMeasuring: () => boolean = () => false;

  constructor(startCommand: StartCommand) {
    this.#startCommand = startCommand;
  }

  async #ask<T extends z.ZodType>(command: string, schema: T): Promise<z.infer<T>[]> {
    const collector = new DocumentCollector();
    const listener = new CommandListener(() => {});
    const child = this.#startCommand([command, "--json"], {
      stdout: (text) => collector.take(text),
      stderr: (text) => listener.take(text),
    });
    const timer = setTimeout(() => child.kill(), timeoutMs);
    this.#running.set(child.ended, () => child.kill());
    try {
      await child.ended;
    } finally {
      clearTimeout(timer);
      this.#running.delete(child.ended);
    }
    const document = collector.document();
    const results = z.array(schema).safeParse(document?.results);
    if (results.success) return results.data;
    throw new InternalError(`\`samara ${command}\` gave no answer: ${listener.error() ?? "–"}`);
  }

  #knownPlatforms(): Promise<PlatformRow[]> {
    if (this.#platforms === undefined) {
      const asked = this.#ask("platforms", platformRowSchema);
      // What failed is asked again.
      asked.catch(() => {
        if (this.#platforms === asked) this.#platforms = undefined;
      });
      this.#platforms = asked;
    }
    return this.#platforms;
  }

  async #knownFindings(): Promise<Finding[]> {
    if (this.#findings === undefined) {
      if (this.isMeasuring()) return [notExamined];
      const asked = this.#ask("doctor", findingSchema);
      asked.catch(() => {
        if (this.#findings === asked) this.#findings = undefined;
      });
      this.#findings = asked;
    }
    return this.#findings;
  }

  /**
   * All of it.
   *
   * @param refresh - ask again, unless something is measured now
   */
  async facts({ refresh = false } = {}): Promise<Machine> {
    if (refresh && !this.isMeasuring() && this.#running.size === 0) {
      this.#platforms = undefined;
      this.#findings = undefined;
    }
    const rows = await this.#knownPlatforms();
    return {
      available: rows.flatMap(({ id, name, family, version, threads }) =>
        id === null || name === null
          ? []
          : [{ id, name, family, version: version ?? "", threads: threads ?? 1 }],
      ),
      unavailable: rows.flatMap(({ id, runtime, reason, remedy }) =>
        id === null ? [{ runtime, reason: reason ?? "", remedy }] : [],
      ),
      findings: await this.#knownFindings(),
    };
  }

  /**
   * The full id of a platform that runs here.
   *
   * @param asked - full id, or its runtime part, with or without `.fp32`
   * @throws NotFoundError when no platform is called so
   */
  async platformId(asked: string): Promise<string> {
    const rows = await this.#knownPlatforms();
    const found = rows.find(
      ({ id, name }) =>
        id !== null &&
        [id, name ?? id, withoutPrecision(id), withoutPrecision(name ?? id)].includes(asked),
    );
    if (found?.id) return found.id;
    const names = rows.flatMap(({ name }) => (name === null ? [] : [withoutPrecision(name)]));
    if (names.length === 0) {
      throw new PlatformUnavailableError(`platform "${asked}" cannot run here: no runtime can`, {
        hint: "the machine's description says why",
      });
    }
    throw new NotFoundError(`platform "${asked}" does not run on this machine`, {
      hint: `these do: ${names.slice(0, 5).join(", ")}${names.length > 5 ? ", …" : ""}`,
    });
  }

  /** Wait until no question is open. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running.keys());
  }

  /** Ask no more. */
  close(): void {
    for (const kill of this.#running.values()) kill();
  }
}
