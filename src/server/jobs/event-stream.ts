/**
 * Events of a job as server-sent events. It is pulled: what a reader does not take is not made, and a reader that takes
 * nothing is disconnected by the service's idle timeout.
 */
import type { Followed, Follower, StoredEvent } from "./event-log.js";

/** Shorter than the idle timeout of the service and of common proxies. */
const heartbeatMs = 15_000;
/** After which a browser's EventSource connects again. */
const retryMs = 2000;

const storedText = ({ id, event }: StoredEvent) => `id: ${id}\ndata: ${JSON.stringify(event)}\n\n`;

function textOf(followed: Exclude<Followed, { kind: "end" }>): string {
  switch (followed.kind) {
    case "events":
      return followed.events.map(storedText).join("");
    case "progress":
      // Without an id, so that a reader comes back for what is kept.
      return `data: ${JSON.stringify(followed.event)}\n\n`;
    case "idle":
      return ": heartbeat\n\n";
    default:
      return followed satisfies never;
  }
}

/** A stream of what a follower reads; it closes the follower when it ends or its reader leaves. */
export function eventStream(
  follower: Follower,
  intervalMs: number = heartbeatMs,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let isFirst = true;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (isFirst) {
          isFirst = false;
          controller.enqueue(encoder.encode(`retry: ${retryMs}\n\n`));
          return;
        }
        const followed = await follower.next(intervalMs);
        if (followed.kind !== "end") {
          controller.enqueue(encoder.encode(textOf(followed)));
          return;
        }
        follower.close();
        try {
          controller.close();
        } catch {
          // Its reader left meanwhile.
        }
      },
      cancel: () => follower.close(),
    },
    { highWaterMark: 0 },
  );
}
