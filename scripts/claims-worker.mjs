// A worker process of scripts/claims.mjs: learns for a group of targets, adapts to each of them, scores. Told what to do
// by messages; tells every score at once, so that an interrupted run loses the one in work only.
import { loadClaimsPool } from "../dist/cli/claims-pool.js";
import { fitGroup, groupsOfRun, scoreTrial } from "../dist/evaluate/claims.js";

let pool;

async function work({ folders, run, group, fit, seed, trials }) {
  pool ??= await loadClaimsPool(folders);
  const { networks } = pool;
  const held = groupsOfRun(pool.platforms, run)[group];
  const startMs = performance.now();
  const fitted = await fitGroup(run.method, networks, held, { seed, fit });
  const fitMs = performance.now() - startMs;
  for (const { key, platformId, trial, samples } of trials) {
    const target = held.targets.find(({ train }) => train.platformId === platformId);
    try {
      const scores = await scoreTrial(fitted, networks, target, {
        seed,
        trial,
        samples,
        select: run.select,
      });
      process.send({ kind: "scored", key, scores: { ...scores, fitMs } });
    } catch (error) {
      process.send({ kind: "failed", key, message: `${platformId}: ${error.message}` });
    }
  }
}

// A terminal's Ctrl-C reaches every process; the parent decides what happens then.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit(0));
process.on("message", async (job) => {
  try {
    await work(job);
    process.send({ kind: "done" });
  } catch (error) {
    process.send({ kind: "broken", message: error.stack });
  }
});
