/**
 * The cloud of networks and what one does in it: point at a network, choose it, draw a rectangle around many, look
 * closer, walk along the front.
 */
import type { EChartsType } from "echarts/core";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { formatMs } from "../../../units.js";
import { ChartView } from "../parts/chart.js";
import { meritText, type Networks } from "../parts/use-networks.js";
import { type Area, exploreChart, type Marks, markSeries } from "./explore-chart.js";

/** A pointer means the nearest network that is not further from it than this, in CSS pixels. */
const reachPx = 24;

interface PlotProps extends Marks {
  readonly networks: Networks;
  readonly shown: Int32Array;
  readonly front: readonly number[];
  readonly choose: (index: number) => void;
  /** Gets null when the rectangle is taken away. */
  readonly select: (area: Area | null) => void;
  readonly table: ComponentChildren;
}

interface Latest extends Marks {
  readonly networks: Networks;
  readonly shown: Int32Array;
  readonly isSelecting: boolean;
  readonly choose: (index: number) => void;
  readonly point: (index: number | null) => void;
  readonly finish: (area: Area | null) => void;
}

/** The shown network that is nearest to a place of the chart, within reach. */
function nearest(
  instance: EChartsType,
  { networks: { columns, merit }, shown }: Latest,
  [x, y]: readonly [number, number],
): number | null {
  const axes = { xAxisIndex: 0, yAxisIndex: 0 };
  // Both axes are linear in their data: two places give the scale.
  const place = instance.convertFromPixel(axes, [x, y]) as [number, number];
  const other = instance.convertFromPixel(axes, [x + 100, y + 100]) as [number, number];
  const pxPerX = 100 / (other[0] - place[0]);
  const pxPerY = 100 / (other[1] - place[1]);
  let found: number | null = null;
  let least = reachPx ** 2;
  for (const i of shown) {
    const distance =
      ((Math.log10(columns.latencyMs[i]!) - place[0]) * pxPerX) ** 2 +
      ((merit[i]! - place[1]) * pxPerY) ** 2;
    if (distance < least) [found, least] = [i, distance];
  }
  return found;
}

interface BrushEvent {
  readonly areas?: readonly { readonly coordRange?: [[number, number], [number, number]] }[];
}

function listen(instance: EChartsType, latest: { readonly current: Latest }): void {
  const at = ({ offsetX, offsetY }: { offsetX: number; offsetY: number }) => {
    const place: [number, number] = [offsetX, offsetY];
    if (latest.current.isSelecting || !instance.containPixel("grid", place)) return null;
    return nearest(instance, latest.current, place);
  };
  const canvas = instance.getZr();
  canvas.on("mousemove", (event) => {
    const found = at(event);
    canvas.setCursorStyle(found === null ? "default" : "pointer");
    latest.current.point(found);
  });
  canvas.on("globalout", () => latest.current.point(null));
  canvas.on("click", (event) => {
    const found = at(event);
    if (found !== null) latest.current.choose(found);
  });
  instance.on("brushEnd", (event) => {
    const range = (event as BrushEvent).areas?.[0]?.coordRange;
    if (range === undefined) return;
    latest.current.finish({ x: range[0], y: range[1] });
    // The rectangle itself is drawn with the chart, whose size and colours it then follows.
    instance.dispatchAction({ type: "brush", areas: [] });
  });
}

/** Steps along the front, for the keyboard as for the mouse. */
function FrontSteps({
  networks: { columns },
  front,
  chosen,
  choose,
}: Pick<PlotProps, "networks" | "front" | "chosen" | "choose">) {
  const chosenMs = chosen === undefined ? 0 : (columns.latencyMs[chosen] ?? 0);
  const faster = front.findLast((i) => columns.latencyMs[i]! < chosenMs);
  const slower = front.find((i) => columns.latencyMs[i]! > chosenMs);
  return (
    <>
      {[
        { name: "Faster on the front", to: faster },
        { name: "Better on the front", to: slower },
      ].map(({ name, to }) => (
        <button
          key={name}
          type="button"
          disabled={to === undefined}
          onClick={() => to !== undefined && choose(to)}
        >
          {name}
        </button>
      ))}
    </>
  );
}

/** The chart, its buttons, and what the pointer is at. */
export function ExplorePlot(props: PlotProps) {
  const { networks, shown, front, chosen, area, choose, select, table } = props;
  const { columns, merit } = networks;
  const [instance, setInstance] = useState<EChartsType | null>(null);
  const [isSelecting, setIsSelecting] = useState(false);
  const [pointed, setPointed] = useState<number | null>(null);
  const [view, setView] = useState<Area | null>(null);
  useEffect(() => setView(null), [networks]);
  const latest = useRef<Latest>(null as unknown as Latest);
  const finish = (found: Area | null) => {
    setIsSelecting(false);
    select(found);
  };
  latest.current = {
    networks,
    shown,
    isSelecting,
    chosen,
    area,
    choose,
    finish,
    point: setPointed,
  };
  const chart = useMemo(
    () => exploreChart(networks, shown, front, view, () => latest.current),
    [networks, shown, front, view],
  );
  const marks = useMemo(() => markSeries(networks, { chosen, area }), [networks, chosen, area]);
  // Before the next input: the rectangle may be drawn right after the button.
  useLayoutEffect(() => {
    instance?.dispatchAction({
      type: "takeGlobalCursor",
      key: "brush",
      brushOption: { brushType: isSelecting ? "rect" : false, brushMode: "single" },
    });
  }, [instance, isSelecting, chart]);

  return (
    <>
      <div class="row">
        <button
          type="button"
          aria-pressed={isSelecting}
          onClick={() => setIsSelecting(!isSelecting)}
        >
          Select an area
        </button>
        {area !== null && (
          <>
            <button type="button" onClick={() => setView(area)}>
              Look closer
            </button>
            <button type="button" onClick={() => select(null)}>
              Clear the selection
            </button>
          </>
        )}
        {view !== null && (
          <button type="button" onClick={() => setView(null)}>
            Show all
          </button>
        )}
        <FrontSteps {...{ networks, front, chosen, choose }} />
      </div>
      <p class="muted pointed">
        {isSelecting
          ? "Draw a rectangle in the chart."
          : pointed === null
            ? "Click a point to see what the network consists of."
            : `nasbench201/${pointed}: ${formatMs(columns.latencyMs[pointed]!)} (${formatMs(columns.lowerMs[pointed]!)} to ${formatMs(columns.upperMs[pointed]!)}), ${meritText(merit[pointed]!)}`}
      </p>
      <ChartView
        chart={chart}
        overlay={marks}
        renderer="canvas"
        table={table}
        onReady={(ready) => {
          listen(ready, latest);
          setInstance(ready);
        }}
      />
    </>
  );
}
