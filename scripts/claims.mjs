// Writes docs/claims.md and its charts: runs the experiments on measured pools, or picks up what is finished.
//
//   npm run build && node scripts/claims.mjs [--pool DIR]… [--trials 10] [--only a,d] [--workers N] [--out DIR] [--docs DIR]
//
// --pool names one or several pool folders that are taken as one; --only runs these experiments, the others appear as far
// as they were run before; --out keeps finished units. Interrupt it when you like and run it again.
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ceilingsOf, loadClaimsPool } from "../dist/cli/claims-pool.js";
import { renderChart } from "../dist/evaluate/charts.js";
import { tool } from "../dist/package.js";
import { dataHome, shippedPool } from "../dist/store/paths.js";
import { formatDuration } from "../dist/units.js";
import { createDocument } from "./claims-document.mjs";
import { Findings } from "./claims-findings.mjs";
import * as plan from "./claims-plan.mjs";
import { doRuns } from "./claims-runs.mjs";

const root = resolve(import.meta.dirname, "..");
const { values: options } = parseArgs({
  options: {
    pool: { type: "string", multiple: true, default: [shippedPool] },
    trials: { type: "string", default: String(plan.nTrials) },
    only: { type: "string" },
    workers: { type: "string", default: String(availableParallelism()) },
    out: { type: "string", default: join(dataHome(), "claims") },
    docs: { type: "string", default: join(root, "docs") },
  },
});
const say = (text) => process.stderr.write(`${text}\n`);
const nTrials = Number(options.trials);
const folders = options.pool.map((folder) => resolve(folder));

function commitOf() {
  const git = (...args) =>
    execFileSync("git", ["-C", root, ...args], { stdio: ["ignore", "pipe", "ignore"] });
  try {
    const hash = git("rev-parse", "--short", "HEAD").toString().trim();
    const changed = git("status", "--porcelain", "--", "src", "scripts").toString().trim();
    return changed === "" ? hash : `${hash} with changes`;
  } catch {
    return `none (package ${tool.version})`;
  }
}

const pool = await loadClaimsPool(folders);
const ceilings = await ceilingsOf(pool, folders, plan.seed);
const isWanted = ({ id }) => options.only === undefined || options.only.split(",").includes(id[0]);
const cache = join(options.out, "units.jsonl");
mkdirSync(dirname(cache), { recursive: true });
const { units, failures, nMissing, durationMs } = await doRuns(
  plan.experiments.map((experiment) => ({ runs: experiment.runs, isWanted: isWanted(experiment) })),
  pool,
  { folders, seed: plan.seed, nTrials, nWorkers: Number(options.workers), cache, say },
);
for (const failure of failures) say(`not scored: ${failure}`);

const findings = new Findings(units, pool, ceilings, nTrials);
const shownFolders = folders.map((folder) => relative(root, folder) || ".");
const isDefault = folders.length === 1 && folders[0] === resolve(shippedPool);
const poolOptions = isDefault ? "" : shownFolders.map((folder) => ` --pool ${folder}`).join("");
const trialOptions = nTrials === plan.nTrials ? "" : ` --trials ${nTrials}`;
const { text, charts } = createDocument(findings, {
  pool,
  ceilings,
  nTrials,
  commit: commitOf(),
  version: tool.version,
  command: `node scripts/claims.mjs${poolOptions}${trialOptions}`,
  howRun: [
    plan.howRun,
    failures.length === 0
      ? "No unit failed."
      : `${failures.length} units failed: ${failures.slice(0, 5).join("; ")}.`,
  ].join("\n\n"),
});
const folder = join(options.docs, "claims");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const chart of charts) {
  const svg = renderChart(chart, { width: 860, standalone: true });
  writeFileSync(join(folder, `${chart.id}.svg`), `${svg}\n`);
}
writeFileSync(join(options.docs, "claims.md"), text);
say(
  `${nMissing} units in ${formatDuration(durationMs)}; written: ${join(options.docs, "claims.md")} and ${charts.length} charts`,
);
process.exitCode = failures.length === 0 ? 0 : 1;
