/**
 * Charts of the transfer benchmark: methods by task, what further samples buy, and how often intervals hold.
 */
import type { EChartsOption } from "echarts";
import { type Chart, type ColorRole, color, fontFamily, fontSize } from "./chart-parts.js";

/** A score that is drawn: its name on the axis and how far the axis goes. */
export interface ScoreAxis {
  readonly name: string;
  /** Lowest value that the axis shows; lower ones are drawn at its edge. */
  readonly min: number;
  readonly max: number;
}

const text = { color: color("ink"), fontSize, fontFamily };
const mutedText = { color: color("muted"), fontSize, fontFamily };
const axisLine = { show: true, lineStyle: { color: color("muted") } };
const gridLine = { show: true, lineStyle: { color: color("line") } };

const ceilingName = "noise ceiling";

/** A legend whose entries stand in one row, or below each other where a chart is narrow. */
function legendOf(names: readonly string[], left: number, isNarrow: boolean) {
  return {
    left,
    top: 4,
    // Without a browser text is measured too short: leave room.
    itemGap: isNarrow ? 6 : 40,
    orient: isNarrow ? ("vertical" as const) : ("horizontal" as const),
    itemWidth: 16,
    itemHeight: 10,
    selectedMode: false as const,
    textStyle: text,
    // A ceiling is a line without points.
    data: names.map((name) => ({ name, itemStyle: { opacity: name === ceilingName ? 0 : 1 } })),
  };
}

/** Mean score at some number of samples; `sd` is its spread over trials. */
export interface CurvePoint {
  readonly samples: number;
  readonly value: number;
  readonly sd: number;
}

/** A task's learning curves. */
export interface CurvePanel {
  readonly title: string;
  /** Highest score that the noise of the measurements allows, where it is known. */
  readonly ceiling: number | null;
  /** One for each entry of `CurveOptions.series`, in that order. */
  readonly curves: readonly (readonly CurvePoint[])[];
}

export interface CurveOptions {
  readonly id: string;
  readonly title: string;
  /** How many, on what, which split. */
  readonly caption: string;
  /** Name of the score; each task has an axis of its own, up to 1. */
  readonly axisName: string;
  readonly series: readonly { readonly name: string; readonly role: ColorRole }[];
}

/** Steps of a score's axis, the smallest that gives at most five of them. */
const axisSteps = [0.01, 0.02, 0.05, 0.1, 0.2];

/** An axis from below the lowest point up to 1. */
function curveAxis(curves: readonly (readonly CurvePoint[])[]): { min: number; step: number } {
  const lowest = Math.min(0.95, ...curves.flat().map(({ value }) => value));
  const step = axisSteps.find((candidate) => (1 - lowest) / candidate <= 5) ?? 0.2;
  return { min: 1 - Math.ceil((1 - lowest) / step + 0.2) * step, step };
}

/** Small charts side by side, one a task: a score against the number of samples, with bars of one standard deviation. */
export function learningCurvesChart(
  panels: readonly CurvePanel[],
  { id, title, caption, axisName, series }: CurveOptions,
): Chart {
  return {
    id,
    title,
    caption,
    draw(width) {
      const isNarrow = width < 500;
      const nColumns = Math.max(1, Math.floor(width / 230));
      const nRows = Math.ceil(panels.length / nColumns);
      const names = [...series.map(({ name }) => name), ceilingName];
      const top = isNarrow ? 20 * names.length + 28 : 62;
      const [gapX, gapY, left, panelHeight] = [56, 76, 56, 118];
      const panelWidth = (width - left - 12 - (nColumns - 1) * gapX) / nColumns;
      const place = (i: number) => ({
        left: left + (i % nColumns) * (panelWidth + gapX),
        top: top + Math.floor(i / nColumns) * (panelHeight + gapY),
      });
      const axes = panels.map(({ curves }) => curveAxis(curves));
      const option: EChartsOption = {
        legend: legendOf(names, left - 6, isNarrow),
        title: panels.map((panel, i) => ({
          text: panel.title,
          left: place(i).left,
          top: place(i).top - 22,
          padding: 0,
          textStyle: { ...text, fontWeight: "bold" as const },
        })),
        grid: panels.map((_, i) => ({
          ...place(i),
          width: panelWidth,
          height: panelHeight,
          containLabel: false,
        })),
        xAxis: panels.map(({ curves }, i) => sampleAxis(i, curves)),
        yAxis: axes.map(({ min, step }, i) => ({
          type: "value" as const,
          gridIndex: i,
          min,
          max: 1,
          interval: step,
          axisLabel: {
            ...mutedText,
            formatter: (value: number) => String(Number(value.toFixed(2))),
          },
          splitLine: gridLine,
          ...(i % nColumns === 0 && {
            name: axisName,
            nameLocation: "middle" as const,
            nameGap: 40,
            nameTextStyle: text,
          }),
        })),
        series: panels.flatMap(({ curves, ceiling }, i) => {
          const shown = (value: number) => Math.min(Math.max(value, axes[i]!.min), 1);
          return [
            ...curves.flatMap((points, s) => curveSeries(points, series[s]!, i, shown)),
            ceilingSeries(curves, ceiling, i, shown),
          ];
        }),
      };
      return { height: top + nRows * (panelHeight + gapY) - 22, option };
    },
  };
}

/** A logarithmic axis of sample numbers, drawn linear in their logarithm. */
function sampleAxis(gridIndex: number, curves: readonly (readonly CurvePoint[])[]) {
  const samples = [...new Set(curves.flat().map((point) => point.samples))].sort((a, b) => a - b);
  const ticks = samples.length === 0 ? [1, 10] : samples;
  const exponents = ticks.map(Math.log10);
  return {
    type: "value" as const,
    gridIndex,
    min: exponents[0]! - 0.08,
    max: exponents.at(-1)! + 0.08,
    axisLine: { ...axisLine, onZero: false },
    axisTick: {
      show: true,
      customValues: exponents,
      lineStyle: { color: color("muted") },
    },
    splitLine: { show: false },
    axisLabel: {
      ...mutedText,
      customValues: exponents,
      formatter: (exponent: number) => String(Math.round(10 ** exponent)),
    },
    name: "samples",
    nameLocation: "middle" as const,
    nameGap: 24,
    nameTextStyle: mutedText,
  };
}

function curveSeries(
  points: readonly CurvePoint[],
  { name, role }: { readonly name: string; readonly role: ColorRole },
  index: number,
  shown: (value: number) => number,
) {
  const axes = { xAxisIndex: index, yAxisIndex: index };
  return [
    {
      type: "line" as const,
      name,
      ...axes,
      silent: true,
      symbol: "circle",
      symbolSize: 5,
      z: 3,
      lineStyle: { color: color(role), width: 1.5 },
      itemStyle: { color: color(role) },
      data: points.map(({ samples, value }) => [Math.log10(samples), shown(value)]),
    },
    {
      type: "custom" as const,
      ...axes,
      silent: true,
      z: 2,
      data: points.map(({ samples, value, sd }) => [
        Math.log10(samples),
        shown(value - sd),
        shown(value + sd),
      ]),
      renderItem: (_params: unknown, api: CustomApi) => {
        const [x, low] = api.coord([api.value(0), api.value(1)]) as [number, number];
        const [, high] = api.coord([api.value(0), api.value(2)]) as [number, number];
        return {
          type: "line" as const,
          shape: { x1: x, y1: low, x2: x, y2: high },
          style: { stroke: color(role), lineWidth: 1, opacity: 0.7 },
        };
      },
    },
  ];
}

function ceilingSeries(
  curves: readonly (readonly CurvePoint[])[],
  ceiling: number | null,
  index: number,
  shown: (value: number) => number,
) {
  const exponents = curves.flat().map(({ samples }) => Math.log10(samples));
  return {
    type: "line" as const,
    name: ceilingName,
    xAxisIndex: index,
    yAxisIndex: index,
    silent: true,
    symbol: "none",
    z: 1,
    lineStyle: { color: color("muted"), width: 1, type: "dashed" as const },
    itemStyle: { color: color("muted") },
    data:
      ceiling === null || exponents.length === 0
        ? []
        : [Math.min(...exponents), Math.max(...exponents)].map((x) => [x, shown(ceiling)]),
  };
}

/** What is used of the argument that ECharts gives to `renderItem`. */
interface CustomApi {
  value(dimension: number): number | string;
  coord(data: (number | string)[]): number[];
}

/** A method's score on each task; null where there is none. */
export interface MethodScores {
  readonly name: string;
  readonly role: ColorRole;
  readonly symbol: "circle" | "rect" | "triangle" | "diamond";
  readonly isHollow?: boolean;
  readonly values: readonly (number | null)[];
}

/** Scores of several methods, one column a task. */
export function taskScoresChart(
  tasks: readonly string[],
  methods: readonly MethodScores[],
  {
    id,
    title,
    caption,
    axis,
  }: {
    readonly id: string;
    readonly title: string;
    readonly caption: string;
    readonly axis: ScoreAxis;
  },
): Chart {
  return {
    id,
    title,
    caption,
    draw(width) {
      const isNarrow = width < 600;
      const top = isNarrow ? 20 * methods.length + 20 : 44;
      const height = 250;
      return {
        height: top + height + 34,
        option: {
          legend: legendOf(
            methods.map(({ name }) => name),
            50,
            isNarrow,
          ),
          grid: { left: 56, right: 12, top, height, containLabel: false },
          xAxis: {
            type: "category",
            data: [...tasks],
            axisLine: { ...axisLine, onZero: false },
            axisTick: { show: false },
            axisLabel: { ...text, interval: 0 },
            splitLine: gridLine,
          },
          yAxis: {
            type: "value",
            min: axis.min,
            max: axis.max,
            name: axis.name,
            nameLocation: "middle",
            nameGap: 40,
            nameTextStyle: text,
            axisLabel: mutedText,
            splitLine: gridLine,
          },
          series: methods.map(({ name, role, symbol, isHollow, values }, method) => ({
            type: "scatter" as const,
            name,
            silent: true,
            symbol,
            symbolSize: symbol === "triangle" ? 11 : 9,
            // Side by side, so that equal scores are seen.
            symbolOffset: [(method - (methods.length - 1) / 2) * (isNarrow ? 3 : 8), 0],
            itemStyle: isHollow
              ? { color: color("paper"), borderColor: color(role), borderWidth: 1.5 }
              : { color: color(role), borderColor: color("paper"), borderWidth: 0.5 },
            data: values.flatMap((value, task) =>
              value === null ? [] : [[task, Math.max(value, axis.min)]],
            ),
          })),
        },
      };
    },
  };
}

/** How often the intervals of one target held. */
export interface TargetCoverage {
  /** Task and target. */
  readonly label: string;
  /** Mean over trials, as a fraction. */
  readonly coverage: number;
}

/** Coverage of 90 % intervals, one line a target, with the band that is aimed at. */
export function coverageChart(
  targets: readonly TargetCoverage[],
  {
    id,
    title,
    caption,
    band,
    least,
  }: {
    readonly id: string;
    readonly title: string;
    readonly caption: string;
    /** Where the mean over targets should be. */
    readonly band: readonly [number, number];
    /** Below which no target should be; such targets are marked. */
    readonly least: number;
  },
): Chart {
  const lowest = Math.min(0.5, ...targets.map(({ coverage }) => coverage));
  const min = Math.floor(20 * lowest) / 20;
  const groups = [
    { name: `at least ${100 * least} %`, role: "verified", isLow: false },
    { name: `below ${100 * least} %`, role: "miss", isLow: true },
  ] as const;
  return {
    id,
    title,
    caption,
    draw() {
      const lineHeight = 17;
      const top = 34;
      const left = 180;
      return {
        height: top + lineHeight * targets.length + 46,
        option: {
          legend: legendOf(
            groups.map(({ name }) => name),
            left - 8,
            false,
          ),
          grid: { left, right: 18, top, height: lineHeight * targets.length, containLabel: false },
          xAxis: {
            type: "value",
            min,
            max: 1,
            name: "share inside their 90 % interval",
            nameLocation: "middle",
            nameGap: 28,
            nameTextStyle: text,
            axisLabel: mutedText,
            axisLine,
            splitLine: gridLine,
          },
          yAxis: {
            type: "category",
            inverse: true,
            data: targets.map(({ label }) => label),
            axisLine: { show: false },
            axisTick: { show: false },
            axisLabel: {
              ...text,
              fontSize: 12,
              interval: 0,
            },
          },
          series: groups.map(({ name, role, isLow }, i) => ({
            type: "scatter" as const,
            name,
            silent: true,
            symbol: isLow ? "triangle" : "circle",
            symbolSize: 8,
            z: 3,
            itemStyle: { color: color(role) },
            data: targets.flatMap(({ coverage }, line) =>
              coverage < least === isLow ? [[coverage, line]] : [],
            ),
            ...(i === 0 && {
              markArea: {
                silent: true,
                itemStyle: { color: color("band") },
                data: [[{ xAxis: band[0] }, { xAxis: band[1] }]],
              },
              markLine: {
                silent: true,
                symbol: "none",
                label: { show: false },
                lineStyle: { color: color("ink"), type: "dashed" as const, width: 1 },
                data: [{ xAxis: 0.9 }],
              },
            }),
          })),
        },
      };
    },
  };
}
