import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { parquetReadObjects } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { labDevice, labPlatform } from "../../test/fake-lab.js";
import { FormatError, NotFoundError, StorageError } from "../errors.js";
import type { Descriptor } from "../record/descriptor.js";
import type { Context, Measurement, ProcessSummary } from "../record/measurement.js";
import { Pool, readDescriptor, readMeasurements } from "./pool.js";

let folder: string;
let pool: Pool;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "samara-pool-"));
  pool = new Pool(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const platform = labPlatform();

const context: Context = {
  id: "c0ffee",
  cpuModel: labDevice.cpuModel,
  nCores: 2,
  kernel: "6.1.0",
  governor: null,
  frequencyHz: null,
  temperatureC: null,
  loadAverage: 0.4,
  cpuPressure: 0.01,
  cgroupCpuLimit: null,
  virtualised: true,
  nodeVersion: "v20.19.0",
  toolVersion: "0.1.0",
  runtimeVersion: "1.0.0",
  throttled: null,
  takenAt: "2026-11-01T12:00:00.000Z",
};

const measurement: Measurement = {
  platformId: platform.id,
  kind: "network",
  subjectId: "nasbench201/1462",
  modelHash: "0123456789abcdef",
  latencyMs: 1.5,
  lowerMs: 1.4,
  upperMs: 1.6,
  medianWallMs: 1.7,
  nProcesses: 3,
  nRuns: 30,
  grade: "B",
  reasons: ["one, with a comma", "two"],
  contextId: "c0ffee",
  counters: [{ name: "page-faults", source: "software", perRun: 1.5, runningShare: 1 }],
};

const line: ProcessSummary = {
  schema: "samara/process-summary/1",
  platformId: platform.id,
  kind: "network",
  subjectId: "nasbench201/1462",
  modelHash: "a",
  referenceHash: "r",
  processId: "p1",
  startedAt: "2026-11-01T12:00:00.000Z",
  contextId: "c0ffee",
  runsPerBlock: 1,
  warmupRuns: 5,
  steady: true,
  ratios: [2, 3, 4],
  wallMs: [4, 5, 6],
  waitShares: [0, 0, 0.1],
  cleanReferenceMs: [2],
  referenceMs: 2,
  counters: [],
};

const descriptor: Descriptor = {
  schema: "samara/descriptor/1",
  tool: { name: "samara", version: "0.1.0" },
  platform,
  inputSize: 32,
  latencyUnit: "ns",
  rows: [
    {
      operator: "stem",
      signatures: [{ key: "Conv 3x3/1 3x32x32>16x32x32", count: 1 }],
      latencyNs: 1e5,
      lowerNs: 0.9e5,
      upperNs: 1.1e5,
      grade: "A",
      counters: [],
    },
  ],
  context,
  measuredAt: context.takenAt,
  durationS: 60,
};

const middle = (values: readonly number[]) => values[values.length >> 1]!;
const parquetPath = () => join(folder, "measurements.parquet");

/** A measurements file of one good row whose columns are changed, as another program might have written it. */
function writeParquet(changes: Readonly<Record<string, unknown>>, rows = 1): void {
  const row: Record<string, unknown> = {
    ...measurement,
    reasons: "",
    counters: "[]",
    ...changes,
  };
  const columnData = Object.entries(row)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ({ name, data: new Array(rows).fill(value) }));
  writeFileSync(parquetPath(), new Uint8Array(parquetWriteBuffer({ columnData })));
}

describe("Pool", () => {
  test("is empty before anything is added, and writes nothing by itself", async () => {
    expect(pool.platforms()).toEqual([]);
    expect(pool.contexts()).toEqual([]);
    expect(pool.descriptors()).toEqual([]);
    expect(pool.descriptor(platform.id)).toBeUndefined();
    expect(pool.split()).toBeUndefined();
    expect(pool.runs()).toEqual({ lines: [], nDamaged: 0 });
    await expect(pool.measurements()).rejects.toThrow(NotFoundError);
    expect(() => pool.requireExisting()).toThrow(`no pool in ${folder}`);
  });

  test("gives back platforms and contexts, each once", () => {
    const other = labPlatform("fake1-t2");
    for (const one of [platform, other, platform]) pool.addPlatform(one);
    for (const one of [context, context]) pool.addContext(one);
    expect(pool.requireExisting().platforms()).toEqual([platform, other]);
    expect(pool.contexts()).toEqual([context]);
  });

  test("gives back descriptors by platform", () => {
    pool.writeDescriptor(descriptor);
    expect(pool.descriptor(platform.id)).toEqual(descriptor);
    expect(pool.descriptors()).toEqual([descriptor]);
    expect(pool.descriptor("other.fake1-t1.fp32")).toBeUndefined();
  });

  test("keeps the names of its files free of what platform ids may hold", () => {
    const id = "../../etc/passwd";
    expect(pool.descriptorPath(id)).toBe(join(folder, "descriptors", ".._.._etc_passwd.json"));
  });

  test("gives back the split", () => {
    const split = {
      schema: "samara/split/1" as const,
      seed: 7,
      how: "by hand",
      train: ["nasbench201/1"],
      test: ["nasbench201/2"],
    };
    pool.writeSplit(split);
    expect(pool.split()).toEqual(split);
    writeFileSync(join(folder, "split.json"), JSON.stringify({ ...split, test: [2] }));
    expect(() => pool.split()).toThrow('field "test.0" is wrong');
  });

  test("gives back log lines, and counts those that are damaged or no process summary", () => {
    pool.log.append(line);
    pool.log.append({ ...line, ratios: [-1] });
    pool.log.append({ schema: "samara/other/1" });
    writeFileSync(pool.log.path, `${readFileSync(pool.log.path, "utf8")}{"cut`);
    expect(pool.runs()).toEqual({ lines: [line], nDamaged: 3 });
  });

  test("says which file is damaged and where", () => {
    pool.addPlatform(platform);
    const path = join(folder, "platforms.json");
    writeFileSync(path, readFileSync(path, "utf8").slice(0, 40));
    expect(() => pool.platforms()).toThrow(`platforms file ${path} is not JSON`);
    writeFileSync(path, JSON.stringify([{ ...platform, precision: "int4" }]));
    expect(() => pool.platforms()).toThrow(FormatError);
    expect(() => pool.platforms()).toThrow('field "0.precision" is wrong');
  });

  test("cannot lie under a file", () => {
    writeFileSync(join(folder, "file"), "");
    expect(() => new Pool(join(folder, "file", "pool")).addPlatform(platform)).toThrow(
      StorageError,
    );
  });
});

describe("measurements in Parquet", () => {
  test("come back as they were written", async () => {
    const rows = [
      measurement,
      { ...measurement, kind: "operator" as const, reasons: [], counters: [], grade: "X" as const },
    ];
    pool.writeMeasurements(rows);
    expect(await pool.measurements()).toEqual(rows);
  });

  test("come back bit by bit, whatever the numbers and names", async () => {
    const positive = fc.double({ min: 1e-300, max: 1e300, noNaN: true });
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 });
    const count = fc.integer({ min: 1, max: 2 ** 31 - 1 });
    const any = fc.record({
      platformId: text,
      kind: fc.constantFrom("network" as const, "operator" as const),
      subjectId: text,
      modelHash: text,
      latencyMs: positive,
      lowerMs: positive,
      upperMs: positive,
      medianWallMs: positive,
      nProcesses: count,
      nRuns: count,
      grade: fc.constantFrom("A" as const, "B" as const, "C" as const, "X" as const),
      reasons: fc.array(fc.constantFrom("waited", "90 % interval is ±9 %, above 8 %")),
      contextId: text,
      counters: fc.array(
        fc.record({
          name: text,
          source: fc.constantFrom("pmu" as const, "software" as const),
          perRun: positive,
          runningShare: fc.double({ min: 0, max: 1, noNaN: true }).map((share) => share + 0),
        }),
        { maxLength: 3 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(any, { minLength: 1, maxLength: 20 }), async (rows) => {
        pool.writeMeasurements(rows);
        expect(await pool.measurements()).toEqual(rows);
      }),
      { numRuns: 50 },
    );
  });

  test("of an empty pool come back empty", async () => {
    pool.writeMeasurements([]);
    expect(await pool.measurements()).toEqual([]);
  });

  test.each<[string, string, Readonly<Record<string, unknown>>]>([
    ["a NaN latency", "latencyMs", { latencyMs: Number.NaN }],
    ["a negative latency", "latencyMs", { latencyMs: -1.5 }],
    ["a zero latency", "latencyMs", { latencyMs: 0.0 }],
    ["a missing latency", "latencyMs", { latencyMs: undefined }],
    ["an infinite bound", "upperMs", { upperMs: Number.POSITIVE_INFINITY }],
    ["an unknown grade", "grade", { grade: "Z" }],
    ["half a process", "nProcesses", { nProcesses: 0.5 }],
    ["counters that are no JSON", "counters", { counters: "[{" }],
    ["a negative count", "counters.0.perRun", { counters: countersOf(-1) }],
  ])("are refused with %s, naming row and field", async (_, field, changes) => {
    writeParquet(changes, 2);
    const reading = readMeasurements(parquetPath());
    await expect(reading).rejects.toThrow(FormatError);
    await expect(reading).rejects.toThrow(
      `row 0 of measurements file ${parquetPath()}: field "${field}" is wrong`,
    );
    await expect(reading).rejects.toMatchObject({ field, path: parquetPath() });
  });

  function countersOf(perRun: number): string {
    return JSON.stringify([{ name: "cycles", source: "pmu", perRun, runningShare: 1 }]);
  }

  test.each<[string, (bytes: Buffer) => Uint8Array]>([
    ["cut short", (bytes) => bytes.subarray(0, bytes.length - 20)],
    ["no Parquet", () => Buffer.from("network,latencyMs\n1462,1.5\n")],
    ["empty", () => Buffer.alloc(0)],
    ["changed in its footer", (bytes) => new Uint8Array(bytes).fill(0xff, -40, -8)],
  ])("are refused when the file is %s", async (_, damage) => {
    pool.writeMeasurements([measurement, measurement]);
    writeFileSync(parquetPath(), damage(readFileSync(parquetPath())));
    const reading = readMeasurements(parquetPath());
    await expect(reading).rejects.toThrow(FormatError);
    await expect(reading).rejects.toThrow(parquetPath());
  });

  test("say that there is no file", async () => {
    await expect(readMeasurements(parquetPath())).rejects.toThrow(NotFoundError);
    mkdirSync(parquetPath());
    await expect(readMeasurements(parquetPath())).rejects.toThrow(StorageError);
  });
});

describe("processes in Parquet", () => {
  test("hold medians, and null where waits are unknown (was: an error)", async () => {
    pool.writeProcesses([line, { ...line, processId: "p2", waitShares: [] }], middle);
    const bytes = readFileSync(join(folder, "processes.parquet"));
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    const rows = await parquetReadObjects({ file: file as ArrayBuffer });
    expect(rows).toMatchObject([
      { processId: "p1", ratio: 3, wallMs: 5, waitShare: 0, referenceMs: 2, nPairs: 3 },
      { processId: "p2", waitShare: null },
    ]);
  });
});

describe("readDescriptor()", () => {
  const path = () => join(folder, "descriptor.json");
  const write = (changes: Readonly<Record<string, unknown>>) =>
    writeFileSync(path(), JSON.stringify({ ...descriptor, ...changes }));

  test.each<[string, string, Readonly<Record<string, unknown>>]>([
    ["latencies in another unit", "latencyUnit", { latencyUnit: "ms" }],
    ["another schema", "schema", { schema: "samara/descriptor/2" }],
    ["no rows", "rows", { rows: undefined }],
    ["a NaN latency", "rows.0.latencyNs", { rows: [{ ...descriptor.rows[0], latencyNs: null }] }],
    [
      "a negative latency",
      "rows.0.latencyNs",
      { rows: [{ ...descriptor.rows[0], latencyNs: -1 }] },
    ],
    ["no platform", "platform", { platform: undefined }],
  ])("refuses %s and names the field", (_, field, changes) => {
    write(changes);
    expect(() => readDescriptor(path())).toThrow(FormatError);
    expect(() => readDescriptor(path())).toThrow(`descriptor ${path()}: field "${field}" is wrong`);
  });

  test("ignores fields that a later version adds", () => {
    write({ later: true });
    expect(readDescriptor(path())).toEqual(descriptor);
  });
});
