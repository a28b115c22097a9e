/**
 * What all charts share: their shape, colours that follow the reader's light or dark setting, and axes. Nothing here
 * draws, so that a page can use it: `charts.ts` makes SVG text of a chart, the dashboard draws it in the page.
 */
import type { EChartsOption } from "echarts";
import { InputError } from "../errors.js";

/** A drawing with the words that belong to it. */
export interface Chart {
  /** Unique on its page; part of every id in the SVG. */
  readonly id: string;
  readonly title: string;
  /** How many, on what, which split. */
  readonly caption: string;
  /** Drawing for a width in CSS pixels. */
  readonly draw: (width: number) => Drawing;
}

/** What one width needs. */
export interface Drawing {
  readonly height: number;
  readonly option: EChartsOption;
}

/** Colours by role. Okabe and Ito's palette (blue, vermillion) stays apart in all common colour-blindness. */
const lightColors = {
  ink: "#1b1f24",
  muted: "#57606a",
  line: "#d4d9df",
  paper: "#ffffff",
  verified: "#0072b2",
  sample: "#57606a",
  miss: "#d55e00",
  band: "#e9edf1",
  absent: "#b6bec7",
} as const;

export type ColorRole = keyof typeof lightColors;

const darkColors: Readonly<Record<ColorRole, string>> = {
  ink: "#e6edf3",
  muted: "#9da7b3",
  line: "#353c45",
  paper: "#11151a",
  verified: "#56b4e9",
  sample: "#9da7b3",
  miss: "#ff8a3d",
  band: "#222931",
  absent: "#525c67",
};

/** The colour of a role as CSS. */
export const color = (role: ColorRole): string => `var(--${role})`;

function declarations(colors: Readonly<Record<ColorRole, string>>): string {
  return Object.entries(colors)
    .map(([role, value]) => `--${role}:${value}`)
    .join(";");
}

/** A drawing with the light colours themselves in place of their names. */
export function withLightColors(svg: string): string {
  return svg.replaceAll(
    /var\(--(\w+)\)/g,
    (whole, role: string) => (lightColors as Readonly<Record<string, string>>)[role] ?? whole,
  );
}

/** Style sheet that gives the colours to `selector`, light and dark. */
export function colorStyles(selector: string): string {
  return `${selector}{${declarations(lightColors)}}
@media (prefers-color-scheme:dark){${selector}{${declarations(darkColors)}}}`;
}

export const fontFamily =
  "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif";
export const fontSize = 13;

/** Text as it may stand in HTML and SVG, also within a quoted attribute. */
export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character]!);
}

/** A logarithmic axis in milliseconds. ECharts' own has ticks at powers of ten only. */
export interface LogAxis {
  /** Ends of the axis, log10 of ms. */
  readonly min: number;
  readonly max: number;
  /** Where labels stand, log10 of ms. */
  readonly ticks: readonly number[];
}

const labelOf = (exponent: number) => String(Number((10 ** exponent).toPrecision(3)));

/**
 * An axis around positive latencies with labels at 1, 2 and 5 times powers of ten (closer in a narrow range).
 *
 * @param latenciesMs - at least one, positive
 * @param margin - room on either side, as a share of the range
 */
export function logAxisOf(latenciesMs: readonly number[], margin = 0.04): LogAxis {
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (const latencyMs of latenciesMs) {
    if (!(latencyMs > 0 && Number.isFinite(latencyMs))) continue;
    low = Math.min(low, latencyMs);
    high = Math.max(high, latencyMs);
  }
  if (high === 0) throw new InputError("a logarithmic axis needs a positive latency");
  const middle = (Math.log10(low) + Math.log10(high)) / 2;
  const range = Math.log10(high) - Math.log10(low);
  const half = Math.max(range * (0.5 + margin), margin > 0 ? 0.1 : 1e-3);
  const [min, max] = [middle - half, middle + half];
  const choices = [
    [1],
    [1, 3],
    [1, 2, 5],
    [1, 1.5, 2, 3, 4, 6, 8],
    [1, 1.1, 1.2, 1.3, 1.4, 1.6, 1.8, 2, 2.2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8, 9],
  ];
  let ticks: number[] = [];
  for (const steps of choices) {
    ticks = [];
    for (let power = Math.floor(min); power <= Math.ceil(max); power++) {
      for (const step of steps) {
        const tick = power + Math.log10(step);
        if (tick >= min && tick <= max) ticks.push(tick);
      }
    }
    if (ticks.length >= 4) break;
  }
  return { min, max, ticks };
}

/** ECharts settings of a logarithmic axis in ms; its data are log10 of ms. */
export function logAxisOption(axis: LogAxis, name: string) {
  return {
    type: "value" as const,
    name,
    nameLocation: "middle" as const,
    nameTextStyle: { color: color("ink"), fontSize, fontFamily },
    min: axis.min,
    max: axis.max,
    splitLine: { show: false },
    axisLine: { show: true, onZero: false, lineStyle: { color: color("muted") } },
    axisTick: {
      show: true,
      customValues: [...axis.ticks],
      lineStyle: { color: color("muted") },
    },
    axisLabel: {
      customValues: [...axis.ticks],
      formatter: labelOf,
      color: color("muted"),
      fontSize,
      hideOverlap: true,
    },
  };
}

/** ECharts settings of the vertical axis of a figure of merit, e.g. `accuracy (%)`. */
export function meritAxisOption(name: string) {
  return {
    type: "value" as const,
    scale: true,
    name,
    nameLocation: "middle" as const,
    nameGap: 46,
    nameTextStyle: { color: color("ink"), fontSize, fontFamily },
    axisLine: { show: true, onZero: false, lineStyle: { color: color("muted") } },
    axisLabel: { color: color("muted"), fontSize },
    splitLine: { lineStyle: { color: color("line") } },
  };
}

/** A count with its noun, e.g. `1 network`, `15,625 networks`. */
export function countOf(n: number, noun: string): string {
  return `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
}
