/**
 * How the predicted latencies of a whole search space are spread.
 */
import {
  type Chart,
  color,
  countOf,
  fontFamily,
  fontSize,
  logAxisOf,
  logAxisOption,
} from "./chart-parts.js";

/** What the distribution is drawn from. */
export interface DistributionOptions {
  readonly id?: string;
  /** On what, e.g. `NAS-Bench-201 networks on rpi4b.tflite2.9-xnnpack-t1.fp32`. */
  readonly what: string;
  /** Marked below the bars: predicted latencies of the networks that were checked. */
  readonly verifiedMs?: readonly number[];
}

/**
 * Histogram of predicted latencies on a logarithmic axis.
 *
 * @param predictedMs - of all networks, ascending, positive
 */
export function distributionChart(
  predictedMs: readonly number[],
  { id = "distribution", what, verifiedMs = [] }: DistributionOptions,
): Chart {
  const n = predictedMs.length;
  const medianMs = n === 0 ? null : predictedMs[Math.floor(n / 2)]!;
  return {
    id,
    title: "Predicted latencies of all networks",
    caption:
      `Predicted latency of ${countOf(n, "network")}: ${what}. Bars count networks within equal steps of the logarithm. ` +
      (verifiedMs.length === 0
        ? ""
        : `Ticks below: ${countOf(verifiedMs.length, "verified network")}. `) +
      "Dashed line: median.",
    draw(width) {
      const axis = logAxisOf(n === 0 ? [1] : [predictedMs[0]!, predictedMs[n - 1]!]);
      const axisOption = logAxisOption(axis, "predicted latency (ms)");
      const nBins = width < 500 ? 30 : 56;
      const step = (axis.max - axis.min) / nBins;
      const counts = new Array<number>(nBins).fill(0);
      for (const latencyMs of predictedMs) {
        const bin = Math.floor((Math.log10(latencyMs) - axis.min) / step);
        if (bin >= 0 && bin < nBins) counts[bin]! += 1;
      }
      return {
        height: 300,
        option: {
          grid: { left: 62, right: 16, top: 30, bottom: 62, containLabel: false },
          xAxis: { ...axisOption, nameGap: 40, axisLabel: { ...axisOption.axisLabel, margin: 13 } },
          yAxis: {
            type: "value",
            axisLine: { show: false },
            axisTick: { show: false },
            name: "networks",
            nameLocation: "middle",
            nameGap: 46,
            nameTextStyle: { color: color("ink"), fontSize, fontFamily },
            splitNumber: 4,
            axisLabel: { color: color("muted"), fontSize },
            splitLine: { lineStyle: { color: color("line") } },
          },
          series: [
            {
              type: "custom",
              silent: true,
              data: counts.map((count, i) => [axis.min + i * step, count]),
              renderItem: (_params, api) => {
                const count = api.value(1) as number;
                const [x, y] = api.coord([api.value(0), count]) as [number, number];
                const [xEnd, base] = api.coord([(api.value(0) as number) + step, 0]) as [
                  number,
                  number,
                ];
                return {
                  type: "rect",
                  shape: { x, y, width: Math.max(0.5, xEnd - x - 1), height: base - y },
                  style: { fill: color("verified"), opacity: 0.85 },
                };
              },
              encode: { x: 0, y: 1 },
              ...(medianMs === null
                ? {}
                : {
                    markLine: {
                      silent: true,
                      symbol: "none",
                      lineStyle: { color: color("ink"), type: "dashed", width: 1 },
                      label: {
                        formatter: `median ${medianMs.toPrecision(3)} ms`,
                        color: color("ink"),
                        fontSize,
                        fontFamily,
                      },
                      data: [{ xAxis: Math.log10(medianMs) }],
                    },
                  }),
            },
            {
              type: "custom",
              silent: true,
              data: verifiedMs.map((latencyMs) => [Math.log10(latencyMs), 0]),
              renderItem: (_params, api) => {
                const [x, y] = api.coord([api.value(0), 0]) as [number, number];
                return {
                  type: "line",
                  shape: { x1: x, y1: y + 1, x2: x, y2: y + 8 },
                  style: { stroke: color("miss"), lineWidth: 1.5 },
                };
              },
            },
          ],
        },
      };
    },
  };
}
