/**
 * All networks as points of a canvas, with the Pareto front. What a reader changes often (the chosen network, the chosen
 * area) is a series of its own, so that the cloud is not drawn again for it.
 */
import {
  type Chart,
  color,
  countOf,
  logAxisOf,
  logAxisOption,
  meritAxisOption,
} from "../../../evaluate/chart-parts.js";
import type { Networks } from "../parts/use-networks.js";

/** A rectangle of the plane: log10 of ms across, merit up. */
export interface Area {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

/** What the reader has chosen in the chart. */
export interface Marks {
  readonly chosen: number | undefined;
  readonly area: Area | null;
}

const frontDots = { few: 60, size: 7, sizeOfMany: 4 } as const;

function pointsOf({ columns, merit }: Networks, rows: ArrayLike<number>): Float32Array {
  const points = new Float32Array(rows.length * 2);
  for (let at = 0; at < rows.length; at++) {
    points[2 * at] = Math.log10(columns.latencyMs[rows[at]!]!);
    points[2 * at + 1] = merit[rows[at]!]!;
  }
  return points;
}

const pairsOf = ({ columns, merit }: Networks, rows: readonly number[]) =>
  rows.map((i) => [Math.log10(columns.latencyMs[i]!), merit[i]!]);

/** The series that show what is chosen: all there is to change when only that has changed. */
export function markSeries(networks: Networks, { chosen, area }: Marks) {
  const isDrawn = chosen !== undefined && Number.isFinite(networks.merit[chosen] ?? Number.NaN);
  return [
    {
      id: "area",
      type: "scatter" as const,
      silent: true,
      data: [],
      markArea: {
        silent: true,
        itemStyle: {
          color: color("verified"),
          opacity: 0.12,
          borderColor: color("ink"),
          borderWidth: 1,
        },
        data:
          area === null
            ? []
            : [
                [
                  { xAxis: area.x[0], yAxis: area.y[0] },
                  { xAxis: area.x[1], yAxis: area.y[1] },
                ] as [{ xAxis: number; yAxis: number }, { xAxis: number; yAxis: number }],
              ],
      },
    },
    {
      id: "chosen",
      type: "scatter" as const,
      silent: true,
      symbolSize: 15,
      z: 5,
      itemStyle: { color: "transparent", borderColor: color("verified"), borderWidth: 3 },
      data: isDrawn ? pairsOf(networks, [chosen]) : [],
    },
  ];
}

/**
 * The cloud of networks.
 *
 * @param shown - positions of the networks to draw
 * @param front - positions on the front, by ascending latency
 * @param view - the part to show; null for all
 * @param marks - gives what is chosen whenever the chart is drawn
 */
export function exploreChart(
  networks: Networks,
  shown: Int32Array,
  front: readonly number[],
  view: Area | null,
  marks: () => Marks,
): Chart {
  const { columns, meritName } = networks;
  const points = pointsOf(networks, shown);
  return {
    id: "explore",
    title: `Predicted latency against ${meritName}`,
    caption: `${countOf(shown.length, "network")} of NAS-Bench-201 on ${columns.platform}. Across: predicted latency; up: ${meritName}. Line: Pareto front of ${countOf(front.length, "network")}, which no other beats in both.`,
    draw(width) {
      const axis =
        view === null
          ? logAxisOf(Array.from(shown, (i) => columns.latencyMs[i]!))
          : logAxisOf(
              view.x.map((x) => 10 ** x),
              0,
            );
      return {
        height: width < 500 ? 360 : 460,
        option: {
          grid: { left: 66, right: 18, top: 18, bottom: 58, containLabel: false },
          xAxis: { ...logAxisOption(axis, "predicted latency (ms)"), nameGap: 34 },
          yAxis: {
            ...meritAxisOption(meritName),
            ...(view !== null && { min: view.y[0], max: view.y[1] }),
          },
          brush: {
            xAxisIndex: 0,
            yAxisIndex: 0,
            seriesIndex: [],
            toolbox: [],
            throttleType: "debounce",
            throttleDelay: 60,
            brushStyle: { borderColor: color("ink"), borderWidth: 1 },
          },
          series: [
            {
              type: "scatter",
              silent: true,
              large: true,
              largeThreshold: 1,
              progressive: 0,
              symbolSize: 3,
              itemStyle: { color: color("sample"), opacity: 0.5 },
              dimensions: ["x", "y"],
              data: points as unknown as number[],
            },
            {
              type: "line",
              step: "end",
              silent: true,
              clip: true,
              symbol: "circle",
              symbolSize: front.length > frontDots.few ? frontDots.sizeOfMany : frontDots.size,
              lineStyle: { color: color("miss"), width: 1.5 },
              itemStyle: { color: color("miss") },
              data: pairsOf(networks, front),
            },
            ...markSeries(networks, marks()),
          ],
        },
      };
    },
  };
}

/** Shown networks within an area. */
export function networksWithin(
  { columns, merit }: Networks,
  shown: Int32Array,
  { x, y }: Area,
): number[] {
  return [...shown].filter((i) => {
    const across = Math.log10(columns.latencyMs[i]!);
    return across >= x[0] && across <= x[1] && merit[i]! >= y[0] && merit[i]! <= y[1];
  });
}
