/**
 * What all reports are made of: figures, numbers as text, the context of a measurement, and the page around them.
 */
import type { Descriptor } from "../record/descriptor.js";
import type { Context } from "../record/measurement.js";
import { formatMs, formatShare } from "../units.js";
import { type Chart, renderChart } from "./charts.js";
import { descriptorChart, descriptorColumns } from "./charts-descriptor.js";
import { type Content, Html, html, table } from "./report-html.js";
import { narrowChartWidth, reportStyles, wideChartWidth } from "./report-style.js";

/** Stands for what is not known. */
export const none = "–";

/** A share as percent; nothing for NaN. */
export const share = (value: number, digits = 1) =>
  Number.isFinite(value) ? formatShare(value, digits) : none;
/** `+3.1 %`, `−0.4 %`, `0.0 %`. */
export const signedShare = (value: number) => {
  const text = share(Math.abs(value));
  if (text === none || Number.parseFloat(text) === 0) return text;
  return `${value > 0 ? "+" : "−"}${text}`;
};
/** A rank correlation. */
export const rank = (value: number | null) =>
  value === null || !Number.isFinite(value) ? none : value.toFixed(3);
/** An interval of latencies. */
export const interval = (lowerMs: number, upperMs: number) =>
  `${formatMs(lowerMs)} to ${formatMs(upperMs)}`;
/** Three significant digits. */
const significant = (value: number) =>
  Number.isFinite(value) ? String(Number(value.toPrecision(3))) : none;

/** A chart for wide and for narrow screens, with its caption. */
export function figure(chart: Chart): Html {
  const drawing = (className: string, width: number) =>
    html`<div class="${className}">${new Html(renderChart(chart, { width }))}</div>\n`;
  return html`<figure>
${drawing("wide", wideChartWidth)}${drawing("narrow", narrowChartWidth)}<figcaption>${chart.title}. ${chart.caption}</figcaption>
</figure>
`;
}

/** An architecture string that may break between its operations. */
const archText = (arch: string): Content =>
  arch.split(/(?<=[|+])(?!\+)/).flatMap((part, i) => (i === 0 ? [part] : [html`<wbr>`, part]));

/** A network as the head of a table row: id and architecture. */
export const networkCell = ({
  id,
  arch,
}: {
  readonly id: string;
  readonly arch: string;
}): Content => html`${id} <code class="cell">${archText(arch)}</code>`;

const unknown = "not known here";

/** The circumstances of measurements, for `definitions`. */
export function contextEntries(context: Context): [string, Content][] {
  const known = <T>(value: T | null, format: (value: T) => string) =>
    value === null ? unknown : format(value);
  return [
    ["Processor", `${context.cpuModel}, ${context.nCores} cores`],
    ["Virtual machine", known(context.virtualised, (value) => (value ? "yes" : "no sign of one"))],
    ["Kernel", context.kernel],
    ["Frequency governor", known(context.governor, String)],
    ["Frequency", known(context.frequencyHz, (hz) => `${(hz / 1e9).toFixed(2)} GHz`)],
    ["Temperature", known(context.temperatureC, (celsius) => `${celsius.toFixed(0)} °C`)],
    ["Load average (1 min)", known(context.loadAverage, (load) => load.toFixed(2))],
    ["Time with tasks waiting for a processor", known(context.cpuPressure, (p) => share(p))],
    [
      "Processor limit of the control group",
      known(context.cgroupCpuLimit, (limit) => `${limit.toFixed(2)} processors`),
    ],
    ["Throttling (firmware)", known(context.throttled, String)],
    ["Runtime version", context.runtimeVersion],
    ["Node", context.nodeVersion],
    ["Samara", context.toolVersion],
    ["Taken at", timeText(context.takenAt)],
  ];
}

/** `2026-11-01 12:04 UTC` */
export const timeText = (time: string) => time.replace(/^(.{10})T(.{5}).*Z$/, "$1 $2 UTC");

/** What a platform is to a predictor, as a heat map and in numbers. */
export function descriptorSection(
  descriptor: Descriptor | undefined,
  missing = "The operators could not be measured in time: the predictor was adapted without a descriptor.",
): Html {
  if (descriptor === undefined) {
    return html`<section>
<h2>Descriptor</h2>
<p>${missing}</p>
</section>
`;
  }
  const columns = descriptorColumns(descriptor).filter(({ isAbsent }) => !isAbsent);
  const rows = descriptor.rows.map((row, i) => ({ row, i }));
  return html`<section>
<h2>Descriptor</h2>
<p>What the platform is to the predictor: its operators, one by one, with the counters of the processor and the kernel.</p>
${figure(descriptorChart(descriptor))}
<details>
<summary>The descriptor in numbers</summary>
${table(
  `${rows.length} operators of ${descriptor.platform.id}: latency, and counters per nanosecond of it`,
  [
    { title: "Operator", value: ({ row }) => row.operator },
    ...columns.map(({ name, unit, values }, c) => ({
      title: html`${name} <small>${unit}</small>`,
      value: ({ i }: (typeof rows)[number]) => {
        const value = values[i];
        if (value === null || value === undefined) return "absent";
        return c === 0 ? value.toPrecision(3) : significant(value);
      },
      isNumber: true,
    })),
    { title: "Grade", value: ({ row }) => row.grade },
  ],
  rows,
)}</details>
</section>
`;
}

/** A network with its prediction. */
export interface RankedNetwork {
  readonly id: string;
  readonly arch: string;
  readonly latencyMs: number;
  readonly lowerMs: number;
  readonly upperMs: number;
}

/** Networks with their predictions, in the order given. */
export const rankedTable = (caption: string, networks: readonly RankedNetwork[]): Html =>
  table(
    caption,
    [
      { title: "Network", value: networkCell },
      { title: "Predicted", value: ({ latencyMs }) => formatMs(latencyMs), isNumber: true },
      {
        title: "90 % interval",
        value: ({ lowerMs, upperMs }) => interval(lowerMs, upperMs),
        isNumber: true,
      },
    ],
    networks,
  );

/** A whole page that needs nothing else: no script, no request. */
export function reportPage(page: {
  readonly title: string;
  readonly heading: Content;
  readonly about: string;
  readonly sections: readonly Html[];
}): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${page.title}</title>
<style>
${new Html(reportStyles)}</style>
</head>
<body>
<header>
<h1>${page.heading}</h1>
<p class="muted">${page.about}</p>
</header>
<main>
${page.sections}</main>
</body>
</html>
`.text;
}
