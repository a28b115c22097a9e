/**
 * Accuracy tables by name: files given when the service was started, and texts that were uploaded, kept in
 * `<home>/accuracy/`.
 */
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { readAccuracies } from "../../catalogue/accuracy-file.js";
import { InputError, NotFoundError } from "../../errors.js";
import { type AccuracyTable, accuraciesFromCsv, accuraciesOfSpace } from "../../search/accuracy.js";
import { nCells } from "../../space/nasbench201/cell.js";
import { spaces } from "../../space/registry.js";
import { writeFileAtomic } from "../../store/files.js";
import { dataHome } from "../../store/paths.js";
import type { AccuracyTable as AccuracySummary } from "../api/schemas.js";

/** A file given at the start, and the column that was asked for. */
export interface FixedAccuracies {
  readonly path: string;
  readonly column?: string;
}

/** Columns that are taken for accuracies without being named. */
const accuracyColumnRule = /(^|_)(acc|accuracy|top-?_?1)(_|$)/i;
const nameRule = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const folder = () => join(dataHome(), "accuracy");
const nameOf = (path: string) => basename(path).replace(/\.csv(\.gz)?$/i, "");

/** A table of one column, which needs no further word when it is read again. */
function csvOfColumn(entries: AccuracyTable["entries"], column: string): string {
  const rows = entries.flatMap(({ network, accuracy }) =>
    network.kind === "architecture" ? [`${network.architecture.id},${accuracy}`] : [],
  );
  const heading = /^[\w.-]+$/.test(column) && accuracyColumnRule.test(column) ? column : "accuracy";
  return `${[`network,${heading}`, ...rows].join("\n")}\n`;
}

/** The tables that this service knows. */
export class Accuracies {
  readonly #fixed: ReadonlyMap<string, FixedAccuracies>;
  #read = new Map<string, { stamp: string; table: AccuracyTable }>();

  constructor(fixed: readonly FixedAccuracies[]) {
    this.#fixed = new Map(fixed.map((one) => [nameOf(one.path), one]));
  }

  #pathOf(name: string): FixedAccuracies {
    const fixed = this.#fixed.get(name);
    if (fixed) return fixed;
    const path = join(folder(), `${name}.csv`);
    if (nameRule.test(name) && existsSync(path)) return { path };
    throw new NotFoundError(`there is no accuracy table "${name}"`, {
      hint: `there are: ${this.#names().join(", ") || "none; upload one with PUT /api/v1/accuracies/NAME"}`,
    });
  }

  #names(): string[] {
    const uploaded = existsSync(folder())
      ? readdirSync(folder()).filter((name) => /^[^.].*\.csv$/.test(name))
      : [];
    return [...new Set([...this.#fixed.keys(), ...uploaded.map((name) => name.slice(0, -4))])];
  }

  /** @throws NotFoundError naming those there are; FormatError, InputErrors when a file has changed for the worse */
  get(name: string): AccuracyTable {
    const { path, column } = this.#pathOf(name);
    const stamp = `${path} ${statSync(path).mtimeMs}`;
    const known = this.#read.get(name);
    if (known?.stamp === stamp) return known.table;
    const table = { ...readAccuracies(path, column), source: name };
    this.#read.set(name, { stamp, table });
    return table;
  }

  /** Accuracies of cells by index, null where the table has none. */
  ofCells(name: string): (number | null)[] {
    const values = Array.from({ length: nCells }, (): number | null => null);
    for (const { network, accuracy } of accuraciesOfSpace(this.get(name), spaces[0]).entries) {
      if (network.kind === "architecture") values[Number(network.architecture.text)] = accuracy;
    }
    return values;
  }

  summary(name: string): AccuracySummary {
    const { column, unit, entries } = this.get(name);
    const names = new Set(
      entries.map(({ network }) =>
        network.kind === "file" ? "files" : network.architecture.space.name,
      ),
    );
    return {
      ...{ name, column, unit },
      nNetworks: entries.length,
      space: [...names].join(", "),
      isFixed: this.#fixed.has(name),
    };
  }

  all(): AccuracySummary[] {
    return this.#names().map((name) => this.summary(name));
  }

  /**
   * Keep a table under a name; an older one is replaced.
   *
   * @throws InputError on a name that is none, or of a table given at the start; FormatError, InputErrors on bad lines
   */
  put(name: string, text: string, column?: string): AccuracySummary {
    if (!nameRule.test(name)) {
      throw new InputError(
        `an accuracy table's name has letters, digits, ".", "_" and "-", at most 64, got "${name}"`,
      );
    }
    this.#requireOwn(name);
    const { entries } = accuraciesFromCsv(text, { source: name, column });
    if (entries.some(({ network }) => network.kind === "file")) {
      throw new InputError(
        "an uploaded accuracy table cannot name files of the service's machine",
        {
          hint: "name architectures; for files use `samara search --accuracy`",
        },
      );
    }
    writeFileAtomic(
      join(folder(), `${name}.csv`),
      column === undefined ? text : csvOfColumn(entries, column),
    );
    return this.summary(name);
  }

  /** @throws NotFoundError; InputError for a table given at the start */
  delete(name: string): void {
    this.#requireOwn(name);
    rmSync(this.#pathOf(name).path);
    this.#read.delete(name);
  }

  #requireOwn(name: string): void {
    if (!this.#fixed.has(name)) return;
    throw new InputError(`accuracy table "${name}" was given when the service was started`, {
      hint: "choose another name",
    });
  }
}
