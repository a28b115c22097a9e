/**
 * The heat map of a descriptor: operators × (latency, counters per nanosecond of it).
 */
import { counterLabel, mapleEdgeCounters } from "../record/counter-names.js";
import type { Descriptor } from "../record/descriptor.js";
import { nsPerMs } from "../units.js";
import { type Chart, color, countOf, fontFamily } from "./chart-parts.js";

/** A column of the map; `values` are in the order of the descriptor's rows, null where the counter is absent. */
export interface DescriptorColumn {
  readonly name: string;
  readonly unit: string;
  readonly values: readonly (number | null)[];
  /** No operator has it. */
  readonly isAbsent: boolean;
}

/** Latency in ms, then each counter's events per nanosecond of latency. */
export function descriptorColumns({ rows }: Descriptor): DescriptorColumn[] {
  const present = new Set(rows.flatMap(({ counters }) => counters.map(counterLabel)));
  const names = [
    ...mapleEdgeCounters,
    ...[...present].filter((name) => !mapleEdgeCounters.some((known) => known === name)),
  ];
  return [
    {
      name: "latency",
      unit: "ms",
      values: rows.map(({ latencyNs }) => latencyNs / nsPerMs),
      isAbsent: false,
    },
    ...names.map((name) => ({
      name,
      unit: name === "task-clock" ? "ns / ns" : "1 / ns",
      values: rows.map(({ latencyNs, counters }) => {
        const reading = counters.find((counter) => counterLabel(counter) === name);
        return reading === undefined ? null : reading.perRun / latencyNs;
      }),
      isAbsent: !present.has(name),
    })),
  ];
}

/** Cividis (Nuñez et al. 2018): dark to light, the same to all eyes; reads on light and dark paper. */
const scaleColors = ["#00204d", "#2a3f6d", "#575d6d", "#7c7b78", "#a59c74", "#d2c060", "#ffea46"];

/** Place of a value in its column's range on a logarithmic scale, 0..1; 0.5 when all are equal. */
function placesOf(values: readonly (number | null)[]): (number | "zero" | null)[] {
  const logs = values.flatMap((value) => (value !== null && value > 0 ? [Math.log(value)] : []));
  const low = Math.min(...logs);
  const high = Math.max(...logs);
  return values.map((value) => {
    if (value === null) return null;
    if (value <= 0) return "zero";
    return high === low ? 0.5 : (Math.log(value) - low) / (high - low);
  });
}

type Element = { type: "rect" | "line" | "circle"; shape: object; style: object };

/** One cell: coloured by its place, a ring for zero, hatched where absent. */
function cellElements(
  place: number | "zero" | null,
  x: number,
  y: number,
  width: number,
  height: number,
): Element[] {
  const rect = (style: object): Element => ({
    type: "rect",
    shape: { x: x + 0.5, y: y + 0.5, width: width - 1, height: height - 1 },
    style,
  });
  if (place === "zero") {
    return [
      rect({ fill: color("paper"), stroke: color("line"), lineWidth: 1 }),
      {
        type: "circle",
        shape: { cx: x + width / 2, cy: y + height / 2, r: 2.5 },
        style: { fill: "none", stroke: color("muted"), lineWidth: 1 },
      },
    ];
  }
  if (place === null) {
    const stroke = { stroke: color("absent"), lineWidth: 1 };
    return [
      rect({ fill: color("band") }),
      {
        type: "line",
        shape: { x1: x + 1, y1: y + height - 1, x2: x + width - 1, y2: y + 1 },
        style: stroke,
      },
    ];
  }
  const index = Math.min(scaleColors.length - 1, Math.floor(place * scaleColors.length));
  return [rect({ fill: scaleColors[index]! })];
}

/** Neighbouring columns that no operator has, as half-open ranges. */
function absentRuns(columns: readonly DescriptorColumn[]): { start: number; end: number }[] {
  const runs: { start: number; end: number }[] = [];
  columns.forEach(({ isAbsent }, c) => {
    const last = runs.at(-1);
    if (!isAbsent) return;
    if (last?.end === c) last.end = c + 1;
    else runs.push({ start: c, end: c + 1 });
  });
  return runs;
}

/** The descriptor as a heat map. */
export function descriptorChart(
  descriptor: Descriptor,
  { id = "descriptor" }: { readonly id?: string } = {},
): Chart {
  const { rows, platform } = descriptor;
  const columns = descriptorColumns(descriptor);
  const places = columns.map(({ values }) => placesOf(values));
  const absent = columns.filter(({ isAbsent }) => isAbsent).map(({ name }) => name);
  const caption =
    `${countOf(rows.length, "operator")} of ${platform.id}, each as a network of its own at ${descriptor.inputSize} × ${descriptor.inputSize} pixels: latency, and ` +
    "counters per nanosecond of it. Each column has its own logarithmic scale from its least (dark) to its greatest (light). " +
    (absent.length === 0
      ? "Rings are zero; hatched ones were not counted."
      : `Rings are zero. Hatched ones are absent, not zero: this machine does not offer ${absent.join(", ")}.`);
  return {
    id,
    title: "Hardware-runtime descriptor",
    caption,
    draw(width) {
      const rowHeight = 17;
      const isNarrow = width < 500;
      const labelSize = isNarrow ? 11 : 12;
      const left = isNarrow ? 158 : 176;
      const top = 170;
      const plotWidth = Math.min(width - left - 8, columns.length * 32);
      const cellWidth = plotWidth / columns.length;
      const legendLeft = isNarrow ? 16 : left;
      const legendTop = top + rows.length * rowHeight + 16;
      const text = (
        x: number,
        y: number,
        content: string,
        { rotation = 0, fill = color("ink"), align = "left" as "left" | "center" | "right" } = {},
      ) => ({
        type: "text" as const,
        x,
        y,
        rotation,
        style: {
          text: content,
          fill,
          align,
          font: `${labelSize}px ${fontFamily}`,
          verticalAlign: "middle" as const,
        },
      });
      const middle = top + (rows.length * rowHeight) / 2;
      const absentLabels = absentRuns(columns).flatMap(({ start, end }) => {
        const x = left + ((start + end) / 2) * cellWidth;
        const fits = (end - start) * cellWidth > 200;
        const [w, h] = fits ? [190, 26] : [22, 66];
        return [
          {
            type: "rect" as const,
            shape: { x: x - w / 2, y: middle - h / 2, width: w, height: h, r: 3 },
            style: { fill: color("paper"), stroke: color("absent"), lineWidth: 1 },
          },
          fits
            ? text(x, middle, "absent on this machine", { align: "center" })
            : text(x, middle, "absent", { align: "center", rotation: Math.PI / 2 }),
        ];
      });
      const legend = [
        ...scaleColors.map((fill, i) => ({
          type: "rect" as const,
          shape: { x: legendLeft + i * 14, y: legendTop, width: 14, height: 12 },
          style: { fill },
        })),
        text(legendLeft, legendTop + 24, "least"),
        text(legendLeft + scaleColors.length * 14, legendTop + 24, "greatest", { align: "right" }),
        ...cellElements("zero", legendLeft + 120, legendTop, 14, 12),
        text(legendLeft + 120, legendTop + 24, "zero"),
        ...cellElements(null, legendLeft + 166, legendTop, 14, 12),
        text(legendLeft + 166, legendTop + 24, "absent"),
      ];
      return {
        height: legendTop + 40,
        option: {
          graphic: {
            silent: true,
            elements: [
              ...rows.map(({ operator }, r) =>
                text(left - 7, top + (r + 0.5) * rowHeight, operator, { align: "right" }),
              ),
              ...columns.map(({ name, isAbsent }, c) =>
                text(left + (c + 0.5) * cellWidth, top - 8, name, {
                  rotation: Math.PI / 2,
                  fill: color(isAbsent ? "muted" : "ink"),
                }),
              ),
              ...columns.flatMap((_, c) =>
                rows.flatMap((_, r) =>
                  cellElements(
                    places[c]![r]!,
                    left + c * cellWidth,
                    top + r * rowHeight,
                    cellWidth,
                    rowHeight,
                  ),
                ),
              ),
              ...absentLabels,
              ...legend,
            ],
          },
        },
      };
    },
  };
}
