/**
 * Charts as SVG text: deterministic, with colours that follow the reader's light or dark setting. What a chart shows
 * comes from the builders (`charts-*.ts`).
 */
import { init } from "echarts";
import { InputError } from "../errors.js";
import {
  type Chart,
  color,
  colorStyles,
  escapeHtml,
  fontFamily,
  fontSize,
  withLightColors,
} from "./chart-parts.js";

export * from "./chart-parts.js";

export interface RenderOptions {
  /** CSS pixels; default 720. Text keeps its size, so draw a narrow chart for a narrow screen. */
  readonly width?: number;
  /**
   * For a file of its own: carry the colours along (true), or be drawn in the light ones on paper, which every program
   * can read (`paper`). Default false: the page's style sheet gives them.
   */
  readonly standalone?: boolean | "paper";
}

/** Draw a chart as SVG text; the same chart gives the same text. */
export function renderChart(chart: Chart, options: RenderOptions = {}): string {
  const { width = 720, standalone = false } = options;
  if (!(width >= 200))
    throw new InputError(`a chart must be at least 200 pixels wide, got ${width}`);
  const { height, option } = chart.draw(width);
  const instance = init(null, null, { renderer: "svg", ssr: true, width, height });
  let svg: string;
  try {
    instance.setOption({
      animation: false,
      textStyle: { fontFamily, fontSize, color: color("ink") },
      ...option,
    });
    svg = instance.renderToSVGString();
  } finally {
    instance.dispose();
  }
  const id = `${chart.id}-${width}`;
  const body = svg
    .slice(svg.indexOf(">") + 1, svg.lastIndexOf("</svg>"))
    // What serves interaction in a page with ECharts, and nothing here.
    .replace(/<style[^>]*><!\[CDATA\[[\s\S]*?\]\]>\s*<\/style>/g, "")
    .replaceAll(/ (?:class="zr[^"]*"|ecmeta_\w+="[^"]*"|pointer-events="\w+")/g, "")
    // Ids count up over all charts of the process.
    .replaceAll(/\bzr\d+-/g, `${id}-`)
    .trim();
  const style = standalone === true ? `<style>${colorStyles("svg")}</style>\n` : "";
  const text = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-desc">
<title id="${id}-title">${escapeHtml(chart.title)}</title>
<desc id="${id}-desc">${escapeHtml(chart.caption)}</desc>
${style}${standalone === "paper" ? `<rect width="${width}" height="${height}" fill="var(--paper)"/>\n` : ""}${body}
</svg>`;
  return standalone === "paper" ? withLightColors(text) : text;
}
