/**
 * A chart in the page: drawn as wide as there is room, in the theme's colours, with its words and figures beside it.
 *
 * It takes the charts of `src/evaluate/charts-*.ts`, whose colours are CSS variables. SVG follows the theme by itself;
 * canvas, for thousands of points, gets the variables' values.
 */
import type { SeriesOption } from "echarts";
import type { EChartsType } from "echarts/core";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Chart, color, fontFamily, fontSize } from "../../../evaluate/chart-parts.js";
import { isDark } from "../shell/theme.js";
import { init } from "./chart-modules.js";

interface ChartViewProps {
  readonly chart: Chart;
  /** The chart's figures as a table; shown when asked for. */
  readonly table?: ComponentChildren;
  readonly renderer?: "svg" | "canvas";
  /** Series of the chart, by id, that changed since it was drawn: the others are not drawn again. */
  readonly overlay?: readonly SeriesOption[];
  /** Gets the instance once, for events. */
  readonly onReady?: (instance: EChartsType) => void;
}

/** Option with CSS variables replaced by their values now. */
function withValues<T>(option: T, styles: CSSStyleDeclaration): T {
  if (typeof option === "string") {
    return option.replaceAll(/var\((--[a-z-]+)\)/g, (_, name: string) =>
      styles.getPropertyValue(name).trim(),
    ) as T;
  }
  if (ArrayBuffer.isView(option)) return option;
  if (Array.isArray(option)) {
    // Long data hold numbers, no colours.
    return (option.length > 2000 ? option : option.map((part) => withValues(part, styles))) as T;
  }
  if (option === null || typeof option !== "object") return option;
  return Object.fromEntries(
    Object.entries(option).map(([key, part]) => [key, withValues(part, styles)]),
  ) as T;
}

const valuesFor = <T,>(renderer: "svg" | "canvas", option: T): T =>
  renderer === "svg" ? option : withValues(option, getComputedStyle(document.documentElement));

/** Title, drawing, caption and, in a fold, the figures. */
export function ChartView({ chart, table, renderer = "svg", overlay, onReady }: ChartViewProps) {
  const box = useRef<HTMLDivElement>(null);
  const instance = useRef<EChartsType | null>(null);
  const [width, setWidth] = useState(0);
  const dark = isDark.value;

  useEffect(() => {
    const observer = new ResizeObserver(([entry]) =>
      setWidth(Math.floor(entry!.contentRect.width)),
    );
    observer.observe(box.current!);
    return () => {
      observer.disconnect();
      instance.current?.dispose();
      instance.current = null;
    };
  }, []);

  useEffect(() => {
    if (width < 120) return;
    const { height, option } = chart.draw(width);
    const size = { width, height };
    box.current!.style.height = `${height}px`;
    if (instance.current === null) {
      instance.current = init(box.current!, null, { renderer, ...size });
      onReady?.(instance.current);
    } else {
      instance.current.resize(size);
    }
    const whole = {
      animation: false,
      textStyle: { fontFamily, fontSize, color: color("ink") },
      ...option,
    };
    instance.current.setOption(valuesFor(renderer, whole), true);
  }, [chart, width, renderer, dark]);

  useEffect(() => {
    if (overlay === undefined) return;
    instance.current?.setOption({ series: valuesFor(renderer, [...overlay]) });
  }, [overlay]);

  const captionId = `${chart.id}-caption`;
  return (
    <figure class="chart">
      <div
        class="chart-box"
        ref={box}
        role="img"
        aria-label={chart.title}
        aria-describedby={captionId}
      />
      <figcaption id={captionId}>{chart.caption}</figcaption>
      {table !== undefined && (
        <details>
          <summary>Figures of this chart</summary>
          {table}
        </details>
      )}
    </figure>
  );
}
