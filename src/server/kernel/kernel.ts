/**
 * Worker threads as the service calls them: bounded queues, a thread that ends is started again, single predictions of
 * one turn of the event loop go together.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { InternalError, SamaraError } from "../../errors.js";
import { packageRoot } from "../../package.js";
import type { KernelOptions, Methods } from "./methods.js";
import type { PredictBatch, PredictedBatch } from "./predictions.js";
import { RelayedError, type ToldError } from "./told-error.js";
import type { Answer } from "./worker.js";

/** The service has as much to do as it takes on: ask again later. */
export class OverloadedError extends SamaraError {
  readonly code = "overloaded";
}

interface Waiting {
  readonly fulfil: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Memory that a worker may take; a model of the upload limits needs a part of it. */
const maxOldGenerationSizeMb = 3072;

/** One thread with its queue. */
class Thread {
  readonly #options: KernelOptions;
  readonly #capacity: number;
  #worker: Worker | undefined;
  #waiting = new Map<number, Waiting>();
  #nCalls = 0;
  #isClosed = false;

  constructor(options: KernelOptions, capacity: number) {
    this.#options = options;
    this.#capacity = capacity;
  }

  get nWaiting(): number {
    return this.#waiting.size;
  }

  #start(): Worker {
    const path = join(packageRoot, "dist", "server", "kernel", "worker.js");
    if (!existsSync(path)) {
      throw new InternalError("the service's worker is not built: run `npm run build`");
    }
    const worker = new Worker(path, {
      workerData: this.#options,
      resourceLimits: { maxOldGenerationSizeMb },
    });
    worker.on("message", (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ("error" in answer) waiting?.reject(new RelayedError(answer.error));
      else waiting?.fulfil(answer.value as never);
    });
    const fail = (cause: unknown) => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      const error = this.#isClosed
        ? new OverloadedError("the service is stopping")
        : new InternalError("a worker of the service ended; it is started again", { cause });
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    worker.on("error", fail);
    worker.on("exit", fail);
    return worker;
  }

  call<Value>(method: string, params: unknown, transfer: ArrayBuffer[] = []): Promise<Value> {
    if (this.#isClosed || this.#waiting.size >= this.#capacity) {
      throw new OverloadedError(
        `the service works on ${this.#waiting.size} requests of this kind, which is as many as it takes`,
        { hint: "try again in a few seconds" },
      );
    }
    this.#worker ??= this.#start();
    const id = this.#nCalls++;
    return new Promise<Value>((fulfil, reject) => {
      this.#waiting.set(id, { fulfil, reject });
      this.#worker!.postMessage({ id, method, params }, transfer);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#worker?.terminate();
  }
}

/** Calls that take a second and more, which the others must not wait for. */
const slow: readonly (keyof Methods)[] = [
  "learningCurve",
  "evaluation",
  "search",
  "models",
  "modelLayers",
  "next",
];
const quickCapacity = 4096;
const slowCapacity = 32;
/** Networks of requests that wait to be predicted together. */
const mostPendingNetworks = 200_000;

interface PendingBatch extends Waiting {
  readonly batch: PredictBatch;
}

/** All that the service computes. */
export class Kernel {
  readonly #quick: Thread;
  readonly #slow: Thread;
  #pending: PendingBatch[] = [];
  #nPendingNetworks = 0;

  constructor(options: KernelOptions) {
    this.#quick = new Thread(options, quickCapacity);
    this.#slow = new Thread(options, slowCapacity);
  }

  /** Calls that are not answered yet. */
  get nWaiting(): number {
    return this.#quick.nWaiting + this.#slow.nWaiting + this.#pending.length;
  }

  /**
   * Call a method of the workers.
   *
   * @param transfer - buffers in `params` that are given away
   * @throws OverloadedError when too many calls wait; RelayedError with what went wrong
   */
  call<Name extends keyof Methods>(
    name: Name,
    params: Parameters<Methods[Name]>[0] = {} as never,
    transfer: ArrayBuffer[] = [],
  ): ReturnType<Methods[Name]> {
    const thread = slow.includes(name) ? this.#slow : this.#quick;
    return thread.call(name, params, transfer) as ReturnType<Methods[Name]>;
  }

  /** Let all threads read what the first requests would wait for; when that fails, those say why. */
  async warm(): Promise<void> {
    // One after the other: pages wait for the first, and would wait longer beside the second.
    for (const thread of [this.#quick, this.#slow]) {
      try {
        await thread.call("warm", {});
      } catch {
        return;
      }
    }
  }

  /** Predict the networks of one request, together with what else comes in this turn. */
  predict(batch: PredictBatch): Promise<PredictedBatch> {
    this.#nPendingNetworks += batch.networks.length;
    if (this.#nPendingNetworks > mostPendingNetworks) {
      this.#nPendingNetworks -= batch.networks.length;
      throw new OverloadedError(
        `${this.#nPendingNetworks} networks wait to be predicted, which is as many as the service takes`,
        { hint: "try again in a second, or stream them as NDJSON" },
      );
    }
    return new Promise((fulfil, reject) => {
      if (this.#pending.length === 0) setImmediate(() => void this.#flush());
      this.#pending.push({ batch, fulfil: fulfil as Waiting["fulfil"], reject });
    });
  }

  async #flush(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    try {
      const answers = (await this.#quick.call("predict", {
        batches: pending.map(({ batch }) => batch),
      })) as ({ value: never } | { error: ToldError })[];
      answers.forEach((answer, i) => {
        if ("error" in answer) pending[i]!.reject(new RelayedError(answer.error));
        else pending[i]!.fulfil(answer.value);
      });
    } catch (error) {
      for (const { reject } of pending) reject(error);
    } finally {
      for (const { batch } of pending) this.#nPendingNetworks -= batch.networks.length;
    }
  }

  /** End the threads; what waits is refused. */
  async close(): Promise<void> {
    await Promise.all([this.#quick.close(), this.#slow.close()]);
  }
}
