// Adds simulated counters (callgrind) to the descriptors of a pool whose platforms are native runtimes of one thread and
// can run here; others are left as they are. Simulated counts are the same every time, so the machine may be busy.
//
//   node scripts/simulate-counters.mjs POOL [--parallel 2]
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { addSimulatedCounters, checkSimulation } from "../dist/measure/simulated.js";
import { listPlatforms } from "../dist/platform/registry.js";
import { Pool } from "../dist/store/pool.js";

const { values, positionals } = parseArgs({
  options: { parallel: { type: "string", default: String(availableParallelism()) } },
  allowPositionals: true,
});
if (positionals.length !== 1) {
  console.error("usage: node scripts/simulate-counters.mjs POOL [--parallel 2]");
  process.exit(2);
}
const pool = new Pool(positionals[0]).requireExisting();
const { available } = await listPlatforms();
const waiting = pool.descriptors().flatMap((descriptor) => {
  const platform = available.find(({ platform: { id } }) => id === descriptor.platform.id);
  if (platform === undefined) return [];
  try {
    checkSimulation(platform);
  } catch (error) {
    console.log(`${descriptor.platform.id}: left as it is, ${error.message}`);
    return [];
  }
  return [{ descriptor, platform }];
});
async function work() {
  for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
    const startMs = performance.now();
    pool.writeDescriptor(await addSimulatedCounters(job.descriptor, job.platform));
    const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
    console.log(`${job.descriptor.platform.id}: simulated in ${seconds} s`);
  }
}
await Promise.all(Array.from({ length: Number(values.parallel) }, work));
