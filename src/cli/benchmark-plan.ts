/**
 * From the options of `samara benchmark` to tasks with their data: the published ones, and one of the user's own.
 */
import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { InputError, NotFoundError } from "../errors.js";
import { type Dataset, readDataset } from "../evaluate/dataset.js";
import type { NetworkTable } from "../evaluate/spaces.js";
import { type PlatformName, type PublishedTask, publishedTasks } from "../evaluate/tasks.js";
import { checkTargetNetworks, sourceSamples, type TransferSettings } from "../evaluate/transfer.js";
import {
  assembleTask,
  type DatasetRow,
  type MeasuredPlatform,
  minSourceNetworks,
  type TransferTask,
  tableOfDatasets,
} from "../evaluate/transfer-task.js";
import type { TaskSpec } from "./benchmark-messages.js";
import { InputChecks } from "./input-checks.js";

/** Name of the task that `--source` and `--target` make. */
const ownTaskName = "own";

export interface PlanOptions {
  /** Folder of published data. */
  readonly data: string;
  /** Names of published tasks; undefined: all, unless there is a task of the user's own. */
  readonly tasks?: readonly string[];
  /** `DIR` or `DIR:id,id`. */
  readonly sources: readonly string[];
  readonly targets: readonly string[];
  readonly settings: Pick<TransferSettings, "protocol" | "seed"> & {
    /** Most networks that are measured on a target. */
    readonly samples: number;
  };
}

/** A task that can be run. */
export interface PlannedTask {
  readonly spec: TaskSpec;
  readonly task: TransferTask;
  /** Platforms of the publication that the data lack. */
  readonly missing: readonly string[];
}

export interface Plan {
  readonly tasks: readonly PlannedTask[];
  readonly warnings: readonly { code: string; message: string; hint?: string }[];
}

/** Share of equal latencies from which two platforms are taken for one and the same measurement. */
const sameShare = 0.9;

/**
 * Read the data and put the tasks together.
 *
 * @throws InputErrors or the one error: unknown tasks, platforms or folders, too few networks, missing data
 */
export function planBenchmark(options: PlanOptions): Plan {
  const planner = new Planner(options);
  return planner.plan();
}

class Planner {
  readonly #options: PlanOptions;
  readonly #checks = new InputChecks();
  readonly #warnings: { code: string; message: string; hint?: string }[] = [];
  readonly #datasets = new Map<string, Dataset | Error>();
  readonly #tables = new Map<string, NetworkTable>();

  constructor(options: PlanOptions) {
    this.#options = options;
  }

  plan(): Plan {
    const { sources, targets, tasks } = this.#options;
    const hasOwn = sources.length + targets.length > 0;
    const named = tasks ?? (hasOwn ? [] : publishedTasks.map(({ name }) => name));
    const wanted = named.flatMap((name) => this.#checks.run(() => [taskNamed(name)], []));
    if (wanted.length > 0) this.#checks.run(() => this.#checkDataFolder(), undefined);
    this.#checks.done();
    const planned = [...new Set(wanted)].flatMap((task) =>
      this.#checks.run(() => [this.#publishedTask(task)], []),
    );
    if (hasOwn) planned.push(...this.#checks.run(() => [this.#ownTask()], []));
    this.#checks.done();
    return { tasks: planned, warnings: this.#warnings };
  }

  #checkDataFolder(): void {
    const { data } = this.#options;
    if (existsSync(data)) return;
    throw new NotFoundError(`the folder of published data does not exist: ${data}`, {
      hint: "name it with --data DIR or SAMARA_DATA; tasks of your own need --source and --target only",
    });
  }

  /** Read a folder once; the same error again where it failed. */
  #dataset(folder: string): Dataset {
    const key = existsSync(folder) ? realpathSync(folder) : folder;
    let found = this.#datasets.get(key);
    if (found === undefined) {
      try {
        found = readDataset(folder, this.#options.data);
        const { assumption } = found.networks;
        if (assumption !== undefined) {
          this.#warnings.push({ code: "networks-assumed", message: assumption });
        }
      } catch (error) {
        found = error as Error;
      }
      this.#datasets.set(key, found);
    }
    if (found instanceof Error) throw found;
    return found;
  }

  #publishedTask({ name, sources, targets }: PublishedTask): PlannedTask {
    const missing: string[] = [];
    const present = (platforms: readonly PlatformName[]) =>
      platforms.flatMap(({ dataset: folder, id }) => {
        const path = join(this.#options.data, folder);
        if (!existsSync(path)) {
          throw new NotFoundError(`task ${name} needs ${path}, which does not exist`, {
            hint: "name the folder of published data with --data DIR or SAMARA_DATA, or choose other --tasks",
          });
        }
        const dataset = this.#dataset(path);
        const platform = dataset.platforms.find((candidate) => candidate.id === id);
        if (platform === undefined) missing.push(id);
        return platform === undefined ? [] : [{ dataset, platform }];
      });
    const [sourceRows, targetRows] = [present(sources), present(targets)];
    if (missing.length > 0) {
      this.#warnings.push({
        code: "platform-missing",
        message: `task ${name} runs without ${missing.join(", ")}: the data do not have them`,
      });
    }
    return { ...this.#assemble(name, sourceRows, targetRows), missing };
  }

  #ownTask(): PlannedTask {
    const read = (flag: string, texts: readonly string[]) => {
      if (texts.length === 0) {
        throw new InputError(
          `a task of your own needs --source and --target, --${flag} is missing`,
        );
      }
      return texts.map((text) => this.#checks.run(() => this.#rowsOf(flag, text), undefined));
    };
    const sources = read("source", this.#options.sources);
    const targets = read("target", this.#options.targets);
    this.#checks.done();
    const targetRows = distinct(targets.flatMap((group) => group!.rows));
    const sourceRows = distinct(
      sources.flatMap((group) =>
        group!.rows.filter((row) => {
          const same = targetRows.find((target) => isSame(row, target));
          if (same === undefined) return true;
          this.#refuseOrWarn(row, same, group!.isNamed);
          return false;
        }),
      ),
    );
    if (sourceRows.length === 0) {
      throw new InputError("no source is left that is not a target", {
        hint: "name other platforms: --source DIR:id,id",
      });
    }
    return { ...this.#assemble(ownTaskName, sourceRows, targetRows), missing: [] };
  }

  /** A platform named as source cannot be the target; one that merely lies in a source folder is left out. */
  #refuseOrWarn(source: DatasetRow, target: DatasetRow, isNamed: boolean): void {
    const { id } = target.platform;
    const sourceName = `${source.dataset.folder}:${source.platform.id}`;
    if (isNamed) {
      throw new InputError(
        `--source ${sourceName} holds the measurements of the target ${id}: nothing of a target may be learned from`,
        { hint: "leave it out of the sources, or out of the targets" },
      );
    }
    this.#warnings.push({
      code: "target-left-out",
      message: `${sourceName} is left out of the sources: it holds the measurements of the target ${id}`,
    });
  }

  #rowsOf(flag: string, text: string): { rows: DatasetRow[]; isNamed: boolean } {
    const colon = existsSync(text) ? -1 : text.lastIndexOf(":");
    const folder = colon < 0 ? text : text.slice(0, colon);
    if (!existsSync(folder)) {
      throw new NotFoundError(`--${flag}: folder does not exist: ${folder}`, {
        hint: "write DIR, or DIR:id,id for some of its platforms",
      });
    }
    const dataset = this.#dataset(folder);
    const all = dataset.platforms.map((platform) => ({ dataset, platform }));
    if (colon < 0) return { rows: all, isNamed: false };
    const ids = text.slice(colon + 1).split(",");
    const unknown = ids.filter((id) => !all.some(({ platform }) => platform.id === id));
    if (unknown.length > 0) {
      throw new InputError(
        `--${flag}: ${folder} has no platform ${unknown.map((id) => `"${id}"`).join(", ")}; it has ${all.map(({ platform }) => platform.id).join(", ")}`,
      );
    }
    const rows = ids.map((id) => all.find(({ platform }) => platform.id === id)!);
    return { rows, isNamed: true };
  }

  #assemble(
    name: string,
    sources: readonly DatasetRow[],
    targets: readonly DatasetRow[],
  ): Omit<PlannedTask, "missing"> {
    const role = sources.length === 0 ? "source" : targets.length === 0 ? "target" : undefined;
    if (role !== undefined) {
      throw new InputError(`task ${name}: the data have none of its ${role} platforms`);
    }
    const task = assembleTask(name, sources, targets, (space, datasets) => {
      const key = JSON.stringify([space, ...datasets.map(({ folder }) => folder)]);
      const table = this.#tables.get(key) ?? tableOfDatasets(space, datasets);
      this.#tables.set(key, table);
      return table;
    });
    const { settings, data } = this.#options;
    for (const source of task.sources) {
      this.#checks.run(() => checkSource(task, source, settings), undefined);
    }
    for (const target of task.targets) {
      this.#checks.run(() => checkTargetNetworks(task, target, settings), undefined);
    }
    const place = ({ dataset, platform }: DatasetRow) => ({
      folder: dataset.folder,
      id: platform.id,
    });
    return {
      task,
      spec: {
        name,
        sources: sources.map(place),
        targets: targets.map(place),
        dataFolder: data,
      },
    };
  }
}

function taskNamed(name: string): PublishedTask {
  const task = publishedTasks.find((known) => known.name === name.toUpperCase());
  if (task !== undefined) return task;
  throw new InputError(
    `--tasks: no task is named "${name}"; known: ${publishedTasks.map((known) => known.name).join(", ")}`,
    { hint: "tasks of your own: --source DIR[:id,…] --target DIR[:id,…]" },
  );
}

function checkSource(
  task: TransferTask,
  source: MeasuredPlatform,
  settings: PlanOptions["settings"],
): void {
  const n = sourceSamples(task, source, settings, 0).rows.length;
  if (n >= minSourceNetworks) return;
  throw new InputError(
    `task ${task.name}: a source needs at least ${minSourceNetworks} measured networks${settings.protocol === "help" ? " in the first window of protocol help" : ""}, ${source.id} has ${n}`,
    { hint: "leave it out of the sources" },
  );
}

/** Rows, each once. */
function distinct(rows: readonly DatasetRow[]): DatasetRow[] {
  return rows.filter((row, i) => rows.findIndex(({ platform }) => platform === row.platform) === i);
}

/** Common networks after which two rows whose latencies mostly differ are taken for different. */
const differsAfter = 200;

/** Whether two rows are one measurement: the same row, or nearly all common networks with equal latencies. */
function isSame(a: DatasetRow, b: DatasetRow): boolean {
  if (a.platform === b.platform) return true;
  if (a.dataset.space !== b.dataset.space || a.dataset === b.dataset) return false;
  const columnsOfB = columnsByText(b.dataset);
  let nCommon = 0;
  let nEqual = 0;
  for (const [column, text] of a.dataset.networks.texts.entries()) {
    const other = b.platform.latencyMs[columnsOfB.get(text) ?? -1] ?? Number.NaN;
    const latencyMs = a.platform.latencyMs[column]!;
    if (Number.isNaN(latencyMs) || Number.isNaN(other)) continue;
    nCommon += 1;
    if (latencyMs === other) nEqual += 1;
    if (nCommon >= differsAfter && nEqual < nCommon / 2) return false;
  }
  return nCommon >= minSourceNetworks && nEqual >= sameShare * nCommon;
}

const textColumns = new WeakMap<Dataset, ReadonlyMap<string, number>>();

/** Column of each network of a folder. */
function columnsByText(dataset: Dataset): ReadonlyMap<string, number> {
  const kept = textColumns.get(dataset);
  if (kept !== undefined) return kept;
  const columns = new Map(dataset.networks.texts.map((text, column) => [text, column]));
  textColumns.set(dataset, columns);
  return columns;
}
