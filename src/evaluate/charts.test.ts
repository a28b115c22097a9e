import { describe, expect, test } from "vitest";
import { sampleReport } from "../../test/onboarding-report.js";
import { InputError } from "../errors.js";
import { mapleEdgeCounters } from "../record/counter.js";
import { logAxisOf, renderChart } from "./charts.js";
import { comparisonChart, gradesChart, isMissed } from "./charts-comparison.js";
import { descriptorChart, descriptorColumns } from "./charts-descriptor.js";
import { distributionChart } from "./charts-distribution.js";

const report = sampleReport();
const what = "test networks";
const charts = [
  comparisonChart(report.compared, { what }),
  gradesChart(report.compared),
  distributionChart(report.predictedMs, { what, verifiedMs: [1.5, 2] }),
  descriptorChart(report.descriptor!),
];

describe.each(charts)("renderChart(), $id", (chart) => {
  test("gives the same text every time", () => {
    expect(renderChart(chart)).toBe(renderChart(chart));
  });

  test.each([350, 720])(
    "draws numbers only, no fetched image, no script, %i pixels wide",
    (width) => {
      const svg = renderChart(chart, { width });
      expect(svg).toContain(`viewBox="0 0 ${width} `);
      expect(svg).not.toMatch(/NaN|Infinity|undefined|<script|<image|href=|ecmeta|class=/);
      expect(svg.replaceAll('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(/https?:/);
    },
  );

  test("names itself for those who cannot see it", () => {
    expect(renderChart(chart)).toContain(
      `<title id="${chart.id}-720-title">${chart.title}</title>`,
    );
  });
});

describe("renderChart()", () => {
  test("carries its colours along when it stands alone", () => {
    const chart = gradesChart(report.compared);
    expect(renderChart(chart, { standalone: true })).toContain("prefers-color-scheme:dark");
    expect(renderChart(chart)).not.toContain("<style");
  });

  test("escapes what names it", () => {
    const svg = renderChart(comparisonChart(report.compared, { what: '<b>"&' }));
    expect(svg).toContain("&lt;b&gt;&quot;&amp;");
    expect(svg).not.toContain("<b>");
  });

  test("refuses a width in which nothing can be read", () => {
    expect(() => renderChart(charts[0]!, { width: 50 })).toThrow(InputError);
  });

  test("draws what has no data yet", () => {
    for (const chart of [
      comparisonChart([], { what }),
      gradesChart([]),
      distributionChart([], { what }),
      descriptorChart({ ...report.descriptor!, rows: [] }),
    ]) {
      expect(renderChart(chart)).not.toMatch(/NaN|Infinity/);
    }
  });
});

describe("isMissed()", () => {
  const network = { ...report.compared[0]!, predictedMs: 1.1, grade: "A" as const };

  test("is false up to 10 % of the measured latency", () => {
    expect(isMissed({ ...network, measuredMs: 1.0001 })).toBe(false);
    expect(isMissed({ ...network, measuredMs: 0.999 })).toBe(true);
  });

  test("is true without a usable measurement", () => {
    expect(isMissed({ ...network, measuredMs: null })).toBe(true);
    expect(isMissed({ ...network, measuredMs: 1.1, grade: "X" })).toBe(true);
  });
});

describe("logAxisOf()", () => {
  test.each([[[1, 1.01]], [[0.8, 5]], [[0.05, 70]], [[3]]])(
    "has at least two labels, all on the axis: %j",
    (latenciesMs) => {
      const { min, max, ticks } = logAxisOf(latenciesMs);
      expect(min).toBeLessThan(Math.log10(Math.min(...latenciesMs)));
      expect(max).toBeGreaterThan(Math.log10(Math.max(...latenciesMs)));
      expect(ticks.length).toBeGreaterThanOrEqual(2);
      expect(ticks.every((tick) => tick >= min && tick <= max)).toBe(true);
    },
  );
});

describe("descriptorColumns()", () => {
  test("has a column for each counter of MAPLE-Edge, also where the machine lacks it", () => {
    const names = descriptorColumns(report.descriptor!).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([...mapleEdgeCounters]));
  });

  test("keeps absent apart from zero", () => {
    const columns = descriptorColumns(report.descriptor!);
    const cycles = columns.find(({ name }) => name === "cpu-cycles")!;
    const switches = columns.find(({ name }) => name === "context-switches")!;
    expect(cycles.isAbsent).toBe(true);
    expect(cycles.values.every((value) => value === null)).toBe(true);
    expect(switches.isAbsent).toBe(false);
    expect(switches.values).toContain(0);
  });
});
