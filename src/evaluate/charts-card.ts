/**
 * A predictor's card as a chart: how it does on each platform of a runtime family that it has not learned from.
 */
import { type Chart, color, countOf, fontFamily, fontSize } from "./chart-parts.js";

/** One platform, held out with its family. */
export interface CardPlatform {
  readonly platformId: string;
  readonly family: string;
  readonly nTest: number;
  readonly withinTenPercent: number;
  readonly withinTenPercentSd: number;
}

const rowHeight = 34;

/**
 * Share within ±10 % on every held-out platform, best first.
 *
 * @param how - how it was found out: samples, trials, which split
 * @param marked - platform to set apart
 */
export function cardChart(
  platforms: readonly CardPlatform[],
  {
    id = "card",
    how,
    marked,
  }: { readonly id?: string; readonly how: string; readonly marked?: string },
): Chart {
  const sorted = [...platforms].sort((a, b) => b.withinTenPercent - a.withinTenPercent);
  const isMarked = sorted.some(({ platformId }) => platformId === marked);
  return {
    id,
    title: "Platforms of families not learned from",
    caption: `Share of test networks predicted within ±10 % on ${countOf(platforms.length, "platform")}, each left out with its whole runtime family: ${how}. Dot: mean over trials; bar: one standard deviation to both sides.${isMarked ? " Triangle: the platform of this page." : ""}`,
    draw(width) {
      const top = 6;
      const plotHeight = sorted.length * rowHeight;
      return {
        height: top + plotHeight + 52,
        option: {
          grid: { left: 16, right: 26, top, height: plotHeight, containLabel: false },
          xAxis: {
            type: "value",
            min: 0,
            max: 1,
            interval: 0.25,
            name: "test networks within ±10 %",
            nameLocation: "middle",
            nameGap: 30,
            nameTextStyle: { color: color("ink"), fontSize, fontFamily },
            axisLabel: {
              color: color("muted"),
              fontSize,
              formatter: (value: number) => `${Math.round(value * 100)} %`,
            },
            splitLine: { lineStyle: { color: color("line") } },
          },
          yAxis: { type: "value", show: false, inverse: true, min: 0, max: sorted.length },
          series: [
            {
              type: "custom",
              silent: true,
              clip: false,
              data: sorted.map(({ withinTenPercent }, i) => [withinTenPercent, i]),
              renderItem: (params, api) => {
                const row = sorted[params.dataIndex]!;
                const at = (share: number) =>
                  api.coord([Math.min(1, Math.max(0, share)), params.dataIndex + 0.72]) as [
                    number,
                    number,
                  ];
                const [x, y] = at(row.withinTenPercent);
                const [low] = at(row.withinTenPercent - row.withinTenPercentSd);
                const [high] = at(row.withinTenPercent + row.withinTenPercentSd);
                const [left] = at(0);
                const isOwn = row.platformId === marked;
                const fill = color(isOwn ? "miss" : "verified");
                return {
                  type: "group",
                  children: [
                    {
                      type: "line",
                      shape: { x1: low, y1: y, x2: high, y2: y },
                      style: { stroke: fill, lineWidth: 4, opacity: 0.35 },
                    },
                    isOwn
                      ? {
                          type: "polygon",
                          shape: {
                            points: [
                              [x, y - 6],
                              [x + 6, y + 5],
                              [x - 6, y + 5],
                            ],
                          },
                          style: { fill },
                        }
                      : { type: "circle", shape: { cx: x, cy: y, r: 4.5 }, style: { fill } },
                    {
                      type: "text",
                      x: left,
                      y: y - 15,
                      style: {
                        text: `${Math.round(row.withinTenPercent * 100)} %  ${row.platformId}`,
                        fill: color("ink"),
                        font: `${isOwn ? "bold " : ""}${width < 500 ? 10 : 12}px ${fontFamily}`,
                        backgroundColor: color("paper"),
                        verticalAlign: "middle",
                      },
                    },
                  ],
                };
              },
            },
          ],
        },
      };
    },
  };
}
