/**
 * Charts of `docs/claims.md`: scores of several ways on each platform, with what noise allows.
 */
import { type Chart, type ColorRole, color, fontFamily, fontSize } from "./chart-parts.js";

const text = { color: color("ink"), fontSize, fontFamily };
const mutedText = { color: color("muted"), fontSize, fontFamily };
const gridLine = { show: true, lineStyle: { color: color("line") } };

/** Scores of one way: one a platform, null where there is none; `sd` is the spread over trials. */
export interface WayScores {
  readonly name: string;
  readonly role: ColorRole;
  readonly symbol: "circle" | "rect" | "triangle" | "diamond";
  readonly isHollow?: boolean;
  readonly values: readonly (number | null)[];
  readonly sds: readonly (number | null)[];
}

/** How the ways of a chart are told apart, in their order. */
export const wayStyles = [
  { role: "verified", symbol: "circle" },
  { role: "miss", symbol: "triangle" },
  { role: "sample", symbol: "rect" },
  { role: "verified", symbol: "circle", isHollow: true },
  { role: "miss", symbol: "triangle", isHollow: true },
  { role: "sample", symbol: "rect", isHollow: true },
] as const satisfies readonly Pick<WayScores, "role" | "symbol" | "isHollow">[];

const ceilingName = "what noise allows";

/** One line a platform: a symbol for each way with a bar of one standard deviation, and the platform's ceiling. */
export function platformScoresChart(
  platforms: readonly string[],
  ways: readonly WayScores[],
  ceilings: readonly (number | null)[],
  {
    id,
    title,
    caption,
    axis,
  }: {
    readonly id: string;
    readonly title: string;
    readonly caption: string;
    /** Name of the score, and the lowest value shown; lower ones are drawn at the edge. Ends at 1. */
    readonly axis: { readonly name: string; readonly min: number };
  },
): Chart {
  return {
    id,
    title,
    caption,
    draw() {
      const lineHeight = Math.max(17, 9 * ways.length);
      const entries = [...ways.map(({ name }) => name), ceilingName];
      const top = 20 * entries.length + 16;
      // Some seven pixels a letter of the longest name.
      const left = Math.max(220, 16 + 6.8 * Math.max(...platforms.map(({ length }) => length)));
      const height = lineHeight * platforms.length;
      const shown = (value: number) => Math.min(Math.max(value, axis.min), 1);
      /** Ways stand below each other on their platform's line. */
      const offsetOf = (way: number) => (way - (ways.length - 1) / 2) * 8;
      const points = (values: readonly (number | null)[]) =>
        values.flatMap((value, line) => (value === null ? [] : [[shown(value), line]]));
      return {
        height: top + height + 46,
        option: {
          legend: {
            left: left - 8,
            top: 4,
            orient: "vertical",
            itemWidth: 16,
            itemHeight: 10,
            itemGap: 6,
            selectedMode: false,
            textStyle: text,
            data: entries,
          },
          grid: { left, right: 18, top, height, containLabel: false },
          xAxis: {
            type: "value",
            min: axis.min,
            max: 1,
            name: axis.name,
            nameLocation: "middle",
            nameGap: 28,
            nameTextStyle: text,
            axisLabel: mutedText,
            axisLine: { show: true, lineStyle: { color: color("muted") } },
            splitLine: gridLine,
          },
          yAxis: {
            type: "category",
            inverse: true,
            data: [...platforms],
            axisLine: { show: false },
            axisTick: { show: false },
            axisLabel: { ...text, fontSize: 12, interval: 0 },
            splitLine: gridLine,
          },
          series: [
            ...ways.map(({ name, role, symbol, isHollow, values }, way) => ({
              type: "scatter" as const,
              name,
              silent: true,
              symbol,
              symbolSize: symbol === "triangle" ? 9 : 7,
              symbolOffset: [0, offsetOf(way)],
              z: 3,
              itemStyle: isHollow
                ? { color: color("paper"), borderColor: color(role), borderWidth: 1.5 }
                : { color: color(role) },
              data: points(values),
            })),
            ...ways.map(({ role, values, sds }, way) => ({
              type: "custom" as const,
              silent: true,
              z: 2,
              data: values.flatMap((value, line) => {
                const sd = sds[line] ?? 0;
                return value === null ? [] : [[shown(value - sd), line, shown(value + sd)]];
              }),
              renderItem: (_params: unknown, api: CustomApi) => {
                const [x1, y] = api.coord([api.value(0), api.value(1)]) as [number, number];
                const [x2] = api.coord([api.value(2), api.value(1)]) as [number, number];
                return {
                  type: "line" as const,
                  shape: { x1, x2, y1: y + offsetOf(way), y2: y + offsetOf(way) },
                  style: { stroke: color(role), lineWidth: 1, opacity: 0.6 },
                };
              },
            })),
            {
              type: "scatter",
              name: ceilingName,
              silent: true,
              symbol: "rect",
              symbolSize: [2, lineHeight - 4],
              z: 1,
              itemStyle: { color: color("absent") },
              data: points(ceilings),
            },
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
