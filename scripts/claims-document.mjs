// docs/claims.md and its charts from what the units say. Figures and verdicts are computed here; sentences that depend on
// them are chosen by the verdict, so that they cannot contradict.

import { learningCurvesChart } from "../dist/evaluate/charts-benchmark.js";
import { platformScoresChart, wayStyles } from "../dist/evaluate/charts-claims.js";
import { hasCounters } from "../dist/evaluate/descriptor-parts.js";
import { deviceOf } from "../dist/evaluate/hold-out-groups.js";
import { kernelLibrariesOf } from "../dist/evaluate/kernel-libraries.js";
import { runtimePartOf } from "../dist/record/platform.js";
import { median } from "../dist/tensor/stats.js";
import * as plan from "./claims-plan.mjs";

const none = "–";
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const percent = (value, digits = 1) => (isNumber(value) ? (100 * value).toFixed(digits) : none);
const rho = (value) => (isNumber(value) ? value.toFixed(3) : none);
const sign = (value) => (value < 0 ? "−" : "+");
const points = (value) =>
  isNumber(value) ? `${sign(value)}${Math.abs(100 * value).toFixed(1)}` : none;
const ranks = (value) => (isNumber(value) ? `${sign(value)}${Math.abs(value).toFixed(3)}` : none);
const listed = (items) => (items.length === 0 ? "none" : items.join(", "));

/** A Markdown table; columns after the first are numbers unless `left` says otherwise. */
function table(header, rows, left = 1) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rule = header.map((_, i) => (i < left ? "---" : "--:"));
  return [line(header), line(rule), ...rows.map(line)].join("\n");
}

/** Writes the document; `context`: pools, folders, commit, trials, seed, durations. */
export function createDocument(findings, context) {
  const { pool, ceilings, nTrials, commit } = context;
  const { platforms } = pool;
  const devices = [...new Set(platforms.map(({ train }) => deviceOf(train)))];
  const families = [...new Set(platforms.map(({ train }) => train.family))];
  /** Platform ids without their device where there is one device only. */
  const nameOf = (id) => (devices.length === 1 ? runtimePartOf(id) : id);
  const ceilingOf = (id) => ceilings.get(id);

  const provenance = (experiment, what) => {
    const letter = experiment.id[0];
    return `*\`${context.command} --only ${letter}\`; seed ${plan.seed}, ${nTrials} trials (mean ± sd), ${what}; pool ${pool.hash}, commit ${commit}.*`;
  };

  const leavingWords = {
    platform: "the target alone leaves",
    family: "its runtime family leaves with a target",
    library: "family and kernel library leave with a target",
    device: "its device leaves with a target",
    "device and family": "device and family leave with a target",
  };

  function platformTable() {
    const rows = platforms.map(({ train, test }) => {
      const { platformId, family, platform } = train;
      const ceiling = ceilingOf(platformId);
      const counters = ["pmu", "simulated", "software"].filter((source) =>
        hasCounters(train, source),
      );
      return [
        nameOf(platformId),
        family,
        listed(platform ? kernelLibrariesOf(platform) : []),
        train.descriptor ? listed(counters) : "no descriptor",
        `${train.rows.length} / ${test.rows.length}`,
        percent(ceiling.withinTenPercent),
        rho(ceiling.spearman),
        percent(ceiling.intervalWidth),
      ];
    });
    return table(
      [
        "platform",
        "family",
        "kernel libraries",
        "counters",
        "networks: train / test",
        "±10 % at most",
        "Spearman at most",
        "width of 90 % %",
      ],
      rows,
      4,
    );
  }

  function aimsTable() {
    const ours = plan.mainRun;
    const ten = findings.overview(ours, 10);
    const zero = findings.overview(ours, 0);
    const { withinTenPercent: aim, zeroShotSpearman } = plan.aims;
    const verdict = (value, least) =>
      isNumber(value) ? (value >= least ? "reached" : "missed") : "not run";
    const rows = [
      [
        "within ±10 %, 10 samples, median platform",
        percent(aim.median, 0),
        percent(ten?.median.withinTenPercent),
        verdict(ten?.median.withinTenPercent, aim.median),
      ],
      [
        "within ±10 %, 10 samples, worst platform",
        percent(aim.worst, 0),
        percent(ten?.worst.withinTenPercent),
        verdict(ten?.worst.withinTenPercent, aim.worst),
      ],
      [
        "Spearman from the descriptor alone, median platform",
        zeroShotSpearman.median.toFixed(2),
        rho(zero?.median.spearman),
        verdict(zero?.median.spearman, zeroShotSpearman.median),
      ],
    ];
    return table(["operator-sum, one family left out at a time", "aim", "found", ""], rows);
  }

  const verdictWords = {
    holds: "**holds**",
    "the opposite holds": "**the opposite holds**",
    "does not hold": "**does not hold**",
    undecided: "undecided",
    untested: "cannot be tested here",
  };

  function differenceWords({ score, difference: { mean, lower, upper } }) {
    const format = score === "spearman" ? ranks : points;
    const unit = score === "spearman" ? "Spearman" : "points within ±10 %";
    return isNumber(mean) ? `${format(mean)} [${format(lower)}, ${format(upper)}] ${unit}` : none;
  }

  function claimsTable(experiments) {
    const rows = experiments.flatMap((experiment) =>
      experiment.comparisons.map((comparison) => {
        const decided = findings.decide(experiment, comparison);
        const { nFamilies, nTargets } = decided.difference;
        return [
          experiment.id[0],
          decided.claim,
          verdictWords[decided.verdict],
          differenceWords(decided),
          `${nTargets} / ${nFamilies}`,
        ];
      }),
    );
    return table(["", "claim", "verdict", "mean difference [95 %]", "targets / families"], rows, 4);
  }

  /** One row a platform, one column a run. */
  function targetTable(experiment, samples) {
    const runs = experiment.runs.filter((run) => run.samples.includes(samples));
    const scores = runs.map(
      (run) => new Map(findings.scores(run, samples).map((s) => [s.platformId, s])),
    );
    const ids = platforms
      .map(({ train }) => train.platformId)
      .filter((id) => scores.some((found) => found.has(id)));
    if (ids.length === 0) return "";
    const cell = (found) =>
      found === undefined
        ? none
        : `${percent(found.mean.withinTenPercent)} ± ${percent(found.sd.withinTenPercent)} · ${rho(found.mean.spearman)}`;
    const rows = ids.map((id) => {
      const { withinTenPercent, spearman } = ceilingOf(id);
      return [
        nameOf(id),
        ...scores.map((found) => cell(found.get(id))),
        `${percent(withinTenPercent)} · ${rho(spearman)}`,
      ];
    });
    const summary = (label, of, score) => [
      `**${label}**`,
      ...runs.map((run) => {
        const found = findings.overview(run, samples);
        return found === undefined
          ? none
          : `${percent(found[of].withinTenPercent)} · ${rho(found[of][score])}`;
      }),
      "",
    ];
    return [
      `Latencies of the target read: ${samples}. Share within ±10 % in percent · Spearman.`,
      table(
        ["platform", ...runs.map(({ label }) => label), "noise allows"],
        [
          ...rows,
          summary("median", "median", "spearman"),
          summary("mean", "mean", "spearman"),
          summary("worst", "worst", "spearman"),
        ],
      ),
    ].join("\n\n");
  }

  function overviewTable(experiment) {
    const rows = experiment.runs.flatMap((run) =>
      run.samples.flatMap((samples) => {
        const found = findings.overview(run, samples);
        if (found === undefined) return [];
        return [
          [
            run.label,
            samples,
            found.nTargets,
            percent(found.mean.withinTenPercent),
            percent(found.median.withinTenPercent),
            percent(found.worst.withinTenPercent),
            percent(found.mean.withinFivePercent),
            percent(found.median.mape),
            rho(found.median.spearman),
            rho(found.worst.spearman),
            percent(found.mean.coverage),
            percent(found.median.intervalWidth),
          ],
        ];
      }),
    );
    return table(
      [
        "way",
        "latencies read",
        "targets",
        "±10 % mean",
        "median",
        "worst",
        "±5 % mean",
        "MAPE % median",
        "Spearman median",
        "worst",
        "in 90 % interval",
        "width % median",
      ],
      rows,
    );
  }

  function verdictSentences(experiment) {
    return experiment.comparisons
      .map((comparison) => {
        const decided = findings.decide(experiment, comparison);
        const { nFamilies, nTargets, nPairs } = decided.difference;
        const basis =
          nPairs === 0
            ? "no pair of trials"
            : `${nPairs} pairs of trials on ${nTargets} targets of ${nFamilies} ${nFamilies === 1 ? "family" : "families"}`;
        return `* ${capital(decided.claim)}: ${verdictWords[decided.verdict]}. ${capital(differenceWords(decided))} (${basis}).`;
      })
      .join("\n");
  }
  const capital = (text) => text[0].toUpperCase() + text.slice(1);

  /** Which method is shipped must not depend on the targets that it is scored on. */
  function choiceTable({ shippable, runs }) {
    const offered = shippable.map((label) => runs.find((run) => run.label === label));
    const choices = findings.chosenWithout(offered, 10);
    if (choices.length < 2) return [];
    const rows = choices.map(({ family, elsewhere, chosen, here }) => [
      family,
      ...elsewhere.map((value) => percent(value)),
      shippable[chosen],
      percent(here[chosen]),
      percent(here[0]),
    ]);
    const counts = shippable.map((_, i) => choices.filter(({ chosen }) => chosen === i).length);
    const summary = shippable.map((label, i) => `${label} for ${counts[i]}`).join(", ");
    return [
      `**Which one is shipped** is chosen by source families only: for each family, the method that is best on the others (mean over families, share within ±10 %, 10 random samples). Taken for ${choices.length} families: ${summary}.`,
      table(
        [
          "family left out",
          ...shippable.map((label) => `${label}, on the others`),
          "taken",
          "its score here",
          `${shippable[0]} here`,
        ],
        rows,
      ),
    ];
  }

  function whyUntested(experiment) {
    const described = platforms.filter(({ train }) => train.descriptor !== undefined);
    if (experiment.needs === "two devices") {
      return devices.length < 2
        ? `**Cannot be tested here:** the pool has one device (${devices[0]}).`
        : undefined;
    }
    if (experiment.needs === undefined) return undefined;
    const having = described.filter(({ train }) => hasCounters(train, experiment.needs));
    const nFamilies = new Set(having.map(({ train }) => train.family)).size;
    const words = `${having.length} of ${platforms.length} platforms, of ${nFamilies} families, have counters of the source "${experiment.needs}"`;
    return nFamilies < 3
      ? `**Cannot be tested here:** ${words}; one must be left out and two strangers stay.`
      : `${capital(words)}.`;
  }

  function chartOf(experiment) {
    const samples = mainSamples(experiment);
    const charted = experiment.charted ?? experiment.runs.map(({ label }) => label);
    const runs = experiment.runs
      .filter((run) => run.samples.includes(samples) && charted.includes(run.label))
      .slice(0, wayStyles.length);
    const found = runs.map(
      (run) => new Map(findings.scores(run, samples).map((s) => [s.platformId, s])),
    );
    const ids = platforms
      .map(({ train }) => train.platformId)
      .filter((id) => found.some((scores) => scores.has(id)));
    if (ids.length === 0) return undefined;
    const score = experiment.chartScore ?? "withinTenPercent";
    const ways = runs.map(({ label }, i) => ({
      name: label,
      ...wayStyles[i],
      values: ids.map((id) => found[i].get(id)?.mean[score] ?? null),
      sds: ids.map((id) => found[i].get(id)?.sd[score] ?? null),
    }));
    const lowest = Math.min(...ways.flatMap(({ values }) => values).filter(isNumber));
    const step = score === "spearman" ? 20 : 10;
    return platformScoresChart(
      ids.map(nameOf),
      ways,
      ids.map((id) => ceilingOf(id)[score] ?? null),
      {
        id: `claims-${experiment.id}`,
        title: experiment.title,
        caption: `${score === "spearman" ? "Spearman" : "Share of test networks within ±10 %"} by platform; ${samples} latencies of the target read, means over ${nTrials} trials with one standard deviation. Grey: what the noise of the measurements allows.`,
        axis: {
          name: score === "spearman" ? "Spearman" : "share within ±10 %",
          min: Math.max(0, Math.floor(step * (lowest - 0.02)) / step),
        },
      },
    );
  }

  function curvesChart(experiment) {
    const panels = [
      ["mean over platforms", (found) => found.mean.withinTenPercent],
      ["median platform", (found) => found.median.withinTenPercent],
      ["worst platform", (found) => found.worst.withinTenPercent],
    ].map(([title, of]) => ({
      title,
      ceiling:
        title === "worst platform"
          ? Math.min(...[...ceilings.values()].map((c) => c.withinTenPercent))
          : median([...ceilings.values()].map((c) => c.withinTenPercent)),
      curves: experiment.runs.map((run) =>
        run.samples.flatMap((samples) => {
          const found = samples === 0 ? undefined : findings.overview(run, samples);
          return found === undefined ? [] : [{ samples, value: of(found), sd: 0 }];
        }),
      ),
    }));
    if (panels.every(({ curves }) => curves.every((points) => points.length === 0)))
      return undefined;
    return learningCurvesChart(panels, {
      id: `claims-${experiment.id}`,
      title: experiment.title,
      caption: `Share of test networks within ±10 % against the number of latencies of the target that are read; one family left out at a time, ${nTrials} trials. Dashed: what the noise of the measurements allows in the median and the worst platform. Axes differ.`,
      axisName: "within ±10 %",
      series: experiment.runs.map(({ label }, i) => ({ name: label, role: wayStyles[i].role })),
    });
  }

  const mainSamples = (experiment) =>
    experiment.runs.some((run) => run.samples.includes(10)) ? 10 : experiment.runs[0].samples[0];

  function section(experiment) {
    const { isRun, planned, done } = findings.progress(experiment);
    const nTargets = Math.max(...experiment.runs.map((run) => findings.nTargets(run)));
    const heading = `## ${experiment.id[0]}. ${experiment.title}`;
    const why = whyUntested(experiment);
    const parts = [heading, experiment.question, ...(why === undefined ? [] : [why])];
    const isUntestable = why?.startsWith("**Cannot");
    if (nTargets === 0 || isUntestable) return { text: parts.join("\n\n"), charts: [] };
    if (!isRun) return { text: [...parts, "*Not run.*"].join("\n\n"), charts: [] };
    if (done < planned) {
      parts.push(
        `*${planned - done} of ${planned} targets are not scored in all trials, and left out.*`,
      );
    }
    const chart = experiment.curves ? curvesChart(experiment) : chartOf(experiment);
    const leaves = [...new Set(experiment.runs.map((run) => leavingWords[run.leaves]))];
    const allSamples = [...new Set(experiment.runs.flatMap(({ samples }) => samples))].sort(
      (a, b) => a - b,
    );
    const shownSamples = experiment.curves ? [] : allSamples;
    parts.push(
      verdictSentences(experiment),
      ...(chart === undefined ? [] : [`![${chart.title}](claims/${chart.id}.svg)`, chart.caption]),
      overviewTable(experiment),
      ...(experiment.shippable === undefined ? [] : choiceTable(experiment)),
      ...shownSamples
        .map((samples) => targetTable(experiment, samples))
        .filter((text) => text !== ""),
      provenance(
        experiment,
        `${listed(leaves)}; latencies of the target read: ${allSamples.join(", ")}`,
      ),
    );
    return { text: parts.join("\n\n"), charts: chart === undefined ? [] : [chart] };
  }

  const sections = plan.experiments.map(section);
  const decided = plan.experiments.filter(
    (experiment) =>
      findings.progress(experiment).isRun && findings.progress(experiment).planned > 0,
  );
  const nPmu = platforms.filter(({ train }) => hasCounters(train, "pmu")).length;
  const pmu =
    nPmu === 0
      ? "No platform has hardware counters (a PMU): what MAPLE-Edge says of cycles, cache misses and the like **read from hardware cannot be tested here**. Sections b and c run on *simulated* counters, which describe an ideal cache and one code path of native runners, and on *software* events of the kernel, and say so."
      : `${nPmu} platforms have hardware counters.`;
  const text = [
    "# The paper's claims, put to the test",
    `What MAPLE-Edge (Nair et al. 2022, arXiv 2204.12950) says of descriptors, counters and few samples, and what our own methods are worth, on measured platforms. Generated by \`${context.command}\` (samara ${context.version}, Node ${process.versions.node}, seed ${plan.seed}, ${nTrials} trials, commit ${commit}); figures, verdicts and the sentences that depend on them are computed, none is written by hand. What the methods are says [methods.md](methods.md).`,
    `**Pool** ${pool.hash}: ${platforms.length} platforms of ${families.length} runtime families on ${devices.length} ${devices.length === 1 ? "device" : "devices"} (${devices.join(", ")}); measurements ${pool.hashes.join(", ")}.`,
    pmu,
    "**Protocol.** One family is left out at a time, with all its platforms on all devices, unless a section says otherwise. A method learns from the training networks of the others, reads the stated number of latencies of the target (drawn uniformly by seed, the same for all methods; HELP's references are among them and count), and is scored on test networks that nobody learned from. The networks without a path from input to output are part of every score. Grade X is left out.",
    `**Noise** is the ceiling of every score: what a perfect predictor of the true latency would reach, simulated from the spread between processes of the same network (table below). **Verdicts** follow one rule: the difference of scores is taken in each trial of each target, averaged to one number a family, and given Student's 95 % interval over families. Above 0: holds. Below 0: the opposite holds. Around 0 and below ${points(plan.leastGain)} points (Spearman: ${ranks(plan.leastRankGain)}): does not hold. Otherwise undecided; with fewer than three families it cannot be tested.`,
    "## Aims",
    aimsTable(),
    "## All claims",
    claimsTable(decided),
    "## Platforms",
    platformTable(),
    ...sections.map(({ text }) => text),
    "## How it was run",
    context.howRun,
  ].join("\n\n");
  return { text: `${text}\n`, charts: sections.flatMap(({ charts }) => charts) };
}
