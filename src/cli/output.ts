/**
 * Results on stdout as a table, JSON, JSON lines or CSV. NaN never leaves: it becomes null.
 */
import { styleText } from "node:util";
import { InputError } from "../errors.js";
import { tool } from "../package.js";

export const outputFormats = ["table", "json", "jsonl", "csv"] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** Something that is not wrong but that the reader must know. */
export interface Warning {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** How a field of a result is shown in a table. */
export interface Column<T> {
  readonly title: string;
  readonly value: (result: T) => string;
  readonly align?: "left" | "right";
}

export interface Document<T> {
  /** `predictions`, `platforms`, …: schema `samara/<name>/1`. */
  readonly name: string;
  readonly context: Readonly<Record<string, unknown>>;
  readonly results: readonly T[];
  /** Results taken together, where a command has such; in JSON only. */
  readonly summary?: readonly object[];
  /** What the command proposed to do, where it does; in JSON only. */
  readonly proposal?: object;
  readonly warnings: readonly Warning[];
}

/** The JSON envelope of every command. */
function envelope<T>(document: Document<T>): Record<string, unknown> {
  return {
    schema: `samara/${document.name}/1`,
    tool,
    context: document.context,
    results: document.results,
    ...(document.summary === undefined ? {} : { summary: document.summary }),
    ...(document.proposal === undefined ? {} : { proposal: document.proposal }),
    warnings: document.warnings,
  };
}

/** JSON with null in place of NaN and infinities, which JSON lacks. */
function toJson(value: unknown, indent?: number): string {
  const finite = (_: string, v: unknown) =>
    typeof v === "number" && !Number.isFinite(v) ? null : v;
  return JSON.stringify(value, finite, indent);
}

function csvField(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" && !Number.isFinite(value)) return "";
  const text = typeof value === "object" ? toJson(value) : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Comma-separated values with a header line; nested fields as JSON. */
function toCsv(results: readonly Readonly<Record<string, unknown>>[]): string {
  const keys = [...new Set(results.flatMap((result) => Object.keys(result)))];
  const lines = results.map((result) => keys.map((key) => csvField(result[key])).join(","));
  return [keys.join(","), ...lines, ""].join("\n");
}

/** A plain table with aligned columns. */
function toTable<T>(
  results: readonly T[],
  columns: readonly Column<T>[],
  { color = false }: { color?: boolean } = {},
): string {
  const cells = results.map((result) => columns.map((column) => column.value(result)));
  const widths = columns.map((column, i) =>
    Math.max(column.title.length, ...cells.map((row) => row[i]!.length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) =>
        columns[i]!.align === "right" ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!),
      )
      .join("  ")
      .trimEnd();
  const header = line(columns.map(({ title }) => title));
  return [color ? styleText("bold", header) : header, ...cells.map(line), ""].join("\n");
}

export interface Output {
  readonly format: OutputFormat;
  readonly color: boolean;
  /** Print all results of a command; in a table, `footer` follows them. */
  emit<T extends object>(
    document: Document<T>,
    columns: readonly Column<T>[],
    footer?: string,
  ): void;
  /** A further table for people, after an empty line; nothing in machine formats. */
  table<T extends object>(results: readonly T[], columns: readonly Column<T>[]): void;
  /** A line for people on stdout; nothing in machine formats. */
  line(text: string): void;
}

/**
 * The output that flags ask for.
 *
 * @throws InputError on an unknown format
 */
export function createOutput(
  flags: { json?: boolean; output?: string; color?: boolean },
  write: (text: string) => void = (text) => void process.stdout.write(text),
): Output {
  const format = (flags.json ? "json" : (flags.output ?? "table")) as OutputFormat;
  if (!outputFormats.includes(format)) {
    throw new InputError(`--output is one of ${outputFormats.join(", ")}, got "${format}"`);
  }
  const color =
    flags.color !== false && process.env.NO_COLOR === undefined && process.stdout.isTTY === true;
  return {
    format,
    color,
    emit(document, columns, footer) {
      if (format === "json") write(`${toJson(envelope(document), 2)}\n`);
      else if (format === "jsonl") {
        for (const result of document.results) write(`${toJson(result)}\n`);
      } else if (format === "csv") {
        write(toCsv(document.results as readonly Readonly<Record<string, unknown>>[]));
      } else {
        write(toTable(document.results, columns, { color }));
        if (footer !== undefined) write(`${footer}\n`);
      }
    },
    table(results, columns) {
      if (format === "table") write(`\n${toTable(results, columns, { color })}`);
    },
    line(text) {
      if (format === "table") write(`${text}\n`);
    },
  };
}
