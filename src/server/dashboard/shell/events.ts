/**
 * Server-sent events over fetch, which unlike EventSource can carry the session's token.
 */
import { ApiError, request } from "./api.js";

/** An event as it came; `id` is null for what is told but not kept. */
export interface ServerEvent<T> {
  readonly id: number | null;
  readonly data: T;
}

/** Reads a stream of events piece by piece. */
export class EventReader<T> {
  #rest = "";

  /** The events that are complete with this piece of text. */
  take(text: string): ServerEvent<T>[] {
    const blocks = (this.#rest + text).split("\n\n");
    this.#rest = blocks.pop()!;
    return blocks.flatMap((block) => {
      let id: number | null = null;
      const data: string[] = [];
      for (const line of block.split("\n")) {
        const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
        if (name === "id") id = Number(value);
        if (name === "data") data.push(value!);
      }
      // Comments and the time to wait hold no data.
      return data.length === 0 ? [] : [{ id, data: JSON.parse(data.join("\n")) as T }];
    });
  }
}

/** How events are followed. */
export interface FollowOptions<T> {
  readonly signal: AbortSignal;
  readonly onEvent: (data: T) => void;
  /** Whether the service is connected; false while it is tried again. */
  readonly onConnection: (isConnected: boolean) => void;
}

const retryMs = 2000;
/** The service says something each 15 s; a connection that is silent for longer than this is lost. */
const silenceMs = 45_000;

/** Trouble that passes: no answer, or a service that is busy or just starting. */
const isPassing = (error: unknown) =>
  !(error instanceof ApiError && error.problem !== null && error.problem.status < 500);

const pause = (signal: AbortSignal) =>
  new Promise<void>((fulfil) => {
    const timer = setTimeout(fulfil, retryMs);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      fulfil();
    });
  });

/**
 * Follow events until the service has no more, or the signal is aborted; connects again where a connection is lost and
 * goes on after the last event that was kept.
 *
 * @throws ApiError when the service refuses
 */
export async function followEvents<T>(path: string, options: FollowOptions<T>): Promise<void> {
  const { signal, onEvent, onConnection } = options;
  let lastId = 0;
  while (!signal.aborted) {
    const silence = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let hasTold = false;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silenceMs);
    };
    try {
      heard();
      const response = await request(path, {
        headers: { accept: "text/event-stream", "last-event-id": String(lastId) },
        signal: AbortSignal.any([signal, silence.signal]),
      });
      onConnection(true);
      if (response.status === 204 || response.body === null) return;
      const reader = new EventReader<T>();
      const texts = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await texts.read();
        if (done) break;
        heard();
        for (const { id, data } of reader.take(value)) {
          if (id !== null) lastId = id;
          hasTold = true;
          onEvent(data);
        }
      }
      // It ended in order: the next question is answered with what follows, or that nothing does.
      if (hasTold) continue;
    } catch (error) {
      if (signal.aborted) return;
      if (!isPassing(error)) throw error;
      onConnection(false);
    } finally {
      clearTimeout(timer);
    }
    await pause(signal);
  }
}
