// Writes the comparison in docs/search.md and its chart: searches within budgets on published latencies.
//
//   npm run build && node scripts/search-docs.mjs [--data DIR] [--trials 10] [--docs DIR]
//
// Takes some minutes. --data is the folder of published data (default: SAMARA_DATA, else ../shared/data).
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { renderChart } from "../dist/evaluate/charts.js";
import { tool } from "../dist/package.js";
import { searchAll } from "./search-docs-runs.mjs";
import { chartOf, comparisonOf, Findings } from "./search-docs-sections.mjs";

const root = resolve(import.meta.dirname, "..");
const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: process.env.SAMARA_DATA ?? resolve("..", "shared", "data") },
    trials: { type: "string", default: "10" },
    docs: { type: "string", default: join(root, "docs") },
  },
});
const say = (text) => process.stderr.write(`${text}\n`);
const nTrials = Number(options.trials);
const [opening, closing] = ["<!-- comparison -->", "<!-- end of comparison -->"];

const path = join(options.docs, "search.md");
/** Its text, and where the comparison is. Read again before writing: somebody may write in it meanwhile. */
function readDocument() {
  const text = readFileSync(path, "utf8");
  const [from, to] = [text.indexOf(opening), text.indexOf(closing)];
  if (from < 0 || to < from) throw new Error(`${path} must have ${opening} before ${closing}`);
  return { text, from, to };
}
readDocument();

const findings = new Findings({ ...(await searchAll(options.data, { nTrials, say })), nTrials });
const chart = chartOf(findings);
mkdirSync(join(options.docs, "search"), { recursive: true });
writeFileSync(
  join(options.docs, "search", `${chart.id}.svg`),
  renderChart(chart, { standalone: true }),
);
const command = "node scripts/search-docs.mjs";
const { text, from, to } = readDocument();
const generated = comparisonOf(findings, { command, tool, chart });
writeFileSync(path, `${text.slice(0, from)}${opening}\n\n${generated}\n\n${text.slice(to)}`);
say(`wrote ${path}`);
