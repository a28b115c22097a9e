// Puts pools together that were measured on different devices or days: platforms, descriptors, measurements,
// processes and contexts of all of them. All must keep the same test set apart, and none may share a platform.
//
//   node scripts/merge-pools.mjs -o DIR POOL POOL…
import { parseArgs } from "node:util";
import { Pool } from "../dist/store/pool.js";
import { median } from "../dist/tensor/stats.js";

const { values, positionals } = parseArgs({
  options: { out: { type: "string", short: "o" } },
  allowPositionals: true,
});
if (values.out === undefined || positionals.length < 2) {
  console.error("usage: node scripts/merge-pools.mjs -o DIR POOL POOL…");
  process.exit(2);
}

const pools = positionals.map((folder) => new Pool(folder).requireExisting());
const splits = pools.map((pool) => pool.split());
const testOf = (split) => [...(split?.test ?? [])].sort().join();
const platformIds = new Set();
for (const [i, pool] of pools.entries()) {
  if (testOf(splits[i]) !== testOf(splits[0])) {
    console.error(`${pool.folder} keeps another test set apart than ${pools[0].folder}`);
    process.exit(2);
  }
  for (const { id } of pool.platforms()) {
    if (platformIds.has(id)) {
      console.error(
        `${pool.folder}: ${id} is in a pool before it; one anchor makes a platform's milliseconds`,
      );
      process.exit(2);
    }
    platformIds.add(id);
  }
}

const measurements = (await Promise.all(pools.map((pool) => pool.measurements()))).flat();
const processes = (await Promise.all(pools.map((pool) => pool.processes(median)))).flat();
const merged = new Pool(values.out);
for (const pool of pools) {
  for (const platform of pool.platforms()) {
    merged.addPlatform(platform);
    for (let n = 1; ; n += 1) {
      const repeat = pool.descriptorRepeat(platform.id, n);
      if (repeat === undefined) break;
      merged.writeDescriptorRepeat(repeat, n);
    }
  }
  for (const descriptor of pool.descriptors()) merged.writeDescriptor(descriptor);
}
merged.addContexts(pools.flatMap((pool) => pool.contexts()));
merged.writeMeasurements(measurements);
merged.writeProcessRows(processes);
if (splits.some((split) => split !== undefined)) {
  merged.writeSplit({
    ...splits[0],
    how: [...new Set(splits.map(({ how }) => how))].join(" / "),
    train: [...new Set(splits.flatMap(({ train }) => train))],
  });
}
console.log(`${merged.folder}: ${platformIds.size} platforms, ${measurements.length} measurements`);
