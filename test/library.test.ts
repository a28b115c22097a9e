// The public library: what it exports, that the parts work together, and that the package finds them by name.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as samara from "../src/index.js";
import * as measure from "../src/measure/index.js";
import { packageRoot } from "../src/package.js";
import { createLab, createMemorySink, inLab, labPlatform } from "./fake-lab.js";
import { graphLatencyMs, poolPlatforms } from "./fake-pool.js";

test("exports what users need, by these names", () => {
  expect(Object.keys(samara)).toEqual(
    expect.arrayContaining([
      ...["createGraphBuilder", "costOfGraph", "readOnnx", "writeOnnx", "writeTflite"],
      ...["cellFromArchString", "archStringFromCell", "cellFromIndex", "indexFromCell", "nCells"],
      ...["networkFromCell", "featuresOfCells", "featuresOfGraphs", "rewriteSemantics"],
      ...["createPredictor", "predictorNames", "readPredictor", "writePredictor", "Pool"],
      ...["scorePredictions", "holdOutFamilies", "SamaraError", "InputError", "FormatError"],
    ]),
  );
  expect(Object.keys(measure)).toEqual(
    expect.arrayContaining([
      ...["listPlatforms", "findPlatform", "startSampler", "runCampaign", "bulkProtocol"],
      ...["profilePlatform", "profileProtocol", "summarise", "takeContext", "judgeContext"],
      ...["examineMachine", "referenceSubject", "subjectFromGraph", "subjectFromIndex"],
    ]),
  );
});

test("measures, learns, adapts, saves, loads and predicts", { timeout: 60_000 }, async () => {
  const target = labPlatform("fake1-t1", { weightNs: 1 });
  const lab = createLab();
  const sink = createMemorySink();
  const indices = [3, 1462, 4711, 7341, 9410, 12345];
  const { failures } = await measure.runCampaign({
    platforms: [inLab(target)],
    subjects: indices.map((index) => measure.subjectFromIndex(index)),
    reference: measure.referenceSubject(),
    protocol: { ...measure.bulkProtocol, nProcesses: 1, nPairs: 3 },
    doneLines: [],
    sink,
    startSampler: lab.startSampler,
  });
  expect(failures).toEqual([]);
  const measured = measure.summarise(sink.lines);

  const networks = samara.featuresOfCells();
  const rows = Int32Array.from({ length: 60 }, (_, i) => 250 * i + 7);
  const pool = {
    networks,
    platforms: poolPlatforms.map((platform) => ({
      platformId: platform.id,
      family: platform.runtime.family,
      rows,
      latencyMs: Float64Array.from(rows, (row) =>
        graphLatencyMs(samara.networkFromCell(samara.cellFromIndex(row)), platform),
      ),
    })),
  };
  const fitted = await samara.createPredictor("operator-sum").fit(pool, { seed: 1 });
  const adapted = await fitted.adapt(
    {
      platformId: target.id,
      family: target.runtime.family,
      rows: Int32Array.from(indices),
      latencyMs: Float64Array.from(measured, ({ latencyMs }) => latencyMs),
    },
    networks,
    { seed: 1 },
  );
  const folder = mkdtempSync(join(tmpdir(), "samara-library-"));
  try {
    samara.writePredictor(join(folder, "p"), adapted.save(), {
      poolHash: "none",
      seed: 1,
      trainedFamilies: fitted.trainedFamilies,
      heldOutFamilies: [],
      platform: target,
      nSamples: indices.length,
    });
    const { saved } = samara.readPredictor(join(folder, "p"));
    const loaded = await samara.createPredictor(saved.method).loadAdapted(saved);
    const graph = samara.networkFromCell(samara.cellFromIndex(5000));
    const table = samara.featuresOfGraphs([
      { id: "mine", graph: samara.readOnnx(samara.writeOnnx(graph)) },
    ]);
    const predictions = await loaded.predict(table, { coverage: 0.9 });
    const scores = samara.scorePredictions({
      measuredMs: [graphLatencyMs(graph, target)],
      predictedMs: predictions.latencyMs,
      lowerMs: predictions.lowerMs,
      upperMs: predictions.upperMs,
      coverage: 0.9,
    });
    expect(scores.withinTenPercent).toBe(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("is found by the package's name, without loading a runtime", { timeout: 60_000 }, () => {
  const program = `
    const library = await import("samara-latency");
    const measure = await import("samara-latency/measure");
    const natives = process.report.getReport().sharedObjects.filter((path) => path.includes("onnxruntime"));
    console.log(JSON.stringify([typeof library.readOnnx, typeof measure.runCampaign, natives]));
  `;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: packageRoot,
    encoding: "utf8",
  });
  expect(JSON.parse(output)).toEqual(["function", "function", []]);
});
