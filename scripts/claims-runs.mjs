// Runs the units of scripts/claims.mjs in worker processes, keeps each finished one in a file of JSON lines, and takes up
// what is there. A unit is one trial of one run on one target with one number of samples.
import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { BenchmarkClock } from "../dist/cli/benchmark-clock.js";
import { codeHashOf } from "../dist/cli/benchmark-code.js";
import { hashOf } from "../dist/cli/claims-pool.js";
import { groupsOfRun } from "../dist/evaluate/claims.js";
import { AppendOnlyLog } from "../dist/store/files.js";
import { formatDuration } from "../dist/units.js";

const schema = "samara/claims-unit/1";
const main = join(import.meta.dirname, "claims-worker.mjs");

/** What tells runs apart; samples, trials and the number of fits do not. */
export const nameOfRun = ({ method, descriptor, leaves, among, platforms, select = "random" }) =>
  JSON.stringify([method, descriptor, leaves, among, platforms, select]);

function keyOf(parts) {
  return createHash("sha256")
    .update(JSON.stringify([schema, ...parts]))
    .digest("hex")
    .slice(0, 24);
}

/** Units of a run, in jobs that learn once each. */
function jobsOf(run, pool, { folders, seed, nTrials }) {
  const code = codeHashOf(run.method, "evaluate/claims.js");
  const nFits = Math.min(run.fits ?? 1, nTrials);
  return groupsOfRun(pool.platforms, run).flatMap((held, group) => {
    const learned = hashOf(held.sources.map(({ train }) => ({ train, test: train })));
    return Array.from({ length: nFits }, (_, fit) => {
      const trials = [];
      for (const target of held.targets) {
        const { platformId, family, rows } = target.train;
        const own = hashOf([target]);
        for (const samples of run.samples) {
          if (samples > rows.length) continue;
          for (let trial = fit; trial < nTrials; trial += nFits) {
            const key = keyOf([nameOfRun(run), code, seed, learned, own, nFits, trial, samples]);
            trials.push({ key, platformId, family, trial, samples });
          }
        }
      }
      return { folders, run, group, fit, seed, trials, predictor: run.method };
    });
  });
}

/** Runs of the same name as one, with all their numbers of samples. */
function joined(runs) {
  const byName = new Map();
  for (const run of runs) {
    const known = byName.get(nameOfRun(run));
    const samples = [...new Set([...(known?.samples ?? []), ...run.samples])].sort((a, b) => a - b);
    byName.set(nameOfRun(run), {
      ...known,
      ...run,
      fits: Math.max(known?.fits ?? 1, run.fits ?? 1),
      samples,
    });
  }
  return [...byName.values()];
}

class Worker {
  constructor() {
    this.child = fork(main, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  }

  /** Resolves when the job is done; rejects when the process ends or the job is broken. */
  work(job, onMessage) {
    return new Promise((resolve, reject) => {
      const end = (settle, value) => {
        this.child.off("message", listen);
        this.child.off("close", closed);
        settle(value);
      };
      const listen = (message) => {
        if (message.kind === "done") end(resolve);
        else if (message.kind === "broken") end(reject, new Error(message.message));
        else onMessage(message);
      };
      const closed = (code, signal) =>
        end(reject, new Error(`a worker process ended (${signal ?? `exit code ${code}`})`));
      this.child.on("message", listen);
      this.child.on("close", closed);
      this.child.send(job);
    });
  }
}

/**
 * Do the runs of the experiments that are wanted, and look up those of the others.
 *
 * @returns scored units: { run, platformId, family, trial, samples, scores }, and failures in words
 */
export async function doRuns(experiments, pool, { folders, seed, nTrials, nWorkers, cache, say }) {
  const log = new AppendOnlyLog(cache);
  const known = new Map(
    log.read().values.flatMap((line) => (line.schema === schema ? [[line.key, line.scores]] : [])),
  );
  const runs = experiments.flatMap((experiment) => experiment.runs);
  const wanted = new Set(
    experiments.flatMap(({ runs, isWanted }) => (isWanted ? runs.map(nameOfRun) : [])),
  );
  const all = joined(runs).flatMap((run) => jobsOf(run, pool, { folders, seed, nTrials }));
  const missing = all
    .filter(({ run }) => wanted.has(nameOfRun(run)))
    .map((job) => ({ ...job, trials: job.trials.filter(({ key }) => !known.has(key)) }))
    .filter(({ trials }) => trials.length > 0)
    // Long jobs first, so that the last ones end together.
    .sort((a, b) => weightOf(b) - weightOf(a));
  const nUnits = all.reduce((sum, { trials }) => sum + trials.length, 0);
  const nMissing = missing.reduce((sum, { trials }) => sum + trials.length, 0);
  say(`${nUnits} units in all, ${nMissing} to do; finished ones are kept in ${cache}`);
  const clock = new BenchmarkClock(missing, nWorkers);
  const failures = [];
  const startMs = performance.now();
  let nDone = 0;
  let toldMs = startMs;
  const waiting = [...missing];
  const take = (job, { kind, key, scores, message }) => {
    clock.advance(job, 1);
    nDone++;
    if (kind === "failed") {
      failures.push(`${job.run.method}: ${message}`);
      return;
    }
    known.set(key, scores);
    log.append({ schema, key, scores });
    if (performance.now() - toldMs < 5000) return;
    toldMs = performance.now();
    const leftMs = clock.leftMs();
    const left = leftMs === undefined ? "" : `, about ${formatDuration(leftMs)} left`;
    const took = formatDuration(toldMs - startMs);
    say(`${nDone}/${nMissing} units, ${took}${left}: ${job.run.method}`);
  };
  const serve = async () => {
    let worker;
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      worker ??= new Worker();
      clock.start(job);
      try {
        await worker.work(job, (message) => take(job, message));
      } catch (error) {
        failures.push(`${job.run.method}: ${error.message}`);
        worker.child.kill();
        worker = undefined;
      }
      clock.finish(job);
    }
    worker?.child.kill();
  };
  await Promise.all(Array.from({ length: Math.min(nWorkers, missing.length) }, serve));
  const units = all.flatMap(({ run, trials }) =>
    trials.flatMap(({ key, ...at }) => {
      const scores = known.get(key);
      return scores === undefined ? [] : [{ run: nameOfRun(run), ...at, scores: restored(scores) }];
    }),
  );
  return { units, failures, nMissing, durationMs: performance.now() - startMs };
}

/** JSON has no NaN: a rank correlation of equal predictions is none. */
const restored = (scores) =>
  Object.fromEntries(Object.entries(scores).map(([key, value]) => [key, value ?? Number.NaN]));

const secondsToLearn = { help: 40, "maple-edge": 4, maple: 4 };
const weightOf = ({ run, trials }) =>
  (secondsToLearn[run.method.split("/")[0]] ?? 1) + 0.05 * trials.length;
