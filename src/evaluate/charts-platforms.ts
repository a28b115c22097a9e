/**
 * Two platforms against each other: the same networks on both, one point each.
 */
import { type Chart, color, countOf, fontSize, logAxisOf, logAxisOption } from "./chart-parts.js";

/** A network that both platforms have measured. */
export interface OnBoth {
  readonly id: string;
  readonly firstMs: number;
  readonly secondMs: number;
}

/**
 * Latency on one platform against latency on another; the line is the median ratio.
 *
 * @param networks - at least one
 * @param ratio - typical latency on the second over that on the first
 */
export function platformsChart(
  networks: readonly OnBoth[],
  {
    id = "platforms",
    first,
    second,
    ratio,
  }: {
    readonly id?: string;
    readonly first: string;
    readonly second: string;
    readonly ratio: number;
  },
): Chart {
  return {
    id,
    title: "The same networks on both platforms",
    caption: `${countOf(networks.length, "network")} measured on both: across ${first}, up ${second}. Line: the median ratio, ${ratio.toPrecision(3)}; a network above it suits the second less than others do.`,
    draw(width) {
      const x = logAxisOf(networks.map(({ firstMs }) => firstMs));
      const y = logAxisOf(networks.map(({ secondMs }) => secondMs));
      const side = Math.min(width - 84, 460);
      const shift = Math.log10(ratio);
      return {
        height: side + 66,
        option: {
          grid: { left: 60, top: 8, width: side, height: side, containLabel: false },
          xAxis: { ...logAxisOption(x, "latency on the first (ms)"), nameGap: 32 },
          yAxis: { ...logAxisOption(y, "latency on the second (ms)"), nameGap: 42 },
          tooltip: {
            trigger: "item",
            textStyle: { fontSize },
            formatter: (point) => {
              const { name } = Array.isArray(point) ? point[0]! : point;
              return name ?? "";
            },
          },
          series: [
            {
              type: "line",
              silent: true,
              symbol: "none",
              z: 1,
              clip: true,
              lineStyle: { color: color("muted"), width: 1 },
              data: [
                [x.min, x.min + shift],
                [x.max, x.max + shift],
              ],
            },
            {
              type: "scatter",
              z: 2,
              symbolSize: 6,
              itemStyle: { color: color("verified"), opacity: 0.6 },
              data: networks.map((network) => ({
                name: network.id,
                value: [Math.log10(network.firstMs), Math.log10(network.secondMs)],
              })),
            },
          ],
        },
      };
    },
  };
}
