// Writes data/pool/README.md, the data card of the shipped pool, from the pool itself.
//
//   node scripts/pool-card.mjs
import { join } from "node:path";
import { loadPool } from "../dist/catalogue/training.js";
import { runtimePartOf } from "../dist/record/platform.js";
import { writeFileAtomic } from "../dist/store/files.js";
import { shippedPool } from "../dist/store/paths.js";
import { Pool } from "../dist/store/pool.js";
import { mean, median } from "../dist/tensor/stats.js";

const pool = new Pool(shippedPool);
const loaded = await loadPool(pool);
const split = pool.split();
const contexts = pool.contexts();
const processes = await pool.processes(median);
const percent = (value, digits = 1) => `${(100 * value).toFixed(digits)} %`;
const hours = (ms) => `${(ms / 3_600_000).toFixed(1)} h`;

function groupsOf(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    if (groups.has(key)) groups.get(key).push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** Median of the standard deviation of n normal values, relative to the true one: √(median of χ² with n − 1 / (n − 1)). */
const medianOfSd = { 2: 0.6745, 3: 0.8326, 4: 0.8881, 5: 0.916, 6: 0.9328, 7: 0.9441, 8: 0.952 };
/** Standard deviation of the median of n normal values, relative to that of one. */
const sdOfMedian = { 1: 1, 2: Math.SQRT1_2, 3: 0.6698, 4: 0.5461, 5: 0.5356, 6: 0.4633, 7: 0.4587 };

/** Relative standard deviation between processes of one network, for each network that has several, unbiased as median. */
function noiseOfSubjects(rows) {
  return [...groupsOf(rows, (row) => row.subjectId).values()].flatMap((group) => {
    if (group.length < 2) return [];
    const logs = group.map(({ ratio }) => Math.log(ratio));
    const centre = mean(logs);
    const sd = Math.sqrt(logs.reduce((sum, v) => sum + (v - centre) ** 2, 0) / (logs.length - 1));
    return [sd / (medianOfSd[logs.length] ?? 1)];
  });
}

/** How far the repeated descriptors of a platform are from their mean: the median over operators, relative. */
function descriptorNoise(platformId) {
  const repeats = [];
  for (let n = 1; pool.descriptorRepeat(platformId, n) !== undefined; n += 1) {
    repeats.push(pool.descriptorRepeat(platformId, n));
  }
  if (repeats.length < 2) return { n: pool.descriptor(platformId) ? 1 : 0, spread: null };
  const operators = repeats[0].rows.map(({ operator }) => operator);
  const spreads = operators.map((operator) => {
    const logs = repeats.map(({ rows }) =>
      Math.log(rows.find((row) => row.operator === operator).latencyNs),
    );
    const centre = mean(logs);
    return Math.sqrt(logs.reduce((sum, v) => sum + (v - centre) ** 2, 0) / (logs.length - 1));
  });
  return { n: repeats.length, spread: median(spreads) };
}

const runsOf = groupsOf(processes, (row) => row.platformId);

function platformRow(platform) {
  const own = loaded.measurements.filter(
    (m) => m.platformId === platform.id && m.kind === "network",
  );
  const runs = (runsOf.get(platform.id) ?? []).filter(
    (row) => !row.subjectId.startsWith("operator/"),
  );
  const share = (grade) => percent(own.filter((m) => m.grade === grade).length / own.length, 0);
  const noise = median(noiseOfSubjects(runs));
  const nProcesses = median(own.map((m) => m.nProcesses));
  const waits = runs.flatMap(({ waitShare }) => (waitShare === null ? [] : [waitShare]));
  const { n, spread } = descriptorNoise(platform.id);
  const counters = new Set(
    (pool.descriptor(platform.id)?.rows ?? []).flatMap((row) => row.counters.map((c) => c.source)),
  );
  return [
    runtimePartOf(platform.id),
    platform.runtime.family,
    own.length,
    nProcesses,
    median(own.map((m) => m.latencyMs)).toFixed(3),
    percent(noise),
    percent(noise * (sdOfMedian[Math.round(nProcesses)] ?? 1.2533 / Math.sqrt(nProcesses))),
    ["A", "B", "C", "X"].map(share).join(" / "),
    waits.length === 0 ? "unknown" : percent(mean(waits)),
    `${n}${spread === null ? "" : `, ±${percent(spread)}`}`,
    [...counters].join(", ") || "none",
  ];
}

function deviceSection(device) {
  const platforms = loaded.platforms.filter((platform) => platform.device.id === device.id);
  const ids = new Set(platforms.map(({ id }) => id));
  const own = processes.filter(({ platformId }) => ids.has(platformId));
  const times = own.map((row) => Date.parse(row.startedAt));
  const first = times.reduce((a, b) => Math.min(a, b));
  const last = times.reduce((a, b) => Math.max(a, b));
  const during = contexts.filter(({ takenAt }) => {
    const at = Date.parse(takenAt);
    return at >= first - 60_000 && at <= last + 60_000;
  });
  const loads = during.flatMap(({ loadAverage }) => (loadAverage === null ? [] : [loadAverage]));
  const pressures = during.flatMap(({ cpuPressure }) =>
    cpuPressure === null ? [] : [cpuPressure],
  );
  return `## ${device.id}

${device.cpuModel}, ${device.nCores} cores, ${device.os}, ${during[0].virtualised ? "virtual machine" : "not virtual"}, no hardware counters.
Measured ${new Date(first).toISOString()} to ${new Date(last).toISOString()} (${hours(last - first)}), ${own.length} processes × networks or operators; load average ${median(loads).toFixed(1)} (median), ${loads.reduce((a, b) => Math.max(a, b)).toFixed(1)} (highest); some task waited for a processor in ${percent(median(pressures), 0)} of the time (median).

| platform | family | networks | processes each | median ms | noise of a process | noise of a measurement | grades A / B / C / X | waited | descriptors | counters |
|---|---|---|---|---|---|---|---|---|---|---|
${platforms
  .map(platformRow)
  .map((row) => `| ${row.join(" | ")} |`)
  .join("\n")}
`;
}

const devices = [...new Map(loaded.platforms.map(({ device }) => [device.id, device])).values()];
const families = new Set(loaded.platforms.map(({ runtime }) => runtime.family));

const card = `# The shipped pool

Latencies of NAS-Bench-201 networks and of 26 operators on ${loaded.platforms.length} platforms: ${families.size} runtime families on ${devices.length} devices, measured with this tool.
Generated by \`node scripts/pool-card.mjs\`; measured by \`samara campaign data/pool/plan.yaml\` (a campaign a device, put together by \`node scripts/merge-pools.mjs\`).

| file | what |
|---|---|
| \`plan.yaml\` | the latest campaign's plan |
| \`platforms.json\` | device, runtime, version and settings of every platform |
| \`measurements.parquet\` | one row a network or operator and platform: latency, 90 % interval, grade, reasons, counters |
| \`processes.parquet\` | one row a process: median ratio to the reference, wall time, share of time spent waiting |
| \`descriptors/\` | operators and counters of every platform; \`repeats/\`: each profile by itself |
| \`contexts.json\` | circumstances of every process |
| \`split.json\` | which networks are for learning (${split.train.length}) and which are the test set (${split.test.length}); ${split.how} |

*Noise of a process* is the relative standard deviation between fresh processes of one network, the median over networks;
*noise of a measurement* is that of the stored median over processes, as it follows for normal errors. *Waited* is the mean share of the
timed blocks in which a thread waited for a processor. *Descriptors* says how often the operators were profiled, and by how
much the profiles differ (standard deviation, median over operators).

${devices.map(deviceSection).join("\n")}
Networks: batch 1, 3×32×32, five cells a stage, 16 channels, batch norm folded, variant \`pruned\`, random weights (seed 0).

## Known flaws

* Two devices, both virtual machines of AMD EPYC processors with two cores: a claim about devices of other kinds cannot be
  made from them.
* A campaign is one day. The profiles of the second began at 01:56, 03:02 and 03:13 UTC: an hour apart at most, not days.
* The second campaign's networks ran in two processes each, an hour apart, with up to two more where they graded C or X.
* Other work ran on the machines' two cores during parts of both campaigns (see the load). The interleaved reference absorbs
  most of it for one thread; platforms with two threads wait for each other when a core is taken away, and many of their
  networks grade C or X.
* No hardware counters: descriptors hold operator latencies, software events and the run queue's wait. *Simulated* counters
  are those of callgrind: a processor with AVX2 and an ideal cache, never to be mixed with real readings. Runtimes in a
  browser have the run queue's wait only, because its messages would be counted along.
* The first profile of the second device was made while much else ran (load 15 to 19), the other two on a calm machine.
  Operators of tens of microseconds in Chromium suffered most: see the spread of its descriptors. All three are in the
  descriptor (median over nine processes).
* Files of TensorFlow Lite, LiteRT and XNNPACK hold no operators whose result nobody reads: converters remove them, and
  XNNPACK of 2022 crashes on them. TorchScript, OpenCV and tfjs get the ONNX file and treat such operators as they do.
* Between processes the same network differs by the noise above although nothing else ran: it depends on where its
  memory lies. Medians over processes are what is stored.
* The campaigns' processes ran at the highest priority (nice −20). In the first one, those of ONNX Runtime ran with an
  allocator that keeps freed memory, as the tool does now; the first three processes of its other platforms ran before that
  was introduced, and random weights of networks with zero tensors were scaled differently then (equal shapes; their rows
  carry the hash of the later files).
* TorchScript's matrix products were OpenBLAS's, told to use its Haswell kernels (\`OPENBLAS_CORETYPE\`, in the platform's
  settings). The campaign was stopped and resumed several times; for about two minutes two of its processes ran at once on the
  same pool, and the lines of most of that time were dropped, as were those of platforms that were rebuilt meanwhile.
* Rows with grade X are kept and must not be used.
`;
writeFileAtomic(join(shippedPool, "README.md"), card);
console.log(card);
