/**
 * Runs in a page, without Node: holds sessions by number and times their runs beside them. One module for each
 * runtime, next to this one, says how a model is loaded; what happens on Node's side is in `page-runtime.ts`.
 */
import { InternalError } from "../../../errors.js";
import { sendableError } from "../../sampler-protocol.js";

/** A model loaded in a page's runtime. Values are in the runtime's own order. */
export interface PageSession {
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  setInput(values: Float32Array): void;
  run(): void | Promise<void>;
  output(): Float32Array;
  dispose(): void | Promise<void>;
}

/** Commands that the page takes, with what goes in and what comes out. */
export interface PageCommands {
  /** Fetch a model and load it. */
  load: {
    input: { parcel: string };
    output: { session: number; inputShape: readonly number[]; outputShape: readonly number[] };
  };
  setInput: { input: { session: number; parcel: string }; output: null };
  run: { input: { session: number }; output: null };
  /** Several runs; gives their wall time, ns. */
  timeRuns: { input: { session: number; nRuns: number }; output: number };
  /** Bytes of the values, as base64. */
  output: { input: { session: number }; output: string };
  dispose: { input: { session: number }; output: null };
  /** Nothing: shows what a request costs. */
  ping: { input: Record<string, never>; output: null };
}

/** A request to the page. */
export type PageRequest = {
  [Command in keyof PageCommands]: {
    readonly command: Command;
    readonly input: PageCommands[Command]["input"];
  };
}[keyof PageCommands];

/** What the page answers. */
export type PageResponse =
  | { readonly ok: true; readonly output: unknown }
  | { readonly ok: false; readonly error: ReturnType<typeof sendableError> };

async function fetchBytes(path: string): Promise<Uint8Array> {
  const response = await fetch(path);
  if (!response.ok) throw new InternalError(`${path} cannot be fetched: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

function base64Of(values: Float32Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** The loop is all that is timed; performance.now() ticks every 5 µs. */
async function timeRuns(session: PageSession, nRuns: number): Promise<number> {
  const startMs = performance.now();
  for (let i = 0; i < nRuns; i++) {
    const pending = session.run();
    if (pending !== undefined) await pending;
  }
  return (performance.now() - startMs) * 1e6;
}

/** Let the page answer requests; `load` is the runtime. */
export function servePage(load: (model: Uint8Array) => Promise<PageSession>): void {
  const sessions = new Map<number, PageSession>();
  let nSessions = 0;

  function find(number: number): PageSession {
    const session = sessions.get(number);
    if (session === undefined) throw new InternalError(`the page has no session ${number}`);
    return session;
  }

  async function execute(request: PageRequest): Promise<unknown> {
    switch (request.command) {
      case "load": {
        const session = await load(await fetchBytes(request.input.parcel));
        const number = nSessions++;
        sessions.set(number, session);
        const { inputShape, outputShape } = session;
        return { session: number, inputShape, outputShape };
      }
      case "setInput": {
        const bytes = await fetchBytes(request.input.parcel);
        find(request.input.session).setInput(new Float32Array(bytes.buffer));
        return null;
      }
      case "run":
        await find(request.input.session).run();
        return null;
      case "timeRuns":
        return timeRuns(find(request.input.session), request.input.nRuns);
      case "output":
        return base64Of(find(request.input.session).output());
      case "dispose": {
        const session = find(request.input.session);
        sessions.delete(request.input.session);
        await session.dispose();
        return null;
      }
      case "ping":
        return null;
      default:
        return request satisfies never;
    }
  }

  async function answer(request: PageRequest): Promise<PageResponse> {
    try {
      return { ok: true, output: await execute(request) };
    } catch (error) {
      return { ok: false, error: sendableError(error) };
    }
  }

  Object.assign(globalThis, { answerSamara: answer });
}
