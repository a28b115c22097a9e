/**
 * Accuracy tables from files of the user's: `.csv`, `.csv.gz`.
 */
import { gunzipSync } from "node:zlib";
import { FormatError, messageOf } from "../errors.js";
import { type AccuracyTable, accuraciesFromCsv } from "../search/accuracy.js";
import { readBytes } from "../store/files.js";

/** The first bytes of a gzip file. */
const isGzip = (bytes: Uint8Array) => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** A table of a million networks has about 100 MB; a file that unpacks to more is none. */
const mostTextBytes = 512 * 2 ** 20;

/**
 * Read an accuracy table.
 *
 * @param column - of the accuracies; default the one that is called so
 * @throws NotFoundError when there is no such file; FormatError or InputErrors naming its wrong lines
 */
export function readAccuracies(path: string, column?: string): AccuracyTable {
  const bytes = readBytes(path, "accuracy file");
  if (/\.gz$/i.test(path) && !isGzip(bytes)) {
    throw new FormatError(`accuracy file ${path} is called .gz and is no gzip file`, {
      path,
      hint: "give it as .csv, or pack it with gzip",
    });
  }
  let text: string;
  try {
    text = (isGzip(bytes) ? gunzipSync(bytes, { maxOutputLength: mostTextBytes }) : bytes).toString(
      "utf8",
    );
  } catch (cause) {
    throw new FormatError(`accuracy file ${path} cannot be unpacked: ${messageOf(cause)}`, {
      path,
      cause,
    });
  }
  return accuraciesFromCsv(text, { source: path, column });
}
