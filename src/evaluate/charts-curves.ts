/**
 * Curves that tell how far a predictor can be trusted: what its intervals cover, and what further samples bring.
 */
import { type Chart, color, countOf, fontFamily, fontSize } from "./chart-parts.js";

/** Nominal coverage of intervals, and the share of measurements inside them. */
export interface CoveragePoint {
  readonly nominal: number;
  readonly covered: number;
}

/** Scores with so many samples, means over trials. */
export interface LearningPoint {
  readonly samples: number;
  readonly withinTenPercent: number;
  /** Standard deviation over trials. */
  readonly withinTenPercentSd: number;
  readonly mape: number;
  readonly spearman: number;
  readonly coverage90: number;
}

const nameStyle = { color: color("ink"), fontSize, fontFamily };
const axisLook = {
  axisLine: { show: true, lineStyle: { color: color("muted") } },
  axisTick: { show: true, lineStyle: { color: color("muted") } },
  splitLine: { lineStyle: { color: color("line") } },
};
const labelStyle = { color: color("muted"), fontSize };
const percent = (value: number) => `${Math.round(value * 100)} %`;

/**
 * Share of measurements inside intervals of each nominal coverage; the diagonal is what intervals promise.
 *
 * @param n - networks that it was counted on
 * @param what - on what, which split
 */
export function coverageChart(
  points: readonly CoveragePoint[],
  { id = "coverage", n, what }: { readonly id?: string; readonly n: number; readonly what: string },
): Chart {
  return {
    id,
    title: "Coverage of the intervals",
    caption: `Share of ${countOf(n, "measured latency").replace("latencys", "latencies")} inside their interval, by the interval's nominal coverage: ${what}. Dashed line: as promised. Above it intervals are wider than they need be, below it too narrow.`,
    draw(width) {
      const side = Math.min(width - 92, 380);
      const axis = {
        type: "value" as const,
        min: 0,
        max: 1,
        interval: 0.25,
        nameLocation: "middle" as const,
        nameTextStyle: nameStyle,
        axisLabel: { ...labelStyle, formatter: percent },
        ...axisLook,
      };
      return {
        height: side + 74,
        option: {
          grid: { left: 72, top: 16, width: side, height: side, containLabel: false },
          xAxis: { ...axis, name: "nominal coverage", nameGap: 32 },
          yAxis: { ...axis, name: "measurements inside", nameGap: 52 },
          series: [
            {
              type: "line",
              silent: true,
              symbol: "none",
              lineStyle: { color: color("muted"), width: 1, type: "dashed" },
              data: [
                [0, 0],
                [1, 1],
              ],
            },
            {
              type: "line",
              silent: true,
              symbol: "circle",
              symbolSize: 7,
              itemStyle: { color: color("verified") },
              lineStyle: { color: color("verified"), width: 2 },
              data: points.map(({ nominal, covered }) => [nominal, covered]),
            },
          ],
        },
      };
    },
  };
}

/**
 * Share of networks predicted within ±10 %, by the number of samples that were adapted with.
 *
 * @param points - by ascending number of samples
 * @param what - how many trials, on what, which split
 */
export function learningChart(
  points: readonly LearningPoint[],
  { id = "learning", what }: { readonly id?: string; readonly what: string },
): Chart {
  const places = points.map(({ samples }) => String(samples));
  const bounded = (value: number) => Math.min(1, Math.max(0, value));
  return {
    id,
    title: "Accuracy by number of samples",
    caption: `Share of networks whose latency is predicted within ±10 % of the measured one: ${what}. Line: mean over trials; band: one standard deviation to both sides.`,
    draw(width) {
      return {
        height: 320,
        option: {
          grid: { left: 72, right: 18, top: 18, bottom: 58, containLabel: false },
          xAxis: {
            type: "category",
            data: places,
            name: "measured networks adapted with",
            nameLocation: "middle",
            nameGap: 34,
            nameTextStyle: nameStyle,
            axisLabel: labelStyle,
            ...axisLook,
          },
          yAxis: {
            type: "value",
            min: 0,
            max: 1,
            interval: 0.25,
            name: width < 500 ? "within ±10 %" : "networks within ±10 %",
            nameLocation: "middle",
            nameGap: 52,
            nameTextStyle: nameStyle,
            axisLabel: { ...labelStyle, formatter: percent },
            ...axisLook,
          },
          series: [
            {
              type: "custom",
              silent: true,
              z: 0,
              data: [0],
              renderItem: (_params, api) => {
                const at = (i: number, share: number) => api.coord([i, bounded(share)]);
                const upper = points.map((point, i) =>
                  at(i, point.withinTenPercent + point.withinTenPercentSd),
                );
                const lower = points.map((point, i) =>
                  at(i, point.withinTenPercent - point.withinTenPercentSd),
                );
                return {
                  type: "polygon",
                  shape: { points: [...upper, ...lower.reverse()] },
                  style: { fill: color("verified"), opacity: 0.18 },
                };
              },
            },
            {
              type: "line",
              silent: true,
              symbol: "circle",
              symbolSize: 8,
              itemStyle: { color: color("verified") },
              lineStyle: { color: color("verified"), width: 2 },
              label: {
                show: true,
                position: "bottom",
                distance: 8,
                color: color("ink"),
                fontSize,
                fontFamily,
                formatter: ({ value }) => percent(Number(value)),
              },
              data: points.map(({ withinTenPercent }) => withinTenPercent),
            },
          ],
        },
      };
    },
  };
}
