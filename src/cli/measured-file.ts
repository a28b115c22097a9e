/**
 * Measured latencies from a file of the user's: a pool's Parquet, or CSV with `network,latencyMs`.
 */
import { extname } from "node:path";
import { FormatError, InputError, messageOf } from "../errors.js";
import type { PlatformSamples } from "../predict/predictor.js";
import type { Platform } from "../record/platform.js";
import { indexFromArch } from "../space/nasbench201/cell.js";
import { readBytes } from "../store/files.js";
import { readMeasurements } from "../store/pool.js";
import { InputChecks } from "./input-checks.js";
import { indexFromNetworkId } from "./subjects.js";
import { knownOfRuntime } from "./training.js";

/** A latency of an architecture, with the platform where the file says it. */
export interface MeasuredNetwork {
  readonly index: number;
  readonly latencyMs: number;
  readonly relativeSd: number | null;
  readonly platformId: string | null;
}

function splitCsvLine(line: string): string[] {
  const fields: string[] = [];
  let field = "";
  let isQuoted = false;
  for (let i = 0; i < line.length; i += 1) {
    const char = line[i]!;
    if (isQuoted && char === '"' && line[i + 1] === '"') {
      field += '"';
      i += 1;
    } else if (char === '"') isQuoted = !isQuoted;
    else if (char === "," && !isQuoted) {
      fields.push(field);
      field = "";
    } else field += char;
  }
  return [...fields, field].map((text) => text.trim());
}

function readCsv(path: string): MeasuredNetwork[] {
  // Spreadsheets begin a file with a byte order mark.
  const text = readBytes(path, "measurements file")
    .toString("utf8")
    .replace(/^\uFEFF/, "");
  const [{ line: header } = { line: "" }, ...lines] = text
    .split(/\r?\n/)
    .map((line, i) => ({ line, number: i + 1 }))
    .filter(({ line }) => line.trim() !== "");
  const columns = splitCsvLine(header);
  const networkColumn = columns.indexOf("network");
  const latencyColumn = columns.indexOf("latencyMs");
  const platformColumn = columns.indexOf("platform");
  if (networkColumn < 0 || latencyColumn < 0) {
    throw new FormatError(
      `measurements file ${path} must have the columns network and latencyMs, got ${columns.join(", ")}`,
      {
        path,
        hint: "network: an architecture string, index or nasbench201/INDEX; latencyMs: milliseconds",
      },
    );
  }
  const checks = new InputChecks();
  const networks = lines.map(({ line, number }): MeasuredNetwork => {
    const fields = splitCsvLine(line);
    const where = `measurements file ${path}, line ${number}`;
    const latencyText = fields[latencyColumn] ?? "";
    const latencyMs = latencyText === "" ? Number.NaN : Number(latencyText);
    if (!(latencyMs > 0 && Number.isFinite(latencyMs))) {
      checks.add(
        new FormatError(
          `${where}: latencyMs must be a number greater than 0, got "${latencyText}"`,
          { path, field: "latencyMs" },
        ),
      );
    }
    let index = 0;
    try {
      index = indexFromArch(fields[networkColumn] ?? "");
    } catch (cause) {
      checks.add(
        new FormatError(`${where}: ${messageOf(cause)}`, { path, field: "network", cause }),
      );
    }
    const platformId = platformColumn < 0 ? null : fields[platformColumn] || null;
    return { index, latencyMs, relativeSd: null, platformId };
  });
  checks.done();
  return networks;
}

/**
 * Read measured latencies.
 *
 * @param platformId - keep only this platform's; when undefined the file must hold one platform
 * @throws FormatError naming line and field; InputError when the file holds other platforms, or several
 */
export async function readMeasuredNetworks(
  path: string,
  platformId: string | undefined,
): Promise<{ networks: MeasuredNetwork[]; platformId: string | null }> {
  let networks: MeasuredNetwork[];
  if (extname(path) === ".parquet") {
    networks = (await readMeasurements(path)).flatMap((measurement) => {
      const index = indexFromNetworkId(measurement.subjectId);
      if (index === undefined || measurement.grade === "X") return [];
      const { latencyMs, lowerMs, upperMs } = measurement;
      const relativeSd = (upperMs - lowerMs) / (2 * 1.645 * latencyMs);
      return [{ index, latencyMs, relativeSd, platformId: measurement.platformId }];
    });
  } else if (extname(path) === ".csv") networks = readCsv(path);
  else {
    throw new InputError(`measurements come as .parquet (a pool's) or .csv, got ${path}`, {
      hint: "write a CSV with the columns network,latencyMs",
    });
  }
  if (networks.length === 0) {
    throw new InputError(
      `measurements file ${path} holds no usable latency of a NAS-Bench-201 network`,
    );
  }
  const platforms = [...new Set(networks.map((network) => network.platformId))];
  if (platformId === undefined) {
    if (platforms.length > 1) {
      throw new InputError(`measurements file ${path} holds ${platforms.length} platforms`, {
        hint: `choose one with --platform: ${platforms.join(", ")}`,
      });
    }
    return { networks, platformId: platforms[0] ?? null };
  }
  const own = networks.filter(
    (network) => network.platformId === null || network.platformId === platformId,
  );
  if (own.length === 0) {
    throw new InputError(
      `measurements file ${path} is of ${platforms.join(", ")}, not of ${platformId}`,
      {
        hint: "a latency belongs to its platform: measure this one, or name the other",
      },
    );
  }
  return { networks: own, platformId };
}

/** As samples of a predictor, row = architecture index in the table of all cells. */
export function samplesFromNetworks(
  networks: readonly MeasuredNetwork[],
  platformId: string,
  runtime: Platform["runtime"],
): PlatformSamples {
  const hasSd = networks.every(({ relativeSd }) => relativeSd !== null);
  return {
    platformId,
    family: runtime.family,
    ...knownOfRuntime(runtime),
    rows: Int32Array.from(networks, ({ index }) => index),
    latencyMs: Float64Array.from(networks, ({ latencyMs }) => latencyMs),
    ...(hasSd ? { relativeSd: Float64Array.from(networks, ({ relativeSd }) => relativeSd!) } : {}),
  };
}
