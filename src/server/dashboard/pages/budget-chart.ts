/**
 * The best merit that each budget buys, as steps, with the budget of the moment.
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

/**
 * Steps of the front.
 *
 * @param front - positions of the networks that no other beats by upper bound and merit, by ascending bound
 */
export function budgetChart(
  { columns, merit, meritName }: Networks,
  front: readonly number[],
  budgetMs: number,
  confidence: number,
): Chart {
  const points = front.map((i) => [Math.log10(columns.upperMs[i]!), merit[i]!]);
  return {
    id: "budget",
    title: "What each budget buys",
    caption: `Best ${meritName} of networks whose latency is within the budget with a probability of ${Math.round(confidence * 100)} % or more, by the budget: ${countOf(front.length, "network")} on ${columns.platform}. Vertical line: the budget of the moment.`,
    draw(width) {
      const axis = logAxisOf([...front.map((i) => columns.upperMs[i]!), budgetMs]);
      return {
        height: width < 500 ? 300 : 360,
        option: {
          grid: { left: 66, right: 18, top: 18, bottom: 58, containLabel: false },
          xAxis: { ...logAxisOption(axis, "budget (ms)"), nameGap: 34 },
          yAxis: meritAxisOption(meritName),
          series: [
            {
              type: "line",
              step: "end",
              silent: true,
              symbol: "circle",
              symbolSize: 7,
              lineStyle: { color: color("verified"), width: 2 },
              itemStyle: { color: color("verified") },
              data: points,
              markLine: {
                silent: true,
                symbol: "none",
                label: { show: false },
                lineStyle: { color: color("miss"), type: "solid", width: 2 },
                data: [{ xAxis: Math.log10(budgetMs) }],
              },
            },
          ],
        },
      };
    },
  };
}
