/**
 * A transfer task made of measured platforms: sources to learn from, targets to predict, one table of networks.
 */
import { InputError } from "../errors.js";
import type { FeatureTable } from "../graph/features.js";
import type { Dataset, PublishedPlatform } from "./dataset.js";
import { type NetworkTable, networkTableOf, type PublishedSpace } from "./spaces.js";

/** A platform's measured networks in published order. */
export interface MeasuredPlatform {
  /** Unique within the task. */
  readonly id: string;
  /** Name of the folder that it comes from. */
  readonly dataset: string;
  /** The device where the folder says it, else the id: sibling configurations form one family. */
  readonly family: string;
  /** Rows of the task's feature table, ascending by `publishedIndex`. */
  readonly rows: Int32Array;
  readonly latencyMs: Float64Array;
  readonly publishedIndex: Int32Array;
}

/** What to learn from, what to predict. */
export interface TransferTask {
  readonly name: string;
  readonly space: PublishedSpace;
  readonly networks: FeatureTable;
  readonly sources: readonly MeasuredPlatform[];
  readonly targets: readonly MeasuredPlatform[];
}

/** A row of a folder that has been read. */
export interface DatasetRow {
  readonly dataset: Dataset;
  readonly platform: PublishedPlatform;
}

/** Fewest measured networks of a source: what a predictor's pool must have. */
export const minSourceNetworks = 20;

/** A folder's columns in published order, with their rows in a table. */
interface OrderedColumns {
  readonly columns: Int32Array;
  readonly rows: Int32Array;
  readonly publishedIndex: Int32Array;
}

function orderColumns({ networks }: Dataset, table: NetworkTable): OrderedColumns {
  const { texts, publishedIndex } = networks;
  const columns = Int32Array.from(texts.keys()).sort(
    (a, b) => publishedIndex[a]! - publishedIndex[b]!,
  );
  const rows = table.rowsOf(texts);
  return {
    columns,
    rows: columns.map((column) => rows[column]!),
    publishedIndex: columns.map((column) => publishedIndex[column]!),
  };
}

function measuredPlatform(
  { dataset, platform }: DatasetRow,
  id: string,
  ordered: OrderedColumns,
): MeasuredPlatform {
  const { columns } = ordered;
  const rows = new Int32Array(columns.length);
  const latencyMs = new Float64Array(columns.length);
  const publishedIndex = new Int32Array(columns.length);
  let n = 0;
  for (let place = 0; place < columns.length; place++) {
    const latency = platform.latencyMs[columns[place]!]!;
    if (Number.isNaN(latency)) continue;
    rows[n] = ordered.rows[place]!;
    latencyMs[n] = latency;
    publishedIndex[n] = ordered.publishedIndex[place]!;
    n += 1;
  }
  return {
    id,
    dataset: dataset.name,
    family: platform.device ?? platform.id,
    rows: rows.slice(0, n),
    latencyMs: latencyMs.slice(0, n),
    publishedIndex: publishedIndex.slice(0, n),
  };
}

/** Ids that name each row once: its own, else with the folder's name, else with the folder's path. */
function uniqueIds(rows: readonly DatasetRow[]): (row: DatasetRow) => string {
  const forms = [
    ({ platform }: DatasetRow) => platform.id,
    ({ dataset, platform }: DatasetRow) => `${dataset.name}/${platform.id}`,
    ({ dataset, platform }: DatasetRow) => `${dataset.folder}/${platform.id}`,
  ];
  return (row) => {
    const form = forms.find((candidate) => {
      const id = candidate(row);
      return rows.filter((other) => candidate(other) === id).length === 1;
    });
    return (form ?? forms.at(-1)!)(row);
  };
}

/**
 * Put a task together.
 *
 * @param tableOf - feature table for the networks of some folders; for keeping tables from task to task
 * @throws InputError when folders are of different spaces
 */
export function assembleTask(
  name: string,
  sources: readonly DatasetRow[],
  targets: readonly DatasetRow[],
  tableOf: (space: PublishedSpace, datasets: readonly Dataset[]) => NetworkTable = tableOfDatasets,
): TransferTask {
  const all = [...sources, ...targets];
  const datasets = [...new Set(all.map(({ dataset }) => dataset))];
  const spaces = [...new Set(datasets.map(({ space }) => space))];
  if (spaces.length !== 1) {
    throw new InputError(
      `task ${name}: sources and targets must be of one search space, got ${datasets.map(({ folder, space }) => `${space} (${folder})`).join(", ")}`,
    );
  }
  const table = tableOf(spaces[0]!, datasets);
  const idOf = uniqueIds(all);
  const ordered = new Map(datasets.map((dataset) => [dataset, orderColumns(dataset, table)]));
  const platforms = all.map((row) => measuredPlatform(row, idOf(row), ordered.get(row.dataset)!));
  return {
    name,
    space: spaces[0]!,
    networks: table.networks,
    sources: platforms.slice(0, sources.length),
    targets: platforms.slice(sources.length),
  };
}

/** The feature table for all networks of some folders. */
export function tableOfDatasets(space: PublishedSpace, datasets: readonly Dataset[]): NetworkTable {
  return networkTableOf(
    space,
    datasets.flatMap(({ networks }) => networks.texts),
  );
}
