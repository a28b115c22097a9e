import { describe, expect, test } from "vitest";
import { renderChart } from "./charts.js";
import { coverageChart, learningCurvesChart, taskScoresChart } from "./charts-benchmark.js";

const tasks = ["ND", "FA"];
const points = [3, 10, 100].map((samples) => ({ samples, value: 1 - 1 / samples, sd: 0.1 }));
const labels = { title: "Title", caption: "caption" };
const axis = { name: "Spearman", min: 0.7, max: 1 };

const curves = learningCurvesChart(
  tasks.map((title, i) => ({ title, ceiling: i === 0 ? 0.98 : null, curves: [points, []] })),
  {
    ...{ ...labels, id: "curves", axisName: "Spearman" },
    series: [
      { name: "random", role: "miss" },
      { name: "designed", role: "verified" },
    ],
  },
);
const methods = taskScoresChart(
  tasks,
  [
    { name: "ours", role: "verified", symbol: "circle", values: [0.97, 0.6] },
    { name: "theirs", role: "miss", symbol: "triangle", isHollow: true, values: [0.9, null] },
  ],
  { ...labels, id: "methods", axis },
);
const coverage = coverageChart(
  [
    { label: "ND raspi4", coverage: 0.91 },
    { label: "ND pixel2", coverage: 0.42 },
  ],
  { ...labels, id: "coverage", band: [0.85, 0.95], least: 0.8 },
);

describe.each([curves, methods, coverage])("renderChart(), $id", (chart) => {
  test.each([350, 860])("draws numbers only, always the same, %i pixels wide", (width) => {
    const svg = renderChart(chart, { width });
    expect(svg).toContain(`viewBox="0 0 ${width} `);
    expect(svg).not.toMatch(/NaN|Infinity|undefined|<script|<image/);
    expect(renderChart(chart, { width })).toBe(svg);
  });
});

describe("learningCurvesChart()", () => {
  test("names every task and labels every number of samples", () => {
    const svg = renderChart(curves, { width: 860 });
    for (const text of [...tasks, "random", "designed", "noise ceiling", "3", "10", "100"]) {
      expect(svg).toContain(`>${text}</text>`);
    }
  });

  test("gives each task an axis that its own curves fill", () => {
    const at = (value: number) => ({
      title: "T",
      ceiling: null,
      curves: [[{ samples: 3, value, sd: 0 }]],
    });
    const options = {
      ...labels,
      id: "axes",
      axisName: "y",
      series: [{ name: "a", role: "miss" }],
    } as const;
    const svg = renderChart(learningCurvesChart([at(0.97), at(0.3)], options), { width: 860 });
    expect(svg).toContain(">0.96</text>");
    expect(svg).toContain(">0.4</text>");
  });

  test("puts fewer tasks into a row where it is narrow", () => {
    const heightAt = (width: number) => curves.draw(width).height;
    expect(heightAt(350)).toBeGreaterThan(heightAt(860) + 100);
  });
});

describe("coverageChart()", () => {
  test("marks targets below the least share and makes room for them", () => {
    const svg = renderChart(coverage, { width: 860 });
    expect(svg).toContain("below 80 %");
    expect(svg).toContain(">0.4</text>");
  });
});
