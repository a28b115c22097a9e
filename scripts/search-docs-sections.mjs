// The comparison in docs/search.md: Markdown and a chart made of the searches' answers. No number is written by hand.
import { taskScoresChart } from "../dist/evaluate/charts-benchmark.js";
import { helpSearches } from "../dist/evaluate/published-scores.js";
import { mean, standardDeviation } from "../dist/tensor/stats.js";
import * as runs from "./search-docs-runs.mjs";

const percent = (share) => `${Math.round(100 * share)} %`;
const one = (value) => value.toFixed(1);
const two = (value) => value.toFixed(2);

function table(header, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rule = header.map((_, i) => (i === 0 ? "---" : "--:"));
  return [line(header), line(rule), ...rows.map(line)].join("\n");
}

/** Answers of several trials taken together. */
function summaryOf(answers) {
  const given = answers.filter(({ id }) => id !== null);
  const isKept = ({ trueMs, budgetMs }) => trueMs <= budgetMs;
  return {
    nAsked: answers.length,
    nGiven: given.length,
    accuracy: mean(given.map(({ merit }) => merit)),
    sd: given.length > 1 ? standardDeviation(given.map(({ merit }) => merit)) : 0,
    trueMs: mean(given.map(({ trueMs }) => trueMs)),
    kept: given.filter(isKept).length / given.length,
    read: mean(answers.map(({ readIds }) => readIds.length)),
  };
}

/** The answers to a question, and what they come to. */
export class Findings {
  constructor({ answers, best, nCandidates, nTrials }) {
    Object.assign(this, { answers, best, nCandidates, nTrials });
    this.main = runs.methods[0];
  }

  of(question) {
    const asked = { method: this.main, select: "designed", list: "help", nVerify: 0, ...question };
    const fits = (answer) => Object.entries(asked).every(([key, value]) => answer[key] === value);
    return this.answers.filter(fits);
  }

  at({ device, constraintMs }, question) {
    const { confidence } = runs;
    return summaryOf(this.of({ confidence, ...question, device, budgetMs: constraintMs }));
  }

  bestOf({ device, constraintMs }, list = "help") {
    return this.best.find(
      (entry) => entry.device === device && entry.budgetMs === constraintMs && entry.list === list,
    ).merit;
  }
}

const ours = ({ accuracy, sd, trueMs, kept }) => [
  `${one(accuracy)} ± ${one(sd)}`,
  one(trueMs),
  percent(kept),
];
const isBroken = ({ obtainedMs, constraintMs }) => obtainedMs > constraintMs;

/** One row a constraint: HELP, ours with and without verification, the best there is. */
function mainTable(findings, list) {
  const isHelp = list === "help";
  const header = [
    "device, at most",
    ...(isHelp ? ["HELP: accuracy", "ms", "kept"] : []),
    `${runs.nSamples} samples: accuracy`,
    ...["ms", "kept"],
    `${runs.nSamples} + ${runs.nVerify} verified: accuracy`,
    ...["ms", "kept", "best possible"],
  ];
  const rows = helpSearches.map((search) => [
    `${search.device}, ${search.constraintMs} ms`,
    ...(isHelp
      ? [one(search.accuracy), one(search.obtainedMs), isBroken(search) ? "**no**" : "yes"]
      : []),
    ...ours(findings.at(search, { list })),
    ...ours(findings.at(search, { list, nVerify: runs.nVerify })),
    one(findings.bestOf(search, list)),
  ]);
  return table(header, rows);
}

/** Means over all constraints, one row a way to search. */
function meansTable(findings) {
  const { confidence, nVerify, methods, selections } = runs;
  const rowsOf = (list) => {
    const rowOf = (name, question) => {
      const all = findings.of({ confidence, list, ...question });
      if (all.length === 0) return [];
      const given = all.filter(({ id }) => id !== null);
      const { accuracy, kept, read, nGiven, nAsked } = summaryOf(all);
      const lost = mean(
        given.map(
          ({ device, budgetMs, merit }) =>
            findings.bestOf({ device, constraintMs: budgetMs }, list) - merit,
        ),
      );
      return [
        [
          name,
          list === "help" ? "500" : "15,625",
          one(read),
          nGiven === nAsked ? "all" : `${nGiven} of ${nAsked}`,
          two(accuracy),
          two(lost),
          percent(kept),
        ],
      ];
    };
    return methods.flatMap((method) =>
      selections.flatMap((select) => {
        const name = `${method}, ${select} samples`;
        return [
          ...rowOf(`${name}, confidence 0.75`, { method, select, confidence: 0.75 }),
          ...rowOf(`${name}, confidence ${confidence}`, { method, select }),
          ...rowOf(`${name}, confidence 0.99`, { method, select, confidence: 0.99 }),
          ...rowOf(`${name}, confidence ${confidence}, ${nVerify} verified`, {
            ...{ method, select, nVerify },
          }),
        ];
      }),
    );
  };
  const kept = helpSearches.filter((search) => !isBroken(search)).length / helpSearches.length;
  const help = [
    "HELP, as published",
    "500",
    "see below",
    "all",
    two(mean(helpSearches.map(({ accuracy }) => accuracy))),
    "–",
    percent(kept),
  ];
  return table(
    ["way to search", "candidates", "latencies read", "answers", "accuracy", "lost", "kept"],
    [help, ...rowsOf("help"), ...rowsOf("all")],
  );
}

/** Constraints that the main method broke in some trial. */
function brokenOnes(findings) {
  return helpSearches.flatMap((search) => {
    const { kept } = findings.at(search, {});
    return kept < 1
      ? [`${search.device} ${search.constraintMs} ms (kept in ${percent(kept)} of the trials)`]
      : [];
  });
}

/** How the published figures and ours compare, in words. */
function verdict(findings) {
  const better = { plain: 0, verified: 0 };
  for (const search of helpSearches) {
    // Published accuracies have one digit.
    const isAsGood = (question) => findings.at(search, question).accuracy >= search.accuracy - 0.05;
    if (isAsGood({})) better.plain++;
    if (isAsGood({ nVerify: runs.nVerify })) better.verified++;
  }
  const kept = helpSearches.filter((search) => !isBroken(search));
  const keptAndAsGood = kept.filter(
    (search) => findings.at(search, { nVerify: runs.nVerify }).accuracy >= search.accuracy - 0.05,
  );
  return { ...better, n: helpSearches.length, nKept: kept.length, nAsGood: keptAndAsGood.length };
}

/** Accuracies and constraints in one picture. */
export function chartOf(findings) {
  const { nVerify, nSamples } = runs;
  const labels = helpSearches.map(
    ({ device, constraintMs }) => `${device.replace(/_.*/, "")}\n${constraintMs} ms`,
  );
  const published = (keep) => helpSearches.map((search) => (keep(search) ? search.accuracy : null));
  const found = (question) => helpSearches.map((search) => findings.at(search, question).accuracy);
  return taskScoresChart(
    labels,
    [
      {
        ...{ name: "best possible", role: "muted", symbol: "rect", isHollow: true },
        values: helpSearches.map((search) => findings.bestOf(search)),
      },
      {
        ...{ name: `${nSamples} + ${nVerify} verified`, role: "verified", symbol: "circle" },
        values: found({ nVerify }),
      },
      {
        ...{ name: `${nSamples} samples`, role: "verified", symbol: "circle", isHollow: true },
        values: found({}),
      },
      {
        ...{ name: "HELP, kept", role: "miss", symbol: "triangle" },
        values: published((search) => !isBroken(search)),
      },
      {
        ...{ name: "HELP, broken", role: "miss", symbol: "triangle", isHollow: true },
        values: published(isBroken),
      },
    ],
    {
      id: "help-searches",
      title: "Accuracy of the network found within each constraint",
      caption: `CIFAR-100 accuracy of the network found among 500 candidates. ${findings.main}, designed samples, mean over ${findings.nTrials} trials. HELP: as published; where it is hollow, the network that it found was slower than the constraint.`,
      axis: { name: "CIFAR-100 accuracy (%)", min: 66, max: 74 },
    },
  );
}

/** The generated part of the document. */
export function comparisonOf(findings, { command, tool, chart }) {
  const { plain, verified, n, nKept, nAsGood } = verdict(findings);
  const broken = brokenOnes(findings);
  const { confidence, nSamples, nVerify, seed } = runs;
  const sentence =
    broken.length === 0
      ? "With the samples alone every constraint was kept in all trials."
      : `With the samples alone these were broken in some trials: ${broken.join("; ")}.`;
  return [
    `Generated by \`${command}\` (samara ${tool.version}, Node ${process.versions.node}, seed ${seed}, ${findings.nTrials} trials).`,
    "",
    `Table 4 of HELP (Lee et al. 2021, arXiv 2106.08630): find the most accurate network for a device within a latency, among ${findings.nCandidates[0]} candidates that a generator proposed for CIFAR-100. Here the same candidates, accuracies and latency tables; ${findings.main} learned from the nine source devices of task ND (512 networks each, redrawn in each trial) and read ${nSamples} latencies of the target, which it chose; budgets are held against the one-sided bound at ${confidence}. \`verified\`: up to ${nVerify} further latencies are read, of networks that the search turns on, as \`--verify ${nVerify}\` does. Accuracy: CIFAR-100 in percent, mean ± standard deviation over trials; ms: the true latency of what was found, mean; kept: share of trials in which that was within the constraint; best possible: the best accuracy among the candidates that truly are within it.`,
    "",
    mainTable(findings, "help"),
    "",
    `Against HELP's figures, which are of one run: as accurate or more in ${plain} of ${n} rows with ${nSamples} samples, in ${verified} with ${nVerify} verified. HELP kept ${nKept} of its ${n} constraints; on these ${nKept}, ours with ${nVerify} verified were as accurate or more on ${nAsGood}. ${sentence} A network that breaks the constraint is often more accurate: that is what breaking it buys.`,
    "",
    `![${chart.title}](search/${chart.id}.svg)`,
    "",
    chart.caption,
    "",
    `The same search among all ${findings.nCandidates[1].toLocaleString("en")} networks of NAS-Bench-201, which a generator of candidates is not needed for:`,
    "",
    mainTable(findings, "all"),
    "",
    "Means over the 15 constraints and all trials; lost: accuracy below the best possible, in points.",
    "",
    meansTable(findings),
    "",
    "HELP's paper counts 10 samples of a device; its code reads 10 reference latencies beside them. Latencies that are read are counted in full here, those of verification included. The choice of method, samples and confidence was made before these rows were computed.",
  ].join("\n");
}
