/**
 * The service in the foreground, as `serve` and `onboard --serve` run it: it starts, says where it is, and stops on
 * Ctrl-C.
 */
import { InputError } from "../errors.js";
import { type RunningService, type ServiceOptions, startService } from "../server/service.js";
import type { CommandContext } from "./command.js";
import { createStartCommand } from "./start-command.js";

/** Where the service listens unless told otherwise. */
export const defaultAddress = { host: "127.0.0.1", port: 8080 } as const;

type Serving = Omit<ServiceOptions, "log" | "startCommand"> & {
  /** Take any port that is free when another program listens there. */
  readonly orAnyPort?: boolean;
};

const isTaken = (error: unknown) =>
  error instanceof InputError &&
  (error.cause as NodeJS.ErrnoException | undefined)?.code === "EADDRINUSE";

/**
 * Serve until the command is interrupted.
 *
 * @throws InputError when it cannot listen there
 */
export async function serveUntilStopped(
  { orAnyPort = false, ...serving }: Serving,
  { options, out, progress, signal }: CommandContext<object>,
): Promise<void> {
  const { pino } = await import("pino");
  const log = pino(
    {
      level: options.quiet ? "warn" : "info",
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    pino.destination({ dest: 2, sync: false }),
  );
  const start = (port: number): Promise<RunningService> =>
    startService({ ...serving, port, log, startCommand: createStartCommand() });
  const service = await start(serving.port).catch((error: unknown) => {
    if (orAnyPort && isTaken(error)) return start(0);
    throw error;
  });
  out.line(`Samara is at ${service.url} (Ctrl-C stops it)`);
  if (serving.token !== undefined) {
    out.line("In a browser, add #token=TOKEN to the address once.");
  }
  await new Promise<void>((fulfil) => {
    if (signal.aborted) fulfil();
    signal.addEventListener("abort", () => fulfil(), { once: true });
  });
  progress.note("finishing the requests in progress");
  await service.stop();
}
