// What the units of scripts/claims.mjs say: scores by run, platform and number of samples; differences and verdicts.
import { groupsOfRun } from "../dist/evaluate/claims.js";
import { pairedDifference, verdictOf } from "../dist/evaluate/paired.js";
import { mean, median, standardDeviation } from "../dist/tensor/stats.js";
import * as plan from "./claims-plan.mjs";
import { nameOfRun } from "./claims-runs.mjs";

const scores = [
  "withinTenPercent",
  "withinFivePercent",
  "spearman",
  "mape",
  "coverage",
  "intervalWidth",
  "latenciesRead",
];

/** Numbers of samples that an experiment tests. */
const samplesOfExperiment = ({ runs }) => [...new Set(runs.flatMap(({ samples }) => samples))];

export class Findings {
  /** @param units - from `doRuns` */
  constructor(units, { platforms }, ceilings, nTrials) {
    this.platforms = platforms;
    this.ceilings = ceilings;
    this.nTrials = nTrials;
    this.byRun = new Map();
    for (const unit of units) {
      const key = JSON.stringify([unit.run, unit.samples]);
      const ofRun = this.byRun.get(key) ?? new Map();
      this.byRun.set(key, ofRun);
      const ofPlatform = ofRun.get(unit.platformId) ?? { family: unit.family, trials: [] };
      ofRun.set(unit.platformId, ofPlatform);
      ofPlatform.trials[unit.trial] = unit.scores;
    }
  }

  /** Platforms with all trials of a run, in the order of the pool. */
  targets(run, samples) {
    const found = this.byRun.get(JSON.stringify([nameOfRun(run), samples])) ?? new Map();
    return this.platforms.flatMap(({ train: { platformId, family } }) => {
      const trials = Array.from(found.get(platformId)?.trials ?? []);
      const isWhole = trials.length === this.nTrials && !trials.includes(undefined);
      return isWhole ? [{ platformId, family, trials }] : [];
    });
  }

  /** Mean and spread over trials of each score, by platform. */
  scores(run, samples) {
    return this.targets(run, samples).map(({ platformId, family, trials }) => {
      const of = (reduce) =>
        Object.fromEntries(scores.map((score) => [score, reduce(trials.map((t) => t[score]))]));
      return {
        platformId,
        family,
        mean: of(mean),
        sd: of((v) => (v.length > 1 ? standardDeviation(v) : 0)),
      };
    });
  }

  /** How many platforms a run has as targets, whether they are scored or not. */
  nTargets(run) {
    return groupsOfRun(this.platforms, run).reduce((sum, { targets }) => sum + targets.length, 0);
  }

  /** Targets that an experiment's runs have, and how many of them are scored in all trials. */
  progress(experiment) {
    const parts = experiment.runs.flatMap((run) =>
      run.samples.map((samples) => ({
        planned: this.nTargets(run),
        done: this.targets(run, samples).length,
      })),
    );
    const sum = (key) => parts.reduce((total, part) => total + part[key], 0);
    const isRun = parts.every(({ planned, done }) => planned === 0 || done > 0);
    return { isRun, planned: sum("planned"), done: sum("done") };
  }

  /** Means, medians and worst values over platforms. */
  overview(run, samples) {
    const found = this.scores(run, samples);
    if (found.length === 0) return undefined;
    const of = (score) => found.map((target) => target.mean[score]);
    return {
      nTargets: found.length,
      mean: Object.fromEntries(scores.map((score) => [score, mean(of(score))])),
      median: Object.fromEntries(scores.map((score) => [score, median(of(score))])),
      worst: {
        withinTenPercent: Math.min(...of("withinTenPercent")),
        spearman: Math.min(...of("spearman")),
        coverage: Math.min(...of("coverage")),
      },
    };
  }

  /**
   * Which of some ways would have been taken for each family by the scores on all others: mean over families of the share
   * within ±10 %, the family itself not looked at.
   */
  chosenWithout(runs, samples) {
    const ofRuns = runs.map((run) => {
      const byFamily = new Map();
      for (const { family, mean: scored } of this.scores(run, samples)) {
        byFamily.set(family, [...(byFamily.get(family) ?? []), scored.withinTenPercent]);
      }
      return new Map([...byFamily].map(([family, values]) => [family, mean(values)]));
    });
    return [...ofRuns[0].keys()].map((family) => {
      const elsewhere = ofRuns.map((byFamily) =>
        mean([...byFamily].filter(([other]) => other !== family).map(([, value]) => value)),
      );
      const chosen = elsewhere.indexOf(Math.max(...elsewhere));
      return { family, elsewhere, chosen, here: ofRuns.map((byFamily) => byFamily.get(family)) };
    });
  }

  /** A claim of an experiment, decided. */
  decide(experiment, { claim, better, worse, samples, worseSamples, score = "withinTenPercent" }) {
    const runOf = (label) => experiment.runs.find((run) => run.label === label);
    const [first] = samplesOfExperiment(experiment).includes(10)
      ? [10]
      : samplesOfExperiment(experiment);
    const valuesOf = (label, n) =>
      this.targets(runOf(label), n).map(({ platformId, family, trials }) => ({
        platformId,
        family,
        values: trials.map((trial) => trial[score]),
      }));
    const nBetter = samples ?? first;
    const difference = pairedDifference(
      valuesOf(better, nBetter),
      valuesOf(worse, worseSamples ?? nBetter),
    );
    const least = score === "spearman" ? plan.leastRankGain : plan.leastGain;
    return { claim, score, difference, verdict: verdictOf(difference, least) };
  }
}
