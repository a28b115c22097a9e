/**
 * All networks of a space by predicted latency and by what makes them worth having, with the Pareto front.
 */
import {
  type Chart,
  color,
  countOf,
  logAxisOf,
  logAxisOption,
  meritAxisOption,
} from "./chart-parts.js";

/** What the cloud is drawn from. */
export interface ParetoOptions {
  readonly id?: string;
  /** On what, e.g. `NAS-Bench-201 networks on rpi4b.tflite2.9-xnnpack-t1.fp32`. */
  readonly what: string;
  /** Of the vertical axis, with its unit, e.g. `accuracy (%)`. */
  readonly meritName: string;
  /** Where it comes from, in words. */
  readonly meritFrom: string;
  /** Positions of the networks on the front, by ascending latency. */
  readonly front: readonly number[];
}

/** Squares of the cloud, in pixels, and how many networks make the darker shades. */
const cellSize = 3;
const shades = [
  { least: 1, opacity: 0.35 },
  { least: 3, opacity: 0.6 },
  { least: 10, opacity: 0.95 },
];

/** Squares of a grid that hold networks, as one path a shade: thousands of marks would make a heavy file. */
function cloudPaths(points: readonly (readonly [number, number])[]): string[] {
  const counts = new Map<string, number>();
  for (const [x, y] of points) {
    const key = `${Math.floor(x / cellSize) * cellSize} ${Math.floor(y / cellSize) * cellSize}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return shades.map(({ least }, s) => {
    const below = shades[s + 1]?.least ?? Number.POSITIVE_INFINITY;
    return [...counts]
      .filter(([, count]) => count >= least && count < below)
      .map(([key]) => `M${key}h${cellSize}v${cellSize}h-${cellSize}z`)
      .join("");
  });
}

/**
 * Latency against merit (accuracy, or multiply-accumulates in its stead), higher is better.
 *
 * @param latencyMs - positive; one entry a network
 * @param merit - NaN where it is not known: not drawn
 */
export function paretoChart(
  latencyMs: ArrayLike<number>,
  merit: ArrayLike<number>,
  { id = "pareto", what, meritName, meritFrom, front }: ParetoOptions,
): Chart {
  const known = Array.from({ length: latencyMs.length }, (_, i) => i).filter(
    (i) => Number.isFinite(merit[i]!) && latencyMs[i]! > 0,
  );
  return {
    id,
    title: `Predicted latency against ${meritName}`,
    caption: `${countOf(known.length, "network")}: ${what}. Across: predicted latency; up: ${meritName}, ${meritFrom}. Darker where several networks fall on one spot. Line: Pareto front of ${countOf(front.length, "network")}, which no other network beats in both.`,
    draw(width) {
      const axis = logAxisOf(known.length === 0 ? [1] : known.map((i) => latencyMs[i]!));
      const frontData = front.map((i) => [Math.log10(latencyMs[i]!), merit[i]!]);
      return {
        height: width < 500 ? 340 : 420,
        option: {
          grid: { left: 66, right: 18, top: 18, bottom: 58, containLabel: false },
          xAxis: { ...logAxisOption(axis, "predicted latency (ms)"), nameGap: 34 },
          yAxis: meritAxisOption(meritName),
          series: [
            // Gives the axis its range.
            {
              type: "line",
              silent: true,
              symbol: "none",
              lineStyle: { opacity: 0 },
              data: rangeOf(known, latencyMs, merit),
            },
            {
              type: "custom",
              silent: true,
              data: [0],
              renderItem: (_params, api) => {
                const points = known.map(
                  (i) => api.coord([Math.log10(latencyMs[i]!), merit[i]!]) as [number, number],
                );
                return {
                  type: "group",
                  children: cloudPaths(points).map((pathData, s) => ({
                    type: "path" as const,
                    shape: { pathData },
                    style: { fill: color("sample"), opacity: shades[s]!.opacity },
                  })),
                };
              },
            },
            {
              type: "line",
              silent: true,
              step: "end",
              symbol: "circle",
              symbolSize: front.length > 60 ? 4 : 7,
              itemStyle: { color: color("miss") },
              lineStyle: { color: color("miss"), width: 1.5 },
              data: frontData,
            },
          ],
        },
      };
    },
  };
}

function rangeOf(
  known: readonly number[],
  latencyMs: ArrayLike<number>,
  merit: ArrayLike<number>,
): [number, number][] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const i of known) {
    low = Math.min(low, merit[i]!);
    high = Math.max(high, merit[i]!);
  }
  const x = known.length === 0 ? 0 : Math.log10(latencyMs[known[0]!]!);
  return known.length === 0
    ? []
    : [
        [x, low],
        [x, high],
      ];
}
