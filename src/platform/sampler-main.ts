/**
 * The sampler process: takes commands from its parent, one after the other, and answers each.
 *
 * Started by `sampler.ts` only. It must not outlive its parent: the kernel kills it where it can, and else the
 * disconnect event does, which is why loops come up for air between timed regions.
 */
import { readdir } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import type { CounterSet } from "../counters/counter.js";
import { createNullCounters } from "../counters/null.js";
import { openCounters } from "../counters/open.js";
import { InternalError } from "../errors.js";
import { dieWithParent } from "./parent-death.js";
import { runtimeOf } from "./registry.js";
import type { Runtime } from "./runtime.js";
import { createLocalSampler } from "./sampler-local.js";
import {
  type SamplerCommands,
  type SamplerRequest,
  type SamplerResponse,
  sendableError,
} from "./sampler-protocol.js";
import type { Sampler } from "./sampler-types.js";

let sampler: Sampler | undefined;

/** Let libuv create its pool now: threads that appear later belong to the runtime. */
async function startPoolOfLibuv(): Promise<void> {
  await Promise.all(Array.from({ length: 8 }, () => readdir(".")));
}

function countersFor(runtime: Runtime): CounterSet {
  return runtime.isElsewhere
    ? createNullCounters(`${runtime.title} runs networks in another process`)
    : openCounters();
}

async function start(input: SamplerCommands["start"]["input"]): Promise<Sampler> {
  await startPoolOfLibuv();
  const runtime = runtimeOf(input.runtimeInfo);
  // Counters count threads created after them, so they come before the runtime.
  const counters = input.counters ? countersFor(runtime) : createNullCounters("counters are off");
  return createLocalSampler({
    runtime,
    runtimeInfo: input.runtimeInfo,
    counters,
    breathe: () => setImmediate(),
  });
}

async function execute(request: SamplerRequest): Promise<unknown> {
  if (request.command === "start") {
    if (sampler !== undefined) throw new InternalError("the sampler was started twice");
    sampler = await start(request.input);
    return sampler.info;
  }
  if (sampler === undefined) throw new InternalError("the sampler was not started");
  switch (request.command) {
    case "load":
      return sampler.load(request.input.key, request.input.model);
    case "unload":
      await sampler.unload(request.input.key);
      return null;
    case "runOnce":
      return sampler.runOnce(request.input.key, request.input.input);
    case "warmUp":
      return sampler.warmUp(request.input.key, request.input.options);
    case "timePairs":
      // A collection now makes one inside a timed region less likely.
      globalThis.gc?.();
      return sampler.timePairs(request.input);
    case "exit":
      await sampler.close();
      return null;
    default:
      return request satisfies never;
  }
}

async function answer(request: SamplerRequest): Promise<SamplerResponse> {
  try {
    return { id: request.id, ok: true, output: await execute(request) };
  } catch (error) {
    return { id: request.id, ok: false, error: sendableError(error) };
  }
}

async function serve(request: SamplerRequest): Promise<void> {
  const response = await answer(request);
  process.send!(response, () => {
    // Threads of the runtime (WebAssembly's workers) would keep the process alive.
    if (request.command === "exit") process.exit(0);
  });
}

await dieWithParent();
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
let queue = Promise.resolve();
process.on("message", (request: SamplerRequest) => {
  queue = queue.then(() => serve(request));
});
