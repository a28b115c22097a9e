/**
 * Charts of networks predicted and measured: one against the other, and how well they were measured.
 */
import type { ComparedNetwork } from "../record/onboarding.js";
import {
  type Chart,
  type ColorRole,
  color,
  countOf,
  fontFamily,
  fontSize,
  type LogAxis,
  logAxisOf,
  logAxisOption,
} from "./chart-parts.js";

/** Relative error of a prediction; null without a usable measurement (none, or grade X). */
export function relativeErrorOf({
  predictedMs,
  measuredMs,
  grade,
}: ComparedNetwork): number | null {
  if (measuredMs === null || grade === "X") return null;
  return (predictedMs - measuredMs) / measuredMs;
}

/** Whether a prediction missed ±10 % of the measured latency; what cannot be checked counts as missed. */
export function isMissed(network: ComparedNetwork): boolean {
  const error = relativeErrorOf(network);
  return error === null || Math.abs(error) > 0.1;
}

interface Group {
  readonly name: string;
  readonly role: ColorRole;
  readonly symbol: string;
  readonly isHollow?: boolean;
  readonly networks: readonly ComparedNetwork[];
}

/** The band of ±10 % of the measured latency within the square, log10 of ms. */
function bandCorners({ min, max }: LogAxis): [number, number][] {
  const above = Math.log10(1.1);
  const below = -Math.log10(0.9);
  return [
    [min, min],
    [min, min + above],
    [max - above, max],
    [max, max],
    [max, max - below],
    [min + below, min],
  ];
}

/**
 * Predicted against measured latency on logarithmic axes, with the ideal line, the ±10 % band and the intervals.
 *
 * @param compared - those without a measurement are told in the caption, not drawn
 * @param options.checked - what networks are called that the prediction is checked with; default `verified`
 * @param options.what - on what, e.g. `NAS-Bench-201 networks on rpi4b.tflite2.9-xnnpack-t1.fp32`
 */
export function comparisonChart(
  compared: readonly ComparedNetwork[],
  {
    id = "comparison",
    what,
    checked = "verified",
  }: { readonly id?: string; readonly what: string; readonly checked?: string },
): Chart {
  const measured = compared.filter(({ measuredMs }) => measuredMs !== null);
  const verified = measured.filter(({ role }) => role === "verified");
  const missed = verified.filter(isMissed);
  const samples = measured.filter(({ role }) => role === "sample");
  const groups: Group[] = [
    {
      name: "sample, adapted with",
      role: "sample",
      symbol: "rect",
      isHollow: true,
      networks: samples,
    },
    {
      name: `${checked}, within ±10 %`,
      role: "verified",
      symbol: "circle",
      networks: verified.filter((network) => !isMissed(network)),
    },
    { name: `${checked}, missed`, role: "miss", symbol: "triangle", networks: missed },
  ];
  const nUnmeasured = compared.length - measured.length;
  const caption =
    `${countOf(verified.length, `${checked} network`)} that the predictor had not seen (${missed.length} missed)` +
    `${samples.length === 0 ? "" : ` and ${countOf(samples.length, "sample")} that it was adapted with`}: ${what}. Bars: 90 % intervals. ` +
    "Line: predicted equals measured. Band: ±10 % of measured." +
    (nUnmeasured === 0
      ? ""
      : ` ${countOf(nUnmeasured, "network")} could not be measured and ${nUnmeasured === 1 ? "is" : "are"} not drawn.`);
  return {
    id,
    title: "Predicted against measured latency",
    caption,
    draw(width) {
      const axis = logAxisOf(
        measured.length === 0
          ? [1]
          : measured.flatMap(({ measuredMs, predictedMs, lowerMs, upperMs }) => [
              measuredMs!,
              predictedMs,
              lowerMs,
              upperMs,
            ]),
      );
      const isNarrow = width < 500;
      const top = isNarrow ? 88 : 40;
      const side = Math.min(width - 84, 520);
      const grid = { left: 60, top, width: side, height: side, containLabel: false };
      const shape = (role: ColorRole) => ({ color: color(role) });
      return {
        height: top + side + 58,
        option: {
          grid,
          legend: {
            left: 56,
            top: 4,
            // Without a browser text is measured too short: leave room.
            itemGap: isNarrow ? 8 : 44,
            orient: isNarrow ? "vertical" : "horizontal",
            itemWidth: 11,
            itemHeight: 11,
            selectedMode: false,
            textStyle: { color: color("ink"), fontSize, fontFamily },
            data: groups.filter(({ networks }) => networks.length > 0).map(({ name }) => name),
          },
          xAxis: { ...logAxisOption(axis, "measured latency (ms)"), nameGap: 32 },
          yAxis: { ...logAxisOption(axis, "predicted latency (ms)"), nameGap: 42 },
          series: [
            {
              type: "custom",
              silent: true,
              z: 0,
              data: [0],
              renderItem: (_params, api) => ({
                type: "polygon",
                shape: { points: bandCorners(axis).map((corner) => api.coord(corner)) },
                style: { fill: color("band") },
              }),
            },
            {
              type: "line",
              silent: true,
              symbol: "none",
              z: 1,
              lineStyle: { color: color("muted"), width: 1 },
              data: [
                [axis.min, axis.min],
                [axis.max, axis.max],
              ],
            },
            ...groups.map(({ role, networks }) => ({
              type: "custom" as const,
              silent: true,
              z: 2,
              data: networks.map(({ measuredMs, lowerMs, upperMs }) =>
                [measuredMs!, lowerMs, upperMs].map(Math.log10),
              ),
              renderItem: (_params: unknown, api: CustomApi) => {
                const [x, low] = api.coord([api.value(0), api.value(1)]) as [number, number];
                const [, high] = api.coord([api.value(0), api.value(2)]) as [number, number];
                const line = (x1: number, y1: number, x2: number, y2: number) => ({
                  type: "line" as const,
                  shape: { x1, y1, x2, y2 },
                  style: { stroke: color(role), lineWidth: 1, opacity: 0.75 },
                });
                return {
                  type: "group" as const,
                  children: [
                    line(x, low, x, high),
                    line(x - 3, low, x + 3, low),
                    line(x - 3, high, x + 3, high),
                  ],
                };
              },
            })),
            ...groups.map(({ name, role, symbol, isHollow, networks }) => ({
              type: "scatter" as const,
              name,
              silent: true,
              z: 3,
              symbol,
              symbolSize: symbol === "triangle" ? 11 : 9,
              itemStyle: isHollow
                ? { color: color("paper"), borderColor: color(role), borderWidth: 1.5 }
                : { ...shape(role), borderColor: color("paper"), borderWidth: 1 },
              data: networks.map(({ measuredMs, predictedMs }) => [
                Math.log10(measuredMs!),
                Math.log10(predictedMs),
              ]),
            })),
          ],
        },
      };
    },
  };
}

/** What is used of the argument that ECharts gives to `renderItem`. */
interface CustomApi {
  value(dimension: number): number | string;
  coord(data: (number | string)[]): number[];
}

const gradeMeanings = {
  A: "A: clean and tight",
  B: "B: usable",
  C: "C: with a stated doubt",
  X: "X: not usable",
} as const;

/** How many verified networks were measured how well. */
export function gradesChart(
  compared: readonly ComparedNetwork[],
  { id = "grades" }: { readonly id?: string } = {},
): Chart {
  const verified = compared.filter(({ role }) => role === "verified");
  const grades = Object.keys(gradeMeanings) as (keyof typeof gradeMeanings)[];
  const counts = grades.map(
    (grade) => verified.filter((network) => network.grade === grade).length,
  );
  return {
    id,
    title: "Grades of the verifying measurements",
    caption: `Quality of the measurements of ${countOf(verified.length, "verified network")}. Those of grade X count as missed.`,
    draw: () => ({
      height: 150,
      option: {
        grid: { left: 172, right: 44, top: 6, bottom: 8, containLabel: false },
        xAxis: { type: "value", show: false, min: 0, max: Math.max(1, ...counts) },
        yAxis: {
          type: "category",
          inverse: true,
          data: grades.map((grade) => gradeMeanings[grade]),
          axisLine: { lineStyle: { color: color("muted") } },
          axisTick: { show: false },
          axisLabel: { color: color("ink"), fontSize },
        },
        series: [
          {
            type: "bar",
            silent: true,
            barWidth: 18,
            label: { show: true, position: "right", color: color("ink"), fontSize, fontFamily },
            data: grades.map((grade, i) => ({
              value: counts[i]!,
              itemStyle: { color: color(grade === "X" ? "miss" : "verified") },
            })),
          },
        ],
      },
    }),
  };
}
