// Charts of docs/benchmarks.md from the results of runs.
import {
  coverageChart,
  learningCurvesChart,
  taskScoresChart,
} from "../dist/evaluate/charts-benchmark.js";
import { publishedSpearman } from "../dist/evaluate/published-scores.js";
import * as plan from "./benchmark-docs-plan.mjs";

/** An axis that begins at a round number below the lowest value. */
function axisOf(name, values) {
  const low = Math.min(...values.filter((value) => typeof value === "number"));
  return { name, min: Math.max(0, Math.floor(10 * (low - 0.02)) / 10), max: 1 };
}

function learningCurves(findings, { id, title, field, name, ceiling }) {
  const { main, tasks } = findings;
  const curveOf = (task, select) =>
    findings.samplesOf(main, { select }).flatMap((samples) => {
      const found = findings.summary(main, { samples, select }, task);
      if (found === undefined) return [];
      return [{ samples, value: found[field], sd: found[`${field}Sd`] }];
    });
  const panels = tasks.map((task) => ({
    title: task,
    ceiling: findings.summary(main, { samples: 10 }, task)?.[ceiling] ?? null,
    curves: [curveOf(task, "random"), curveOf(task, "designed")],
  }));
  const { trials } = findings.runsOf(main)[0];
  return learningCurvesChart(panels, {
    id,
    title,
    caption: `${main}: ${name}, mean over the targets of each task and ${trials} trials, protocol all. Bars: standard deviation over trials, mean over targets. Dashed: what the noise of the measurements allows, where it is known. Axes differ.`,
    axisName: name,
    series: [
      { name: "random samples", role: "miss" },
      { name: "designed samples", role: "verified" },
    ],
  });
}

function spearmanChart(findings) {
  const { main, tasks } = findings;
  const ours = (samples) =>
    tasks.map((task) => findings.summary(main, { samples }, task)?.spearman ?? null);
  const theirs = (name) => tasks.map((task) => publishedSpearman(task, "all")[name] ?? null);
  const methods = [
    { name: `${main}, 10 samples`, role: "verified", symbol: "circle", values: ours(10) },
    { name: "20", role: "verified", symbol: "circle", isHollow: true, values: ours(20) },
    { name: "NASFLAT, 20", role: "miss", symbol: "triangle", values: theirs("NASFLAT") },
    { name: "MultiPredict, 20", role: "sample", symbol: "rect", values: theirs("MultiPredict") },
    { name: "HELP, 20", role: "absent", symbol: "diamond", values: theirs("HELP") },
  ];
  return taskScoresChart(tasks, methods, {
    id: "spearman",
    title: "Spearman of our predictor and of published ones on each task",
    caption: `Mean over the targets of each task. ${main}: measured here, random samples, protocol all. Others: as published, 20 target samples.`,
    axis: axisOf(
      "Spearman",
      methods.flatMap(({ values }) => values),
    ),
  });
}

/** All charts of the document. */
export function chartsOf(findings) {
  const { main, tasks } = findings;
  const targets = tasks.flatMap((task) => findings.targets(main, { samples: 10 }, task));
  return [
    spearmanChart(findings),
    learningCurves(findings, {
      id: "learning-spearman",
      title: "Spearman against the number of samples",
      field: "spearman",
      name: "Spearman",
      ceiling: "spearmanCeiling",
    }),
    learningCurves(findings, {
      id: "learning-within-ten-percent",
      title: "Share within ±10 % against the number of samples",
      field: "withinTenPercent",
      name: "within ±10 %",
      ceiling: "withinTenPercentCeiling",
    }),
    coverageChart(
      targets.map(({ task, target, coverage90 }) => ({
        label: `${task} ${plan.shortNames[target] ?? target}`,
        coverage: coverage90,
      })),
      {
        id: "coverage",
        title: "Share of networks inside their 90 % interval, by target",
        caption: `${main}, 10 random samples, ${targets.length} targets. Band: where the mean should be. Triangles: targets below ${100 * plan.coverageAim.least} %.`,
        ...plan.coverageAim,
      },
    ),
  ];
}
