/**
 * All networks as points of a canvas, with the Pareto front, the chosen one and, while an area is chosen, a brush.
 */
import {
  type Chart,
  color,
  countOf,
  logAxisOf,
  logAxisOption,
} from "../../../evaluate/chart-parts.js";
import type { Networks } from "../parts/use-networks.js";

/** Series that a click may hit, by name. */
const seriesNames = { cloud: "networks", front: "Pareto front" } as const;

/**
 * The cloud of networks.
 *
 * @param shown - positions of the networks to draw
 * @param front - positions on the front, by ascending latency
 * @param chosen - position of the chosen network
 */
export function exploreChart(
  { columns, merit, meritName }: Networks,
  shown: Int32Array,
  front: readonly number[],
  chosen: number | undefined,
): Chart {
  const { latencyMs, platform } = columns;
  const points = (rows: ArrayLike<number>) =>
    Array.from(rows, (i) => [Math.log10(latencyMs[i]!), merit[i]!, i]);
  return {
    id: "explore",
    title: `Predicted latency against ${meritName}`,
    caption: `${countOf(shown.length, "network")} of NAS-Bench-201 on ${platform}. Across: predicted latency; up: ${meritName}. Line: Pareto front of ${countOf(front.length, "network")}, which no other beats in both.`,
    draw(width) {
      const axis = logAxisOf(Array.from(shown, (i) => latencyMs[i]!));
      const step = { type: "line" as const, step: "end" as const, clip: true };
      return {
        height: width < 500 ? 360 : 460,
        option: {
          grid: { left: 62, right: 16, top: 14, bottom: 56, containLabel: false },
          xAxis: { ...logAxisOption(axis, "predicted latency (ms)"), nameGap: 34 },
          yAxis: {
            type: "value",
            scale: true,
            name: meritName,
            nameLocation: "middle",
            nameGap: 44,
            nameTextStyle: { color: color("ink") },
            axisLine: { show: true, onZero: false, lineStyle: { color: color("muted") } },
            axisLabel: { color: color("muted") },
            splitLine: { lineStyle: { color: color("line") } },
          },
          brush: {
            xAxisIndex: 0,
            yAxisIndex: 0,
            toolbox: [],
            throttleType: "debounce",
            throttleDelay: 60,
            brushStyle: { borderColor: color("accent" as never), borderWidth: 1 },
          },
          series: [
            {
              name: seriesNames.cloud,
              type: "scatter",
              large: true,
              largeThreshold: 1000,
              symbolSize: 3,
              itemStyle: { color: color("sample"), opacity: 0.5 },
              data: points(shown),
            },
            {
              name: seriesNames.front,
              ...step,
              symbol: "circle",
              symbolSize: 7,
              lineStyle: { color: color("miss"), width: 1.5 },
              itemStyle: { color: color("miss") },
              data: points(front),
            },
            {
              type: "scatter",
              silent: true,
              symbolSize: 14,
              itemStyle: {
                color: "transparent",
                borderColor: color("verified"),
                borderWidth: 3,
              },
              data: chosen === undefined ? [] : points([chosen]),
            },
          ],
        },
      };
    },
  };
}
