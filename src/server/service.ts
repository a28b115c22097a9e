/**
 * The service as a running thing: it listens, and stops without breaking off what it answers.
 */

import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { Logger } from "pino";
import { BusyError, InputError, messageOf } from "../errors.js";
import { dataHome } from "../store/paths.js";
import { createApp } from "./app.js";
import type { StartCommand } from "./jobs/command.js";
import { Jobs, type JobsOptions } from "./jobs/jobs.js";
import { MachineFacts } from "./jobs/machine.js";
import type { FixedAccuracies } from "./kernel/accuracies.js";
import { Kernel, OverloadedError } from "./kernel/kernel.js";
import { isLoopback } from "./security.js";

/** How the service runs. */
export interface ServiceOptions {
  /** Address to listen on. */
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Needed on every address but loopback. */
  readonly token?: string;
  /** Names under which it may be asked for, beside those of this machine. */
  readonly allowedHosts?: readonly string[];
  readonly accuracies?: readonly FixedAccuracies[];
  /** How jobs start commands; without it there are no jobs. */
  readonly startCommand?: StartCommand;
  readonly log: Logger;
  /** A connection on which nothing moves for so long is closed: idle, too slow, or its client stopped reading. */
  readonly idleTimeoutMs?: number;
}

/** A service that listens. */
export interface RunningService {
  /** Where the dashboard is. */
  readonly url: string;
  readonly port: number;
  /** Take no more requests, finish those that are there (for at most `deadlineMs`), end. */
  stop(deadlineMs?: number): Promise<void>;
}

const defaultIdleTimeoutMs = 60_000;
const defaultDeadlineMs = 10_000;
/** For a request's headers: no client of good will needs longer. */
const headersTimeoutMs = 10_000;
const sweepMs = 50;
const mostConnections = 20_000;

/** Jobs, or why there are none. */
type OpenJobs = Jobs | BusyError;

function openJobs(options: JobsOptions): OpenJobs {
  try {
    return new Jobs(options);
  } catch (error) {
    if (!(error instanceof BusyError)) throw error;
    options.log.warn(error.message);
    return error;
  }
}

function jobsOf(jobs: OpenJobs | undefined): Jobs {
  if (jobs instanceof Jobs) return jobs;
  throw jobs ?? new OverloadedError("the service is starting");
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((fulfil, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === "EADDRINUSE"
          ? "another process listens there"
          : cause.code === "EACCES"
            ? "that needs more rights"
            : messageOf(cause);
      reject(
        new InputError(`cannot listen on ${host} port ${port}: ${why}`, {
          hint: "choose another with --port, or --port 0 for any that is free",
          cause,
        }),
      );
    });
    server.listen(port, host, fulfil);
  });
}

/**
 * Start the service.
 *
 * @throws InputError when it cannot listen there, or an address beyond loopback has no token
 */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const { host, port, token, log } = options;
  if (!isLoopback(host) && token === undefined) {
    throw new InputError(`listening on ${host} lets other machines in, so it needs a token`, {
      hint: "set SAMARA_TOKEN or name a file with --token-file; or leave --host out",
    });
  }
  const kernel = new Kernel({ accuracies: options.accuracies ?? [] });
  let isStopping = false;
  // Opened once the service listens: a second one that cannot must not take jobs over.
  let jobs: OpenJobs | undefined;
  const { startCommand } = options;
  const machine = startCommand && new MachineFacts(startCommand);
  const app = createApp({
    kernel,
    log,
    ...(machine === undefined ? {} : { jobs: { machine, jobs: () => jobsOf(jobs) } }),
    security: { host, token, allowedHosts: options.allowedHosts ?? [] },
    isReady: () => !isStopping,
  });
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  server.maxConnections = mostConnections;
  server.headersTimeout = headersTimeoutMs;
  // Streams of predictions last as long as they last; what does not move is closed below.
  server.requestTimeout = 0;
  server.timeout = options.idleTimeoutMs ?? defaultIdleTimeoutMs;
  try {
    await listen(server, host, port);
    if (startCommand && machine) jobs = openJobs({ startCommand, machine, log, home: dataHome() });
  } catch (error) {
    server.close();
    await kernel.close();
    throw error;
  }
  void kernel.warm();
  const { port: actualPort } = server.address() as AddressInfo;
  const name = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  return {
    url: `http://${name.includes(":") ? `[${name}]` : name}:${actualPort}/`,
    port: actualPort,
    async stop(deadlineMs = defaultDeadlineMs) {
      if (isStopping) return;
      isStopping = true;
      const closed = new Promise<void>((fulfil) => server.close(() => fulfil()));
      // Connections that answers are on now are idle only after them.
      server.closeIdleConnections();
      const sweep = setInterval(() => server.closeIdleConnections(), sweepMs);
      const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs);
      // Readers of events stay until their job has ended, so it ends first.
      await (jobs instanceof Jobs ? jobs.close(deadlineMs) : machine?.close());
      await closed;
      clearTimeout(deadline);
      clearInterval(sweep);
      await kernel.close();
    },
  };
}
