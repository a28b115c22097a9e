// Draws the measured-against-predicted chart of an onboarding as an SVG file, for the README.
//
//   node scripts/result-chart.mjs REPORT.json docs/onboarding.svg
import { readFileSync } from "node:fs";
import { renderChart } from "../dist/evaluate/charts.js";
import { comparisonChart } from "../dist/evaluate/charts-comparison.js";
import { onboardingReportSchema } from "../dist/record/onboarding.js";
import { writeFileAtomic } from "../dist/store/files.js";

const [reportPath, svgPath] = process.argv.slice(2);
if (!reportPath || !svgPath)
  throw new Error("usage: node scripts/result-chart.mjs REPORT.json CHART.svg");
const report = onboardingReportSchema.parse(JSON.parse(readFileSync(reportPath, "utf8")));
const chart = comparisonChart(report.compared, {
  what: `NAS-Bench-201 networks on ${report.result.platform}`,
});
writeFileAtomic(svgPath, `${renderChart(chart, { width: 640, standalone: true })}\n`);
console.log(chart.caption);
