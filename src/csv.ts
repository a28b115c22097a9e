/**
 * Comma-separated text (RFC 4180) as rows with the lines that they stand on, so that complaints can name them.
 *
 * Not here: what columns mean, and files.
 */
import { FormatError } from "./errors.js";

/** One row, and the line of the text on which it begins, from 1. */
export interface CsvRow {
  readonly fields: readonly string[];
  readonly line: number;
}

/** A header and what stands below it. */
export interface CsvTable {
  readonly columns: readonly string[];
  readonly rows: readonly CsvRow[];
}

/**
 * Read comma-separated text with a header. Fields are trimmed; a byte order mark, either kind of line end, blank lines
 * and quoted fields over several lines are understood.
 *
 * @param what - how messages name the text, e.g. `accuracy file a.csv`
 * @throws FormatError on an empty text or a quote that is never closed
 */
export function csvFromText(text: string, what: string): CsvTable {
  const rows: CsvRow[] = [];
  let fields: string[] = [];
  let field = "";
  let line = 1;
  let startLine = 1;
  let quoteLine = 0;
  const endRow = () => {
    fields.push(field.trim());
    field = "";
    if (fields.length > 1 || fields[0] !== "") rows.push({ fields, line: startLine });
    fields = [];
  };
  // Spreadsheets begin a file with a byte order mark.
  for (let i = text.startsWith("\uFEFF") ? 1 : 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === "\n") line++;
    if (quoteLine > 0) {
      if (char !== '"') field += char;
      else if (text[i + 1] === '"') {
        field += '"';
        i++;
      } else quoteLine = 0;
    } else if (char === '"') quoteLine = line;
    else if (char === ",") {
      fields.push(field.trim());
      field = "";
    } else if (char === "\n") {
      endRow();
      startLine = line;
    } else field += char;
  }
  if (quoteLine > 0) {
    throw new FormatError(`${what}, line ${quoteLine}: a quote is opened and never closed`);
  }
  endRow();
  const [header, ...below] = rows;
  if (!header) throw new FormatError(`${what} is empty: it must have a header line`);
  return { columns: header.fields, rows: below };
}
