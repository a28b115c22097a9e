// The runtimes in Chromium: time to load, latency of the reference network, what a timed block costs beside its runs, and
// latencies with and without their waits while busy loops compete for the processor. Prints the figures of docs/runtimes.md.
//
//   node bench/chromium.mjs [--loops 0,4] [--blocks 150] [--runs 4]
import { spawn } from "node:child_process";
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { referenceSubject, subjectFromIndex } from "../dist/measure/subject.js";
import { runtimes } from "../dist/platform/registry.js";

const { values } = parseArgs({
  options: {
    loops: { type: "string", default: "0,4" },
    blocks: { type: "string", default: "150" },
    runs: { type: "string", default: "4" },
  },
});
const nBlocks = Number(values.blocks);
const nRuns = Number(values.runs);

const shares = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return [0.05, 0.5, 0.95].map((share) => sorted[Math.floor(share * (sorted.length - 1))]);
};
const text = (numbers) =>
  shares(numbers)
    .map((value) => value.toFixed(2))
    .join(" / ");

async function timed(action) {
  const start = performance.now();
  const result = await action();
  return { result, ms: performance.now() - start };
}

async function timeBlocks(session) {
  const total = new Float64Array(1);
  const waitedMs = () => {
    session.waits?.read(total);
    return total[0] / 1e6;
  };
  const blocks = { wall: [], corrected: [], beside: [] };
  for (let i = 0; i < nBlocks; i++) {
    const before = waitedMs();
    const { result: wallNs, ms } = await timed(() => session.timeRuns(nRuns));
    const wallMs = wallNs / 1e6;
    blocks.wall.push(wallMs / nRuns);
    blocks.corrected.push((wallMs - (waitedMs() - before)) / nRuns);
    blocks.beside.push(ms - wallMs);
  }
  return blocks;
}

console.log("5th percentile / median / 95th percentile, ms");
for (const runtime of runtimes.filter(({ name }) => name.startsWith("chromium-"))) {
  const availability = await runtime.probe();
  if (!availability.available) {
    console.log(`${runtime.name}: ${availability.reason}`);
    continue;
  }
  const [{ slug, info }] = runtime.variants(availability.version, 1);
  const modelOf = (subject) => subject.modelFile(runtime.modelFormat);
  const load = async (model) => {
    const session = await runtime.load(model, info);
    await session.run();
    return session;
  };
  const { result: reference, ms } = await timed(() => load(modelOf(referenceSubject())));
  const loadMs = [];
  for (let i = 0; i < 25; i++) {
    const model = modelOf(subjectFromIndex(600 + 601 * i));
    const { result: session, ms } = await timed(() => load(model));
    loadMs.push(ms);
    await session.dispose();
  }
  console.log(`\n${slug}: first network ${ms.toFixed(0)} ms, others ${text(loadMs)}`);
  await timeBlocks(reference);
  for (const nLoops of values.loops.split(",").map(Number)) {
    const loops = Array.from({ length: nLoops }, () =>
      spawn(process.execPath, ["-e", "while (true);"], { stdio: "ignore" }),
    );
    const { wall, corrected, beside } = await timeBlocks(reference);
    for (const loop of loops) loop.kill("SIGKILL");
    console.log(`  ${nLoops} busy loops (load average ${loadavg()[0].toFixed(1)})`);
    console.log(`    reference ${text(wall)}, without waits ${text(corrected)}`);
    console.log(`    a block of ${nRuns} costs beside its runs ${text(beside)}`);
  }
  await reference.dispose();
  await runtime.close();
}
