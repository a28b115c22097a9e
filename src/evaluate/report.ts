/**
 * The report of an onboarding: one HTML file that needs nothing else, no request and no script.
 */
import type { ComparedNetwork, OnboardingReport, OnboardingResult } from "../record/onboarding.js";
import { formatDuration, formatMs } from "../units.js";
import { comparisonChart, gradesChart, isMissed, relativeErrorOf } from "./charts-comparison.js";
import { distributionChart } from "./charts-distribution.js";
import { type Content, definitions, type Html, html, table } from "./report-html.js";
import {
  contextEntries,
  descriptorSection,
  figure,
  interval,
  networkCell,
  none,
  rank,
  rankedTable,
  reportPage,
  share,
  signedShare,
  timeText,
} from "./report-parts.js";

function verdictSection(result: OnboardingResult): Html {
  const { nVerified: n, baselines } = result;
  const hits = (withinShare: number) => Math.round(withinShare * n);
  const [low, high] = result.withinTenPercentInterval;
  const seen = result.familySeenInTraining
    ? html`<p class="notice doubt">The predictor <strong>has learned from platforms of this runtime family</strong>: this is no test on an unseen one.</p>`
    : html`<p class="notice">The predictor has learned from no platform of this runtime family${
        result.heldOutFamilies.length === 0
          ? undefined
          : ` (held out: ${result.heldOutFamilies.join(", ")})`
      }.</p>`;
  return html`<section aria-label="Verdict">
<p class="verdict"><strong>${hits(result.withinTenPercent)} of ${n}</strong> predicted latencies are within ±10 % of the measured ones.</p>
<p class="muted">The ${n} networks were drawn before anything was measured, and the predictor had not seen them. One that could not be measured well enough counts as missed.</p>
<div class="figures">${definitions([
    [
      "Within ±10 %",
      html`${share(result.withinTenPercent, 0)} <small>95 % binomial interval ${share(low, 0)} to ${share(high, 0)}</small>`,
    ],
    ["Within ±5 %", share(result.withinFivePercent, 0)],
    ["Mean absolute error (MAPE)", share(result.mape)],
    ["Rank correlation (Spearman)", rank(result.spearman)],
    [
      "90 % intervals cover",
      html`${share(result.coverage90, 0)} <small>median width ${share(result.intervalWidth, 0)} of the prediction</small>`,
    ],
    ["Repeat noise of a measurement", share(result.repeatNoise)],
  ])}</div>
${seen}
${table(
  `With the same ${result.samples} samples, on the same ${n} networks`,
  [
    { title: "Predictor", value: ({ name }) => name },
    {
      title: "Within ±10 %",
      value: ({ scores }) => share(scores.withinTenPercent, 0),
      isNumber: true,
    },
    { title: "MAPE", value: ({ scores }) => share(scores.mape), isNumber: true },
    { title: "Spearman", value: ({ scores }) => rank(scores.spearman), isNumber: true },
  ],
  [
    { name: `${result.predictor} (this predictor)`, scores: result, isOwn: true },
    {
      name: "operator-sum without descriptor (baseline)",
      scores: baselines.operatorSum,
      isOwn: false,
    },
    { name: "flops-line (baseline)", scores: baselines.flopsLine, isOwn: false },
  ],
  ({ isOwn }) => (isOwn ? "own" : undefined),
)}</section>
`;
}

function outcome(network: ComparedNetwork): Content {
  const word =
    network.measuredMs === null
      ? "not measured"
      : network.grade === "X"
        ? "not usable"
        : isMissed(network)
          ? "missed"
          : "within";
  return html`<span class="outcome">${word}</span>`;
}

function comparedTable(caption: string, networks: readonly ComparedNetwork[]): Html {
  return table(
    caption,
    [
      { title: "Network", value: networkCell },
      { title: "Predicted", value: ({ predictedMs }) => formatMs(predictedMs), isNumber: true },
      {
        title: "Measured",
        value: ({ measuredMs }) => (measuredMs === null ? none : formatMs(measuredMs)),
        isNumber: true,
      },
      {
        title: "Error",
        value: (network) => {
          const error = relativeErrorOf(network);
          return error === null ? none : signedShare(error);
        },
        isNumber: true,
      },
      { title: "±10 %", value: outcome },
      {
        title: "90 % interval",
        value: ({ lowerMs, upperMs }) => interval(lowerMs, upperMs),
        isNumber: true,
      },
      { title: "Grade", value: ({ grade }) => grade },
    ],
    networks,
    (network) => (isMissed(network) ? "missed" : undefined),
  );
}

function networksSection({ result, compared }: OnboardingReport, what: string): Html {
  const byLatency = (a: ComparedNetwork, b: ComparedNetwork) => a.predictedMs - b.predictedMs;
  const verified = compared.filter(({ role }) => role === "verified").sort(byLatency);
  const samples = compared.filter(({ role }) => role === "sample").sort(byLatency);
  return html`<section>
<h2>Predicted against measured</h2>
${figure(comparisonChart(compared, { what }))}
${figure(gradesChart(compared))}
${comparedTable(`${verified.length} verified networks on ${result.platform}, drawn uniformly by seed ${result.seed}, fastest first`, verified)}
<details>
<summary>The ${samples.length} samples that the predictor was adapted with</summary>
${comparedTable(`${samples.length} samples on ${result.platform}; the predictor has seen their latencies`, samples)}
</details>
</section>
`;
}

function spaceSection(report: OnboardingReport, what: string): Html {
  const { compared, predictedMs, fastest, slowest, result } = report;
  const verifiedMs = compared
    .filter(({ role }) => role === "verified")
    .map((network) => network.predictedMs);
  return html`<section>
<h2>All ${predictedMs.length.toLocaleString("en")} networks</h2>
${figure(distributionChart(predictedMs, { what, verifiedMs }))}
<h3>Fastest</h3>
${rankedTable(`Least predicted latency on ${result.platform}`, fastest)}
<h3>Slowest</h3>
${rankedTable(`Greatest predicted latency on ${result.platform}`, slowest)}
</section>
`;
}

const seconds = (durationS: number) =>
  durationS < 10 ? `${durationS.toFixed(2)} s` : formatDuration(durationS * 1000);

function timeSection({ durationS, nAttempts }: OnboardingResult): Html {
  const phases = [
    ["Profile the operators", durationS.profile],
    ["Measure the samples", durationS.measure],
    ["Adapt the predictor", durationS.adapt],
    ["Predict all networks", durationS.predict],
    ["Measure the networks to verify", durationS.verify],
    ["Total", durationS.total],
  ] as const;
  return html`<section>
<h2>Time</h2>
${table(
  nAttempts
    ? `Duration of each phase in the last of ${nAttempts} attempts; what was measured before was kept`
    : "Duration of each phase",
  [
    { title: "Phase", value: ([name]) => name },
    { title: "Duration", value: ([, duration]) => seconds(duration), isNumber: true },
  ],
  phases,
  ([name]) => (name === "Total" ? "own" : undefined),
)}</section>
`;
}

function circumstancesSection(report: OnboardingReport): Html {
  const { context, settings, findings } = report;
  return html`<section>
<h2>Circumstances</h2>
<h3>What would have disturbed the measurements</h3>
${
  findings.length === 0
    ? html`<p>Nothing was found at the start.</p>`
    : html`<ul>${findings.map((finding) => html`<li>${finding}</li>\n`)}</ul>`
}
<h3>Context</h3>
${definitions(contextEntries(context))}
<h3>Settings</h3>
${definitions(Object.entries(settings).map(([name, value]) => [name, String(value)] as const))}
</section>
`;
}

function reproduceSection({ result }: OnboardingReport): Html {
  const { platform, samples, nVerified, seed, sampleIds } = result;
  return html`<section>
<h2>Reproduce</h2>
<p>The same networks again, on the same device:</p>
<pre>samara onboard --platform ${platform} --samples ${sampleIds.length} --verify ${nVerified} --seed ${seed}</pre>
<p>Other networks with the predictor adapted here:</p>
<pre>samara predict --platform ${platform} --all</pre>
<p class="muted">Measured figures vary from run to run by about the repeat noise above; predictions follow from the ${samples} samples and the seed. Every run is kept in the measurement log beside this report.</p>
</section>
`;
}

/** The report as one self-contained HTML file. */
export function renderOnboardingReport(report: OnboardingReport): string {
  const { result, tool, createdAt } = report;
  const what = `NAS-Bench-201 networks on ${result.platform}`;
  return reportPage({
    title: `${result.platform}: predicted against measured latency`,
    heading: html`Latency of neural networks on <span>${result.platform}</span>`,
    about: `${tool.name} ${tool.version}, ${timeText(createdAt)}. NAS-Bench-201, batch 1, fp32.`,
    sections: [
      verdictSection(result),
      networksSection(report, what),
      spaceSection(report, what),
      descriptorSection(report.descriptor),
      timeSection(result),
      circumstancesSection(report),
      reproduceSection(report),
    ],
  });
}
