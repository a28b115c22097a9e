/**
 * Rows of a measurements file of the user's, in the forms that people write: CSV, one JSON object a line, or what
 * `samara measure --output csv|jsonl|json` printed. Not here: which networks and platforms are wanted
 * (`measured-file.ts`).
 */
import { csvFromText } from "../csv.js";
import { FormatError, messageOf } from "../errors.js";
import { type Architecture, architectureFromText } from "../space/registry.js";
import { normalQuantile } from "../tensor/stats.js";
import { InputChecks } from "./input-checks.js";

/** A latency of an architecture, with the platform and the doubt where the file says them. */
export interface MeasuredNetwork {
  readonly architecture: Architecture;
  readonly latencyMs: number;
  readonly relativeSd: number | null;
  readonly platformId: string | null;
}

/** The networks of a file, and what it also holds that no predictor can use. */
export interface MeasuredRows {
  readonly networks: readonly MeasuredNetwork[];
  /** Why rows were left out, one text a reason, e.g. `networks of files: 2`. */
  readonly skipped: readonly string[];
}

/** A row before it is checked: values by column, and where it is. */
interface Row {
  readonly values: Readonly<Record<string, unknown>>;
  readonly where: string;
}

const columnsHint =
  "network: an architecture string, index or SPACE/ARCHITECTURE; latencyMs: milliseconds; also platform, and relativeSd or lowerMs and upperMs";

/** Half-width of a 90 % interval in standard deviations. */
const halfWidthSds = normalQuantile(0.95);

/** Lines that say something, with their numbers in the file. */
function numberedLines(text: string): { line: string; number: number }[] {
  return text
    .split(/\r?\n/)
    .map((line, i) => ({ line, number: i + 1 }))
    .filter(({ line }) => line.trim() !== "");
}

function rowsOfCsv(text: string, path: string): Row[] {
  const { columns, rows } = csvFromText(text, `measurements file ${path}`);
  const isNamed = columns.includes("network") || columns.includes("id");
  if (!isNamed || !columns.includes("latencyMs")) {
    throw new FormatError(
      `measurements file ${path} must have the columns network and latencyMs, got ${columns.join(", ")}`,
      { path, hint: columnsHint },
    );
  }
  return rows.map(({ fields, line }) => ({
    values: Object.fromEntries(columns.map((column, i) => [column, fields[i] ?? ""])),
    where: `measurements file ${path}, line ${line}`,
  }));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function rowsOfJsonLines(text: string, path: string, checks: InputChecks): Row[] {
  return numberedLines(text).flatMap(({ line, number }) => {
    const where = `measurements file ${path}, line ${number}`;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      checks.add(new FormatError(`${where}: is not JSON: ${messageOf(cause)}`, { path, cause }));
      return [];
    }
    if (isObject(value)) return [{ values: value, where }];
    checks.add(new FormatError(`${where}: must be a JSON object`, { path, hint: columnsHint }));
    return [];
  });
}

function rowsOfDocument(text: string, path: string): Row[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`measurements file ${path} is not JSON: ${messageOf(cause)}`, {
      path,
      cause,
    });
  }
  const results = isObject(value) ? value.results : undefined;
  if (!Array.isArray(results) || !results.every(isObject)) {
    throw new FormatError(
      `measurements file ${path} must be a document of \`samara measure --json\`, with results`,
      { path, hint: "one JSON object a line belongs into a file called .jsonl" },
    );
  }
  return results.map((values, i) => ({
    values,
    where: `measurements file ${path}, result ${i + 1}`,
  }));
}

/** A number as JSON or CSV writes it; null where nothing is. */
function numberOrNull(value: unknown): number | null {
  if (value === undefined || value === null || value === "") return null;
  return typeof value === "number" || typeof value === "string" ? Number(value) : Number.NaN;
}

const shown = (value: unknown) =>
  typeof value === "string" ? `"${value}"` : JSON.stringify(value);

/** The relative standard deviation that a row states, by itself or by its 90 % interval. */
function relativeSdOf(values: Row["values"], latencyMs: number, fail: (problem: string) => void) {
  const stated = numberOrNull(values.relativeSd);
  if (stated !== null) {
    if (stated > 0 && stated < 1) return stated;
    fail(`relativeSd must be a fraction between 0 and 1, got ${shown(values.relativeSd)}`);
    return null;
  }
  const [lower, upper] = [numberOrNull(values.lowerMs), numberOrNull(values.upperMs)];
  if (lower === null || upper === null) return null;
  if (lower > 0 && lower <= latencyMs && latencyMs <= upper && Number.isFinite(upper)) {
    return upper > lower ? (upper - lower) / (2 * halfWidthSds * latencyMs) : null;
  }
  fail(
    `lowerMs ${shown(values.lowerMs)} and upperMs ${shown(values.upperMs)} must enclose latencyMs`,
  );
  return null;
}

/** A measured network cannot be drawn. */
const noDice = {
  integer(): number {
    throw new FormatError("a measured network must be named, `random` names none");
  },
};

/** What no predictor can use: a reason, or undefined. */
function reasonToSkip(name: string, grade: unknown): string | undefined {
  if (grade === "X") return "graded X";
  if (name.startsWith("file/")) return "networks of files";
  if (name.startsWith("operator/")) return "operators";
  return undefined;
}

/**
 * Read the text of a measurements file.
 *
 * @throws FormatError, or InputErrors with all lines that are wrong, by their number
 */
export function measuredRows(
  text: string,
  path: string,
  form: "csv" | "jsonl" | "json",
): MeasuredRows {
  const checks = new InputChecks();
  // Spreadsheets begin a file with a byte order mark.
  const plain = text.replace(/^\uFEFF/, "");
  const rows =
    form === "csv"
      ? rowsOfCsv(plain, path)
      : form === "jsonl"
        ? rowsOfJsonLines(plain, path, checks)
        : rowsOfDocument(plain, path);
  const skipped = new Map<string, number>();
  const networks = rows.flatMap(({ values, where }): MeasuredNetwork[] => {
    const fail = (field: string, problem: string, cause?: unknown) => {
      checks.add(new FormatError(`${where}: ${problem}`, { path, field, cause }));
    };
    const named = values.network ?? values.id;
    const name = typeof named === "number" ? String(named) : named;
    const latencyMs = numberOrNull(values.latencyMs) ?? Number.NaN;
    const reason = typeof name === "string" ? reasonToSkip(name, values.grade) : undefined;
    if (reason !== undefined) {
      skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
      return [];
    }
    if (!(latencyMs > 0 && Number.isFinite(latencyMs))) {
      fail(
        "latencyMs",
        `latencyMs must be a number greater than 0, got ${shown(values.latencyMs ?? "")}`,
      );
    }
    const relativeSd = relativeSdOf(values, latencyMs, (problem) => fail("lowerMs", problem));
    const { platform = "" } = values;
    if (platform !== null && typeof platform !== "string") {
      fail("platform", `platform must be an id, got ${shown(platform)}`);
    }
    if (typeof name !== "string") {
      fail("network", `network must name an architecture, got ${shown(named ?? "")}`);
      return [];
    }
    try {
      const architecture = architectureFromText(name, noDice);
      const platformId = typeof platform === "string" && platform !== "" ? platform : null;
      return [{ architecture, latencyMs, relativeSd, platformId }];
    } catch (cause) {
      fail("network", messageOf(cause), cause);
      return [];
    }
  });
  checks.done();
  return { networks, skipped: [...skipped].map(([reason, n]) => `${reason}: ${n}`) };
}
