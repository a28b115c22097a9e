/**
 * From scored trials to the benchmark's results: means over trials for each target, and over targets for each task.
 */
import { mean, median, standardDeviation } from "../tensor/stats.js";
import type { Protocol, Selection, TransferScores } from "./transfer.js";

/** One trial of a predictor on one target, scored. */
export interface ScoredUnit extends TransferScores {
  readonly task: string;
  readonly predictor: string;
  readonly target: string;
  readonly samples: number;
  readonly protocol: Protocol;
  readonly select: Selection;
  /** Whether the method chose its samples: false for `random`, and where it has no opinion. */
  readonly isDesigned: boolean;
  readonly trial: number;
  readonly trainS: number;
  readonly adaptMs: number;
  readonly predictPerS: number;
}

const meanFields = [
  "spearman",
  "kendall",
  "withinFivePercent",
  "withinTenPercent",
  "mape",
  "coverage90",
  "intervalWidth",
  "intervalScore",
  "mapeConnected",
  "withinTenPercentConnected",
  "nUnconnected",
  "nTest",
  "targetLatenciesRead",
  "trainS",
] as const;

/** Medians: the first run of a method in a process also compiles it. */
const medianFields = ["adaptMs", "predictPerS"] as const;

type Averaged = Record<(typeof meanFields)[number] | (typeof medianFields)[number], number>;

interface Spread {
  /** Standard deviations over trials (n − 1); 0 for one trial. */
  readonly spearmanSd: number;
  readonly withinTenPercentSd: number;
}

interface Header {
  readonly task: string;
  readonly predictor: string;
  readonly samples: number;
  readonly trials: number;
  readonly protocol: Protocol;
  readonly select: Selection;
}

/** Scores of a predictor on one target: means over trials. */
export interface TargetResult extends Header, Averaged, Spread {
  readonly target: string;
}

/** Scores of a predictor on a task: means over its targets of the fields of `TargetResult`. */
export interface TaskSummary extends Header, Averaged, Spread {
  readonly nTargets: number;
  /** Standard deviation over trials of the mean over targets. */
  readonly meanSpearmanSd: number;
  /** Lowest coverage of a target. */
  readonly coverage90Lowest: number;
}

/** Items by a key, in the order of first appearance. */
function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

function averagesOf(items: readonly Averaged[], middle: typeof median): Averaged {
  const over = (fields: readonly (keyof Averaged)[], reduce: (values: number[]) => number) =>
    fields.map((field) => [field, reduce(items.map((item) => item[field]))]);
  return Object.fromEntries([...over(meanFields, mean), ...over(medianFields, middle)]) as Averaged;
}

const keyOf = ({ task, predictor, samples, protocol, select }: ScoredUnit, ...more: string[]) =>
  JSON.stringify([task, predictor, samples, protocol, select, ...more]);

/** Results for each target of a task, predictor and settings, in the order in which these first appear. */
export function summariseTargets(units: readonly ScoredUnit[]): TargetResult[] {
  return groupBy(units, (unit) => keyOf(unit, unit.target)).map((trials) => {
    const { task, predictor, target, samples, protocol, select } = trials[0]!;
    const sdOf = (field: "spearman" | "withinTenPercent") =>
      standardDeviation(trials.map((unit) => unit[field]));
    return {
      task,
      predictor,
      target,
      samples,
      trials: trials.length,
      protocol,
      select,
      ...averagesOf(trials, median),
      spearmanSd: sdOf("spearman"),
      withinTenPercentSd: sdOf("withinTenPercent"),
    };
  });
}

/** Summaries for each task, predictor and settings. */
export function summariseTasks(units: readonly ScoredUnit[]): TaskSummary[] {
  return groupBy(units, (unit) => keyOf(unit)).map((ofTask) => {
    const targets = summariseTargets(ofTask);
    const { task, predictor, samples, protocol, select } = targets[0]!;
    const byTrial = groupBy(ofTask, ({ trial }) => String(trial));
    const complete = byTrial.filter((trial) => trial.length === targets.length);
    const means = complete.map((trial) => mean(trial.map(({ spearman }) => spearman)));
    return {
      task,
      predictor,
      nTargets: targets.length,
      samples,
      trials: Math.min(...targets.map(({ trials }) => trials)),
      protocol,
      select,
      ...averagesOf(targets, mean),
      spearmanSd: mean(targets.map(({ spearmanSd }) => spearmanSd)),
      withinTenPercentSd: mean(targets.map(({ withinTenPercentSd }) => withinTenPercentSd)),
      meanSpearmanSd: means.length === 0 ? Number.NaN : standardDeviation(means),
      coverage90Lowest: Math.min(...targets.map(({ coverage90 }) => coverage90)),
    };
  });
}
