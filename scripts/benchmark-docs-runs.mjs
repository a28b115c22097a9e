// Runs `samara benchmark` for the document, each run in a process of its own that picks up what is finished.
import { spawn } from "node:child_process";
import { resolve } from "node:path";

const bin = resolve(import.meta.dirname, "..", "dist", "cli", "bin.js");

/** Options of a run as the command line has them. */
function argumentsOf({ predictor, tasks, samples, trials, protocol, select, seed, oneSourceDraw }) {
  return [
    ...["--tasks", tasks.join(","), "--predictor", predictor, "--samples", samples.join(",")],
    ...["--trials", String(trials), "--protocol", protocol, "--select", select.join(",")],
    ...["--seed", String(seed), ...(oneSourceDraw ? ["--one-source-draw"] : [])],
  ];
}

/** The command that gives the numbers of a run again. */
export const commandOf = (run) => `samara benchmark ${argumentsOf(run).join(" ")}`;

/** Run the command line; progress and warnings go to this process's stderr. */
function runSamara(args) {
  return new Promise((fulfil, reject) => {
    const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => fulfil({ code: signal === null ? code : 130, stdout }));
  });
}

/** Thrown when a run was interrupted: what is finished is kept. */
export class Interrupted extends Error {}

/**
 * Do runs one after the other.
 *
 * @param common - arguments of every run: `--data`, `-o`, `--threads`
 * @returns runs with what they printed; those that failed altogether are named and left out
 */
export async function doRuns(runs, common, say) {
  const done = [];
  for (const [i, run] of runs.entries()) {
    say(`[${i + 1}/${runs.length}] ${commandOf(run)}`);
    const args = ["benchmark", ...argumentsOf(run), "--resume", "--json", ...common];
    const { code, stdout } = await runSamara(args);
    if (code === 130) throw new Interrupted();
    if (stdout === "") say(`no results (exit code ${code}): left out of the document`);
    else done.push({ ...run, document: JSON.parse(stdout) });
  }
  return done;
}
