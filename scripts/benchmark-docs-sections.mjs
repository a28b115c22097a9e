// Sections of docs/benchmarks.md: Markdown made of the results of runs. No number is written by hand.
import { helpTargets, publishedSpearman } from "../dist/evaluate/published-scores.js";
import { mean } from "../dist/tensor/stats.js";
import * as plan from "./benchmark-docs-plan.mjs";
import { commandOf } from "./benchmark-docs-runs.mjs";

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
export const rho = (value) => (isNumber(value) ? value.toFixed(3) : "–");
export const percent = (value, digits = 1) =>
  isNumber(value) ? (100 * value).toFixed(digits) : "–";
const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;
const signedPoints = (value) => `${value < 0 ? "−" : "+"}${Math.abs(100 * value).toFixed(1)}`;
const shortName = (id) => plan.shortNames[id] ?? id;

/** A Markdown table; columns after the first are numbers. */
function table(header, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rule = header.map((_, i) => (i === 0 ? "---" : "--:"));
  return [line(header), line(rule), ...rows.map(line)].join("\n");
}

/** What runs have found, by predictor, settings and task. */
export class Findings {
  constructor(runs, main) {
    this.runs = runs;
    this.main = main;
    this.summaries = runs.flatMap(({ document }) => document.summary);
    this.results = runs.flatMap(({ document }) => document.results);
  }

  #matching(entries, predictor, { protocol = "all", select = "random", samples }) {
    return entries.filter(
      (entry) =>
        entry.predictor === predictor &&
        entry.protocol === protocol &&
        entry.select === select &&
        (samples === undefined || entry.samples === samples),
    );
  }

  summary(predictor, settings, task) {
    return this.#matching(this.summaries, predictor, settings).find((entry) => entry.task === task);
  }

  targets(predictor, settings, task) {
    return this.#matching(this.results, predictor, settings).filter((entry) => entry.task === task);
  }

  /** Runs of a predictor under a protocol. */
  runsOf(predictor, protocol = "all") {
    return this.runs.filter((run) => run.predictor === predictor && run.protocol === protocol);
  }

  /** Tasks of the main predictor in the order of the publication. */
  get tasks() {
    const ofMain = this.#matching(this.summaries, this.main, { samples: 10 });
    return ofMain.map(({ task }) => task);
  }

  /** All methods, the main one first. */
  get methods() {
    const others = plan.comparators.map(({ name }) => name).filter((name) => name !== this.main);
    return [this.main, ...others];
  }

  /** Numbers of samples with which a predictor was run, ascending. */
  samplesOf(predictor, settings = {}) {
    const samples = this.#matching(this.summaries, predictor, settings).map((s) => s.samples);
    return [...new Set(samples)].sort((a, b) => a - b);
  }

  /** The same for tables: of the main predictor's learning curve 10 and 20 only. */
  tableSamplesOf(predictor, settings = {}) {
    const all = this.samplesOf(predictor, settings);
    return predictor === this.main ? all.filter((samples) => [10, 20].includes(samples)) : all;
  }

  /** How a method is named in tables. */
  label(predictor, samples) {
    return `${predictor === this.main ? `**${predictor}**` : predictor}, ${samples}`;
  }
}

/** One row for each method and number of samples: a field of the summaries of all tasks. */
const methodRows = (findings, show) =>
  findings.methods.flatMap((name) =>
    findings
      .tableSamplesOf(name)
      .map((samples) => [
        findings.label(name, samples),
        ...findings.tasks.map((task) => show(findings.summary(name, { samples }, task))),
      ]),
  );

/** Spearman of all methods on all tasks, with published figures, aims and ceilings. */
export function overview(findings) {
  const { main, tasks } = findings;
  const row = (label, show) => [label, ...tasks.map((task) => rho(show(task)))];
  const published = ["NASFLAT", "MultiPredict", "HELP"].map((name) =>
    row(`*${name}*, published, 20`, (task) => publishedSpearman(task, "all")[name]),
  );
  const aimed = Object.entries(plan.spearmanAims).map(([samples, byTask]) =>
    row(`aim, ${samples}`, (task) => byTask[task]),
  );
  const ceiling = row(
    "noise ceiling",
    (task) => findings.summary(main, { samples: 10 }, task)?.spearmanCeiling,
  );
  return table(
    ["method, samples", ...tasks],
    [...methodRows(findings, (found) => rho(found?.spearman)), ...published, ...aimed, ceiling],
  );
}

/** The same for the share within ±10 % and the mean error; nobody has published such figures. */
export function calibratedOverview(findings) {
  const { main, tasks } = findings;
  const rows = (field) => methodRows(findings, (found) => percent(found?.[field]));
  const ceilingOf = (task) =>
    findings.summary(main, { samples: 10 }, task)?.withinTenPercentCeiling;
  const ceiling = ["noise ceiling", ...tasks.map((task) => percent(ceilingOf(task)))];
  const header = ["method, samples", ...tasks];
  return [
    "Test networks within ±10 % of their measured latency, %:",
    table(header, [...rows("withinTenPercent"), ceiling]),
    "Mean absolute error of connected networks, % of the measured latency:",
    table(header, rows("mapeConnected")),
  ].join("\n\n");
}

/** What was aimed at and what came out. */
export function aims(findings) {
  const { main, tasks } = findings;
  const verdict = (reached) => (reached ? "yes" : "**no**");
  const rows = [];
  for (const [samples, byTask] of Object.entries(plan.spearmanAims)) {
    for (const task of tasks) {
      const found = findings.summary(main, { samples: Number(samples) }, task);
      if (found === undefined) continue;
      const best = Math.max(...Object.values(publishedSpearman(task, "all")));
      const ceiling = rho(found.spearmanCeiling);
      rows.push([
        `${task}, Spearman, ${samples} samples`,
        `≥ ${rho(byTask[task])}`,
        `${rho(found.spearman)} ± ${rho(found.meanSpearmanSd)}`,
        verdict(found.spearman >= byTask[task]),
        `${rho(best)} (20)`,
        ceiling,
      ]);
    }
  }
  const nd = findings.summary(main, { samples: 10 }, "ND");
  const help = findings.summary(main, { samples: 10, protocol: "help" }, "ND");
  const { otherAims } = plan;
  if (help) {
    rows.push([
      "ND, Spearman, protocol help, 10 samples",
      `≥ ${rho(otherAims.helpSpearman)}`,
      `${rho(help.spearman)} ± ${rho(help.meanSpearmanSd)}`,
      verdict(help.spearman >= otherAims.helpSpearman),
      `${rho(publishedSpearman("ND", "help").HELP)} (20)`,
      rho(help.spearmanCeiling),
    ]);
  }
  if (nd) {
    rows.push([
      "ND, within ±10 %, 10 samples",
      `≥ ${percent(otherAims.withinTenPercent)} %`,
      `${percent(nd.withinTenPercent)} %`,
      verdict(nd.withinTenPercent >= otherAims.withinTenPercent),
      "none",
      `${percent(nd.withinTenPercentCeiling)} %`,
    ]);
    rows.push([
      "ND, mean error of connected networks, 10 samples",
      `≤ ${percent(otherAims.mapeConnected)} %`,
      `${percent(nd.mapeConnected)} %`,
      verdict(nd.mapeConnected <= otherAims.mapeConnected),
      "none",
      "–",
    ]);
  }
  return table(["", "aim", `${main}`, "reached", "published best", "noise ceiling"], rows);
}

const scoreColumns = [
  ["Spearman", (r) => `${rho(r.spearman)} ± ${rho(r.spearmanSd)}`],
  ["Kendall", (r) => rho(r.kendall)],
  ["±10 %", (r) => `${percent(r.withinTenPercent)} ± ${percent(r.withinTenPercentSd)}`],
  ["±5 %", (r) => percent(r.withinFivePercent)],
  ["MAPE %", (r) => percent(r.mape)],
  ["connected", (r) => percent(r.mapeConnected)],
  ["coverage", (r) => percent(r.coverage90)],
  ["width %", (r) => percent(r.intervalWidth)],
  ["score", (r) => r.intervalScore?.toFixed(3) ?? "–"],
];

/** One task: all methods, then the targets of the main one. */
export function taskSection(findings, task) {
  const { main } = findings;
  const described = findings
    .runsOf(main)
    .flatMap(({ document }) => document.context.tasks)
    .find((entry) => entry.task === task);
  const ofTask = findings.methods.flatMap((name) =>
    findings.tableSamplesOf(name).flatMap((samples) => {
      const found = findings.summary(name, { samples }, task);
      if (found === undefined) return [];
      const cells = scoreColumns.map(([, show]) => show(found));
      return [[findings.label(name, found.targetLatenciesRead), found.trials, ...cells]];
    }),
  );
  const published = Object.entries(publishedSpearman(task, "all")).map(([name, value]) => [
    `*${name}*, published, 20`,
    "",
    rho(value),
    ...scoreColumns.slice(1).map(() => "–"),
  ]);
  const targets = findings
    .targets(main, { samples: 10 }, task)
    .map((result) => [
      shortName(result.target),
      ...scoreColumns.map(([, show]) => show(result)),
      rho(result.spearmanCeiling),
      percent(result.withinTenPercentCeiling),
      percent(result.intervalWidthFloor),
    ]);
  const titles = scoreColumns.map(([title]) => title);
  const missing =
    described.missing.length === 0
      ? ""
      : ` Without ${described.missing.join(", ")}, which our copy of the data lacks.`;
  return [
    `### ${task}`,
    `Learned from ${described.sources.map(shortName).join(", ")}.${missing}`,
    table(["method, latencies read", "trials", ...titles], [...ofTask, ...published]),
    `\`${main}\`, 10 samples, each target with what its noise allows:`,
    table(["target", ...titles, "ceiling", "±10 % ceiling", "noise's width %"], targets),
  ].join("\n\n");
}

/** HELP's protocol: its targets, its figures. */
export function helpSection(findings) {
  const settings = { protocol: "help" };
  return plan.helpTasks
    .flatMap((task) => {
      const targets = Object.keys(helpTargets[task]);
      const rows = findings.methods.flatMap((name) =>
        findings.samplesOf(name, settings).flatMap((samples) => {
          const found = findings.targets(name, { ...settings, samples }, task);
          const total = findings.summary(name, { ...settings, samples }, task);
          if (total === undefined) return [];
          const spearmanOf = (id) => found.find(({ target }) => target === id)?.spearman;
          return [
            [
              findings.label(name, total.targetLatenciesRead),
              ...targets.map((id) => rho(spearmanOf(id))),
              rho(total.spearman),
            ],
          ];
        }),
      );
      if (rows.length === 0) return [];
      const help = [
        "*HELP*, published, 20",
        ...targets.map((id) => rho(helpTargets[task][id])),
        rho(publishedSpearman(task, "help").HELP),
      ];
      const header = ["method, latencies read", ...targets, "mean"];
      return [`${task}, Spearman:`, table(header, [...rows, help])];
    })
    .join("\n\n");
}

/** The commands that give all figures of the document. */
export const commandSection = ({ runs }) =>
  `\`\`\`sh\n${[...new Set(runs.map(commandOf))].join("\n")}\n\`\`\``;

/** What chosen samples gain, beside what twice as many random ones gain. */
export function designedSection(findings) {
  const { main, tasks } = findings;
  const found = tasks.flatMap((task) => {
    const ten = findings.summary(main, { samples: 10 }, task);
    const twenty = findings.summary(main, { samples: 20 }, task);
    const chosen = findings.summary(main, { samples: 10, select: "designed" }, task);
    return ten && twenty && chosen ? [{ task, ten, twenty, chosen }] : [];
  });
  const fields = [
    ["spearman", rho, signed],
    ["withinTenPercent", percent, signedPoints],
  ];
  const gain = (entries, to, field) => mean(entries.map((e) => e[to][field] - e.ten[field]));
  const cells = (entries) =>
    fields.flatMap(([field, show, showGain]) => [
      show(mean(entries.map(({ ten }) => ten[field]))),
      ...["chosen", "twenty"].map((to) => {
        const value = show(mean(entries.map((entry) => entry[to][field])));
        return `${value} (${showGain(gain(entries, to, field))})`;
      }),
    ]);
  const header = ["10 random", "10 designed", "20 random"];
  const shares = fields.map(([field]) => {
    const share = gain(found, "chosen", field) / gain(found, "twenty", field);
    return Number.isFinite(share) ? `${share.toFixed(2)} times` : "undefined";
  });
  return [
    table(
      ["task", ...header.map((h) => `Spearman, ${h}`), ...header.map((h) => `±10 %, ${h}`)],
      [...found.map((entry) => [entry.task, ...cells([entry])]), ["mean", ...cells(found)]],
    ),
    `Mean gain of 10 designed samples over what 20 random ones gain: ${shares[0]} in Spearman, ${shares[1]} within ±10 % (aim: 0.5).`,
  ].join("\n\n");
}

/** Targets that ten samples serve badly, with ten times as many. */
export function weakSection(findings) {
  const { main, tasks } = findings;
  const pairs = tasks.flatMap((task) => {
    const many = findings.targets(main, { samples: 100 }, task);
    return findings
      .targets(main, { samples: 10 }, task)
      .filter(({ withinTenPercent }) => withinTenPercent < plan.weakBelow)
      .flatMap((few) => {
        const match = many.find(({ target }) => target === few.target);
        return match === undefined ? [] : [{ task, few, match }];
      });
  });
  if (pairs.length === 0) return "No target is weak in this sense.";
  const gainOf = ({ few, match }) => match.withinTenPercent - few.withinTenPercent;
  const rows = pairs.map((pair) => [
    `${pair.task} ${shortName(pair.few.target)}`,
    percent(pair.few.withinTenPercent),
    percent(pair.match.withinTenPercent),
    signedPoints(gainOf(pair)),
    percent(pair.few.withinTenPercentCeiling),
  ]);
  const total = [
    "mean",
    percent(mean(pairs.map(({ few }) => few.withinTenPercent))),
    percent(mean(pairs.map(({ match }) => match.withinTenPercent))),
    signedPoints(mean(pairs.map(gainOf))),
    "",
  ];
  return table(
    ["target", "±10 %, 10 samples", "100 samples", "points", "ceiling"],
    [...rows, total],
  );
}

/** Coverage and width of intervals, all targets. */
export function coverageSummary(findings) {
  const { main, tasks } = findings;
  const all = tasks.flatMap((task) => findings.targets(main, { samples: 10 }, task));
  const coverages = all.map(({ coverage90 }) => coverage90);
  const low = all.filter(({ coverage90 }) => coverage90 < plan.coverageAim.least);
  const noisy = all.filter(({ intervalWidthFloor }) => intervalWidthFloor > 0.005);
  const narrow = noisy.filter(
    ({ intervalWidth, intervalWidthFloor }) => intervalWidth <= plan.widthAim * intervalWidthFloor,
  );
  const [from, to] = plan.coverageAim.band;
  const lowNames = low.map((r) => `${r.task} ${shortName(r.target)} ${percent(r.coverage90)} %`);
  return [
    `\`${main}\`, 10 random samples, ${all.length} targets: ${percent(mean(coverages))} % of the test networks are inside their 90 % interval on average (aim: ${percent(from, 0)} to ${percent(to, 0)} %), ${percent(Math.min(...coverages))} % on the worst target (aim: ${percent(plan.coverageAim.least, 0)} %).`,
    low.length === 0 ? "No target is below that." : `Below that: ${lowNames.join(", ")}.`,
    noisy.length === 0
      ? ""
      : `Of ${noisy.length} targets with known noise, ${narrow.length} have a median width of at most ${plan.widthAim} times what the noise alone would take.`,
  ].join(" ");
}

/** What each ingredient buys. */
export function ablationSection(findings) {
  const { main, tasks } = findings;
  const rowsOf = (name, label) => {
    const found = tasks.map((task) => findings.summary(name, { samples: 10 }, task));
    if (found.every((entry) => entry === undefined)) return [];
    const base = tasks.map((task) => findings.summary(main, { samples: 10 }, task));
    const both = found.flatMap((entry, i) => (entry && base[i] ? [[entry, base[i]]] : []));
    const change = (field) => mean(both.map(([a, b]) => a[field] - b[field]));
    return [
      [
        label,
        ...found.map((entry) => rho(entry?.spearman)),
        name === main ? "" : signed(change("spearman")),
        name === main ? "" : signedPoints(change("withinTenPercent")),
        name === main ? "" : signedPoints(change("mapeConnected")),
        name === main ? "" : change("intervalScore").toFixed(3),
      ],
    ];
  };
  const rows = [
    ...rowsOf(main, `**${main}**`),
    ...plan.variants.flatMap(({ name, label }) => rowsOf(name, label)),
  ];
  if (rows.length < 2) return undefined;
  return table(
    ["10 random samples", ...tasks, "Δ Spearman", "Δ ±10 % (points)", "Δ MAPE (points)", "Δ score"],
    rows,
  );
}

/** How close rebuilds come to what their publications report. */
export function rebuildSection(findings) {
  const rows = [];
  for (const { name, checks = [] } of plan.comparators) {
    for (const { protocol, samples, as } of checks) {
      const tasks = protocol === "help" ? plan.helpTasks : findings.tasks;
      const both = tasks.flatMap((task) => {
        const found = findings.summary(name, { protocol, samples }, task);
        const published = publishedSpearman(task, protocol)[as];
        return found && published ? [{ task, found: found.spearman, published }] : [];
      });
      if (both.length === 0) continue;
      const low = both.filter(({ found, published }) => found < published - plan.rebuildTolerance);
      rows.push([
        name,
        `${as}, protocol ${protocol}`,
        both
          .map(({ task, found, published }) => `${task} ${rho(found)} (${rho(published)})`)
          .join(", "),
        low.length === 0 ? "rebuilt" : `not rebuilt on ${low.map(({ task }) => task).join(", ")}`,
      ]);
    }
  }
  if (rows.length === 0) return undefined;
  return table(
    ["method", "published as", "Spearman, ours (published)", `within ${plan.rebuildTolerance}`],
    rows,
  );
}

/** Times of all methods on one task. */
export function speedSection(findings, task = "ND") {
  const rows = findings.methods.flatMap((name) => {
    const samples = findings.samplesOf(name);
    const shown = samples.includes(10) ? 10 : samples[0];
    const found = shown && findings.summary(name, { samples: shown }, task);
    if (!found) return [];
    return [
      [
        `${name}, ${shown}`,
        found.trainS.toFixed(2),
        found.adaptMs.toFixed(1),
        ((15_625 / found.predictPerS) * 1000).toFixed(0),
      ],
    ];
  });
  return table(
    [`${task}: method, samples`, "train s", "adapt ms", "predict 15,625 with intervals, ms"],
    rows,
  );
}
