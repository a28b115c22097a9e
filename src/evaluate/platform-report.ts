/**
 * The report of a pool and a predictor: one HTML file that needs nothing else, and its charts by themselves. What goes
 * into it is computed elsewhere; here it is drawn.
 */
import type { Descriptor } from "../record/descriptor.js";
import type { Context } from "../record/measurement.js";
import type { ComparedNetwork } from "../record/onboarding.js";
import { formatMs } from "../units.js";
import type { Chart } from "./charts.js";
import { type CardPlatform, cardChart } from "./charts-card.js";
import { comparisonChart, isMissed, relativeErrorOf } from "./charts-comparison.js";
import {
  type CoveragePoint,
  coverageChart,
  type LearningPoint,
  learningChart,
} from "./charts-curves.js";
import { descriptorChart } from "./charts-descriptor.js";
import { distributionChart } from "./charts-distribution.js";
import { paretoChart } from "./charts-pareto.js";
import type { Scores } from "./metrics.js";
import { type Content, definitions, type Html, html, table } from "./report-html.js";
import {
  contextEntries,
  descriptorSection,
  figure,
  interval,
  networkCell,
  none,
  type RankedNetwork,
  rank,
  rankedTable,
  reportPage,
  share,
  signedShare,
  timeText,
} from "./report-parts.js";

/** A measured platform in short. */
export interface ReportedPlatform {
  readonly id: string;
  /** `shipped` with the package, or `own`. */
  readonly origin: string;
  readonly runtime: string;
  readonly threads: number;
  /** Networks with a usable measurement, and those of them kept apart as test set. */
  readonly nMeasured: number;
  readonly nTest: number;
  readonly fastestMs: number | null;
  readonly medianMs: number | null;
  readonly slowestMs: number | null;
  /** Median relative standard error of a measurement. */
  readonly repeatNoise: number | null;
  readonly hasDescriptor: boolean;
  /** Of the predictor adapted to it, on networks that it has not seen; null where it was not checked. */
  readonly withinTenPercent: number | null;
}

/** Something that is shown, or why it is not. */
export type Shown<T> = { readonly value: T } | { readonly reason: string };

/** The predictor on networks whose latency was measured. */
export interface CheckedPredictor {
  readonly scores: Scores;
  readonly compared: readonly ComparedNetwork[];
  readonly coverage: readonly CoveragePoint[];
  /** Which networks, which split. */
  readonly how: string;
}

/** The best network within one budget. */
export interface BudgetAnswer {
  readonly budgetMs: number;
  readonly nFeasible: number;
  readonly winner:
    | (RankedNetwork & { readonly merit: number; readonly withinBudget: number })
    | null;
}

/** All that the report shows. */
export interface PlatformReport {
  readonly tool: { readonly name: string; readonly version: string };
  readonly createdAt: string;
  readonly platforms: readonly ReportedPlatform[];
  readonly platformId: string;
  readonly predictor: {
    readonly method: string;
    readonly origin: string;
    readonly nSamples: number;
    readonly trainedFamilies: readonly string[];
    readonly heldOutFamilies: readonly string[];
    readonly poolHash: string;
    readonly seed: number;
  };
  readonly checked: Shown<CheckedPredictor>;
  readonly card: Shown<{ readonly platforms: readonly CardPlatform[]; readonly how: string }>;
  readonly learning: Shown<{ readonly points: readonly LearningPoint[]; readonly how: string }>;
  /** Of all networks of the space. */
  readonly latencyMs: Float64Array;
  /** Networks by latency and by what makes them worth having; entries belong together. */
  readonly merit: {
    readonly latencyMs: Float64Array;
    readonly values: Float64Array;
    /** Of the axis, with its unit. */
    readonly name: string;
    readonly from: string;
    readonly front: readonly number[];
  };
  readonly confidence: number;
  readonly budgets: readonly BudgetAnswer[];
  readonly fastest: readonly RankedNetwork[];
  readonly descriptor: Descriptor | undefined;
  readonly contexts: readonly Context[];
  readonly settings: Readonly<Record<string, string | number>>;
  /** Writes this report again. */
  readonly command: string;
}

const whatOf = ({ platformId }: PlatformReport) => `NAS-Bench-201 networks on ${platformId}`;

/** The charts of a report by the part they belong to; those of parts that are not shown are absent. */
function chartsOf(report: PlatformReport) {
  const { checked, card, learning, latencyMs, merit, descriptor, platformId } = report;
  const what = whatOf(report);
  return {
    comparison:
      "value" in checked
        ? comparisonChart(checked.value.compared, {
            what: `${what}, ${checked.value.how}`,
            checked: "test",
          })
        : undefined,
    coverage:
      "value" in checked
        ? coverageChart(checked.value.coverage, {
            n: checked.value.compared.length,
            what: `${what}, ${checked.value.how}`,
          })
        : undefined,
    learning:
      "value" in learning
        ? learningChart(learning.value.points, { what: `${what}, ${learning.value.how}` })
        : undefined,
    card:
      "value" in card
        ? cardChart(card.value.platforms, { how: card.value.how, marked: platformId })
        : undefined,
    pareto: paretoChart(merit.latencyMs, merit.values, {
      what,
      meritName: merit.name,
      meritFrom: merit.from,
      front: merit.front,
    }),
    distribution: distributionChart(
      Array.from(latencyMs).sort((a, b) => a - b),
      { what },
    ),
    descriptor: descriptor === undefined ? undefined : descriptorChart(descriptor),
  } satisfies Record<string, Chart | undefined>;
}

/** The charts of a report, for files of their own. */
export function reportCharts(report: PlatformReport): Chart[] {
  return Object.values(chartsOf(report)).flatMap((chart) => chart ?? []);
}

type Charts = ReturnType<typeof chartsOf>;

const shownFigure = (chart: Chart | undefined, part: Shown<unknown>): Html =>
  chart === undefined
    ? html`<p>Not shown: ${"reason" in part ? part.reason : ""}.</p>`
    : figure(chart);

function predictorSection(report: PlatformReport): Html {
  const { predictor, checked, platformId } = report;
  const { heldOutFamilies: heldOut } = predictor;
  const verdict =
    "value" in checked
      ? html`<p class="verdict"><strong>${Math.round(checked.value.scores.withinTenPercent * checked.value.scores.n)} of ${checked.value.scores.n}</strong> predicted latencies are within ±10 % of the measured ones.</p>
<p class="muted">${checked.value.how[0]!.toUpperCase()}${checked.value.how.slice(1)}.</p>
<div class="figures">${definitions([
          ["Within ±10 %", share(checked.value.scores.withinTenPercent, 0)],
          ["Within ±5 %", share(checked.value.scores.withinFivePercent, 0)],
          ["Mean absolute error (MAPE)", share(checked.value.scores.mape)],
          ["Rank correlation (Spearman)", rank(checked.value.scores.spearman)],
          [
            "90 % intervals cover",
            html`${share(checked.value.scores.coverage, 0)} <small>median width ${share(checked.value.scores.intervalWidth, 0)} of the prediction</small>`,
          ],
        ])}</div>`
      : html`<p>Not checked: ${checked.reason}.</p>`;
  return html`<section aria-label="Predictor">
${verdict}
<p class="notice">${predictor.method}, ${predictor.origin}, adapted to ${platformId} with ${predictor.nSamples} measured networks. It has learned from ${predictor.trainedFamilies.join(", ")}${
    heldOut.length === 0 ? "; nothing was held out" : `; held out: ${heldOut.join(", ")}`
  }.</p>
</section>
`;
}

function checkedSection({ checked }: PlatformReport, charts: Charts): Html {
  const missedClass = (network: ComparedNetwork) => (isMissed(network) ? "missed" : undefined);
  const numbers =
    "value" in checked
      ? html`<details>
<summary>The networks in numbers</summary>
${table(
  checked.value.how,
  [
    { title: "Network", value: networkCell },
    { title: "Predicted", value: ({ predictedMs }) => formatMs(predictedMs), isNumber: true },
    {
      title: "Measured",
      value: ({ measuredMs }) => formatMs(measuredMs ?? Number.NaN),
      isNumber: true,
    },
    {
      title: "Error",
      value: (network) => signedShare(relativeErrorOf(network) ?? Number.NaN),
      isNumber: true,
    },
    {
      title: "90 % interval",
      value: ({ lowerMs, upperMs }) => interval(lowerMs, upperMs),
      isNumber: true,
    },
    { title: "Grade", value: ({ grade }) => grade },
  ],
  [...checked.value.compared].sort((a, b) => a.predictedMs - b.predictedMs),
  missedClass,
)}</details>
`
      : undefined;
  return html`<section>
<h2>Predicted against measured</h2>
${shownFigure(charts.comparison, checked)}
${numbers}
<h3>Intervals</h3>
${shownFigure(charts.coverage, checked)}
</section>
`;
}

function transferSection({ card, learning }: PlatformReport, charts: Charts): Html {
  const points =
    "value" in learning
      ? table(
          "Means over trials",
          [
            { title: "Samples", value: ({ samples }) => samples },
            {
              title: "Within ±10 %",
              value: (point) =>
                `${share(point.withinTenPercent)} ± ${share(point.withinTenPercentSd)}`,
              isNumber: true,
            },
            { title: "MAPE", value: ({ mape }) => share(mape), isNumber: true },
            { title: "Spearman", value: ({ spearman }) => rank(spearman), isNumber: true },
            { title: "90 % covers", value: ({ coverage90 }) => share(coverage90), isNumber: true },
          ],
          learning.value.points,
        )
      : undefined;
  return html`<section>
<h2>What a new platform may expect</h2>
${shownFigure(charts.learning, learning)}
${points}
${shownFigure(charts.card, card)}
</section>
`;
}

function spaceSection(report: PlatformReport, charts: Charts): Html {
  const { budgets, fastest, confidence, merit, platformId, latencyMs } = report;
  const winner =
    (value: (network: NonNullable<BudgetAnswer["winner"]>) => Content) =>
    ({ winner: network }: BudgetAnswer) =>
      network === null ? none : value(network);
  return html`<section>
<h2>All ${latencyMs.length.toLocaleString("en")} networks</h2>
${figure(charts.pareto)}
<h3>Best within a budget</h3>
${table(
  `Greatest ${merit.name} (${merit.from}) among networks whose one-sided ${share(confidence, 0)} bound is within the budget, on ${platformId}`,
  [
    { title: "Budget", value: ({ budgetMs }) => formatMs(budgetMs).replace(" ", "\u00a0") },
    {
      title: "Networks within",
      value: ({ nFeasible }) => nFeasible.toLocaleString("en"),
      isNumber: true,
    },
    { title: "Best", value: winner(networkCell) },
    {
      title: merit.name,
      value: winner(({ merit: value }) => value.toPrecision(4)),
      isNumber: true,
    },
    { title: "Predicted", value: winner(({ latencyMs: ms }) => formatMs(ms)), isNumber: true },
    {
      title: "Probability within",
      value: winner(({ withinBudget }) => share(withinBudget)),
      isNumber: true,
    },
  ],
  budgets,
)}
${figure(charts.distribution)}
<h3>Fastest</h3>
${rankedTable(`Least predicted latency among networks with a path from input to output, on ${platformId}`, fastest)}
</section>
`;
}

function platformsSection({ platforms, platformId }: PlatformReport): Html {
  const ms = (value: number | null) => (value === null ? none : formatMs(value));
  const shareOf = (value: number | null, digits = 1) =>
    value === null ? none : share(value, digits);
  return html`<section>
<h2>Platforms</h2>
${table(
  `${platforms.length} measured platforms; ±10 %: share of test networks that the predictor adapted to the platform predicts within ±10 %`,
  [
    { title: "Platform", value: ({ id }) => id },
    { title: "From", value: ({ origin }) => origin },
    { title: "Runtime", value: ({ runtime }) => runtime },
    { title: "Threads", value: ({ threads }) => threads, isNumber: true },
    { title: "Measured", value: ({ nMeasured }) => nMeasured, isNumber: true },
    { title: "Test", value: ({ nTest }) => nTest, isNumber: true },
    { title: "Fastest", value: ({ fastestMs }) => ms(fastestMs), isNumber: true },
    { title: "Median", value: ({ medianMs }) => ms(medianMs), isNumber: true },
    { title: "Slowest", value: ({ slowestMs }) => ms(slowestMs), isNumber: true },
    { title: "Repeat noise", value: ({ repeatNoise }) => shareOf(repeatNoise), isNumber: true },
    { title: "Descriptor", value: ({ hasDescriptor }) => (hasDescriptor ? "yes" : "no") },
    {
      title: "±10 %",
      value: ({ withinTenPercent }) => shareOf(withinTenPercent, 0),
      isNumber: true,
    },
  ],
  platforms,
  ({ id }) => (id === platformId ? "own" : undefined),
)}</section>
`;
}

function circumstancesSection({ contexts, settings, command, predictor }: PlatformReport): Html {
  return html`<section>
<h2>Circumstances</h2>
${
  contexts.length === 0
    ? html`<p>No context is kept of the platform's measurements.</p>`
    : html`<h3>Context of the measurements</h3>
${contexts.length > 1 ? html`<p>First of ${contexts.length} contexts.</p>` : undefined}
${definitions(contextEntries(contexts[0]!))}`
}
<h3>Settings</h3>
${definitions([
  ...Object.entries(settings).map(([name, value]) => [name, String(value)] as const),
  ["Seed of the predictor", predictor.seed],
  ["Pool that it learned from", predictor.poolHash],
])}
<h3>Reproduce</h3>
<pre>${command}</pre>
</section>
`;
}

/** The report as one self-contained HTML file. */
export function renderPlatformReport(report: PlatformReport): string {
  const { platformId, tool, createdAt, descriptor } = report;
  const charts = chartsOf(report);
  return reportPage({
    title: `${platformId}: predicted latency of neural networks`,
    heading: html`Predicted latency of neural networks on <span>${platformId}</span>`,
    about: `${tool.name} ${tool.version}, ${timeText(createdAt)}. NAS-Bench-201, batch 1, fp32.`,
    sections: [
      predictorSection(report),
      checkedSection(report, charts),
      transferSection(report, charts),
      spaceSection(report, charts),
      descriptorSection(descriptor, "The platform was not profiled."),
      platformsSection(report),
      circumstancesSection(report),
    ],
  });
}
