/**
 * What `samara benchmark` prints: results of each target, summaries of each task, figures of others beside them.
 */

import { readNoiseCeilings } from "../evaluate/noise-ceiling.js";
import { helpTargets, publishedSpearman } from "../evaluate/published-scores.js";
import { spaceTraits } from "../evaluate/spaces.js";
import type { Protocol, Selection } from "../evaluate/transfer.js";
import {
  type ScoredUnit,
  summariseTargets,
  summariseTasks,
  type TargetResult,
  type TaskSummary,
} from "../evaluate/transfer-summary.js";
import { mean } from "../tensor/stats.js";
import { formatMs, formatShare } from "../units.js";
import type { Plan } from "./benchmark-plan.js";
import type { RunResult } from "./benchmark-run.js";
import type { CommandContext } from "./command.js";
import type { Column, Output, Warning } from "./output.js";

export interface EmitOptions {
  readonly out: Output;
  readonly plan: Plan;
  readonly result: RunResult;
  readonly protocol: Protocol;
  readonly samples: readonly number[];
  readonly selections: readonly Selection[];
  readonly trials: number;
  readonly oneSourceDraw: boolean;
  readonly dataFolder: string;
  readonly context: Readonly<Record<string, unknown>>;
  readonly warnings: readonly Warning[];
  readonly warn: CommandContext<unknown>["warn"];
  readonly footer: string;
}

/** Best scores that the noise of the measurements allows; null where it is not known. */
interface WithCeiling {
  readonly spearmanCeiling: number | null;
  readonly withinTenPercentCeiling: number | null;
  /** What `intervalWidth` would be if nothing but that noise were unknown. */
  readonly intervalWidthFloor: number | null;
}

/** Spearman that others report for the same; empty where nobody does. */
interface WithPublished {
  readonly published: Readonly<Record<string, number>>;
}

type Shown<T> = T & WithCeiling & WithPublished;

const share = (value: number) => (Number.isNaN(value) ? "–" : formatShare(value));
const correlation = (value: number) => (Number.isNaN(value) ? "–" : value.toFixed(3));

type Common = TargetResult | TaskSummary;

function columnsOf<T extends Shown<Common>>(first: readonly Column<T>[]): Column<T>[] {
  const right = (title: string, value: (r: T) => string): Column<T> => ({
    title,
    value,
    align: "right",
  });
  return [
    ...first,
    right("Spearman", (r) => `${correlation(r.spearman)} ± ${r.spearmanSd.toFixed(3)}`),
    right("ceiling", (r) => correlation(r.spearmanCeiling ?? Number.NaN)),
    right("±10 %", (r) => share(r.withinTenPercent)),
    right("ceiling", (r) => share(r.withinTenPercentCeiling ?? Number.NaN)),
    right("±5 %", (r) => share(r.withinFivePercent)),
    right("MAPE", (r) => share(r.mape)),
    right("connected", (r) => share(r.mapeConnected)),
    right("coverage", (r) => share(r.coverage90)),
    right("width", (r) => share(r.intervalWidth)),
    right("read", (r) => String(Math.round(10 * r.targetLatenciesRead) / 10)),
    right("adapt", (r) => formatMs(r.adaptMs)),
    {
      title: "published",
      value: (r) =>
        Object.entries(r.published)
          .map(([name, value]) => `${name} ${value.toFixed(3)}`)
          .join(", "),
    },
  ];
}

/** Warn of methods that were to choose their samples and have no opinion. */
function warnOfRandom(units: readonly ScoredUnit[], warn: EmitOptions["warn"]): void {
  const random = units.filter(({ select, isDesigned }) => select === "designed" && !isDesigned);
  for (const name of new Set(random.map(({ predictor }) => predictor))) {
    warn("not-designed", `${name} does not choose samples: they were drawn at random`);
  }
}

/** Columns of settings that differ between results. */
const settingColumns = <T extends Common>({ samples, selections }: EmitOptions): Column<T>[] => [
  ...(samples.length > 1
    ? [{ title: "samples", value: (r: T) => String(r.samples), align: "right" as const }]
    : []),
  ...(selections.length > 1 ? [{ title: "select", value: (r: T) => r.select }] : []),
];

/** The columns in which some result has something to show. */
const filled = <T>(columns: readonly Column<T>[], results: readonly T[]) =>
  columns.filter(({ value }) => results.some((result) => !["", "–"].includes(value(result))));

/** Warn of scores that do not exist: JSON has null for them. */
function warnOfUndefined(results: readonly TargetResult[], warn: EmitOptions["warn"]): void {
  for (const result of results) {
    const fields = Object.entries(result)
      .filter(([, value]) => Number.isNaN(value))
      .map(([field]) => field);
    if (fields.length === 0) continue;
    warn(
      "undefined-score",
      `${result.predictor} on ${result.task}, ${result.target}: ${fields.join(", ")} undefined`,
      "equal predictions have no rank correlation; without connected test networks their scores are absent",
    );
  }
}

/** The one value, or all. */
const single = <T>(values: readonly T[]) => (values.length === 1 ? values[0] : values);

/** Print everything in the format asked for. */
export function emitBenchmark(options: EmitOptions): void {
  const { out, plan, result, protocol, samples, selections, dataFolder } = options;
  const ceilings = readNoiseCeilings(dataFolder, protocol);
  const targets = summariseTargets(result.units);
  const summaries = summariseTasks(result.units);
  warnOfUndefined(targets, options.warn);
  warnOfRandom(result.units, options.warn);
  const results = targets.map((target): Shown<TargetResult> => {
    const task = plan.tasks.find(({ spec }) => spec.name === target.task)!;
    const place = task.task.targets.findIndex(({ id }) => id === target.target);
    const ceiling = ceilings(task.task.targets[place]!.dataset, task.spec.targets[place]!.id);
    const help = protocol === "help" ? helpTargets[target.task]?.[target.target] : undefined;
    return {
      ...target,
      spearmanCeiling: ceiling?.spearman ?? null,
      withinTenPercentCeiling: ceiling?.withinTenPercent ?? null,
      intervalWidthFloor: ceiling?.intervalWidth ?? null,
      published: help === undefined ? {} : { HELP: help },
    };
  });
  const meanOrNull = (values: readonly (number | null)[]) =>
    values.includes(null) ? null : mean(values as number[]);
  const summary = summaries.map((entry): Shown<TaskSummary> => {
    const own = results.filter(
      ({ task, predictor, samples: n, select }) =>
        task === entry.task &&
        predictor === entry.predictor &&
        n === entry.samples &&
        select === entry.select,
    );
    return {
      ...entry,
      spearmanCeiling: meanOrNull(own.map(({ spearmanCeiling }) => spearmanCeiling)),
      withinTenPercentCeiling: meanOrNull(
        own.map(({ withinTenPercentCeiling }) => withinTenPercentCeiling),
      ),
      intervalWidthFloor: meanOrNull(own.map(({ intervalWidthFloor }) => intervalWidthFloor)),
      published: publishedSpearman(entry.task, protocol),
    };
  });
  out.emit<Shown<TargetResult>>(
    {
      name: "benchmark",
      context: {
        ...options.context,
        protocol,
        samples: single(samples),
        select: single(selections),
        trials: options.trials,
        sourceDraws: options.oneSourceDraw ? "one for all trials" : "one a trial",
        nSourceNetworks: Object.fromEntries(
          plan.tasks.map(({ task }) => [
            task.space,
            protocol === "help"
              ? spaceTraits[task.space].help.learn
              : spaceTraits[task.space].nSourceNetworks,
          ]),
        ),
        tasks: plan.tasks.map(({ task, missing }) => ({
          task: task.name,
          space: task.space,
          sources: task.sources.map(({ id }) => id),
          targets: task.targets.map(({ id }) => id),
          missing,
        })),
        code: result.code,
        node: process.version,
      },
      results,
      summary,
      warnings: options.warnings,
    },
    filled(
      columnsOf<Shown<TargetResult>>([
        { title: "task", value: (r) => r.task },
        { title: "predictor", value: (r) => r.predictor },
        { title: "target", value: (r) => r.target },
        ...settingColumns(options),
      ]),
      results,
    ),
  );
  out.table(
    summary,
    filled(
      columnsOf<Shown<TaskSummary>>([
        { title: "task", value: (r) => r.task },
        { title: "predictor", value: (r) => r.predictor },
        { title: "mean of", value: (r) => `${r.nTargets} targets`, align: "right" },
        ...settingColumns(options),
      ]),
      summary,
    ),
  );
  out.line(options.footer);
}
