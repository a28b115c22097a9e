/**
 * From log lines (one process each) to measurements: anchor, estimate, interval, grade. Pure, so that every
 * summary can be recomputed from the log.
 *
 * Estimator (docs/measuring.md): per process the median ratio to the interleaved reference, both corrected for
 * run-queue wait; over processes the median; times one anchor of the reference per platform in milliseconds.
 */
import {
  type Grade,
  type Measurement,
  ownClock,
  type ProcessSummary,
} from "../record/measurement.js";
import { median, medianAbsoluteDeviation, studentTQuantile } from "../tensor/stats.js";

/** Reference latency in milliseconds that ratios are multiplied by. */
export interface Anchor {
  readonly latencyMs: number;
  /** Processes that contributed undisturbed reference runs. */
  readonly nCleanProcesses: number;
  /** Relative spread (1.4826 MAD) of the processes' medians. */
  readonly relativeSpread: number;
  readonly clean: boolean;
}

/**
 * Between-process spread to expect where a platform has not shown its own: 3 % (measured 1.5–7 %, docs/measuring.md),
 * worth two processes. The platform's own, pooled over its subjects, is worth four.
 */
const defaultSpread: Spread = { sd: 0.03, degreesOfFreedom: 2 };
const pooledDegreesOfFreedom = 4;
const minPooledSubjects = 8;
const minCleanReferences = 3;
const intervalCoverage = 0.9;

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/**
 * The anchor of one platform and reference: median over processes of each process's median undisturbed reference
 * latency. Without enough undisturbed runs the corrected latencies serve and `clean` is false.
 */
export function anchorOf(lines: readonly ProcessSummary[]): Anchor {
  const processes = [...groupBy(lines, (line) => line.processId).values()];
  const cleanMedians = processes
    .map((group) => group.flatMap((line) => line.cleanReferenceMs))
    .filter((values) => values.length >= minCleanReferences)
    .map(median);
  const clean = cleanMedians.length > 0;
  const medians = clean
    ? cleanMedians
    : processes.map((group) => median(group.map((line) => line.referenceMs)));
  const latencyMs = median(medians);
  return {
    latencyMs,
    nCleanProcesses: cleanMedians.length,
    relativeSpread: (1.4826 * medianAbsoluteDeviation(medians)) / latencyMs,
    clean,
  };
}

/** Relative standard deviation between processes to start from, and how many processes that is worth. */
interface Spread {
  readonly sd: number;
  readonly degreesOfFreedom: number;
}

const logRatioOf = (line: ProcessSummary) => Math.log(median(line.ratios));

/** Between-process spread of a platform, pooled over the subjects that ran in several processes; if they are enough. */
function pooledSpread(subjects: Iterable<readonly ProcessSummary[]>): Spread | undefined {
  const variances: number[] = [];
  for (const lines of subjects) {
    const n = lines.length;
    if (n < 2) continue;
    const values = lines.map(logRatioOf);
    const centre = values.reduce((sum, value) => sum + value, 0) / n;
    variances.push(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (n - 1));
  }
  if (variances.length < minPooledSubjects) return undefined;
  // The mean without the largest tenth: a disturbed process must not widen every interval of its platform.
  variances.sort((a, b) => a - b);
  const kept = variances.slice(0, Math.ceil(0.9 * variances.length));
  const variance = kept.reduce((sum, value) => sum + value, 0) / kept.length;
  return { sd: Math.max(0.005, Math.sqrt(variance)), degreesOfFreedom: pooledDegreesOfFreedom };
}

interface Judgement {
  readonly grade: Grade;
  readonly reasons: string[];
}

const worse = (a: Grade, b: Grade): Grade => (a > b ? a : b);

function judge(
  lines: readonly ProcessSummary[],
  relativeHalfWidth: number,
  anchor: Anchor,
  waitShare: number,
): Judgement {
  let grade: Grade = "A";
  const reasons: string[] = [];
  const lower = (to: Grade, reason: string) => {
    grade = worse(grade, to);
    reasons.push(reason);
  };
  const width = `90 % interval is ±${(100 * relativeHalfWidth).toFixed(1)} %`;
  if (relativeHalfWidth > 0.15) lower("X", `${width}, above 15 %`);
  else if (relativeHalfWidth > 0.08) lower("C", `${width}, above 8 %`);
  else if (relativeHalfWidth > 0.04) lower("B", `${width}, above 4 %`);
  if (lines.some(({ referenceHash }) => referenceHash === ownClock)) {
    lower(
      "C",
      "timed by the tool's own clock, without a reference: a disturbed device would not show",
    );
  } else {
    if (!anchor.clean)
      lower("C", "no quiet window for the reference: milliseconds may be off as a whole");
    if (lines.some((line) => !line.steady)) lower("B", "warm-up did not settle in every process");
  }
  if (waitShare > 0.2) {
    lower("B", `waited for a processor in ${(100 * waitShare).toFixed(0)} % of the time`);
  }
  if (lines.length < 2) lower("B", "one process only: the between-process spread is assumed");
  return { grade, reasons };
}

/** Mean of each counter over the lines that have it. */
function meanCounters(lines: readonly ProcessSummary[]): Measurement["counters"] {
  const byName = groupBy(
    lines.flatMap((line) => line.counters),
    (reading) => `${reading.source}/${reading.name}`,
  );
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return [...byName.values()].map((readings) => ({
    name: readings[0]!.name,
    source: readings[0]!.source,
    perRun: mean(readings.map((reading) => reading.perRun)),
    runningShare: mean(readings.map((reading) => reading.runningShare)),
  }));
}

function summariseSubject(
  lines: readonly ProcessSummary[],
  anchor: Anchor,
  prior: Spread,
): Measurement {
  const logRatios = lines.map(logRatioOf);
  const centre = median(logRatios);
  const nProcesses = lines.length;
  const mean = logRatios.reduce((sum, value) => sum + value, 0) / nProcesses;
  const squares = logRatios.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const degreesOfFreedom = prior.degreesOfFreedom + nProcesses - 1;
  const betweenVariance = (prior.degreesOfFreedom * prior.sd ** 2 + squares) / degreesOfFreedom;
  // With one process the spread within it is all that is seen of a disturbed run.
  const within = lines.map(
    (line) => (1.4826 * medianAbsoluteDeviation(line.ratios)) / median(line.ratios),
  );
  const withinVariance =
    within.reduce((sum, sd, i) => sum + sd ** 2 / lines[i]!.ratios.length, 0) / nProcesses;
  const standardError = Math.sqrt((betweenVariance + withinVariance) / nProcesses);
  const halfWidth = studentTQuantile((1 + intervalCoverage) / 2, degreesOfFreedom) * standardError;
  const latencyMs = Math.exp(centre) * anchor.latencyMs;
  const first = lines[0]!;
  const waitShares = lines.flatMap((line) => line.waitShares);
  const waitShare = waitShares.length === 0 ? 0 : median(waitShares);
  return {
    platformId: first.platformId,
    kind: first.kind,
    subjectId: first.subjectId,
    modelHash: first.modelHash,
    latencyMs,
    lowerMs: latencyMs * Math.exp(-halfWidth),
    upperMs: latencyMs * Math.exp(halfWidth),
    medianWallMs: median(lines.flatMap((line) => line.wallMs)),
    nProcesses,
    nRuns: lines.reduce((sum, line) => sum + line.ratios.length * line.runsPerBlock, 0),
    ...judge(lines, Math.expm1(halfWidth), anchor, waitShare),
    contextId: first.contextId,
    counters: meanCounters(lines),
  };
}

/**
 * Recompute all measurements from log lines.
 *
 * @returns one measurement a (platform, subject, model file), in order of first appearance
 */
export function summarise(lines: readonly ProcessSummary[]): Measurement[] {
  const measurements: Measurement[] = [];
  for (const platformLines of groupBy(
    lines,
    (line) => `${line.platformId} ${line.referenceHash}`,
  ).values()) {
    const anchor = anchorOf(platformLines);
    const subjects = groupBy(platformLines, (line) => `${line.subjectId} ${line.modelHash}`);
    // Operators are short and spread more than networks: each kind has its own spread where it shows one.
    const spreadOfAll = pooledSpread(subjects.values());
    const spreads = new Map<ProcessSummary["kind"], Spread>();
    const kindOf = (lines: readonly ProcessSummary[]) => lines[0]!.kind;
    for (const kind of new Set([...subjects.values()].map(kindOf))) {
      const alike = [...subjects.values()].filter((lines) => kindOf(lines) === kind);
      spreads.set(kind, pooledSpread(alike) ?? spreadOfAll ?? defaultSpread);
    }
    for (const subjectLines of subjects.values()) {
      measurements.push(summariseSubject(subjectLines, anchor, spreads.get(kindOf(subjectLines))!));
    }
  }
  return measurements;
}
