// How well a measurement repeats: five networks, measured ten times in fresh processes, spread over half an hour,
// with another process keeping a core busy. Prints the coefficient of variation of the estimate (median of three
// processes) and, beside it, of the plain median of wall times.
//
//   node bench/repeatability.mjs [platform] [--minutes 30] [--repetitions 10] [--out FILE.json]
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { bulkProtocol, runCampaign } from "../dist/measure/campaign.js";
import { takeContext } from "../dist/measure/environment.js";
import { referenceSubject, subjectFromIndex } from "../dist/measure/subject.js";
import { summarise } from "../dist/measure/summarise.js";
import { findPlatform } from "../dist/platform/registry.js";
import { startSampler } from "../dist/platform/sampler.js";
import { mean, median, standardDeviation } from "../dist/tensor/stats.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "30" },
    repetitions: { type: "string", default: "10" },
    out: { type: "string" },
  },
});
const { platform, runtime } = await findPlatform(positionals[0] ?? "tflite2.9-xnnpack-t1");
const nRepetitions = Number(values.repetitions);
const spacingMs = (Number(values.minutes) * 60_000) / Math.max(1, nRepetitions - 1);
/** Connected cells from light to heavy: skip only, pools, 1×1, pools and 1×1, all 3×3. */
const indices = [25, 12_497, 7812, 14_062, 11_718];

const lines = [];
const rows = [];
const startMs = performance.now();
for (let repetition = 0; repetition < nRepetitions; repetition++) {
  const waitMs = startMs + repetition * spacingMs - performance.now();
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  const busy = spawn(process.execPath, ["-e", "for (;;) Math.sqrt(Math.random())"]);
  try {
    const result = await runCampaign({
      platforms: [{ platform, modelFormat: runtime.modelFormat }],
      subjects: indices.map((index) => subjectFromIndex(index)),
      reference: referenceSubject(),
      protocol: { ...bulkProtocol, nExtraProcesses: 0 },
      doneLines: [],
      sink: { append: (line) => lines.push(line), addContext() {} },
      startSampler,
    });
    for (const failure of result.failures) console.error(failure.subjectId, failure.reason);
    rows.push(result.lines);
    const minutes = ((performance.now() - startMs) / 60_000).toFixed(1);
    console.error(`repetition ${repetition + 1}/${nRepetitions} after ${minutes} min`);
  } finally {
    busy.kill("SIGKILL");
  }
}

// One anchor for all, as in a pool: what repeats are the ratios.
const anchorMs = median(
  lines.map((line) =>
    median(line.cleanReferenceMs.length > 2 ? line.cleanReferenceMs : [line.referenceMs]),
  ),
);
const variation = (x) => standardDeviation(x) / mean(x);
const percent = (x) => `${(100 * x).toFixed(1)} %`;
const results = indices.map((index) => {
  const id = `nasbench201/${index}`;
  const own = rows.map((row) => row.filter((line) => line.subjectId === id));
  const estimates = own.map((three) => anchorMs * median(three.map((line) => median(line.ratios))));
  const walls = own.map((three) => median(three.flatMap((line) => line.wallMs)));
  return {
    id,
    latencyMs: median(estimates),
    estimateVariation: variation(estimates),
    plainMedianVariation: variation(walls),
    estimatesMs: estimates,
    wallMediansMs: walls,
  };
});
console.log(
  `\n${platform.id}: ${nRepetitions} repetitions over ${((performance.now() - startMs) / 60_000).toFixed(0)} min, one busy process beside, median of 3 processes`,
);
console.log("network              latency     CV of estimate   CV of plain wall median");
for (const r of results) {
  console.log(
    `${r.id.padEnd(20)} ${r.latencyMs.toFixed(3).padStart(8)} ms ${percent(r.estimateVariation).padStart(14)} ${percent(r.plainMedianVariation).padStart(22)}`,
  );
}
console.log(
  `median               ${" ".repeat(11)} ${percent(median(results.map((r) => r.estimateVariation))).padStart(14)} ${percent(median(results.map((r) => r.plainMedianVariation))).padStart(22)}`,
);
if (values.out) {
  const document = {
    schema: "samara/repeatability/1",
    platform,
    context: takeContext(platform.runtime.version),
    nRepetitions,
    results,
    nGraded: summarise(lines).length,
  };
  writeFileSync(values.out, `${JSON.stringify(document, null, 2)}\n`);
}
