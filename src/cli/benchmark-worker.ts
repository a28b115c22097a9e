/**
 * A worker process of `samara benchmark`: learns from a task's sources, adapts to its targets, scores. A process,
 * because training in ONNX Runtime blocks the event loop. Started by `benchmark-workers.ts` only.
 */
import { type Dataset, readDataset } from "../evaluate/dataset.js";
import type { NetworkTable, PublishedSpace } from "../evaluate/spaces.js";
import { fitSources, scoreTransfer, transferTo } from "../evaluate/transfer.js";
import {
  assembleTask,
  type DatasetRow,
  type MeasuredPlatform,
  type TransferTask,
  tableOfDatasets,
} from "../evaluate/transfer-task.js";
import { dieWithParent } from "../platform/parent-death.js";
import { createPredictor } from "../predict/registry.js";
import {
  type Job,
  type PlatformRow,
  sendableError,
  type TaskSpec,
  type Trial,
  type WorkerMessage,
} from "./benchmark-messages.js";

/** How often progress within a fit is told, ms. */
const progressIntervalMs = 1000;

const datasets = new Map<string, Dataset>();
const tables = new Map<string, NetworkTable>();
let lastTask: { readonly spec: string; readonly task: TransferTask } | undefined;

const send = (message: WorkerMessage) => void process.send!(message);

function datasetOf(folder: string, dataFolder: string | undefined): Dataset {
  const kept = datasets.get(folder);
  if (kept !== undefined) return kept;
  const dataset = readDataset(folder, dataFolder);
  datasets.set(folder, dataset);
  return dataset;
}

/** One table for tasks of the same folders. */
function tableOf(space: PublishedSpace, of: readonly Dataset[]): NetworkTable {
  const key = JSON.stringify([space, ...of.map(({ folder }) => folder)]);
  const kept = tables.get(key);
  if (kept !== undefined) return kept;
  const table = tableOfDatasets(space, of);
  tables.set(key, table);
  return table;
}

function taskOf(spec: TaskSpec): TransferTask {
  const key = JSON.stringify(spec);
  if (lastTask?.spec === key) return lastTask.task;
  const rowOf = ({ folder, id }: PlatformRow): DatasetRow => {
    const dataset = datasetOf(folder, spec.dataFolder);
    return { dataset, platform: dataset.platforms.find((platform) => platform.id === id)! };
  };
  const task = assembleTask(spec.name, spec.sources.map(rowOf), spec.targets.map(rowOf), tableOf);
  lastTask = { spec: key, task };
  return task;
}

const fail = (trials: readonly Trial[], error: unknown) =>
  send({ kind: "failed", trials, error: sendableError(error) });

async function work(job: Job): Promise<void> {
  const { task: spec, predictor: name, protocol, seed, draw, trials } = job;
  const task = taskOf(spec);
  let lastMs = performance.now();
  const { fitted, trainS } = await fitSources(
    createPredictor(name),
    task,
    { protocol, seed },
    draw,
    (done, total, what) => {
      if (performance.now() - lastMs < progressIntervalMs) return;
      lastMs = performance.now();
      send({ kind: "progress", text: `${what} ${done}/${total}` });
    },
  );
  for (const at of trials) {
    const target = task.targets[at.target] as MeasuredPlatform;
    try {
      const { trial, samples, select } = at;
      const settings = { protocol, seed, samples, select };
      const outcome = await transferTo(fitted, task, target, settings, trial);
      const unit = {
        task: task.name,
        predictor: name,
        target: target.id,
        samples,
        protocol,
        select,
        isDesigned: outcome.isDesigned,
        trial,
        ...scoreTransfer(task, target, protocol, outcome),
        trainS,
        adaptMs: outcome.adaptMs,
        predictPerS: outcome.predictPerS,
      };
      send({ kind: "scored", at, unit });
    } catch (error) {
      fail([at], error);
    }
  }
}

async function serve(job: Job): Promise<void> {
  try {
    await work(job);
  } catch (error) {
    fail(job.trials, error);
  }
  send({ kind: "done" });
}

// A terminal's Ctrl-C reaches every process; the parent decides what happens then.
process.on("SIGINT", () => {});
await dieWithParent();
process.on("disconnect", () => process.exit(0));
let queue = Promise.resolve();
process.on("message", (job: Job) => {
  queue = queue.then(() => serve(job));
});
